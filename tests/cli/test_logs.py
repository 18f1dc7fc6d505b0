import json
import logging
import os
import stat
from pathlib import Path

import pytest

from bizy_migrate_tui import remembered
from bizy_migrate_tui.logs import LOGGER, start_log
from bizy_migrate_tui.migration.secret import Secret


def test_secrets_and_controls_stay_out_of_the_log(tmp_path: Path) -> None:
    path = start_log(secrets=(Secret("hush"), None), path=tmp_path / "logs" / "log")
    assert path is not None
    try:
        raise ValueError("password hush \x1b[31m")
    except ValueError:
        logging.getLogger(LOGGER).exception("using postgresql://u:pw@h/d and %s", "hush")
    text = path.read_text()
    assert "postgresql://u:***@h/d and ***" in text
    assert "hush" not in text
    assert "\x1b" not in text


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file modes")
def test_the_log_and_the_memory_are_their_owners_alone(tmp_path: Path) -> None:
    log, memory = tmp_path / "log", tmp_path / "config" / "remembered.json"
    start_log(path=log)
    remembered.save({"timezone": "UTC"}, memory)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (log, memory)] == [0o600, 0o600]


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert start_log(path=tmp_path / "file" / "log") is None


def test_only_what_may_be_remembered_is(tmp_path: Path) -> None:
    memory = tmp_path / "remembered.json"
    assert remembered.load(memory) == {}
    remembered.save({"timezone": "UTC", "password": "hush"}, memory)
    assert remembered.load(memory) == {"timezone": "UTC"}
    assert "hush" not in memory.read_text()


@pytest.mark.parametrize("damage", ["{", "[1]", json.dumps({"timezone": 3}), "\udcff"])
def test_a_damaged_memory_is_forgotten(tmp_path: Path, damage: str) -> None:
    memory = tmp_path / "remembered.json"
    memory.write_bytes(damage.encode("utf-8", "surrogateescape"))
    assert remembered.load(memory) == {}
