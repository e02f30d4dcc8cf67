"""When cron rules and intervals tick, also on the days when clocks change, and how that is said in words."""

from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taskengine.cron import (
    check_cron,
    check_interval,
    cron_in_words,
    cron_ticks,
    interval_in_words,
    interval_ticks,
    minute_ticks,
    zone,
)
from taskengine.errors import InvalidInput

BERLIN = ZoneInfo("Europe/Berlin")
SUMMER, WINTER = "+02:00", "+01:00"


def ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text)


def ticks(rule: str, after: str, count: int, timezone: str = "Europe/Berlin") -> list[str]:
    """The next ticks, by the clock on the wall there."""
    found = islice(cron_ticks(rule, timezone, ms(berlin(after))), count)
    return [datetime.fromtimestamp(tick / 1000, tz=zone(timezone)).isoformat(timespec="minutes") for tick in found]


# Rules


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("*/20 * * * *", ["2026-06-01T12:20", "2026-06-01T12:40", "2026-06-01T13:00"]),
        ("0 9-17/4 * * *", ["2026-06-01T13:00", "2026-06-01T17:00", "2026-06-02T09:00"]),
        ("30 8 * * MON-FRI", ["2026-06-02T08:30", "2026-06-03T08:30", "2026-06-04T08:30"]),
        ("0 0 1 JAN,JUL *", ["2026-07-01T00:00", "2027-01-01T00:00", "2027-07-01T00:00"]),
        ("0 0 * * 7", ["2026-06-07T00:00", "2026-06-14T00:00", "2026-06-21T00:00"]),
        ("0 0 13 * FRI", ["2026-06-05T00:00", "2026-06-12T00:00", "2026-06-13T00:00"]),
        ("0 0 29 2 *", ["2028-02-29T00:00", "2032-02-29T00:00", "2036-02-29T00:00"]),
    ],
)
def test_a_rule_has_fields_names_ranges_lists_and_steps(rule: str, expected: list[str]) -> None:
    assert ticks(rule, "2026-06-01T12:00:00+00:00", 3, "UTC") == [f"{at}+00:00" for at in expected]


@pytest.mark.parametrize(
    ("rule", "problem"),
    [
        ("* * * *", "expected five fields"),
        ("0 * * * * *", "expected five fields"),
        ("60 * * * *", "bad minute in '60 \\* \\* \\* \\*'"),
        ("* 24 * * *", "bad hour"),
        ("* * 0 * *", "bad day-of-month"),
        ("* * * FOO *", "bad month"),
        ("* * * * 8", "bad day-of-week"),
        ("*/0 * * * *", "bad minute"),
        ("5-1 * * * *", "bad minute"),
        ("0 0 30 2 *", "bad day-of-month"),
        ("", "expected five fields"),
        (5, "expected a cron rule such as"),
        ("1" * 500, "expected a cron rule such as"),
    ],
)
def test_a_rule_that_is_none_is_refused_by_its_field(rule: object, problem: str) -> None:
    with pytest.raises(InvalidInput, match=f"cron: {problem}"):
        check_cron(rule)


def test_a_rule_is_tidied() -> None:
    assert check_cron("  */5  *\t* * mon ") == "*/5 * * * mon"


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet="0123456789*/,-#LWMONJA ", max_size=30))
def test_no_text_is_worse_than_refused(text: str) -> None:
    try:
        check_cron(text)
    except InvalidInput:
        return


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["30 2 * * *", "*/15 2 * * *", "0 */2 * * *", "0 0 * * SUN", "59 23 31 12 *", "5 1-3 * * *"]),
    st.sampled_from(["UTC", "Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia"]),
    st.integers(ms(datetime(2008, 1, 1, tzinfo=UTC)), ms(datetime(2037, 1, 1, tzinfo=UTC))),
)
def test_ticks_rise_and_are_later_than_asked(rule: str, timezone: str, after: int) -> None:
    found = list(islice(cron_ticks(rule, timezone, after), 5))
    assert found == sorted(set(found))
    assert found[0] > after


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["30 2 * * *", "*/15 2 * * *", "0 */2 * * *", "5 1-3 * * *"]),
    st.sampled_from(["Europe/Berlin", "America/Havana", "Australia/Lord_Howe"]),
    st.integers(ms(datetime(2025, 1, 1, tzinfo=UTC)), ms(datetime(2027, 1, 1, tzinfo=UTC))),
)
def test_a_tick_is_followed_by_the_same_one_wherever_one_begins(rule: str, timezone: str, after: int) -> None:
    """Each worker counts from the last tick that Redis knows: it must find what a list of them says."""
    found = list(islice(cron_ticks(rule, timezone, after), 6))
    assert [next(cron_ticks(rule, timezone, tick)) for tick in found[:-1]] == found[1:]
    assert [next(cron_ticks(rule, timezone, tick - 1)) for tick in found] == found


# Days when clocks change. In Berlin 02:00 to 03:00 is skipped on 29 March 2026, and comes twice on 25 October.


def test_half_past_two_runs_at_three_on_the_day_that_has_none() -> None:
    assert ticks("30 2 * * *", "2026-03-28T00:00:00+01:00", 3) == [
        f"2026-03-28T02:30{WINTER}",
        f"2026-03-29T03:00{SUMMER}",
        f"2026-03-30T02:30{SUMMER}",
    ]


def test_half_past_two_runs_at_the_first_of_two() -> None:
    assert ticks("30 2 * * *", "2026-10-24T00:00:00+02:00", 3) == [
        f"2026-10-24T02:30{SUMMER}",
        f"2026-10-25T02:30{SUMMER}",
        f"2026-10-26T02:30{WINTER}",
    ]


def test_it_does_not_run_again_for_who_begins_in_the_second_hour() -> None:
    assert ticks("30 2 * * *", "2026-10-25T02:10:00+01:00", 1) == [f"2026-10-26T02:30{WINTER}"]


def test_every_half_hour_goes_on_through_the_hour_that_comes_twice() -> None:
    assert ticks("*/30 * * * *", "2026-10-25T01:45:00+02:00", 5) == [
        f"2026-10-25T02:00{SUMMER}",
        f"2026-10-25T02:30{SUMMER}",
        f"2026-10-25T02:00{WINTER}",
        f"2026-10-25T02:30{WINTER}",
        f"2026-10-25T03:00{WINTER}",
    ]


def test_every_half_hour_leaves_out_the_hour_that_is_skipped() -> None:
    assert ticks("*/30 * * * *", "2026-03-29T01:15:00+01:00", 2) == [
        f"2026-03-29T01:30{WINTER}",
        f"2026-03-29T03:00{SUMMER}",
    ]


def test_every_minute_of_an_hour_that_is_skipped_runs_on_the_next_day() -> None:
    assert ticks("*/30 2 * * *", "2026-03-28T12:00:00+01:00", 1) == [f"2026-03-30T02:00{SUMMER}"]


# Intervals


def test_an_interval_is_counted_from_1970() -> None:
    at = ms(datetime(2026, 6, 1, 12, 34, 56, tzinfo=UTC))
    assert next(interval_ticks(3600, at)) == ms(datetime(2026, 6, 1, 13, tzinfo=UTC))
    assert list(islice(interval_ticks(0.5 * 3, 0), 3)) == [1500, 3000, 4500]


def test_a_tick_is_later_than_asked_also_when_that_is_a_tick() -> None:
    assert next(interval_ticks(60, 120_000)) == 180_000
    assert next(minute_ticks(120_000)) == 180_000
    assert next(minute_ticks(119_999)) == 120_000


@pytest.mark.parametrize("seconds", [0, 0.9, -5, True, "60", None, float("nan"), float("inf"), 1e10])
def test_an_interval_that_is_none_is_refused(seconds: object) -> None:
    with pytest.raises(InvalidInput, match="everySeconds: expected 1 to 31,622,400 seconds, got"):
        check_interval(seconds)


# Time zones


def test_a_time_zone_is_known_by_its_name() -> None:
    assert zone("Europe/Berlin") == BERLIN
    assert zone("UTC") is UTC
    assert zone("America/Argentina/Buenos_Aires") == ZoneInfo("America/Argentina/Buenos_Aires")


@pytest.mark.parametrize("name", ["Europe/Berln", "America", "../etc/passwd", "", "CEST+1 ", "/etc/localtime", 5, None])
def test_a_time_zone_that_is_none_is_refused(name: object) -> None:
    with pytest.raises(InvalidInput, match="timezone: expected a time zone such as 'Europe/Berlin', got"):
        zone(name)


def test_a_slip_of_the_pen_is_helped() -> None:
    with pytest.raises(InvalidInput, match="did you mean 'Europe/Berlin'"):
        zone("Europe/Berln")


# In words


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("* * * * *", "Every minute (UTC)"),
        ("30 2 * * *", "At 02:30 every day (UTC)"),
        ("0 9 * * MON-FRI", "At 09:00 on Monday through Friday (UTC)"),
        ("*/5 * * * *", "Every fifth minute of every hour (UTC)"),
    ],
)
def test_a_rule_is_said_in_words(rule: str, words: str) -> None:
    assert cron_in_words(rule, "UTC") == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (1, "Every second"),
        (90, "Every 90 seconds"),
        (60, "Every minute"),
        (300.0, "Every 5 minutes"),
        (3600, "Every hour"),
        (172_800, "Every 2 days"),
        (1.5, "Every 1.5 seconds"),
    ],
)
def test_an_interval_is_said_in_words(seconds: float, words: str) -> None:
    assert interval_in_words(seconds) == words
