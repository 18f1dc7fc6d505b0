"""What can go wrong with the SQLite file and what to do about it, as data; and the advice for everything unknown.

Templates name facts in braces, as in `server`. Messages are those of SQLite.
"""

import errno
import re
from typing import Final

from bizy_migrate_tui.migration.advice.rule import Family, Remedy, Rule
from bizy_migrate_tui.migration.errors import MigrationError, SourceError

SOURCE: Final = (
    Rule(
        "source-missing",
        SourceError,
        "There is no file {path}.",
        Remedy("Name the file that `bizy` uses with --sqlite-path; usually it is ~/.business-agent/tasks.db."),
        Family.FILE,
        numbers=frozenset({errno.ENOENT, errno.ENOTDIR}),
    ),
    Rule(
        "source-is-directory",
        SourceError,
        "{path} is a folder, not a database.",
        Remedy("Name the file in it, usually tasks.db."),
        Family.FILE,
        numbers=frozenset({errno.EISDIR}),
    ),
    Rule(
        "disk-full",
        SourceError,
        "There is no room left on this machine's disk.",
        Remedy("Make room, or leave the backup out with --no-backup, then try again."),
        Family.FILE,
        numbers=frozenset({errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC}),
    ),
    Rule(
        "source-unreadable",
        SourceError,
        "The file {path} cannot be used: permission was refused.",
        Remedy("Run as the user who owns it, or give yourself the right to read it.", windows="icacls FILE /grant USER:R"),
        Family.FILE,
        numbers=frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO}),
    ),
    Rule(
        "disk-full",
        SourceError,
        "There is no room left on this machine's disk.",
        Remedy("Make room, or leave the backup out with --no-backup, then try again."),
        Family.SQLITE,
        pattern=re.compile(r"disk is full"),
    ),
    Rule(
        "source-locked",
        SourceError,
        "Another program is writing to the SQLite file and holds it.",
        Remedy("Let `bizy` finish what it is doing, or close the program that has the file open, then try again."),
        Family.SQLITE,
        pattern=re.compile(r"is locked|database schema is locked|locking protocol"),
    ),
    Rule(
        "source-damaged",
        SourceError,
        "The SQLite file is damaged: {detail}",
        Remedy("Go back to a backup, or rescue what can be read: sqlite3 tasks.db .recover | sqlite3 rescued.db"),
        Family.SQLITE,
        pattern=re.compile(r"malformed|disk I/O error|corrupt|unsupported file format"),
    ),
    Rule(
        "source-not-sqlite",
        SourceError,
        "This file is not an SQLite database.",
        Remedy("Name the file that `bizy` uses with --sqlite-path; usually it is ~/.business-agent/tasks.db."),
        Family.SQLITE,
        pattern=re.compile(r"not a database"),
    ),
    Rule(
        "source-not-bizy",
        SourceError,
        "This SQLite file is not a Bizy AI database: {detail}",
        Remedy("Name the file that `bizy` uses with --sqlite-path; usually it is ~/.business-agent/tasks.db."),
        Family.SQLITE,
        pattern=re.compile(r"no such (?:table|column)"),
    ),
    Rule(
        "source-encoding",
        SourceError,
        "The SQLite file keeps its text as UTF-16; `bizy` writes UTF-8, and so does this program.",
        Remedy("Make a copy that keeps it as UTF-8, and name that: sqlite3 tasks.db .dump | sqlite3 tasks-utf8.db"),
        Family.SQLITE,
        pattern=re.compile(r"must use the same text encoding"),
    ),
    Rule(
        "source-unreadable",
        SourceError,
        "The SQLite file cannot be opened.",
        Remedy("Look whether it exists and may be read, and whether its folder may be entered."),
        Family.SQLITE,
        pattern=re.compile(r"unable to open|readonly database|access permission denied|authorization"),
    ),
)
"""About the SQLite file and the disk it is on."""

UNEXPECTED: Final = Rule(
    "unexpected",
    MigrationError,
    "Something happened that this program does not know: {detail}",
    Remedy("Try again; if it comes back, please report it with the log file."),
)
