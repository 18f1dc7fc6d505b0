"""The way through the wizard, as somebody goes it who only ever presses Enter."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from bizy_migrate_tui.migration.postgresql.schema import upgrade
from bizy_migrate_tui.migration.postgresql.target import Target, connect
from tests.terminal.terminal import Terminal

WELCOME = "Enter looks whether all that is needed is there."
CHECKED = "Everything is there."
CONNECTED = "Connected in"
READY_TO_COPY = "Press Enter to make the backup."
COPIED = "Press Enter to see what will happen."
PREVIEWED = "Press Enter to go on; d tries it all out first."
READY = "Press Enter to start."
ARRIVED = "Press Enter to see the checks."
PROVEN = "checks passed. Enter goes on."
FINISHED = "Press Enter to leave."
PASSWORD_UNSEEN = "Enter again leaves."

WAY = (WELCOME, CHECKED, CONNECTED, READY_TO_COPY, COPIED, PREVIEWED, READY, ARRIVED, PROVEN, FINISHED)
"""What the wizard says at each stop."""


def walk(terminal: Terminal, goal: str, *, start: str = WELCOME) -> None:
    """Press Enter at each stop until the goal is said."""
    for stop in WAY[WAY.index(start) :]:
        terminal.wait(stop)
        if stop == goal:
            return
        terminal.type("enter")


@contextmanager
def held_up(target: Target) -> Iterator[None]:
    """Whoever brings tasks waits in the middle of it as long as the block runs (ten seconds at most)."""
    with closing(connect(target)) as server, server.cursor() as rows:
        upgrade(server)
        rows.execute(
            """
            CREATE FUNCTION public.wait() RETURNS trigger LANGUAGE plpgsql AS
            'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END';
            CREATE TRIGGER wait BEFORE INSERT ON public.tasks FOR EACH ROW EXECUTE FUNCTION public.wait();
            """
        )
        server.commit()
        rows.execute("SELECT pg_advisory_lock(1)")
        server.commit()
        yield
