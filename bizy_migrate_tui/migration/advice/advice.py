"""Turns what a database, a driver or the operating system says into an error with a cause and a remedy.

The knowledge is data, in `server` and `source`; this module looks it up and words it for the platform.
"""

import errno
import re
import sqlite3
import sys
from collections.abc import Mapping
from typing import Final

import psycopg2

from bizy_migrate_tui.migration.advice.rule import Family, Remedy, Rule
from bizy_migrate_tui.migration.advice.server import CONNECTING, WORKING
from bizy_migrate_tui.migration.advice.source import SOURCE, UNEXPECTED
from bizy_migrate_tui.migration.errors import Cancelled, MigrationError
from bizy_migrate_tui.migration.secret import mask

_PASTABLE: Final = re.compile(r"[\w .-]+")  # a command to copy holds no name that a shell or SQL could misread
_CANCELLED: Final = re.compile(r"due to user request|^interrupted$")

RULES: Final = (*CONNECTING, *WORKING, *SOURCE, UNEXPECTED)
_BY_CODE: Final[Mapping[str, Rule]] = {rule.code: rule for rule in RULES}


def explain(error: BaseException) -> MigrationError:
    """The typed error for anything that psycopg2, sqlite3 or the operating system raised.

    A MigrationError comes back as it is; what no rule knows becomes "unexpected", with the message as its cause.
    """
    if isinstance(error, MigrationError):
        return error
    original = getattr(error, "orig", None)  # SQLAlchemy wraps the driver's error
    if isinstance(original, BaseException):
        return explain(original)
    message = mask(_message(error))
    if isinstance(error, (psycopg2.Error, sqlite3.Error)) and _CANCELLED.search(message):
        return Cancelled()
    for rule in RULES:
        facts = _match(rule, error, message)
        if facts is not None:
            return _word(rule, {"detail": message.partition("\n")[0], **_whereabouts(error), **facts})
    return error_for("unexpected", detail=f"{type(error).__name__}: {message}")


def error_for(code: str, **facts: str) -> MigrationError:
    """The error with this code, its texts filled with `facts` (user, database, path, …).

    Raises KeyError for a code that no rule has.
    """
    return _word(_BY_CODE[code], facts)


def remedy_text(remedy: Remedy, platform: str = sys.platform) -> str:
    """The remedy as lines: what holds everywhere, then each platform's commands, this platform's first."""
    sections = {
        "macOS": remedy.macos,
        "Debian, Ubuntu": remedy.debian,
        "Docker": remedy.docker,
        "Windows": remedy.windows,
    }
    here = {"darwin": "macOS", "win32": "Windows"}.get(platform, "Debian, Ubuntu")
    names = sorted(sections, key=lambda name: name != here)
    lines = [remedy.everywhere, *(f"{name}:  {sections[name]}" for name in names if sections[name])]
    return "\n".join(line for line in lines if line)


def _message(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, UnicodeDecodeError):  # the server speaks to us in another encoding before we agreed on one
        return error.object.decode("utf-8", "replace").strip()
    return str(error).strip()


def _match(rule: Rule, error: BaseException, message: str) -> dict[str, str] | None:
    """What the rule recognises in the error, None where it is another rule's."""
    if rule.family not in _families(error):
        return None
    if rule.states and str(getattr(error, "pgcode", None)) in rule.states:
        found = rule.pattern.search(message) if rule.pattern else None
        return _groups(found)
    if rule.numbers and isinstance(error, OSError):
        return {"path": str(error.filename or "")} if error.errno in rule.numbers else None
    found = rule.pattern.search(message) if rule.pattern else None
    return _groups(found) if found else None


def _groups(found: re.Match[str] | None) -> dict[str, str]:
    return {name: text for name, text in found.groupdict().items() if text} if found else {}


def _families(error: BaseException) -> tuple[Family, ...]:
    if isinstance(error, UnicodeDecodeError):  # a message: of a server before we agreed on an encoding, or about a damaged file
        return (Family.POSTGRES, Family.SQLITE)
    if isinstance(error, psycopg2.Error):
        return (Family.POSTGRES,)
    if isinstance(error, sqlite3.Error):
        return (Family.SQLITE,)
    if isinstance(error, OSError):
        is_network = isinstance(error, ConnectionError) or error.errno == errno.ETIMEDOUT
        return (Family.POSTGRES,) if is_network else (Family.FILE,)
    return ()


def _whereabouts(error: BaseException) -> dict[str, str]:
    """Who was logged in where when the statement failed, as far as the connection still knows."""
    rows = getattr(error, "cursor", None)
    if rows is None or rows.connection.closed:
        return {}
    info = rows.connection.info
    return {"user": info.user, "database": info.dbname, "host": info.host or ""}


class _Facts(dict[str, str]):
    """Facts for a template; what is not known is left as an ellipsis."""

    def __missing__(self, key: str) -> str:
        return "…"


def _word(rule: Rule, facts: Mapping[str, str]) -> MigrationError:
    known = _Facts({name: value for name, value in facts.items() if value})
    if "detail" in known:
        known["sentence"] = known["detail"][:1].upper() + known["detail"][1:]
    pasted = _Facts({name: value for name, value in known.items() if _PASTABLE.fullmatch(value)})
    return rule.error(rule.code, rule.cause.format_map(known).strip(), remedy_text(rule.remedy).format_map(pasted))
