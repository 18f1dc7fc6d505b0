import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.bizy_source import copy_of

OURS = ("PG", "POSTGRES_", "DATABASE_URL", "SQLITE_DB_PATH", "BUSINESS_AGENT_DB", "BIZY_ENV", "DEFAULT_USER_", "XDG_")


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """Standard output, which has to be one JSON object and nothing else."""
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found


Command = Callable[..., Ran]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home, which is the working folder as well."""
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def command(home: Path) -> Command:
    """Runs the program in a process of its own: `command("check", "--json", DATABASE_URL="…")`."""
    return partial(run_program, home)


def run_program(home: Path, *arguments: str, stdin: str = "", **variables: str) -> Ran:
    """The program in a process of its own, working in `home`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    done = subprocess.run(
        [sys.executable, "-m", "bizy_migrate_tui", *arguments],
        cwd=home,
        env=kept | {"HOME": str(home), "USERPROFILE": str(home), "PYTHONPATH": str(Path.cwd())} | variables,
        input=stdin,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def source(bizy_db: Path, home: Path) -> Path:
    """A copy of the database that the real `bizy` filled."""
    return copy_of(bizy_db, home)
