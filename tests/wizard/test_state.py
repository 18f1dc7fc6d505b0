from pathlib import Path
from typing import Any, cast

import pytest

from bizy_migrate_tui.migration.errors import TargetError
from bizy_migrate_tui.migration.findings import Check
from bizy_migrate_tui.migration.postgresql.address import Target
from bizy_migrate_tui.wizard.flow import Step, StepState
from bizy_migrate_tui.wizard.state import Failure, WizardState
from tests.wizard.fake_results import an_outcome
from tests.wizard.walking import a_state

DONE, STALE, WAITING = StepState.DONE, StepState.STALE, StepState.WAITING


@pytest.fixture
def state(tmp_path: Path) -> WizardState:
    """A wizard whose user has come as far as the migration."""
    state = a_state(tmp_path)
    for step in (Step.WELCOME, Step.PREREQUISITES, Step.CONNECTION, Step.BACKUP, Step.PREVIEW):
        state.complete(step)
    state.plan = cast("Any", "a plan")
    return state


def states(state: WizardState) -> dict[Step, StepState]:
    return {step: state.state_of(step) for step in (Step.CONNECTION, Step.BACKUP, Step.PREVIEW, Step.MIGRATION)}


def test_another_zone_makes_the_preview_stale_and_says_why(state: WizardState) -> None:
    state.choices_changed("time zone changed")
    assert states(state) == {Step.CONNECTION: DONE, Step.BACKUP: DONE, Step.PREVIEW: STALE, Step.MIGRATION: WAITING}
    assert state.stale_because[Step.PREVIEW] == "time zone changed"
    assert state.plan is None


def test_another_target_leaves_the_copy_of_the_source(state: WizardState) -> None:
    state.target = Target.from_url("postgresql://elsewhere/db")
    state.target_changed()
    assert states(state) == {Step.CONNECTION: DONE, Step.BACKUP: DONE, Step.PREVIEW: STALE, Step.MIGRATION: WAITING}
    assert state.state_of(Step.PREREQUISITES) is STALE


def test_another_source_makes_the_backup_stale_too(state: WizardState) -> None:
    state.source_changed()
    assert state.state_of(Step.BACKUP) is STALE
    assert state.snapshot is None


def test_doing_a_stale_step_again_makes_it_good(state: WizardState) -> None:
    state.choices_changed("user changed")
    state.complete(Step.PREVIEW)
    assert state.state_of(Step.PREVIEW) is DONE
    assert Step.PREVIEW not in state.stale_because


def test_only_finished_steps_and_the_next_one_can_be_visited(state: WizardState) -> None:
    assert state.can_visit(Step.WELCOME)
    assert state.can_visit(Step.MIGRATION)
    assert not state.can_visit(Step.VERIFICATION)
    assert not state.can_visit(Step.FAILURE)


def test_leaving_after_a_failure_returns_its_code(state: WizardState) -> None:
    assert state.exit_code == 130
    state.fail(Failure(Step.MIGRATION, TargetError("connection-lost", "Lost.", "Try again.")))
    assert state.exit_code == 3


def test_no_secret_shows_in_the_state(state: WizardState) -> None:
    assert "s3cret" not in repr(state)


def test_a_check_that_fails_after_commit_is_no_success(state: WizardState, tmp_path: Path) -> None:
    state.outcome = an_outcome(tmp_path)
    assert state.exit_code == 0
    state.outcome = an_outcome(tmp_path, checks=(Check("a new connection sees the rows", passed=False, detail=""),))
    assert state.exit_code == 1


def test_the_password_goes_with_its_own_run_alone(state: WizardState, tmp_path: Path) -> None:
    state.run_ended(an_outcome(tmp_path))
    state.run_taken_back(2)
    assert state.password_is_unseen
    state.run_taken_back(3)
    assert not state.password_is_unseen
