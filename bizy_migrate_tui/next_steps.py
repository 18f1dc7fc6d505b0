"""What to do after the move (reference, migration guide: "Post-Migration Tasks")."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NextStep:
    """One thing to do: why, and the commands for it."""

    title: str
    commands: tuple[str, ...]


def next_steps(email: str, *, account_is_new: bool, tables_are_new: bool, env_hint: str | None) -> tuple[NextStep, ...]:
    """The steps in their order; `env_hint` says how `.env` comes to point at PostgreSQL, None where it does already.

    Tables that the run made are as the web back end's newest revision makes them, and its Alembic has to be told so, or its
    next `upgrade head` would make them once more.
    """
    steps = []
    if env_hint is not None:
        steps.append(NextStep(f"Let the web back end use PostgreSQL: {env_hint}", ()))
    if account_is_new:
        choose = NextStep(f"Sign in as {email} and choose a password of your own", (f"bizy-migrate-tui user passwd {email}",))
        steps.append(choose)
    if tables_are_new:
        steps.append(NextStep("Tell the web back end's Alembic that its tables are there", ("alembic stamp head",)))
    steps += [
        NextStep("Start the web back end and see that it is well", ("./run.sh", "curl http://localhost:8000/health")),
        NextStep("bizy itself still works, with SQLite as before", ("bizy task list", "bizy goal list", "bizy stats")),
        NextStep("Add further people, if you like", ("bizy-migrate-tui user add",)),
        NextStep(
            "Compare both sides again, or undo all of this, at any time", ("bizy-migrate-tui verify", "bizy-migrate-tui rollback")
        ),
    ]
    return tuple(steps)
