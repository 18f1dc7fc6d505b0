import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.sample import ZONE, write_sample

if sys.platform == "win32":
    collect_ignore_glob = ["test_*.py"]  # it has no pseudo-terminals
else:
    from tests.terminal.terminal import Terminal, running

Wizard = Callable[..., AbstractContextManager[Terminal]]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a path so short that sockets fit into it."""
    made = Path(tempfile.mkdtemp(prefix="bizy-t-"))
    made.chmod(0o755)  # the embedded server may run as somebody else
    yield made
    shutil.rmtree(made)


@pytest.fixture
def home(folder: Path) -> Path:
    """An empty home, which is the working folder as well."""
    made = folder / "home"
    made.mkdir()
    return made


@pytest.fixture
def source(home: Path) -> Path:
    """The sample: 67 tasks and 4 goals."""
    write_sample(home / "tasks.db")
    return home / "tasks.db"


@pytest.fixture
def wizard(home: Path, source: Path) -> Wizard:
    """The wizard on a terminal, for the sample and a target: `wizard(target, columns=60)`."""

    def opened(target: Target, *, columns: int = 80, rows: int = 24, **variables: str) -> AbstractContextManager[Terminal]:
        settings = ("--sqlite-path", str(source), "--postgres-url", target.url().reveal(), "--timezone", ZONE)
        return running(home, *settings, columns=columns, rows=rows, **variables)

    return opened
