"""A wheel built from this checkout works by itself, from an empty folder: the Alembic scripts and the sample travel in it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bizy_migrate_tui.migration.postgresql.target import Target
from tests.bizy_source import make_source

CHECKOUT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder into which the wheel is unpacked; what it depends on comes from this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, CHECKOUT], check=True, timeout=300
    )
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(installed: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed), "HOME": str(folder), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, "-m", "bizy_migrate_tui", *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=120)


def test_the_wheel_holds_what_is_no_python(installed: Path) -> None:
    inside = {str(path.relative_to(installed)) for path in installed.rglob("*")}
    assert {"bizy_migrate_tui/alembic/env.py", "bizy_migrate_tui/alembic/script.py.mako", "bizy_migrate_tui/py.typed"} <= inside
    shipped = CHECKOUT / "bizy_migrate_tui"
    assert {str(path.relative_to(CHECKOUT)) for path in shipped.rglob("*") if path.suffix in {".tcss", ".toml", ".sql"}} <= inside


def test_the_wheel_migrates_verifies_and_rolls_back(installed: Path, database: Target, tmp_path: Path) -> None:
    source = tmp_path / "tasks.db"
    make_source(source, tasks=[{"title": "One"}], goals=[{"title": "Goal"}])
    where = ("--sqlite-path", str(source), "--postgres-url", database.url().reveal())
    for command in (["migrate", "--yes", "--no-backup"], ["verify"], ["rollback", "--yes"]):
        done = run(installed, tmp_path, *command, *where)
        assert done.returncode == 0, done.stdout + done.stderr
    loaded_from = run(installed, tmp_path, "--version")
    assert loaded_from.returncode == 0
