"""The detail pane: every column of a row, before and after, with the part that changes marked."""

from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from bizy_migrate_tui.display import safe_text
from bizy_migrate_tui.migration.plan.preview import CellChange

SHOWN_CHARACTERS = 2000
"""A value is shown up to here; the pane says how long the whole of it is."""
COMPARED_CHARACTERS = 400
"""Longer values are marked by their common beginning and end, which costs no time."""
PLANNED = "will differ from the source"

Span = tuple[int, int]


class CellChanges(VerticalScroll):
    """Shows one row in full. Values come from a database: they are never markup and never control characters."""

    def compose(self) -> ComposeResult:
        """A single text that scrolls."""
        yield Static("", markup=False)

    def show(self, title: str, changes: Sequence[CellChange], heading: str = PLANNED) -> None:
        """Show a row: what changes first, then what stays as it is; `heading` says what it means that it changes."""
        self._put(change_text(title, changes, heading))

    def show_values(self, title: str, values: Iterable[tuple[str, str | None]]) -> None:
        """Show a row that has no other side: column by column."""
        lines = [Content.styled(safe_text(title), "b")]
        for column, value in values:
            lines += [Content(""), Content.styled(safe_text(column), "$text-muted"), _value(_clip(value), (), "", value)]
        self._put(Content("\n").join(lines))

    def clear(self, hint: str) -> None:
        """Nothing to show; the hint says why."""
        self._put(Content.styled(hint, "$text-muted"))

    def _put(self, content: Content) -> None:
        self.query_one(Static).update(content)
        self.scroll_home(animate=False)


def change_text(title: str, changes: Sequence[CellChange], heading: str = PLANNED) -> Content:
    """The whole pane as text."""
    changed = [change for change in changes if change.changed]
    same = [change for change in changes if not change.changed]
    blocks: list[Content] = [Content.styled(safe_text(title, SHOWN_CHARACTERS), "b")]
    if changed:
        blocks.append(Content.styled(f"≠ {_columns(len(changed))} {heading}", "$text-warning"))
        blocks += [_changed_block(change) for change in changed]
    if same:
        stay = "stays as it is" if len(same) == 1 else "stay as they are"
        blocks.append(Content.styled(f"= {_columns(len(same))} {stay}", "$text-success"))
        width = max(len(change.column) for change in same)
        blocks += [_same_line(change, width) for change in same]
    return Content("\n").join(blocks)


def changed_spans(before: str, after: str) -> tuple[list[Span], list[Span]]:
    """The parts of two texts that are not in the other, as half-open ranges of characters."""
    if max(len(before), len(after)) > COMPARED_CHARACTERS:
        return _middle(before, after)
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    pieces = [piece for piece in matcher.get_opcodes() if piece[0] != "equal"]
    return [(a, b) for _, a, b, _, _ in pieces if b > a], [(c, d) for _, _, _, c, d in pieces if d > c]


def _middle(before: str, after: str) -> tuple[list[Span], list[Span]]:
    limit = min(len(before), len(after))
    start = next((i for i in range(limit) if before[i] != after[i]), limit)
    rest = limit - start
    end = next((i for i in range(rest) if before[-1 - i] != after[-1 - i]), rest)
    return [(start, len(before) - end)], [(start, len(after) - end)]


def _changed_block(change: CellChange) -> Content:
    before, after = _clip(change.before), _clip(change.after)
    gone, come = changed_spans(before or "", after or "")
    lines = [Content.assemble((safe_text(change.column), "b"), ("  " + safe_text(change.reason), "$text-muted"))]
    lines.append(Content("  − ").append(_value(before, gone, "$text-error strike", change.before)))
    lines.append(Content("  + ").append(_value(after, come, "b u $text-success", change.after)))
    return Content("\n").join(lines)


def _same_line(change: CellChange, width: int) -> Content:
    name = Content.styled(f"  {safe_text(change.column):<{width}}  ", "$text-muted")
    return name.append(_value(_clip(change.after), (), "", change.after))


def _value(text: str | None, spans: Iterable[Span], style: str, whole: str | None = None) -> Content:
    if text is None:
        return Content.styled("NULL", "i $text-muted")
    if text == "":
        return Content.styled("(empty text)", "i $text-muted")
    content = Content(text)
    for start, end in spans:
        content = content.stylize(style, start, end)
    if whole is not None and len(whole) > SHOWN_CHARACTERS:
        content = content.append(Content.styled(f" … {len(whole):,} characters in all", "$text-muted"))
    return content


def _clip(text: str | None) -> str | None:
    return None if text is None else safe_text(text[:SHOWN_CHARACTERS])


def _columns(count: int) -> str:
    return "1 column" if count == 1 else f"{count} columns"
