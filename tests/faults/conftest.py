import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bizy_migrate_tui.embedded import EmbeddedServer, embedded_server
from bizy_migrate_tui.migration.postgresql import accounts, indexes
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.secret import Secret
from tests.cli.conftest import command, home
from tests.core.moving import ask
from tests.faults.harness import small_source
from tests.faults.matrix import Matrix
from tests.faults.servers import Mortal

__all__ = ("command", "home")

COLLECTED = pytest.StashKey[Matrix]()
FOUND_BEFORE = "faults/found"
DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--whole", action="store_true", help="Break every point, and write docs/faults.md where all ends well.")


@pytest.fixture(scope="session")
def whole(request: pytest.FixtureRequest) -> bool:
    """Whether every point is broken, or a slice of them."""
    return bool(request.config.getoption("--whole", default=False))


@pytest.fixture(scope="session")
def matrix(pytestconfig: pytest.Config) -> Matrix:
    """Collects what was found; written at the end where it is whole."""
    return pytestconfig.stash[COLLECTED]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "whole: part of the whole matrix only (--whole)")
    config.stash[COLLECTED] = Matrix()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("--whole", default=False):
        left_out = [item for item in items if item.get_closest_marker("whole")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what a process of pytest-xdist found."""
    node.config.stash[COLLECTED].take(getattr(node, "workeroutput", {}).get("faults", {}))


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    found = session.config.stash[COLLECTED]
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["faults"] = found.as_dict()
    elif session.config.getoption("--whole", default=False) and session.config.cache is not None:
        found.take(session.config.cache.get(FOUND_BEFORE, {}))  # run in pieces, it is added to
        session.config.cache.set(FOUND_BEFORE, found.as_dict())
        if exitstatus == pytest.ExitCode.OK:
            DOCUMENT.parent.mkdir(exist_ok=True)
            found.write(DOCUMENT)


@pytest.fixture(scope="session")
def tcp_server() -> Iterator[EmbeddedServer]:
    """PostgreSQL 18 on TCP, with a password."""
    with embedded_server(18, password=Secret("wire-password")) as running:
        yield running


@pytest.fixture(scope="session")
def mortal_server() -> Iterator[Mortal]:
    with embedded_server(18) as running:
        ask(running.target(), "ALTER ROLE postgres SET synchronous_commit = on")
        yield Mortal(running)


@pytest.fixture
def mortal(mortal_server: Mortal) -> Mortal:
    """A server that may be stopped, running."""
    mortal_server.start()
    return mortal_server


@pytest.fixture
def mortal_database(mortal: Mortal) -> Target:
    """A fresh, empty database on it."""
    name = f"test_{uuid.uuid4().hex}"
    ask(mortal.server.target(), f"CREATE DATABASE {name}")
    return mortal.server.target(name)


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: EmbeddedServer) -> Path:
    """The temporary folder of the product, for this test alone."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A small database, alone in its folder."""
    folder = tmp_path / "source"
    folder.mkdir()
    return small_source(folder / "tasks.db")


@pytest.fixture(autouse=True)
def short_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cheap hashes; indexes are taken off and put back even for a few rows, so that those statements are broken too."""
    monkeypatch.setattr(accounts, "BCRYPT_COST", 4)
    monkeypatch.setattr(indexes, "WORTH_IT", 1)
