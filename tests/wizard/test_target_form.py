from pathlib import Path

import pytest

from bizy_migrate_tui.migration.postgresql.address import Target
from bizy_migrate_tui.wizard import target_form as form

EMPTY = dict.fromkeys(form.FIELDS, "")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://bizy@localhost:5432/bizy_dev",
        "postgresql://b%40z@[::1]:5433/a%20b?sslmode=require",
        "postgresql://bizy@/bizy_dev?host=/var/run/postgresql",
        "postgresql:///?service=home",
        "postgresql://bizy@one:5432,two:5433/bizy_dev?target_session_attrs=read-write",
    ],
)
def test_url_and_fields_say_the_same(url: str) -> None:
    target = Target.from_url(url)
    assert form.target_of(target.masked_url(), form.fields_of(target), "") == target


def test_fields_overrule_the_url_and_what_has_no_field_stays() -> None:
    url = "postgresql://bizy@localhost/bizy_dev?application_name=me"
    fields = {**form.fields_of(Target.from_url(url)), "host": "db.example.org", "user": ""}
    target = form.target_of(url, fields, "s3cret")
    assert target is not None
    assert (target.host, target.user, target.dbname) == ("db.example.org", None, "bizy_dev")
    assert target.parts()["application_name"] == "me"
    assert target.password is not None
    assert "s3cret" not in f"{target!r}{target.dsn}{target.masked_url()}"


def test_an_empty_form_names_no_target() -> None:
    assert form.target_of("", EMPTY, "") is None


@pytest.mark.parametrize("text", ["mysql://x", "nonsense", "postgresql://host:port/x"])
def test_a_bad_url_has_a_complaint(text: str) -> None:
    assert form.url_complaint(text)


@pytest.mark.parametrize(
    ("text", "good"), [("", True), ("5432", True), ("5432,5433", True), ("0", False), ("x", False), ("65536", False)]
)
def test_ports(text: str, good: bool) -> None:
    assert (form.port_complaint(text) is None) is good


@pytest.mark.parametrize(
    ("text", "good"), [("a@b.c", True), ("a b@c", False), ("@b", False), ("a@", False), ("x" * 250 + "@b.org", False)]
)
def test_emails(text: str, good: bool) -> None:
    assert (form.email_complaint(text) is None) is good


def test_a_password_beyond_what_counts_is_refused() -> None:
    assert form.password_complaint("ä" * 36) is None
    assert form.password_complaint("ä" * 37)


def test_the_source_has_to_be_a_sqlite_file(tmp_path: Path) -> None:
    assert form.path_complaint("")
    assert form.path_complaint(str(tmp_path))
    assert form.path_complaint(str(tmp_path / "none.db"))
    (tmp_path / "text.db").write_text("hello")
    assert form.path_complaint(str(tmp_path / "text.db"))
    (tmp_path / "good.db").write_bytes(b"SQLite format 3\0" + bytes(100))
    assert form.path_complaint(str(tmp_path / "good.db")) is None


@pytest.mark.parametrize(
    ("text", "good"), [("Europe/Berlin", True), ("UTC", True), ("Mars/Olympus", False), ("", False), ("../x", False)]
)
def test_zones(text: str, good: bool) -> None:
    assert (form.zone_complaint(text) is None) is good
