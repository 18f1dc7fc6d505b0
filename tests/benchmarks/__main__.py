"""Prints the table of figures: `python -m tests.benchmarks [TASKS] [ROUNDS]` (a million and three, unless said otherwise).

Every figure is a ratio to the floor, both taken in turn on the same embedded PostgreSQL 18 with its default settings; the
median of the rounds is shown.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from psycopg2 import sql

from bizy_migrate_tui.embedded import ADMIN, SOCKET_PORT, EmbeddedServer, embedded_server
from bizy_migrate_tui.migration.events import Phase
from bizy_migrate_tui.migration.plan.plan import Choices
from bizy_migrate_tui.migration.postgresql.target import connect
from bizy_migrate_tui.migration.session import Session
from tests.benchmarks.floor import floor_seconds
from tests.benchmarks.source import write_source

ZONE = "America/New_York"
_LOAD = (Phase.SCHEMA, Phase.ACCOUNT, Phase.GOALS, Phase.TASKS, Phase.PRESERVED, Phase.INDEXES)
_PGLOADER = "pgloader: a bare copy of the source, without the web's indexes, user, zones and checks"


def main(tasks: int = 1_000_000, rounds: int = 3) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, embedded_server(18, durable=True) as server:
        source = Path(folder) / "source.db"
        write_source(source, tasks)
        measured = [_round(server, source, number) for number in range(rounds)]
    print(f"{tasks:,} tasks, {rounds} rounds, floor {statistics.median(one['floor'] for one in measured):.1f} s = 1.00\n")  # noqa: T201
    print("| part | seconds | ratio to the floor |\n| --- | --- | --- |")  # noqa: T201
    for part in measured[0]:
        if part not in {"floor", "memory"}:
            seconds = statistics.median(one[part] for one in measured)
            ratio = statistics.median(one[part] / one["floor"] for one in measured)
            print(f"| {part} | {seconds:.2f} | {ratio:.2f} |")  # noqa: T201
    print(f"\nPeak memory of the client process: {max(one['memory'] for one in measured):.0f} MiB")  # noqa: T201


def _round(server: EmbeddedServer, source: Path, number: int) -> dict[str, float]:
    inside, whole = f"inside_{number}", f"whole_{number}"
    with closing(connect(server.target())) as admin:
        admin.autocommit = True
        with admin.cursor() as rows:
            for name in (inside, whole):
                rows.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    figures = _parts(server, source, inside)
    figures["floor"] = floor_seconds(server.target(inside), f"floor_{number}")
    url = server.target(whole).url().reveal()
    common = ["--sqlite-path", str(source), "--postgres-url", url, "--json"]
    figures["`migrate --yes`, the whole process"], figures["memory"] = _process(
        ["migrate", "--yes", "--no-backup", "--timezone", ZONE, *common]
    )
    figures["`verify`, the whole process"], _ = _process(["verify", *common])
    if shutil.which("pgloader"):
        figures[_PGLOADER] = _pgloader(server, source, number)
    return figures


def _pgloader(server: EmbeddedServer, source: Path, number: int) -> float:
    with closing(connect(server.target())) as admin:
        admin.autocommit = True
        with admin.cursor() as rows:
            rows.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(f"pgloader_{number}")))
    started = time.perf_counter()
    target = f"postgresql://{ADMIN}@unix:{server.folder}:{SOCKET_PORT}/pgloader_{number}"
    subprocess.run(["pgloader", f"sqlite://{source}", target], check=True, capture_output=True)
    return time.perf_counter() - started


def _parts(server: EmbeddedServer, source: Path, name: str) -> dict[str, float]:
    with Session(source) as session:
        started = time.perf_counter()
        snapshot = session.take_snapshot(backup=False)
        plan = session.make_plan(session.take_inventory(snapshot, ZONE), server.target(name), Choices(zone=ZONE))
        before = time.perf_counter() - started
        phases = dict(session.run(plan).phases)
    return {
        "before: snapshot, integrity, census, plan": before,
        "load: transaction's start to the last index and key": sum(phases[phase] for phase in _LOAD),
        "proof before COMMIT": phases[Phase.PROOF],
        "final checks": phases[Phase.CHECKS],
    }


def _process(arguments: Iterable[str]) -> tuple[float, float]:
    """Seconds and peak memory in MiB of one command."""
    started = time.perf_counter()
    command = [sys.executable, "-m", "bizy_migrate_tui", *arguments]
    with tempfile.TemporaryFile("w+") as said:
        child = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, env={**os.environ, "NO_COLOR": "1"})
        _, status, used = os.wait4(child.pid, 0)  # of this child alone, and not the most of all children
        seconds = time.perf_counter() - started
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            said.seek(0)
            raise SystemExit(said.read())
    return seconds, used.ru_maxrss / 1024


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
