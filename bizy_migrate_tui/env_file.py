"""The back end's `.env`: reading it, pointing DATABASE_URL at PostgreSQL, and taking that back.

Only the one line changes: comments, order, line ends and everything else stay as they are. The old file is kept beside
the new one, both are readable by their owner alone, and the file is replaced in one step.
"""

import difflib
import io
import os
import re
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bizy_migrate_tui.migration.errors import UsageError
from bizy_migrate_tui.migration.postgresql.address import Target
from bizy_migrate_tui.migration.secret import mask

if TYPE_CHECKING:
    from dotenv.parser import Binding

VARIABLE: Final = "DATABASE_URL"
_KEPT: Final = ".before-postgresql-"
_HEADING: Final = "# Written by bizy-migrate-tui"
_PLAIN: Final = re.compile(r"[\w:/@.%+,=?~-]*")


@dataclass(frozen=True, slots=True)
class EnvChange:
    """What a `.env` becomes. `before` is None where there is no file yet, `after` None where the file goes again."""

    path: Path
    before: str | None
    after: str | None
    kept: Path | None = None

    @property
    def is_needed(self) -> bool:
        """Whether the file would differ at all."""
        return self.before != self.after

    def diff(self) -> str:
        """The changed lines as a unified diff without context; passwords are masked."""
        lines = difflib.unified_diff(
            mask(self.before or "").splitlines(),
            mask(self.after or "").splitlines(),
            f"{self.path.name} (now)",
            f"{self.path.name} (then)",
            lineterm="",
            n=0,
        )
        return "\n".join(lines)


def read_env(path: Path) -> dict[str, str]:
    """The variables that the file sets; none where it is missing. Raises UsageError "env-file-unreadable"."""
    try:
        text = _read(path)
    except FileNotFoundError:
        return {}
    from dotenv import dotenv_values  # noqa: PLC0415 (only where there is a file: the first paint waits for this module)

    return {name: value for name, value in dotenv_values(stream=io.StringIO(text)).items() if value is not None}


def place_for(env_file: Path | None, cwd: Path) -> Path:
    """The `.env` to write: the known one, else the back end's, else one in `cwd`."""
    if env_file is not None:
        return env_file
    return cwd / "backend" / ".env" if (cwd / "backend").is_dir() else cwd / ".env"


def point_at(path: Path, target: Target) -> EnvChange:
    """The change that makes the back end use `target`. Raises UsageError "env-file-unreadable"."""
    line = f"{VARIABLE}={_quoted(target.url().reveal())}"
    try:
        before = _read(path)
    except FileNotFoundError:
        return EnvChange(path, None, f"{_HEADING}\n{line}\n")
    return EnvChange(path, before, _with_line(before, line))


def apply(change: EnvChange, *, now: datetime) -> Path | None:
    """Make the change; the path of the old file, which is kept (None where there was none). Raises UsageError."""
    if not change.is_needed or change.after is None:
        return None
    _refuse_edited(change)
    kept = None
    try:
        if change.before is not None:
            kept = change.path.with_name(f"{change.path.name}{_KEPT}{now:%Y%m%d_%H%M%S}")
            _replace(kept, change.before, like=change.path)
        _replace(change.path.resolve(), change.after, like=change.path)
    except OSError as error:
        raise UsageError(
            "env-file-unwritable",
            f"{change.path} cannot be written: {error.strerror}.",
            f"Make the folder writable, or set {VARIABLE} by hand.",
        ) from None
    return kept


def taking_back(path: Path, target: Target) -> EnvChange | None:
    """The change that undoes `point_at`, or None where the file does not point at `target` through our doing.

    Whatever else was edited since stays.
    """
    try:
        now = _read(path)
    except FileNotFoundError:
        return None
    if read_env(path).get(VARIABLE) != target.url().reveal():
        return None
    kept = max(path.parent.glob(f"{path.name}{_KEPT}*"), default=None)
    if kept is not None:
        old = _last_binding(_read(kept))
        return EnvChange(path, now, _with_line(now, old.original.string.strip("\r\n") if old else None), kept)
    if not now.startswith(_HEADING):
        return None
    rest = _with_line(now, None).removeprefix(_HEADING).strip()
    return EnvChange(path, now, f"{rest}\n" if rest else None)


def take_back(change: EnvChange) -> None:
    """Make a change of `taking_back`; the kept copy has then done its duty and goes. Raises UsageError."""
    _refuse_edited(change)
    try:
        if change.after is None:
            change.path.resolve().unlink()
        else:
            _replace(change.path.resolve(), change.after, like=change.path)
        if change.kept is not None:
            change.kept.unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(
            "env-file-unwritable", f"{change.path} cannot be written: {error.strerror}.", f"Set {VARIABLE} by hand."
        ) from None


def _refuse_edited(change: EnvChange) -> None:
    """Raise UsageError where the file is not any more what the change was made for."""
    try:
        now = _read(change.path)
    except FileNotFoundError:
        now = None
    if now != change.before:
        raise UsageError(
            "env-file-edited", f"{change.path} was edited meanwhile.", "Nothing was written to it. Look at the change again."
        )


def _quoted(url: str) -> str:
    return url if _PLAIN.fullmatch(url) else f"'{url}'"  # a URL is percent-encoded: it holds no quote


def _read(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        raise
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise UsageError(
            "env-file-unreadable", f"{path} cannot be read: {reason}.", "Name another file with --env-file."
        ) from None


def _bindings(text: str) -> "list[Binding]":
    # python-dotenv's own parser, so that a value of several lines is not taken for settings
    from dotenv.parser import parse_stream  # noqa: PLC0415

    return list(parse_stream(io.StringIO(text, newline="")))


def _last_binding(text: str) -> "Binding | None":
    """The setting of VARIABLE that counts: the last one."""
    return next((found for found in reversed(_bindings(text)) if found.key == VARIABLE), None)


def _with_line(text: str, line: str | None) -> str:
    """`text` with the VARIABLE that counts set by `line` instead (removed for None, added where it is missing)."""
    end = "\r\n" if "\r\n" in text else "\n"
    bindings = _bindings(text)
    last = max((number for number, found in enumerate(bindings) if found.key == VARIABLE), default=None)
    if last is None:
        gap = "" if not text or text.endswith("\n") else end
        return f"{text}{gap}{line}{end}" if line else text
    pieces = [found.original.string for found in bindings]
    old = pieces[last]
    body = old.lstrip("\r\n")  # the parser gives blank lines to the setting that follows them
    blank = old[: len(old) - len(body)]
    prefix = "export " if line and body.lstrip().startswith("export ") and not line.startswith("export ") else ""
    pieces[last] = blank + (f"{prefix}{line}" + old[len(old.rstrip("\r\n")) :] if line else "")
    return "".join(pieces)


def _replace(path: Path, text: str, *, like: Path) -> None:
    """Write `path` in one step, mode 0600, owned as `like` is."""
    descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # made with mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with suppress(OSError, AttributeError, LookupError):  # root works on somebody's file; Windows has no owners
            status = like.stat()
            shutil.chown(temporary, status.st_uid, status.st_gid)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
