"""Every kind of finding as data: how much it matters, what is done about it, and what may be done instead."""

from dataclasses import dataclass

from bizy_migrate_tui.migration.findings import Choice, Severity

_ALL = (Choice.ADJUST, Choice.LEAVE_OUT, Choice.STOP)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of finding; `action` completes the sentence “N rows: …”."""

    code: str
    severity: Severity
    action: str
    choices: tuple[Choice, ...] = ()
    default: Choice = Choice.ADJUST


def _adjusts(code: str, action: str) -> Kind:
    return Kind(code, Severity.ADJUSTS, action, _ALL)


def _leaves_out(code: str, action: str) -> Kind:
    return Kind(code, Severity.ADJUSTS, action, (Choice.LEAVE_OUT, Choice.STOP), Choice.LEAVE_OUT)


def _notes(code: str, action: str) -> Kind:
    return Kind(code, Severity.NOTES, action)


DELETED = "deleted-on-web"

KINDS: dict[str, Kind] = {
    kind.code: kind
    for kind in (
        _adjusts("parent-missing", "the goal it belongs to does not exist; it will belong to none"),
        _adjusts("parent-cycle", "the goal would be its own ancestor; the link that closes the circle is cut"),
        _adjusts("parent-rewritten", "the goal's id was not stored as an integer; it is read as one"),
        _adjusts("priority-out-of-range", "the priority becomes the nearest of 1 to 5"),
        _adjusts("priority-not-a-number", "the priority is no number and becomes 3"),
        _adjusts("status-unknown", "the status becomes one that the web interface knows"),
        _adjusts("horizon-unknown", "the horizon becomes one that the web interface knows (daily becomes weekly)"),
        _adjusts("title-too-long", "the title is cut to 499 characters, with … at its end"),
        _adjusts("title-empty", "the empty title becomes (untitled)"),
        _adjusts("text-too-long", "the text is cut to what the column can hold, with … at its end"),
        _adjusts("text-broken", "NUL or broken UTF-8 in the text becomes \ufffd"),
        _adjusts("text-type", "the value was not stored as text; it is written as text"),
        _adjusts("hours-invalid", "the hours become the number in the text, or empty"),
        _adjusts("progress-invalid", "the progress becomes the number in the text, or 0"),
        _adjusts("number-rounded", "the number has more digits than the column can hold and is rounded"),
        _adjusts("dependencies-invalid", "the dependencies become the integers in them"),
        _adjusts("tags-invalid", "the tags become their items as text"),
        _adjusts("metrics-invalid", "the metrics are no JSON object and become empty, or lose what PostgreSQL cannot hold"),
        _adjusts("date-unreadable", "the date cannot be read and becomes empty, or the closest date known"),
        _adjusts("date-rewritten", "the date is in an unusual form and is read as the same instant"),
        _adjusts("created-missing", "there is no creation time; the completion time or the snapshot's time stands in"),
        _adjusts("created-unreadable", "the creation time cannot be read; the completion time or the snapshot's time stands in"),
        _adjusts("updated-missing", "there is no time of change; the creation time stands in"),
        _adjusts("hour-missing", "the clock never showed this time (summer time began); it moves forward with the clock"),
        _notes("hour-doubled", "the clock showed this time twice (summer time ended); the earlier instant is taken"),
        _notes("dependency-missing", "a task that it depends on does not exist; nothing is changed"),
        _notes("column-without-home", "the web interface has no such column; its values are preserved"),
        _notes("table-without-home", "the web interface has no such table; its rows are preserved"),
        _notes("kept-on-web", "the row was brought before and has changed on the web; it is kept as it is there"),
        _notes("edited-since", "the row was brought before and has changed in SQLite; the web's stays, this one is preserved"),
        _notes("read-otherwise", "the row was brought under other choices (another zone, say) and stays; roll back to change it"),
        Kind(DELETED, Severity.NOTES, "the row was brought before and is gone from the web since; it comes again", _ALL),
        _leaves_out("id-duplicate", "the id occurs twice; the first row is taken, this one is preserved whole"),
        _leaves_out("id-unusable", "the id is none that PostgreSQL can hold; the row is preserved whole"),
        Kind("id-taken", Severity.BLOCKS, "the id belongs to somebody else's row in the target; nothing can be written"),
        Kind("username-taken", Severity.BLOCKS, "the user name belongs to another account; choose another one"),
    )
}  # fmt: skip
