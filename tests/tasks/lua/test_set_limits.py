"""``set_limits.lua``: how many jobs of a queue or task may run at once, and start in a time."""

import pytest
from redis import Redis

from support.jobs import (
    KEYS,
    MINUTE,
    READS,
    STORE,
    enqueue,
    expire_leases,
    finish,
    finish_all,
    outcome,
    register,
    take,
    writes,
)
from support.waiting import wait_until
from taskengine.rules import KEEP, Kind, Limits, Rate
from taskengine.store import Ending

BOTH = [(Kind.QUEUE, "q"), (Kind.TASK, "t")]


def limit(redis: Redis, kind: Kind = Kind.QUEUE, name: str = "q", **limits: object) -> None:
    limits = {"concurrency": KEEP, "rate": KEEP} | limits
    STORE.set_limits(kind, name, **limits).run(redis)  # pyright: ignore[reportArgumentType]


def taken(redis: Redis, count: int = 10) -> list[str]:
    register(redis, "t", "u")
    return [job.id for job in take(redis, count).jobs]


@pytest.mark.parametrize(("kind", "name"), BOTH)
def test_no_more_than_so_many_run_at_once(redis: Redis, kind: Kind, name: str) -> None:
    enqueue(redis, *"abcd")
    limit(redis, kind, name, concurrency=3)
    assert taken(redis, 2) == ["a", "b"]
    assert taken(redis) == ["c"]
    assert taken(redis) == []


def test_a_task_is_limited_over_all_its_queues(redis: Redis) -> None:
    enqueue(redis, "a", queue="q1")
    enqueue(redis, "b", queue="q2")
    limit(redis, Kind.TASK, "t", concurrency=1)
    assert taken(redis) == ["a"]


def test_an_end_makes_place_in_the_same_call(redis: Redis) -> None:
    enqueue(redis, *"abc")
    register(redis)
    limit(redis, concurrency=1)
    (job,) = take(redis).jobs
    assert [one.id for one in finish_all(redis, [outcome(job)], count=5).jobs] == ["b"]


def test_a_dead_holder_gives_its_place_back_with_its_lease(redis: Redis) -> None:
    enqueue(redis, "a", "b")
    register(redis)
    limit(redis, concurrency=1)
    (job,) = take(redis).jobs
    expire_leases(redis, KEYS, (job.id, job.lease))
    STORE.rescue_jobs(max_losses=1, limit=1).run(redis)
    assert taken(redis) == ["b"]


def test_a_limited_task_holds_up_no_other(redis: Redis) -> None:
    enqueue(redis, "t1", "t2", priority=10)
    enqueue(redis, "u1", "u2", task="u", priority=1)
    limit(redis, Kind.TASK, "t", concurrency=1)
    assert taken(redis) == ["t1", "u1", "u2"]


def test_a_higher_limit_holds_at_once_and_none_lifts_it(redis: Redis) -> None:
    enqueue(redis, *"abcd")
    limit(redis, concurrency=1)
    assert taken(redis) == ["a"]
    limit(redis, concurrency=2)
    assert taken(redis) == ["b"]
    limit(redis, concurrency=None)
    assert taken(redis) == ["c", "d"]


def test_a_lower_limit_stops_nothing_that_runs(redis: Redis) -> None:
    enqueue(redis, *"abc")
    assert taken(redis, 2) == ["a", "b"]
    limit(redis, concurrency=1)
    assert taken(redis) == []


@pytest.mark.parametrize(("kind", "name"), BOTH)
def test_a_rate_lets_its_bucket_start_and_then_one_a_token(redis: Redis, kind: Kind, name: str) -> None:
    enqueue(redis, *"abcdef")
    limit(redis, kind, name, rate=Rate(jobs=3, per_seconds=60))
    assert taken(redis) == ["a", "b", "c"]
    claim = take(redis, 10)
    assert claim.jobs == []
    assert claim.next_due_ms is not None
    assert 0 < claim.next_due_ms <= 20_000


def test_a_token_comes_with_time(redis: Redis) -> None:
    enqueue(redis, *"ab")
    limit(redis, rate=Rate(jobs=1, per_seconds=0.05))
    assert taken(redis) == ["a"]
    assert wait_until(lambda: taken(redis), 5) == ["b"]


def test_what_never_began_gives_its_token_back(redis: Redis) -> None:
    enqueue(redis, "a")
    limit(redis, rate=Rate(jobs=1, per_seconds=MINUTE))
    register(redis)
    (job,) = take(redis).jobs
    finish(redis, job, Ending.UNSTARTED)
    assert taken(redis) == ["a"]


def test_one_limit_is_changed_without_the_other(redis: Redis) -> None:
    limit(redis, concurrency=2, rate=Rate(jobs=3, per_seconds=60))
    limit(redis, concurrency=5)
    assert rules(redis) == Limits(concurrency=5, rate=Rate(jobs=3, per_seconds=60))
    limit(redis, rate=None)
    assert rules(redis) == Limits(concurrency=5)
    limit(redis, concurrency=None)
    assert rules(redis) == Limits()
    assert redis.exists(KEYS.limits) == 0


def rules(redis: Redis) -> Limits:
    return READS.list_rules().run(redis).limits_of(Kind.QUEUE, "q")


def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    enqueue(redis, "a")
    limit(redis, rate=Rate(jobs=1, per_seconds=60))
    taken(redis)
    redis.delete(KEYS.wake("q"))
    with writes(redis, "set_limits") as written:
        limit(redis, rate=Rate(jobs=2, per_seconds=60), concurrency=1)
    assert written == {"limits", "rate:queue:q", "wake:q"}
