import pytest

from bizy_migrate_tui.display import group_digits, human_bytes, human_seconds, safe_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, ünïcödé 語", "plain text, ünïcödé 語"),
        ("[bold]markup[/bold]", "[bold]markup[/bold]"),
        ("family 👨‍👩‍👧 flag 🇩🇪 tag ✌🏽", "family 👨‍👩‍👧 flag 🇩🇪 tag ✌🏽"),
        ("\x1b]52;c;eA==\x07", "␛]52;c;eA==␇"),
        ("one\ntwo\r\nthree\rfour\tfive\0", "one⏎two⏎three⏎four␉five␀"),
        ("\x9b31m", "\\x9b31m"),
        ("abc\u202etxt.exe", "abc\\u202etxt.exe"),
        ("a\u2028b\x7f", "a\\u2028b␡"),
        ("half \ud83d", "half \\ud83d"),
    ],
)
def test_text_is_shown_and_not_obeyed(text: str, shown: str) -> None:
    assert safe_text(text) == shown


def test_text_is_cut_to_fit() -> None:
    assert safe_text("abcdef", 6) == "abcdef"
    assert safe_text("abcdefg", 6) == "abcde…"
    assert safe_text("ab", 0) == "…"


def test_figures_are_written_for_people() -> None:
    assert group_digits(1234567) == "1,234,567"
    assert [human_bytes(n) for n in (0, 999, 1000, 241369088, 10**13)] == [
        "0 bytes",
        "999 bytes",
        "1.0 kB",
        "241.4 MB",
        "10.0 TB",
    ]
    assert [human_seconds(n) for n in (0.04, 9.96, 59.6, 185, 7620)] == [
        "0.0 s",
        "10 s",
        "1 min 00 s",
        "3 min 05 s",
        "2 h 07 min",
    ]
