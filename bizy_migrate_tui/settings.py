"""Where each setting comes from: flags, the environment, `.env`, defaults (design, "The command line")."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final, Generic, TypeVar

from bizy_migrate_tui.env_file import read_env
from bizy_migrate_tui.migration.clock import local_zone_name, zone_named
from bizy_migrate_tui.migration.postgresql.address import Target
from bizy_migrate_tui.migration.secret import Secret

T = TypeVar("T")

DEFAULT_EMAIL: Final = "admin@bizy.local"
DEFAULT_USERNAME: Final = "admin"

_BIZY_FOLDER: Final = ".business-agent"
_SQLITE_URL: Final = re.compile(r"sqlite(?:\+\w+)?:(?://)?(?P<path>[^?]*)(?:\?.*)?", re.IGNORECASE)

# What the guide's .env says where a POSTGRES_* variable is left out, and libpq's own variable that comes before it.
_POSTGRES_PARTS: Final = (
    ("host", "POSTGRES_HOST", "PGHOST", "localhost"),
    ("port", "POSTGRES_PORT", "PGPORT", None),
    ("dbname", "POSTGRES_DB", "PGDATABASE", "bizy_dev"),
    ("user", "POSTGRES_USER", "PGUSER", "bizy"),
)
_NAMES_A_TARGET: Final = ("POSTGRES_HOST", "POSTGRES_DB", "POSTGRES_USER")
_NAMES_A_TARGET_TO_LIBPQ: Final = ("PGSERVICE", "PGHOST", "PGHOSTADDR", "PGDATABASE")


class Origin(StrEnum):
    """Who said it."""

    FLAG = "flag"
    ENVIRONMENT = "environment"
    ENV_FILE = ".env"
    REMEMBERED = "remembered"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Setting(Generic[T]):
    """A value, who said it, and the flag or variable that it came from (empty for a default)."""

    value: T
    origin: Origin
    name: str = ""


@dataclass(frozen=True, slots=True)
class Flags:
    """What the command line said; None where it said nothing."""

    sqlite_path: str | None = None
    postgres_url: str | None = None
    env_file: str | None = None
    timezone: str | None = None
    created_at_utc_until: int | None = None
    user_email: str | None = None
    user_name: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that was said before the first question is asked.

    `target` is None where nothing names one. `env_file` is the back end's `.env`: the one named, else the one found,
    else None. `created_at_utc_until` is the last task id whose created_at is in UTC already.
    """

    sqlite_path: Setting[Path]
    target: Setting[Target] | None
    zone: Setting[str]
    created_at_utc_until: int | None
    user_email: Setting[str]
    user_name: Setting[str]
    env_file: Path | None
    admin_password: Secret | None


@dataclass(frozen=True, slots=True)
class _Source:
    """One place that holds variables, and the folder that relative paths in it start from."""

    values: Mapping[str, str]
    origin: Origin
    folder: Path

    def get(self, name: str) -> str | None:
        """The variable's value; empty and blank is as good as not set."""
        return self.values.get(name, "").strip() or None


def resolve(
    flags: Flags, environ: Mapping[str, str], cwd: Path, home: Path, *, remembered: Mapping[str, str] | None = None
) -> Settings:
    """Put together what was said, the strongest source first.

    `remembered` (the wizard's last values: "sqlite_path", "postgres_url", "timezone", "user_email", "user_name") stands
    between `.env` and the defaults. Raises UsageError (bad-url, bad-port, unknown-zone).
    """
    env_file = _env_file(flags, cwd, home)
    sources = [_Source(environ, Origin.ENVIRONMENT, cwd)]
    if env_file is not None:
        sources.append(_Source(read_env(env_file), Origin.ENV_FILE, env_file.parent))
    memory = remembered or {}
    zone = _said(flags.timezone, "--timezone", sources) or _otherwise(memory.get("timezone"), local_zone_name)
    zone_named(zone.value)
    admin = next(filter(None, (source.get("POSTGRES_ADMIN_PASSWORD") for source in sources)), None)
    return Settings(
        sqlite_path=_sqlite_path(flags, sources, cwd, home, memory.get("sqlite_path")),
        target=_target(flags, sources, environ, memory.get("postgres_url")),
        zone=zone,
        created_at_utc_until=flags.created_at_utc_until,
        user_email=_said(flags.user_email, "--user-email", sources, "DEFAULT_USER_EMAIL")
        or _otherwise(memory.get("user_email"), lambda: DEFAULT_EMAIL),
        user_name=_said(flags.user_name, "--user-name", sources, "DEFAULT_USER_USERNAME")
        or _otherwise(memory.get("user_name"), lambda: DEFAULT_USERNAME),
        env_file=env_file,
        admin_password=Secret(admin) if admin else None,
    )


def _env_file(flags: Flags, cwd: Path, home: Path) -> Path | None:
    if flags.env_file:
        return _path(flags.env_file, cwd, home)
    return next((path for path in (cwd / ".env", cwd / "backend" / ".env") if path.is_file()), None)


def _said(flag: str | None, option: str, sources: list[_Source], variable: str | None = None) -> Setting[str] | None:
    if flag:
        return Setting(flag, Origin.FLAG, option)
    for source in sources:
        if variable and (value := source.get(variable)):
            return Setting(value, source.origin, variable)
    return None


def _otherwise(remembered: str | None, default: Callable[[], str]) -> Setting[str]:
    return Setting(remembered, Origin.REMEMBERED) if remembered else Setting(default(), Origin.DEFAULT)


def _sqlite_path(flags: Flags, sources: list[_Source], cwd: Path, home: Path, remembered: str | None) -> Setting[Path]:
    if flags.sqlite_path:
        return Setting(_path(flags.sqlite_path, cwd, home), Origin.FLAG, "--sqlite-path")
    for source in sources:
        for name in ("SQLITE_DB_PATH", "BUSINESS_AGENT_DB"):
            if value := source.get(name):
                return Setting(_path(value, source.folder, home), source.origin, name)
        if path := _in_sqlite_url(source.get("DATABASE_URL")):
            return Setting(_path(path, source.folder, home), source.origin, "DATABASE_URL")
    for source in sources:
        if source.get("BIZY_ENV") == "development":
            return Setting(home / _BIZY_FOLDER / "dev_tasks.db", source.origin, "BIZY_ENV")
    if remembered:
        return Setting(Path(remembered), Origin.REMEMBERED)
    return Setting(home / _BIZY_FOLDER / "tasks.db", Origin.DEFAULT)


def _in_sqlite_url(url: str | None) -> str | None:
    """The path in a `sqlite:` URL: three slashes for a relative one, four (or a drive) for an absolute one."""
    match = _SQLITE_URL.fullmatch(url) if url else None
    path = match["path"] if match else ""  # not percent-decoded: SQLAlchemy does not either
    if path.startswith("/"):
        path = path[1:]
    return None if path in ("", ":memory:") else path


def _target(flags: Flags, sources: list[_Source], environ: Mapping[str, str], remembered: str | None) -> Setting[Target] | None:
    if flags.postgres_url:
        return Setting(Target.from_url(flags.postgres_url), Origin.FLAG, "--postgres-url")
    for number, source in enumerate(sources):
        url = source.get("DATABASE_URL")
        if url and not _SQLITE_URL.fullmatch(url):
            return Setting(Target.from_url(url), source.origin, "DATABASE_URL")
        named = next((name for name in _NAMES_A_TARGET if source.get(name)), None)
        if named:
            return Setting(_from_parts(sources[number:], environ), source.origin, "POSTGRES_*")
    for name in _NAMES_A_TARGET_TO_LIBPQ:
        if environ.get(name):
            return Setting(Target.from_url("postgresql://"), Origin.ENVIRONMENT, name)
    return Setting(Target.from_url(remembered), Origin.REMEMBERED) if remembered else None


def _from_parts(sources: list[_Source], environ: Mapping[str, str]) -> Target:
    """The target that POSTGRES_* name; a part that one source leaves out is looked for in the next."""

    def said(variable: str) -> str | None:
        return next(filter(None, (source.get(variable) for source in sources)), None)

    parts = {
        part: said(variable) or (None if environ.get(libpq) else default) for part, variable, libpq, default in _POSTGRES_PARTS
    }
    password = said("POSTGRES_PASSWORD")
    return Target.from_fields(
        host=parts["host"],
        port=parts["port"],
        dbname=parts["dbname"],
        user=parts["user"],
        password=Secret(password) if password else None,
    )


def _path(text: str, folder: Path, home: Path) -> Path:
    """`text` as a path; `~` is `home`, a relative path starts from `folder`."""
    if text == "~" or text.startswith(("~/", "~\\")):
        return home / text[2:]
    return Path(os.path.normpath(folder / Path(text).expanduser()))
