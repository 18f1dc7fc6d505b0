"""How soon the work stops when it is asked to: `python -m tests.benchmarks.cancel [TASKS] [SOURCE]` (a million tasks, unless
said otherwise).

In each phase the core is asked to stop, as the wizard's dialog and a signal do it: as the phase begins, and a while later. Then
the headless command gets SIGINT at several moments; that figure is until the process has ended, with everything cleared away.
"""

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from bizy_migrate_tui.embedded import EmbeddedServer, embedded_server
from bizy_migrate_tui.migration.errors import Cancelled
from bizy_migrate_tui.migration.events import Cancellation, Event, Phase, PhaseStarted
from bizy_migrate_tui.migration.plan.plan import Choices
from bizy_migrate_tui.migration.session import Session
from tests.benchmarks.source import write_source

CHOICES = Choices("America/New_York", None, "ann@example.org", "ann", None, {})
PHASES = tuple(phase for phase in Phase if phase not in (Phase.COLUMNS, Phase.REMOVE, Phase.COMMIT, Phase.CHECKS))
LATER = (0.0, 0.3, 1.5)
"""Seconds after the beginning of the phase."""
MOMENTS = (1, 2, 4, 7, 10, 14)
"""Seconds after the beginning of the process."""


class _Stopper:
    """Asks to stop once a phase has gone on for so long, and notes when."""

    def __init__(self, phase: Phase, later: float) -> None:
        self._phase, self._later = phase, later
        self.cancel = Cancellation()
        self.asked = 0.0

    def __call__(self, event: Event) -> None:
        if isinstance(event, PhaseStarted) and event.phase is self._phase:
            threading.Timer(self._later, self._ask).start()

    def _ask(self) -> None:
        self.asked = time.perf_counter()
        self.cancel.request()


def main(tasks: int = 1_000_000, source: str = "") -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, embedded_server(18) as server:
        path = Path(source or Path(folder) / "source.db")
        if not source:
            write_source(path, tasks)
        print("| asked to stop in | seconds later | stopped after s |\n| --- | --- | --- |")  # noqa: T201
        for phase in PHASES:
            for later in LATER:
                took = _stopped_after(path, server, phase, later)
                print(f"| {phase} | {later} | {'was over' if took is None else f'{took:.2f}'} |", flush=True)  # noqa: T201
        print("\n| SIGINT after s | ended after s | code |\n| --- | --- | --- |")  # noqa: T201
        for moment in MOMENTS:
            took, code = _interrupted(path, server, moment)
            print(f"| {moment} | {took:.2f} | {code} |", flush=True)  # noqa: T201


def _stopped_after(path: Path, server: EmbeddedServer, phase: Phase, later: float) -> float | None:
    """Seconds from the wish to the end of the work; None where the phase was over before."""
    stopper = _Stopper(phase, later)
    with Session(path) as session:
        try:
            snapshot = session.take_snapshot(backup=False, on_event=stopper, cancel=stopper.cancel)
            inventory = session.take_inventory(snapshot, CHOICES.zone, on_event=stopper, cancel=stopper.cancel)
            plan = session.make_plan(inventory, server.target(), CHOICES, on_event=stopper, cancel=stopper.cancel)
            session.run(plan, dry_run=True, on_event=stopper, cancel=stopper.cancel)
        except Cancelled:
            return time.perf_counter() - stopper.asked
    return None


def _interrupted(path: Path, server: EmbeddedServer, moment: float) -> tuple[float, int]:
    command = [
        sys.executable,
        "-m",
        "bizy_migrate_tui",
        "migrate",
        "--dry-run",
        "--yes",
        "--no-backup",
        "--sqlite-path",
        str(path),
    ]
    process = subprocess.Popen(
        [*command, "--sqlite-path", str(path)],
        env={**os.environ, "DATABASE_URL": server.target().url().reveal()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(moment)
    process.send_signal(signal.SIGINT)
    asked = time.perf_counter()
    code = process.wait()
    return time.perf_counter() - asked, code


if __name__ == "__main__":
    main(*(int(word) if number == 0 else word for number, word in enumerate(sys.argv[1:])))  # type: ignore[arg-type]
