"""The back end's own Alembic goes on as if nothing had happened: nothing to generate before or after, `upgrade head` works."""

from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config

from bizy_migrate_tui.migration.plan.plan import Choices
from bizy_migrate_tui.migration.postgresql import indexes
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.run.outcome import Status
from bizy_migrate_tui.migration.verification import verification
from tests.bizy_source import make_source
from tests.core.moving import ZONE, ask, move, target_rows
from tests.target.back_end import REVISIONS, autogenerate, create_all, own_history

ME = Choices(zone=ZONE, email="me@example.org", username="me")


def empty(_target: Target, _history: Config, _folder: Path) -> None:
    """Nothing is there, so the back end has nothing to compare with yet."""


def made_by_create_all(target: Target, history: Config, _folder: Path) -> None:
    create_all(target)
    command.stamp(history, "head")
    assert autogenerate(history) == []


def made_by_alembic(_target: Target, history: Config, _folder: Path) -> None:
    command.upgrade(history, "head")
    assert autogenerate(history) == []


def occupied(target: Target, history: Config, folder: Path) -> None:
    """Rows of somebody else, rows of an earlier run, some of them changed on the web since."""
    made_by_alembic(target, history, folder)
    move(make_source(folder / "before.db", goals=[{}], tasks=[{}, {"parent_goal_id": 1}]), target, ME)
    ask(target, "UPDATE tasks SET title = 'On the web', updated_at = now() AT TIME ZONE 'UTC' WHERE id = 1")
    ask(
        target,
        "INSERT INTO users (email, username, hashed_password, created_at, updated_at)"
        " VALUES ('other@example.org', 'other', 'x', now(), now())",
    )
    ask(
        target,
        "INSERT INTO tasks (id, user_id, title, priority, status, created_at, updated_at)"
        " SELECT 5000, id, 'Theirs', 3, 'pending', now(), now() FROM users WHERE username = 'other'",
    )
    assert autogenerate(history) == []


@pytest.mark.parametrize("prepare", [empty, made_by_create_all, made_by_alembic, occupied])
def test_its_alembic_goes_on(
    tmp_path: Path,
    each_version: Target,
    prepare: Callable[[Target, Config, Path], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(indexes, "WORTH_IT", 1)  # take indexes and keys off empty tables, however few rows are to come
    history = own_history(each_version, tmp_path / "web", {"web1": REVISIONS["web1"]})
    prepare(each_version, history, tmp_path)
    source = make_source(tmp_path / "tasks.db", goals=[{}], tasks=[{}, {"parent_goal_id": 1}, {}])
    assert move(source, each_version, ME).status is Status.MIGRATED
    if prepare is empty:  # the tables are ours, and the back end's first revision would make them: it is told so once
        assert ask(each_version, "SELECT to_regclass('public.alembic_version') AS found") == [{"found": None}]
        command.stamp(history, "head")
    assert ask(each_version, "TABLE public.alembic_version") == [{"version_num": "web1"}]
    assert autogenerate(history) == []

    command.upgrade(own_history(each_version, tmp_path / "later"), "head")
    assert ask(each_version, "TABLE public.alembic_version") == [{"version_num": "web2"}]
    assert target_rows(each_version, "tasks")[-1]["colour"] is None
    assert verification.verify(source, each_version).passed
