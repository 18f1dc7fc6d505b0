"""Clocks against an oracle that reads the zones' files by itself: odd offsets, half hours, skipped days, far years."""

import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import literal, select

from bizy_migrate_tui.migration import clock
from bizy_migrate_tui.migration.clock import Oddity
from bizy_migrate_tui.migration.comparison import wall_clock
from bizy_migrate_tui.migration.source.clock_sql import in_utc
from bizy_migrate_tui.migration.source.reading import Reading
from bizy_migrate_tui.migration.source.workbook import to_sql
from tests.core.tzif import Zone

ZONES = [
    "Asia/Kathmandu",  # +5:45, from +5:30 in 1986
    "Australia/Lord_Howe",  # half an hour of summer time
    "America/St_Johns",  # -3:30; for years the change was at 00:01
    "Africa/Monrovia",  # -0:44:30 until 1972
    "Pacific/Apia",  # skipped the whole of 30 December 2011
    "Antarctica/Troll",  # two hours of summer time
    "Europe/Dublin",  # winter time is the exception
    "Africa/Casablanca",  # back for Ramadan
    "America/Nuuk",  # changes at hours below zero of its rule
    "Asia/Pyongyang",
    "America/New_York",
    "UTC",
]
YEARS = [*range(1970, 2040), 2060, 2100, 2400, 5000, 9000, 9997]


@st.composite
def moments(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone, and a local time from 1970 to 9998: any, or one near a change of the zone's clock."""
    name = draw(st.sampled_from(ZONES))
    if changes := Zone(name).changes(draw(st.sampled_from(YEARS))):
        change = draw(st.sampled_from(changes))
        shown = change.at + draw(st.sampled_from([change.before, change.after]))
        near = st.timedeltas(timedelta(hours=-3), timedelta(hours=3))
        exact = st.sampled_from([timedelta(0), timedelta(microseconds=-1), timedelta(seconds=-1), timedelta(seconds=1)])
        return name, shown + draw(st.one_of(near, exact, st.timedeltas(timedelta(days=-2), timedelta(days=2))))
    return name, draw(st.datetimes(datetime(1970, 1, 2), datetime(9998, 12, 30)))


@settings(max_examples=500, deadline=None)
@given(moments())
def test_the_load_and_the_proof_find_the_instant_of_the_oracle(moment: tuple[str, datetime]) -> None:
    name, shown = moment
    zone, instant = ZoneInfo(name), Zone(name).to_utc(shown)
    assert clock.to_utc(shown, zone) == instant
    assert wall_clock.instant_of(shown, zone) == instant


@settings(max_examples=150, deadline=None)
@given(moments())
def test_sqlite_moves_times_to_utc_and_the_proof_moves_them_back(moment: tuple[str, datetime]) -> None:
    name, shown = moment
    zone, instant = ZoneInfo(name), Zone(name).to_utc(shown)
    reading = Reading(zone, None, taken_at=datetime(min(shown.year + 3, 9997), 1, 1), loaded_at=datetime(2026, 1, 1))
    moved = to_sql(select(in_utc(literal(shown.isoformat(" ", "microseconds")), reading)))
    with closing(sqlite3.connect(":memory:")) as sqlite:
        assert sqlite.execute(moved).fetchone() == (instant.isoformat(" ", "microseconds"),)
    if len(Zone(name).instants(shown)) == 1:
        offsets = wall_clock.offsets_shown(zone, *reading.years)
        assert instant + next(offset for since, offset in offsets if since <= instant) == shown


@settings(max_examples=500, deadline=None)
@given(moments())
def test_times_that_were_shown_twice_or_never_are_known(moment: tuple[str, datetime]) -> None:
    name, shown = moment
    kinds = {0: Oddity.MISSING, 1: None, 2: Oddity.DOUBLED}
    assert clock.oddity(shown, ZoneInfo(name)) == kinds[len(Zone(name).instants(shown))]


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("year", [1972, 1986, 1987, 2006, 2011, 2015, 2018, 2024, 2060, 9000])
def test_all_hours_with_such_times_are_found(name: str, year: int) -> None:
    odd: set[str] = set()
    for change in Zone(name).changes(year):
        first, last = sorted((change.at + change.before, change.at + change.after))
        for minute in range(int((last - first).total_seconds() // 60) + 1):
            moment = min(first + timedelta(minutes=minute), last - timedelta(seconds=1))
            if moment.year == year:
                odd.add(moment.isoformat(" ")[:13])
    assert set(clock.odd_hours(ZoneInfo(name), year, year)) >= odd
    beside = set(clock.odd_hours(ZoneInfo(name), year, year)) - odd
    assert {hour for hour in beside if datetime.fromisoformat(f"{hour}:00").year == year} == set()
