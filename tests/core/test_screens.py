"""A screen is certain: it takes a column of times for fine where each of them is a time, and only there."""

import re
from datetime import datetime

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bizy_migrate_tui.migration.rules.screens import GIVEN_TIME, ROW_END

_TIME = re.compile(r"[1-8]\d{3}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", re.ASCII)
_TIMES = st.datetimes(datetime(1000, 1, 1), datetime(8999, 12, 31, 23, 59, 59)).map(lambda time: f"{time:%Y-%m-%d %H:%M:%S.%f}")


@st.composite
def spoiled_times(draw: st.DrawFn) -> str:
    """A time with another character, most often a digit, in one place."""
    time, place = draw(_TIMES), draw(st.integers(0, 25))
    return time[:place] + draw(st.sampled_from("0123456789-: .\x1ea")) + time[place + 1 :]


def is_time(text: str) -> bool:
    """What the calendar says."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return _TIME.fullmatch(text) is not None


@settings(max_examples=500)
@given(st.lists(_TIMES | spoiled_times(), min_size=1, max_size=4))
@example(["2024-02-29 00:00:00.000000"])
@example(["2023-02-29 00:00:00.000000"])
@example(["1900-02-29 00:00:00.000000", "2024-01-01 00:00:00.000000"])
@example(["2024-01-01 24:00:00.000000"])
@example(["2024-04-31 23:59:59.999999"])
@example(["2024-01-01 00:60:00.000000"])
@example(["2024-00-10 00:00:00.000000"])
def test_a_column_of_times_is_fine_where_each_is_one(times: list[str]) -> None:
    kind = b"text"
    is_fine = GIVEN_TIME.is_fine(len(times), kind, kind, len(times), ROW_END.join(times).encode())
    assert is_fine == all(map(is_time, times))
