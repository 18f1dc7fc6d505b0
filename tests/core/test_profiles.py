"""Rows counted by month and by status are the same on both sides; a time that does not exist spoils no count."""

from pathlib import Path

import pytest

from bizy_migrate_tui.migration.errors import Cancelled
from bizy_migrate_tui.migration.events import Cancellation
from bizy_migrate_tui.migration.plan.plan import Choices
from bizy_migrate_tui.migration.plan.preview import Kind, Preview
from bizy_migrate_tui.migration.postgresql.target import Target
from bizy_migrate_tui.migration.session import Session
from bizy_migrate_tui.migration.verification.verification import verify
from tests.bizy_source import make_source
from tests.core.moving import ZONE, ask, move


def test_both_sides_count_the_same_rows_whatever_the_zone(source: Path, database: Target) -> None:
    move(source, database)
    profiles = verify(source, database, with_profiles=True).profiles
    assert {(one.table, one.by) for one in profiles} == {
        (table, by) for table in ("tasks", "goals") for by in ("month", "status")
    }
    assert all(before == after for one in profiles for _, before, after in one.counts)
    assert all(one.counts for one in profiles)


def test_a_row_at_the_turn_of_the_month_counts_in_utc(tmp_path: Path, database: Target) -> None:
    times = ["2025-10-31 23:30:00", "2025-10-31 11:00:00"]
    source = make_source(tmp_path / "tasks.db", tasks=[{"created_at": time} for time in times])
    move(source, database, Choices(zone=ZONE))
    (months,) = (
        one for one in verify(source, database, with_profiles=True).profiles if (one.table, one.by) == ("tasks", "month")
    )
    assert months.counts == (("2025-10", 1, 1), ("2025-11", 1, 1))


def test_rows_that_are_gone_from_the_target_are_missing_in_its_counts(tmp_path: Path, database: Target) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{"created_at": "2025-10-01 12:00:00"}] * 2)
    move(source, database)
    ask(database, "DELETE FROM public.tasks WHERE id = 1")
    (months,) = (
        one for one in verify(source, database, with_profiles=True).profiles if (one.table, one.by) == ("tasks", "month")
    )
    assert months.counts == (("2025-10", 2, 1),)


def test_a_time_that_does_not_exist_has_no_month_in_the_timeline(tmp_path: Path, database: Target) -> None:
    times = ["2025-13-01 12:00:00", "2025-10-01 12:00:00"]
    source = make_source(tmp_path / "tasks.db", tasks=[{"created_at": time} for time in times])
    with Session(source) as session:
        snapshot = session.take_snapshot(backup=False)
        plan = session.make_plan(session.take_inventory(snapshot, ZONE), database, Choices(zone=ZONE))
        assert ("2025-10", 1, 1) in Preview(plan).timeline("tasks")


def test_an_hour_that_the_zone_splits_between_two_months_is_counted_row_by_row(tmp_path: Path, database: Target) -> None:
    times = ["2025-11-01 05:10:00", "2025-11-01 05:50:00", "2025-11-01 06:00:00"]  # midnight in UTC is 05:30
    source = make_source(tmp_path / "tasks.db", tasks=[{"created_at": time} for time in times])
    move(source, database, Choices(zone="Asia/Kolkata"))
    (months,) = (
        one for one in verify(source, database, with_profiles=True).profiles if (one.table, one.by) == ("tasks", "month")
    )
    assert months.counts == (("2025-10", 1, 1), ("2025-11", 2, 2))


def test_a_search_takes_signs_for_what_they_are_and_stops_when_unwanted(tmp_path: Path, database: Target) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{"title": title} for title in ("100% sure", "100 sure", "A_B", "aXb")])
    with Session(source) as session:
        snapshot = session.take_snapshot(backup=False)
        preview = Preview(session.make_plan(session.take_inventory(snapshot, ZONE), database, Choices(zone=ZONE)))
        assert [row.title for row in preview.page("tasks", search="0% S")] == ["100% sure"]
        assert [row.title for row in preview.page("tasks", search="a_b")] == ["A_B"]
        unwanted = Cancellation()
        unwanted.request()
        with pytest.raises(Cancelled):
            preview.page("tasks", search="sure", cancel=unwanted)


def test_a_long_search_tells_what_it_has_found_while_it_goes_on(
    tmp_path: Path, database: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bizy_migrate_tui.migration.plan.preview._STEPS", 1)
    monkeypatch.setattr("bizy_migrate_tui.migration.plan.preview._TELL_AFTER", 0.0)
    source = make_source(tmp_path / "tasks.db", tasks=[{"title": f"call {n}"} for n in range(1, 31)])
    told: list[tuple[str, ...]] = []
    with Session(source) as session:
        snapshot = session.take_snapshot(backup=False)
        preview = Preview(session.make_plan(session.take_inventory(snapshot, ZONE), database, Choices(zone=ZONE)))
        rest = preview.page("tasks", search="CALL", limit=20, on_found=lambda rows: told.append(tuple(row.id for row in rows)))
    assert () in told
    assert sum(map(bool, told)) > 1
    assert [id_ for part in told for id_ in part] + [row.id for row in rest] == [str(n) for n in range(1, 21)]


def test_the_preview_knows_how_each_row_stands_to_a_target_that_has_rows(tmp_path: Path, database: Target) -> None:
    source = make_source(tmp_path / "tasks.db", tasks=[{"title": f"call {n}"} for n in range(1, 5)])
    move(source, database, Choices(zone=ZONE))
    ask(database, "UPDATE public.tasks SET title = 'written', updated_at = now() WHERE id = 2")
    ask(database, "DELETE FROM public.tasks WHERE id = 3")
    stands = {"1": Kind.SAME, "2": Kind.KEPT, "3": Kind.NEW, "4": Kind.SAME}
    with Session(source) as session:
        snapshot = session.take_snapshot(backup=False)
        preview = Preview(session.make_plan(session.take_inventory(snapshot, ZONE), database, Choices(zone=ZONE)))
        assert {row.id: row.kind for row in preview.page("tasks")} == stands
        for kind in set(stands.values()):
            assert {row.id: row.kind for row in preview.page("tasks", kind=kind)} == {
                id_: one for id_, one in stands.items() if one is kind
            }


def test_labels_that_are_told_alike_are_counted_together(tmp_path: Path, database: Target) -> None:
    times = ["2024-01-35 10:00:00", "2025-10-01T12:00:00", "2025-10-01 12:00:00"]  # a day that is none, another form
    source = make_source(tmp_path / "tasks.db", tasks=[{"created_at": time} for time in times])
    move(source, database)
    for one in verify(source, database, with_profiles=True).profiles:
        assert sum(before for _, before, _ in one.counts) == sum(after for _, _, after in one.counts)


@pytest.mark.parametrize("id_", ["--5", "-", "٣", "1" * 30])
def test_what_is_no_number_is_no_id(tmp_path: Path, database: Target, id_: str) -> None:
    with Session(make_source(tmp_path / "tasks.db", tasks=[{}])) as session:
        snapshot = session.take_snapshot(backup=False)
        plan = session.make_plan(session.take_inventory(snapshot, ZONE), database, Choices(zone=ZONE))
        assert Preview(plan).locate("tasks", id_) is None


def test_rows_changed_on_the_web_are_left_out_on_both_sides(source: Path, database: Target) -> None:
    move(source, database)
    ask(database, "UPDATE public.tasks SET status = 'completed', updated_at = now() WHERE id = 5")
    assert all(
        before == after for one in verify(source, database, with_profiles=True).profiles for _, before, after in one.counts
    )
