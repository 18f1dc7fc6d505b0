"""What was found in the target, in plain language."""

from bizy_migrate_tui.display import counted
from bizy_migrate_tui.migration.postgresql.target import TargetState
from bizy_migrate_tui.wizard.wording import listed

NOUNS = {"users": ("user", "users"), "goals": ("goal", "goals"), "tasks": ("task", "tasks")}


def database_sentence(found: TargetState) -> str:
    """The server and what is in the database, in a sentence."""
    return f"Connected in {found.round_trip}: PostgreSQL {found.server_version}, {rows_sentence(found)}"


def rows_sentence(found: TargetState) -> str:
    """What is in the web interface's tables."""
    if not found.tables:
        return "without the web interface's tables; they will be created."
    parts = [counted(found.tables[name], *NOUNS[name]) for name in NOUNS if name in found.tables]
    return f"with {listed(parts)}." if any(found.tables.values()) else "with the web interface's tables, all empty."


def database_facts(found: TargetState) -> dict[str, str]:
    """The same, a line for each thing."""
    superuser = ", a superuser" if found.is_superuser else ""
    ledger = "The ledger of migrations is there." if found.has_ledger else "No migration has been made into it yet."
    return {
        "Server": f"PostgreSQL {found.server_version}, answers in {found.round_trip}, its clock is in {found.timezone}",
        "Logged in": f"to {found.dbname} as {found.user}{superuser}",
        "In it": rows_sentence(found).capitalize(),
        "": ledger,
    }


def first_advice(remedy: str) -> str:
    """The first thing to try, with its command: it has to be seen where the rest lies below the fold."""
    first, *rest = remedy.splitlines() or [""]
    return f"{first} {rest[0].strip()}" if rest and first.endswith(":") else first
