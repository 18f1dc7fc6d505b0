import subprocess
import sys

import pytest

from bizy_migrate_tui.wizard.flow import PATHS, Step, Turn, Way, step_after


@pytest.mark.parametrize("way", list(Way))
def test_next_walks_the_whole_way_and_then_leaves(way: Way) -> None:
    step: Step | None = Step.WELCOME
    walked = []
    while step is not None:
        walked.append(step)
        step = step_after(way, step, Turn.NEXT)
    assert tuple(walked) == PATHS[way]


@pytest.mark.parametrize("way", list(Way))
def test_back_undoes_next(way: Way) -> None:
    for before, after in zip(PATHS[way], PATHS[way][1:], strict=False):
        assert step_after(way, after, Turn.BACK) is before
    assert step_after(way, Step.WELCOME, Turn.BACK) is Step.WELCOME


def test_a_failure_is_left_for_the_step_that_failed() -> None:
    assert step_after(Way.MIGRATE, Step.FAILURE, Turn.RETRY, Step.BACKUP) is Step.BACKUP
    assert step_after(Way.MIGRATE, Step.FAILURE, Turn.BACK, Step.MIGRATION) is Step.MIGRATION


def test_settings_lead_to_the_connection_from_anywhere() -> None:
    assert {step_after(Way.MIGRATE, step, Turn.SETTINGS) for step in Step} == {Step.CONNECTION}


def test_a_rollback_after_the_finish_leads_back_to_it() -> None:
    assert step_after(Way.MIGRATE, Step.FINISH, Turn.ROLL_BACK) is Step.ROLLBACK
    assert step_after(Way.MIGRATE, Step.ROLLBACK, Turn.BACK) is Step.FINISH


def test_the_flow_knows_nothing_of_textual() -> None:
    program = "import sys, bizy_migrate_tui.wizard.flow; sys.exit('textual' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_what_is_heavy_is_not_imported_before_the_first_paint() -> None:
    program = (
        "import sys, bizy_migrate_tui.cli, bizy_migrate_tui.beginning, bizy_migrate_tui.remembered, bizy_migrate_tui.wizard.app;"
        "import bizy_migrate_tui.wizard.screens.welcome;"
        "print(*{'sqlalchemy', 'alembic', 'bcrypt', 'psycopg2', 'dotenv', 'sqlite3'} & set(sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True).stdout == "\n"
