"""``spend_budget.lua``: points that a caller may spend, and that come back evenly."""

from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from support.jobs import KEYS, writes
from taskengine.scripts import call

LIMIT, FILL_MS = 600, 3_600_000
"""An hour to fill up: nothing comes back while a test runs but what rounding leaves."""


def spend(redis: Redis, wanted: int, *, limit: int = LIMIT, fill_ms: int = FILL_MS) -> list[int]:
    def decode(reply: Sequence[Any]) -> list[int]:
        return [int(number) for number in reply]

    spending = call("spend_budget", KEYS.prefix, decode, caller="ci", wanted=wanted, limit=limit, fill_ms=fill_ms)
    return spending.run(redis)


def test_what_is_spent_is_gone(redis: Redis) -> None:
    with writes(redis, "spend_budget") as written:
        granted, left, retry, reset = spend(redis, 100)
    assert written == {"api_budget:ci"}
    assert (granted, left, retry, reset) == (1, 500, 0, 600_000)


def test_more_than_is_left_is_refused_and_nothing_taken(redis: Redis) -> None:
    spend(redis, 500)
    with writes(redis) as written:
        granted, left, retry, _ = spend(redis, 200)
    assert (granted, left, written) == (0, 100, set())
    assert 0 < retry <= 600_000
    assert spend(redis, 100)[0] == 1


def test_points_come_back_with_time(redis: Redis) -> None:
    spend(redis, 600)
    assert spend(redis, 300)[0] == 0
    redis.hincrby(KEYS.api_budget("ci"), "at", -FILL_MS // 2)  # as if half of the time had gone
    assert spend(redis, 300)[0] == 1
    assert spend(redis, 300)[0] == 0


def test_there_are_never_more_than_the_limit(redis: Redis) -> None:
    spend(redis, 1)
    redis.hincrby(KEYS.api_budget("ci"), "at", -FILL_MS * 100)
    assert spend(redis, 0)[1] == LIMIT


def test_what_costs_more_than_there_can_be_takes_all(redis: Redis) -> None:
    assert spend(redis, 10_000)[:2] == [1, 0]
    assert spend(redis, 10_000)[0] == 0


def test_a_clock_that_is_set_back_gives_nothing(redis: Redis) -> None:
    spend(redis, 600)
    redis.hincrby(KEYS.api_budget("ci"), "at", 10**9)
    assert spend(redis, 1)[:2] == [0, 0]


def test_a_lower_limit_holds_at_once(redis: Redis) -> None:
    spend(redis, 1)
    assert spend(redis, 0, limit=50)[1] == 50


def test_each_caller_has_a_budget_that_ends_by_itself(redis: Redis) -> None:
    spend(redis, 1)
    assert 0 < redis.pttl(KEYS.api_budget("ci")) <= FILL_MS


@given(st.lists(st.integers(0, 300), max_size=30))
@settings(deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_more_is_granted_than_there_was(redis: Redis, wanted: list[int]) -> None:
    redis.delete(KEYS.api_budget("ci"))
    granted = sum(points for points in wanted if spend(redis, points)[0])
    assert granted <= LIMIT + 1  # seconds of an hour's fill
