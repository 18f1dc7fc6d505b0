from pathlib import Path

from bizy_migrate_tui.embedded import EmbeddedServer
from tests.core.moving import ask
from tests.faults.harness import standing, target_in_use


def test_the_judge_sees_a_changed_cell_and_a_dropped_index(server: EmbeddedServer, scratch: Path, tmp_path: Path) -> None:
    with target_in_use(server, tmp_path, is_empty=False) as target:
        before = standing(target)
        assert standing(target) == before
        ask(target, "UPDATE public.tasks SET title = title || ' ' WHERE id = 101")
        changed = standing(target)
        assert changed != before
        ask(target, "DROP INDEX public.ix_tasks_user_status")
        assert standing(target) != changed
