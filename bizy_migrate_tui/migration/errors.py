"""The errors a user can meet: each has a stable code, a cause and a remedy."""

from enum import IntEnum

from bizy_migrate_tui.migration.findings import Check, Difference


class ExitCode(IntEnum):
    """Exit codes of the commands; other programs rely on them."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    MISSING = 3
    CANCELLED = 130


class MigrationError(Exception):
    """Something went wrong that a person can understand and mend.

    `code` is a stable kebab-case name, `cause` says in one sentence what happened, `remedy` says what to do about it
    (it may hold several lines, commands among them). Neither ever holds a password.
    """

    exit_code = ExitCode.FAILED

    def __init__(self, code: str, cause: str, remedy: str) -> None:
        super().__init__(cause)
        self.code = code
        self.cause = cause
        self.remedy = remedy


class UsageError(MigrationError):
    """A setting or an option makes no sense."""

    exit_code = ExitCode.USAGE


class SourceError(MigrationError):
    """The SQLite file cannot be read as a Bizy AI database."""

    exit_code = ExitCode.MISSING


class TargetError(MigrationError):
    """PostgreSQL cannot be reached, or refuses what the move needs."""

    exit_code = ExitCode.MISSING


class SchemaMismatch(TargetError):
    """The target's tables are not the web interface's tables."""

    exit_code = ExitCode.FAILED


class PlanBlocked(MigrationError):
    """A finding forbids the run until the user decides otherwise; nothing was written."""


class ProofFailed(MigrationError):
    """What was loaded is not what should have been; everything was rolled back. Names the first differing cells."""

    def __init__(
        self, code: str, cause: str, remedy: str, differences: tuple[Difference, ...], checks: tuple[Check, ...] = ()
    ) -> None:
        super().__init__(code, cause, remedy)
        self.differences = differences
        self.checks = checks


class RunFailed(MigrationError):
    """The database stopped the run half-way. Everything was rolled back, unless the code is "commit-in-doubt"."""


class Cancelled(MigrationError):
    """The user stopped it, before COMMIT; the target is as it was before."""

    exit_code = ExitCode.CANCELLED

    def __init__(self) -> None:
        super().__init__("cancelled", "Cancelled. Nothing was changed.", "Start again whenever you like.")
