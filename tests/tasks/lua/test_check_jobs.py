"""``check_jobs.lua``: what records ask for and an index does not hold, named and put there."""

import pytest
from redis import Redis

from support.damage import MISSING, MOVED, full_house
from support.jobs import KEYS, QUEUED, RUNNING, STORE, WORKER, a_job, a_running_job, enqueue, get, take, writes
from taskengine.check import check
from taskengine.check.walk import Difference

LOST = {"dependents", "all dependents", "blockers", "schedules", "failures", "bulking"}
"""What other scripts look at."""


def names(differences: list[Difference]) -> list[tuple[str, str]]:
    return [(difference.key, difference.member) for difference in differences]


@pytest.mark.parametrize("name", sorted(MISSING.keys() - LOST))
def test_what_is_missing_is_named_and_put_back(redis: Redis, name: str) -> None:
    full_house(redis)
    damage = MISSING[name]
    damage.do(redis)
    assert any(damage.names(one) and one.outcome == "" for one in check(redis, KEYS))
    assert all(one.is_mended for one in check(redis, KEYS, mend=True))
    assert check(redis, KEYS) == []


@pytest.mark.parametrize("name", sorted(MOVED.keys() - LOST))
def test_what_stands_in_the_wrong_place_is_named_and_moved(redis: Redis, name: str) -> None:
    full_house(redis)
    damage = MOVED[name]
    damage.do(redis)
    assert [one.found for one in check(redis, KEYS) if damage.names(one)] == ["at 5"]
    assert all(one.is_mended for one in check(redis, KEYS, mend=True))
    assert check(redis, KEYS) == []


def test_looking_changes_nothing(redis: Redis) -> None:
    a_job(redis, QUEUED)
    redis.zrem(KEYS.ready("q", "t"), "j1")
    with writes(redis) as written:
        assert (KEYS.ready("q", "t"), "j1") in names(check(redis, KEYS))
    assert written == set()
    check(redis, KEYS, mend=True)


def test_a_difference_says_key_job_what_was_expected_and_what_is_there(redis: Redis) -> None:
    a_job(redis, RUNNING)
    redis.zrem(KEYS.leases, "j1")
    (difference,) = check(redis, KEYS)
    assert str(difference) == "te:{test}:leases (job j1): expected there, found absent"
    (difference,) = check(redis, KEYS, mend=True)
    assert str(difference) == "te:{test}:leases (job j1): expected there, found absent; mended"


def test_a_job_that_runs_without_a_lease_gets_one_that_soon_runs_out(redis: Redis) -> None:
    job = a_running_job(redis)
    redis.zrem(KEYS.leases, "j1")
    check(redis, KEYS, mend=True)
    seconds, microseconds = redis.time()
    deadline = redis.zscore(KEYS.leases, "j1")
    assert 0 < deadline - seconds * 1000 - microseconds / 1000 <= 3_000
    # Its worker, if it lives, has time to say so.
    STORE.renew_leases(WORKER, [("j1", job.lease)], "{}", lease_ms=60_000).run(redis)
    assert redis.zscore(KEYS.leases, "j1") > deadline


def test_and_is_rescued_when_nobody_renews_it(redis: Redis) -> None:
    a_running_job(redis)
    redis.zrem(KEYS.leases, "j1")
    assert STORE.rescue_jobs(max_losses=3, limit=10).run(redis) == 0
    check(redis, KEYS, mend=True)
    redis.zadd(KEYS.leases, {"j1": 1})
    assert STORE.rescue_jobs(max_losses=3, limit=10).run(redis) == 1
    assert get(redis).state is QUEUED


def test_a_job_that_is_put_back_in_line_is_claimed(redis: Redis) -> None:
    a_job(redis, QUEUED)
    redis.delete(KEYS.ready("q", "t"), KEYS.heads("q"), KEYS.lanes, KEYS.queues)
    check(redis, KEYS, mend=True)
    STORE.register_worker(WORKER, "{}", {"t": "{}"}).run(redis)
    assert [job.id for job in take(redis).jobs] == ["j1"]


# What cannot be mended


@pytest.mark.parametrize(
    ("state", "field", "value"),
    [
        (QUEUED, "state", "LOST"),
        (QUEUED, "priority", "high"),
        (QUEUED, "created", None),
        (QUEUED, "task", None),
        (QUEUED, "queue", None),
        (RUNNING, "started_at", None),
        (RUNNING, "lease", None),
        (RUNNING, "worker", None),
    ],
)
def test_a_record_that_is_damaged_itself_is_named_and_left_alone(
    redis: Redis, state: str, field: str, value: str | None
) -> None:
    a_job(redis, state)
    whole = redis.hgetall(KEYS.job("j1"))
    if value is None:
        redis.hdel(KEYS.job("j1"), field)
    else:
        redis.hset(KEYS.job("j1"), field, value)
    damaged = redis.hgetall(KEYS.job("j1"))
    (difference,) = [one for one in check(redis, KEYS, mend=True) if one.key == KEYS.job("j1")]
    assert (difference.member, difference.found) == (field, value or "absent")
    assert difference.outcome == "the record itself is damaged"
    assert redis.hgetall(KEYS.job("j1")) == damaged
    redis.hset(KEYS.job("j1"), mapping=whole)


def test_a_job_that_is_no_hash_is_named_and_left_alone(redis: Redis) -> None:
    redis.set(KEYS.job("j1"), "?")
    (difference,) = check(redis, KEYS, mend=True)
    assert (difference.job, difference.found, difference.is_mended) == ("j1", "a string", False)
    assert redis.get(KEYS.job("j1")) == "?"
    redis.delete(KEYS.job("j1"))


def test_an_index_that_is_no_index_is_named_and_left_alone(redis: Redis) -> None:
    a_job(redis, QUEUED)
    kept = redis.dump(KEYS.queues)
    redis.delete(KEYS.queues)
    redis.set(KEYS.queues, "?")
    differences = check(redis, KEYS, mend=True)
    assert {(one.key, one.found) for one in differences} == {(KEYS.queues, "a string")}
    assert not any(one.is_mended for one in differences)
    assert redis.get(KEYS.queues) == "?"
    redis.delete(KEYS.queues)
    redis.restore(KEYS.queues, 0, kept)


def test_two_jobs_with_one_idempotency_key_are_named_and_left_alone(redis: Redis) -> None:
    enqueue(redis, "first", idempotency_key="once")
    redis.delete(KEYS.idempotency("t", "once"))
    enqueue(redis, "second", idempotency_key="once")
    (difference,) = check(redis, KEYS, mend=True)
    assert (difference.job, difference.expected, difference.found) == ("first", "first", "second")
    assert difference.outcome == "two jobs have the same idempotency key"
    redis.hdel(KEYS.job("first"), "idempotency_key")


def test_a_checkpoint_that_is_lost_is_named(redis: Redis) -> None:
    job = a_running_job(redis)
    STORE.save_checkpoint("j1", job.lease, "1").run(redis)
    redis.delete(KEYS.checkpoint("j1"))
    (difference,) = check(redis, KEYS, mend=True)
    assert (difference.key, difference.outcome) == (KEYS.checkpoint("j1"), "what was saved is lost")
    redis.hdel(KEYS.job("j1"), "checkpoint")
