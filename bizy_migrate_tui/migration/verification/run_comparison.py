"""The rows and originals of one run, compared with its source by the proof's own path."""

import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from psycopg2 import sql
from psycopg2.extensions import connection as PgConnection
from psycopg2.extensions import cursor as Cursor
from sqlalchemy import and_, delete, func, insert, literal, select, update

from bizy_migrate_tui.migration.comparison.comparison import Comparison, Side
from bizy_migrate_tui.migration.events import Cancellation, OnEvent, Phase, PhaseFinished, PhaseStarted, Progress
from bizy_migrate_tui.migration.findings import Check, Difference
from bizy_migrate_tui.migration.ledger import ledger, web_changes
from bizy_migrate_tui.migration.ledger.web_changes import WebChanges
from bizy_migrate_tui.migration.load.preserved_load import missing_originals
from bizy_migrate_tui.migration.load.preserving import KEPT, LEFT_OUT_FOR, originals
from bizy_migrate_tui.migration.plan.planning import choose_careful_rows
from bizy_migrate_tui.migration.plan.recorded import reading_of
from bizy_migrate_tui.migration.postgresql import accounts
from bizy_migrate_tui.migration.rules.catalogue import DELETED
from bizy_migrate_tui.migration.rules.clean import INT4_MAX, INT4_MIN
from bizy_migrate_tui.migration.rules.columns import WEB_TABLES, WebTable
from bizy_migrate_tui.migration.run.proof import DIFFERENCES_SHOWN, comparisons
from bizy_migrate_tui.migration.source.inventory import Inventory
from bizy_migrate_tui.migration.source.reading import CarefulReader
from bizy_migrate_tui.migration.source.workbook import GONE, PLACEHOLDER, PRESENT, Standing, source_tables, to_sql
from bizy_migrate_tui.migration.verification.profile import Profile, profiles


@dataclass(frozen=True, slots=True)
class RunFound:
    """What the comparison of one run found: the first of its differences, its checks, its rows counted on both sides."""

    differences: tuple[Difference, ...]
    checks: tuple[Check, ...]
    profiles: tuple[Profile, ...]


@dataclass
class RunComparison:
    """Compares one run; `workbook` belongs to the inventory of the file that it is compared with.

    `is_unchanged` where that file is still what the run moved.
    """

    server: PgConnection
    rows: Cursor
    run: ledger.Run
    changes: WebChanges
    inventory: Inventory
    is_unchanged: bool
    workbook: sqlite3.Connection
    on_event: OnEvent
    cancel: Cancellation

    def __post_init__(self) -> None:
        self.tables = source_tables(self.workbook)
        self.reading = reading_of(self.run)
        self.let_go = {
            table: web_changes.ids_let_go(self.server, self.run, table, _LET_GO) if missing else set[int]()
            for table, missing in self.changes.missing_counts.items()
        }

    def compare(self, *, with_profiles: bool) -> RunFound:
        """Read both sides."""
        began = time.perf_counter()
        self.on_event(PhaseStarted(Phase.PROOF, sum(t.rows for t in self.inventory.tables.values() if t.has_home)))
        self._list_gone()
        choose_careful_rows(self.workbook, self.tables, self.inventory, self.reading)
        for home in WEB_TABLES:
            if home.name in self.tables:
                self._list_unexpected(home)
        side = Side(self.workbook, self.tables, self.reading)
        with comparisons(side, self.rows, self.run.user_id, self._is_consequence) as compared:
            differences = tuple(islice(self._differences(compared), DIFFERENCES_SHOWN))
        self.on_event(PhaseFinished(Phase.PROOF, time.perf_counter() - began))
        shape = profiles(self.workbook, self.tables, self.reading, self.rows, self.run) if with_profiles else ()
        checks = (self._cells(differences), *self._counts(), self._range(), self._samples(), self._user(), self._ledger())
        return RunFound(differences, checks, shape)

    def _differences(self, compared: list[Comparison]) -> Iterator[Difference]:
        done = 0

        def advance(count: int) -> None:
            nonlocal done
            self.cancel.check()
            done += count
            self.on_event(Progress(Phase.PROOF, done))

        reader = CarefulReader(self.workbook, self.tables, self.reading)
        kept = originals(self.workbook, self.inventory, self.tables, reader)
        # Meanwhile SQLite writes what is expected.
        missing = tuple(islice(missing_originals(self.rows, kept, self.run.id), DIFFERENCES_SHOWN))
        for comparison in compared:
            yield from comparison.differences(advance)
        yield from missing
        yield from self._account_differences()

    def _list_gone(self) -> None:
        """Fill GONE with what the run left out for that."""
        for name, gone in GONE.items():
            add = to_sql(insert(gone).prefix_with("OR IGNORE").values(id=PLACEHOLDER))
            self.workbook.executemany(add, ledger.keys_preserved(self.server, self.run.id, name, _LET_GO))

    def _list_unexpected(self, home: WebTable) -> None:
        """Fill PRESENT with the source's ids that the run did not bring, or that the web has changed since.

        Of those that the web had otherwise already, the run preserved the source's rows.
        """
        present = PRESENT[home.name]
        self.workbook.execute(to_sql(delete(present)))
        source = self.tables[home.name]
        add = insert(present).prefix_with("OR IGNORE")
        id_ = source.column("id")
        is_between = and_(func.typeof(id_) == "integer", id_.between(PLACEHOLDER, PLACEHOLDER))
        ids = select(id_, literal(Standing.SAME.value)).select_from(source.table).where(is_between)
        statement = to_sql(add.from_select(["id", "standing"], ids))
        for gap in _between(self.run.inserted(home.name)):
            self.workbook.execute(statement, gap)
        if self.changes.changed_counts[home.name]:
            add_one = to_sql(add.values(id=PLACEHOLDER, standing=Standing.SAME.value))
            with closing(web_changes.changed_ids(self.server, self.run, home.name)) as changed:
                self.workbook.execute("BEGIN")
                self.workbook.executemany(add_one, changed)
                self.workbook.execute("COMMIT")
        kept = to_sql(update(present).where(present.c.id == PLACEHOLDER).values(standing=Standing.EDITED.value))
        self.workbook.executemany(kept, ledger.keys_preserved(self.server, self.run.id, home.name, KEPT))

    def _is_consequence(self, difference: Difference) -> bool:
        """Whether the row was let go by a later run, or the web's deletion of its goal has set it free (ON DELETE SET NULL does
        not touch updated_at).
        """
        if _is_gone(difference) and difference.table in self.let_go:
            return int(difference.id) in self.let_go[difference.table]
        if difference.column != "parent_goal_id" or difference.found is not None or difference.expected is None:
            return False
        self.rows.execute("SELECT FROM public.goals WHERE id = %s", (int(difference.expected),))
        return self.rows.fetchone() is None

    def _account_differences(self) -> Iterator[Difference]:
        """Columns of the account that are not as the run left them, unless the web has changed it since."""
        found = accounts.account_fingerprint(self.server, self.run.user_id)
        noted = self.run.account
        if found.get("updated_at") != noted.get("updated_at") and self._is_web_time(found.get("updated_at")):
            return
        for column, expected in noted.items():
            if found.get(column) != expected and column != "last_login_at":
                yield Difference("users", str(self.run.user_id), column, expected, found.get(column))

    def _is_web_time(self, updated: str | None) -> bool:
        try:
            return updated is not None and datetime.fromisoformat(updated) > self.run.loaded_at
        except ValueError:
            return False

    def _cells(self, differences: tuple[Difference, ...]) -> Check:
        name = "every cell is as in the source"
        file = self.inventory.snapshot.source.name
        lost = 0 if self.is_unchanged else self._not_in_source()
        if lost:
            detail = f"{lost:,} of the run's rows could not be compared: {file} no longer has them"
            return Check(name, passed=False, detail=detail)
        wrong = [one for one in differences if not _is_gone(one)]
        if not wrong:
            told = "all rows that are there and all originals read back and compared with " + file
            return Check(
                name, passed=True, detail=told + ("" if self.is_unchanged else ", which has changed since without effect")
            )
        first = wrong[0]
        detail = f"{len(wrong):,} differ, first {first.table} {first.id} {first.column}"
        if not self.is_unchanged:
            detail += f"; but {file} has changed since the run, and there is no backup of it: this may be why"
        return Check(name, passed=False, detail=detail)

    def _not_in_source(self) -> int:
        """How many rows of the run the source has no more."""
        lost = 0
        for home in WEB_TABLES:
            lost += self.run.brought(home.name)
            if home.name in self.tables:
                id_ = self.tables[home.name].column("id")
                there = select(func.count(id_.distinct())).select_from(self.tables[home.name].table)
                of_span = to_sql(there.where(func.typeof(id_) == "integer", id_.between(PLACEHOLDER, PLACEHOLDER)))
                lost -= sum(self.workbook.execute(of_span, span).fetchone()[0] for span in self.run.inserted(home.name))
        return lost

    def _counts(self) -> Iterator[Check]:
        """Whether each row is still there. Nothing tells a row that was deleted on the web from one that was lost."""
        for table in ("goals", "tasks"):
            brought = self.run.brought(table)
            let_go = self.let_go[table]
            gone = self.changes.missing_counts.get(table, 0) - len(let_go)
            there = brought - gone - len(let_go)
            detail = f"{there:,} of {brought:,} that the run brought, {self.changes.added.get(table, 0):,} made since"
            if let_go:
                detail += f"; deleted on the web, and left out since: {len(let_go):,}"
            if gone:
                missing = [id_ for id_ in self.changes.missing[table] if id_ not in let_go]
                named = ", ".join(map(str, missing[:_GONE_NAMED])) + (" …" if gone > _GONE_NAMED else "")
                detail += f"; gone (deleted on the web, or lost): {named}"
            yield Check(f"{table}: counts match", passed=not gone, detail=detail)

    def _range(self) -> Check:
        """The guide's look at the times: only rows that needed care may lie more than a zone's width beyond the source's."""
        source = self.inventory.tables.get("tasks")
        span = source.span("created_at") if source else None
        self.rows.execute(
            "SELECT min(created_at)::text, max(created_at)::text, count(*) FILTER (WHERE created_at NOT BETWEEN"
            " %(low)s::timestamp - interval '1 day' AND %(high)s::timestamp + interval '1 day') FROM public.tasks"
            " WHERE user_id = %(user)s AND id::bigint <@ %(own)s::int8multirange",
            web_changes.values_of(self.run, "tasks")
            | {"low": span.earliest if span else None, "high": span.latest if span else None},
        )
        low, high, beyond = self.rows.fetchone() or (None, None, 0)
        before = f"source {span.earliest} to {span.latest}" if span else "no times in the source"
        is_reasonable = beyond <= (source.troubled if source else 0)
        return Check("timestamps look reasonable", passed=is_reasonable, detail=f"{before}; target {low} to {high} UTC")

    def _samples(self) -> Check:
        """The guide's look at a few rows: the first, the last and one between, beside what they are made of."""
        told, are_alike = [], True
        reader = CarefulReader(self.workbook, self.tables, self.reading)
        for home in WEB_TABLES:
            for id_ in _some(self.run.inserted(home.name)) if home.name in self.tables else ():
                if (row := reader.find(home, id_)) is None:
                    continue
                values = dict(zip((column.name for column in home.columns), row.values, strict=True))
                expected = values["title"], values["status"]
                self.rows.execute(_SAMPLE.format(sql.Identifier("public", home.name)), (id_, self.run.loaded_at))
                if (found := self.rows.fetchone()) is None:
                    continue
                are_alike &= found == expected
                told.append(f"{home.name} {id_}: {_shown(expected)} = {_shown(found)}")
        return Check("samples side by side", passed=are_alike, detail="; ".join(told) or "the run brought no row")

    def _user(self) -> Check:
        """The guide's look at the users: whom the rows belong to is there."""
        self.rows.execute("SELECT email, is_active FROM public.users WHERE id = %s", (self.run.user_id,))
        found = self.rows.fetchone()
        detail = "not there" if found is None else f"{found[0]}, {'active' if found[1] else 'not active'}"
        return Check("users: the rows' owner is there", passed=found is not None, detail=detail)

    def _ledger(self) -> Check:
        """Whether the ids and originals that the ledger lists are as many as it says were brought."""
        run = ledger.get_run(self.server, self.run.id)
        listed = {table: run.brought(table) for table in ("goals", "tasks")}
        noted = {table: run.counts.get(table, {}).get("inserted", 0) for table in listed}
        listed["originals"] = ledger.count_preserved(self.server, run.id)
        noted["originals"] = sum(run.counts.get("preserved", {}).values())
        is_whole = listed == noted or run.status == ledger.ROLLED_BACK  # of a run that was taken back only what stayed is listed
        detail = ", ".join(f"{listed[what]:,} of {noted[what]:,} {what}" for what in listed)
        return Check("the ledger agrees with itself", passed=is_whole, detail=detail)


_GONE_NAMED = 10
_LET_GO = LEFT_OUT_FOR + DELETED

_SAMPLE = sql.SQL("SELECT title, status::text FROM {} WHERE id = %s AND updated_at <= %s")
"""A row that was changed or deleted on the web since is no sample."""


def _shown(sample: tuple[object, ...]) -> str:
    title, status = sample
    return f"“{str(title)[:40]}” {status}"


def _some(ranges: Sequence[tuple[int, int]]) -> list[int]:
    """The first of the ids, the last, and the first of the range in the middle."""
    return sorted({ranges[0][0], ranges[len(ranges) // 2][0], ranges[-1][1]}) if ranges else []


def _is_gone(difference: Difference) -> bool:
    return difference.column == "id" and difference.found is None


def _between(ranges: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The ids before, between and after the ranges, as ranges."""
    free = INT4_MIN
    for first, last in sorted(ranges):
        yield free, first - 1
        free = last + 1
    yield free, INT4_MAX
