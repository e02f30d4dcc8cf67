"""``check_dependencies.lua``: whether those that a job waits for know of it."""

import pytest
from redis import Redis

from support.damage import MISSING, full_house
from support.jobs import COMPLETED, KEYS, SCHEDULED, STORE, a_job, enqueue, get
from taskengine.check import check


@pytest.mark.parametrize("name", ["dependents", "all dependents", "blockers"])
def test_a_job_that_would_wait_for_ever_is_named_and_asks_anew(redis: Redis, name: str) -> None:
    full_house(redis)
    damage = MISSING[name]
    damage.do(redis)
    (difference,) = check(redis, KEYS)
    assert damage.names(difference)
    assert check(redis, KEYS, mend=True)[0].is_mended
    STORE.claim_jobs("w", "none", 1, lease_ms=1).run(redis)  # whoever has time takes the steps
    assert redis.exists(KEYS.resolving) == 0
    assert check(redis, KEYS) == []


def test_more_dependencies_than_are_asked_at_once_add_up(redis: Redis) -> None:
    dependencies = [f"d{number}" for number in range(250)]
    enqueue(redis, *dependencies)
    enqueue(redis, "last", depends_on=tuple(dependencies))
    assert check(redis, KEYS) == []
    redis.delete(KEYS.dependents("d200"))
    (difference,) = check(redis, KEYS)
    assert (difference.job, difference.expected, difference.found) == ("last", "249", "250")
    check(redis, KEYS, mend=True)


def test_one_that_is_still_asking_whom_it_waits_for_is_no_difference(redis: Redis) -> None:
    dependencies = [f"d{number}" for number in range(600)]
    for start in range(0, 600, 200):
        enqueue(redis, *dependencies[start : start + 200])
    enqueue(redis, "last", depends_on=tuple(dependencies))
    assert redis.zcard(KEYS.resolving) == 1
    assert check(redis, KEYS) == []


def test_a_job_of_which_nobody_knows_what_it_waits_for_is_named_and_left_alone(redis: Redis) -> None:
    a_job(redis, SCHEDULED, "first")
    enqueue(redis, "second", depends_on=("first",))
    redis.delete(KEYS.dependencies("second"), KEYS.dependents("first"))
    (difference,) = check(redis, KEYS, mend=True)
    assert (difference.job, difference.outcome) == ("second", "nobody knows what it depends on")
    assert get(redis, "second").state is SCHEDULED
    STORE.cancel_job("second", terminate=False, reason="").run(redis)


def test_an_end_that_is_told_meanwhile_is_no_difference(redis: Redis) -> None:
    a_job(redis, COMPLETED, "first")
    enqueue(redis, "second", depends_on=("first",))
    assert check(redis, KEYS) == []
