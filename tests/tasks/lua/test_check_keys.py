"""``check_keys.lua``: what is kept of nobody, and what nothing would set going again."""

import pytest
from redis import Redis

from support.damage import MISSING, MOVED, STRAY, STUCK, full_house
from support.jobs import KEYS, STORE, get, take
from support.schedules import a_schedule
from taskengine.check import check

LISTED = ("schedules", "failures", "bulking")
"""Indexes of records that are no jobs."""


@pytest.mark.parametrize("name", sorted(STRAY))
def test_what_belongs_to_nobody_is_named_and_removed(redis: Redis, name: str) -> None:
    full_house(redis)
    damage = STRAY[name]
    damage.do(redis)
    (difference,) = check(redis, KEYS)
    assert damage.names(difference)
    assert check(redis, KEYS, mend=True)[0].is_mended
    assert check(redis, KEYS) == []
    assert redis.exists(damage.key) == 0


@pytest.mark.parametrize("name", sorted(STUCK))
def test_what_nothing_would_set_going_again_is_named_and_set_going(redis: Redis, name: str) -> None:
    full_house(redis)
    damage = STUCK[name]
    damage.do(redis)
    assert any(damage.names(one) for one in check(redis, KEYS))
    assert all(one.is_mended for one in check(redis, KEYS, mend=True))
    assert check(redis, KEYS) == []


@pytest.mark.parametrize("damages", [MISSING, MOVED], ids=["missing", "moved"])
@pytest.mark.parametrize("name", LISTED)
def test_a_record_that_its_index_does_not_list_is_listed_again(redis: Redis, name: str, damages: dict) -> None:
    full_house(redis)
    damage = damages[name]
    damage.do(redis)
    (difference,) = check(redis, KEYS)
    assert damage.names(difference)
    assert check(redis, KEYS, mend=True)[0].is_mended
    assert check(redis, KEYS) == []


def test_a_schedule_that_has_no_next_tick_is_listed_at_infinity(redis: Redis) -> None:
    a_schedule(redis, "off", enabled=False)
    redis.delete(KEYS.schedules)
    (difference,) = check(redis, KEYS, mend=True)
    assert (difference.expected, difference.found) == ("at inf", "absent")
    assert redis.zscore(KEYS.schedules, "off") == float("inf")


def test_a_job_whose_end_was_not_told_lets_those_go_that_waited(redis: Redis) -> None:
    full_house(redis)
    STUCK["an end that nobody tells"].do(redis)
    check(redis, KEYS, mend=True)
    STORE.promote_jobs(limit=10).run(redis)
    take(redis, 10)
    assert get(redis, "blocked").blockers == 1  # the other one is still to come
