"""The target as a form: URL and fields, each kept in step with the other; and what can be wrong with an answer."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from psycopg2.extensions import make_dsn

from bizy_migrate_tui.migration.clock import zone_named
from bizy_migrate_tui.migration.errors import MigrationError, UsageError
from bizy_migrate_tui.migration.postgresql.accounts import BCRYPT_BYTES
from bizy_migrate_tui.migration.postgresql.address import Target
from bizy_migrate_tui.migration.secret import Secret
from bizy_migrate_tui.migration.source.snapshot import refuse_unreadable

FIELDS: Final = ("host", "port", "dbname", "user", "sslmode")
"""The parts of a target that have a field of their own; others (service, options) live in the URL alone."""

SSL_MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


def target_of(url: str, fields: Mapping[str, str], password: str) -> Target | None:
    """The target that the form names: the URL's parts, overruled by the fields. None for an empty form.

    The answers have passed their complaints. Raises UsageError (bad-url).
    """
    base = Target.from_url(url).parts() if url else {}
    others = {name: value for name, value in base.items() if name not in FIELDS}
    parts = {**others, **{name: fields[name] for name in FIELDS if fields[name]}}
    if not parts:
        return None
    return Target(make_dsn(**dict(sorted(parts.items()))), Secret(password) if password else None)


def fields_of(target: Target | None) -> dict[str, str]:
    """The target's parts as the fields show them."""
    parts = target.parts() if target is not None else {}
    return {name: parts.get(name, "") for name in FIELDS}


def typed_path(text: str) -> Path:
    """The path that a person typed: “~” is their home, a relative one starts where they are."""
    return Path(os.path.normpath(Path.cwd() / Path(text).expanduser()))


def path_complaint(text: str) -> str | None:
    """What is wrong with the source's path."""
    if not text:
        return "Name the SQLite file, usually ~/.business-agent/tasks.db."
    try:
        refuse_unreadable(typed_path(text))
    except (MigrationError, RuntimeError) as error:
        return str(error)
    return None


def url_complaint(text: str) -> str | None:
    """What is wrong with the target's URL; an empty one leaves it to the fields."""
    if not text:
        return None
    try:
        Target.from_url(text)
    except UsageError as error:
        return f"{error.cause} It looks like postgresql://user@host:5432/database."
    return None


def port_complaint(text: str) -> str | None:
    """What is wrong with the port; an empty one leaves it to libpq."""
    good = not text or all(port.isdecimal() and 0 < int(port) < 65536 for port in text.split(","))
    return None if good else "A port is a number from 1 to 65535, usually 5432."


def sslmode_complaint(text: str) -> str | None:
    """What is wrong with the sslmode; an empty one leaves it to libpq."""
    return None if not text or text in SSL_MODES else f"One of {', '.join(SSL_MODES)}, or empty."


def zone_complaint(text: str) -> str | None:
    """What is wrong with the zone's name."""
    try:
        zone_named(text)
    except UsageError as error:
        return f"{error.cause} {error.remedy}"
    return None


def id_complaint(text: str) -> str | None:
    """What is wrong with a task's id; empty means none."""
    return None if not text or (text.isascii() and text.isdecimal()) else "The id of a task is a whole number."


def email_complaint(text: str) -> str | None:
    """What is wrong with an e-mail address, as far as the web interface's table cares."""
    name, _, host = text.rpartition("@")
    if not name or not host or any(character.isspace() for character in text):
        return "An e-mail address looks like you@example.org."
    return None if len(text) <= 255 else "At most 255 characters."


def username_complaint(text: str) -> str | None:
    """What is wrong with a user name."""
    if not text:
        return "The web interface needs a user name."
    return None if len(text) <= 100 else "At most 100 characters."


def password_complaint(text: str) -> str | None:
    """What is wrong with a password for the new user; empty means that a temporary one is made."""
    size = len(text.encode("utf-8", "surrogatepass"))
    return None if size <= BCRYPT_BYTES else f"At most {BCRYPT_BYTES} bytes: more would not count."
