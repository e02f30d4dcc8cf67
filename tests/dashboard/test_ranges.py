"""Ranges of priorities and times as they stand in an address."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.fake_api import NOW
from taskengine_dashboard.ranges import IntRange, TimeRange

BOUNDS = st.none() | st.integers(0, 9_999)
INSTANTS = st.none() | st.datetimes(timezones=st.just(UTC))


@pytest.mark.parametrize(
    ("text", "variables"),
    [("7-10", {"gte": 7, "lte": 10}), ("7-", {"gte": 7}), ("-3", {"lte": 3}), ("5", {"gte": 5, "lte": 5})],
)
def test_priorities_are_read(text: str, variables: dict[str, int]) -> None:
    found = IntRange.parse(text)
    assert found is not None
    assert found.variables() == variables


@pytest.mark.parametrize("text", ["", "-", "high", "1-2-3", "1.5", "99999"])
def test_what_is_no_range_of_priorities_is_none(text: str) -> None:
    assert IntRange.parse(text) is None


@given(BOUNDS, BOUNDS)
def test_priorities_survive_their_address(low: int | None, high: int | None) -> None:
    if low is not None or high is not None:
        assert IntRange.parse(str(IntRange(low, high))) == IntRange(low, high)


@given(INSTANTS, INSTANTS)
def test_times_survive_their_address(start: datetime | None, end: datetime | None) -> None:
    if start or end:
        assert TimeRange.parse(str(TimeRange(start, end))) == TimeRange(start, end)


@pytest.mark.parametrize("text", ["", "..", "1", "1x", "0h", "soon", "2026-13-01..", "yesterday..today"])
def test_what_is_no_time_is_none(text: str) -> None:
    assert TimeRange.parse(text) is None


def test_a_time_without_a_zone_is_utc() -> None:
    assert TimeRange.parse("2026-11-24T12:00..") == TimeRange(NOW)


def test_a_span_is_seen_from_whenever_one_looks() -> None:
    last_hour = TimeRange.parse("1h")
    assert last_hour == TimeRange.last("1h")
    assert last_hour is not None
    assert last_hour.variables(NOW) == {"gte": "2026-11-24T11:00:00+00:00"}
    assert last_hour.variables(NOW + timedelta(hours=2)) == {"gte": "2026-11-24T13:00:00+00:00"}


def test_a_span_asks_the_same_question_for_a_while() -> None:
    first = TimeRange.last("1h").variables(NOW)
    assert TimeRange.last("1h").variables(NOW + timedelta(seconds=59)) == first


def test_a_span_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a span such as 15m, 1h or 7d, got 'a while'"):
        TimeRange.last("a while")
