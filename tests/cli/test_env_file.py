import os
import stat
from datetime import datetime
from pathlib import Path

import pytest

from bizy_migrate_tui import env_file
from bizy_migrate_tui.migration.errors import UsageError
from bizy_migrate_tui.migration.postgresql.target import Target

TARGET = Target.from_url("postgresql://bizy:p%40ss%2Fw@localhost:5432/bizy_dev")
URL = "postgresql://bizy:p%40ss%2Fw@localhost:5432/bizy_dev"
NOW = datetime(2025, 11, 18, 14, 30, 22)
OLD = """# the back end
SECRET_KEY='a b'   # keep

export DATABASE_URL=sqlite:///~/.business-agent/tasks.db
TEXT="several
DATABASE_URL=not a setting
lines"
LAST=1"""


@pytest.fixture
def env(tmp_path: Path) -> Path:
    path = tmp_path / ".env"
    path.write_text(OLD)
    return path


def written(path: Path) -> str:
    return path.read_bytes().decode()


def test_only_the_one_line_changes(env: Path) -> None:
    kept = env_file.apply(env_file.point_at(env, TARGET), now=NOW)
    assert written(env) == OLD.replace("sqlite:///~/.business-agent/tasks.db", URL)
    assert env_file.read_env(env)["DATABASE_URL"] == URL
    assert kept == env.with_name(".env.before-postgresql-20251118_143022")
    assert written(kept) == OLD


@pytest.mark.skipif(os.name == "nt", reason="Windows has no file modes")
def test_both_files_are_their_owners_alone(env: Path) -> None:
    env.chmod(0o644)
    kept = env_file.apply(env_file.point_at(env, TARGET), now=NOW)
    assert kept is not None
    assert [stat.S_IMODE(path.stat().st_mode) for path in (env, kept)] == [0o600, 0o600]


def test_the_diff_shows_the_line_and_no_password(env: Path) -> None:
    env_file.apply(env_file.point_at(env, TARGET), now=NOW)
    diff = env_file.point_at(env, Target.from_url("postgresql://bizy:other@localhost/two")).diff()
    assert "+export DATABASE_URL=postgresql://bizy:***@localhost/two" in diff
    assert "SECRET_KEY" not in diff
    assert "p%40ss" not in diff
    assert "other@" not in diff


def test_the_diff_shows_no_password_of_a_query(env: Path) -> None:
    env.write_text("DATABASE_URL=postgresql://localhost/one?user=bizy&password=hunter2\n")
    diff = env_file.point_at(env, Target.from_url("postgresql://bizy@localhost/two?sslpassword=KeySecret")).diff()
    assert "-DATABASE_URL=postgresql://localhost/one?user=bizy&password=***" in diff
    assert "KeySecret" not in diff


def test_line_ends_stay_as_they_are(env: Path) -> None:
    env.write_bytes(b"A=1\r\nDATABASE_URL=sqlite:///x\r\nB=2\r\n")
    env_file.apply(env_file.point_at(env, TARGET), now=NOW)
    assert env.read_bytes() == f"A=1\r\nDATABASE_URL={URL}\r\nB=2\r\n".encode()


@pytest.mark.parametrize("text", ["", "A=1", "A=1\n"])
def test_a_missing_line_is_added_at_the_end(env: Path, text: str) -> None:
    env.write_text(text)
    env_file.apply(env_file.point_at(env, TARGET), now=NOW)
    assert written(env) == (f"{text.rstrip()}\n" if text else "") + f"DATABASE_URL={URL}\n"


def test_the_line_that_counts_is_the_last(env: Path) -> None:
    env.write_text("DATABASE_URL=one\n# note\nDATABASE_URL=two\n")
    env_file.apply(env_file.point_at(env, TARGET), now=NOW)
    assert written(env) == f"DATABASE_URL=one\n# note\nDATABASE_URL={URL}\n"


def test_nothing_is_written_where_nothing_changes(env: Path) -> None:
    env_file.apply(env_file.point_at(env, TARGET), now=NOW)
    again = env_file.point_at(env, TARGET)
    assert not again.is_needed
    assert env_file.apply(again, now=NOW) is None


def test_taking_back_restores_the_file(env: Path) -> None:
    kept = env_file.apply(env_file.point_at(env, TARGET), now=NOW)
    change = env_file.taking_back(env, TARGET)
    assert change is not None
    env_file.take_back(change)
    assert written(env) == OLD
    assert kept is not None
    assert not kept.exists()


def test_taking_back_leaves_what_was_edited_since(env: Path) -> None:
    env_file.apply(env_file.point_at(env, TARGET), now=NOW)
    env.write_text(written(env).replace("LAST=1", "LAST=2"))
    change = env_file.taking_back(env, TARGET)
    assert change is not None
    env_file.take_back(change)
    assert written(env) == OLD.replace("LAST=1", "LAST=2")


def test_taking_back_a_file_that_did_not_exist_removes_it(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    assert env_file.apply(env_file.point_at(path, TARGET), now=NOW) is None
    change = env_file.taking_back(path, TARGET)
    assert change is not None
    env_file.take_back(change)
    assert not path.exists()


def test_a_file_that_points_elsewhere_is_not_ours_to_take_back(env: Path) -> None:
    assert env_file.taking_back(env, TARGET) is None
    env.write_text(f"DATABASE_URL={URL}\n")
    assert env_file.taking_back(env, TARGET) is None


def test_a_link_stays_a_link(env: Path, tmp_path: Path) -> None:
    real = tmp_path / "real.env"
    env.rename(real)
    env.symlink_to(real)
    env_file.apply(env_file.point_at(env, TARGET), now=NOW)
    assert env.is_symlink()
    assert env_file.read_env(real)["DATABASE_URL"] == URL


def test_a_file_that_is_not_text_is_refused(env: Path) -> None:
    env.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError) as refusal:
        env_file.read_env(env)
    assert refusal.value.code == "env-file-unreadable"


def test_an_edit_between_the_look_and_the_change_is_not_lost(env: Path) -> None:
    change = env_file.point_at(env, TARGET)
    env.write_text(OLD + "\nMINE=1")
    with pytest.raises(UsageError) as caught:
        env_file.apply(change, now=NOW)
    assert caught.value.code == "env-file-edited"
    assert written(env) == OLD + "\nMINE=1"


def test_an_edit_between_the_look_and_taking_back_is_not_lost(env: Path) -> None:
    env_file.apply(env_file.point_at(env, TARGET), now=NOW)
    change = env_file.taking_back(env, TARGET)
    assert change is not None
    edited = written(env) + "\nMINE=1"
    env.write_text(edited)
    with pytest.raises(UsageError):
        env_file.take_back(change)
    assert written(env) == edited
