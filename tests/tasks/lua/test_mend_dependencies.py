"""``mend_dependencies.lua``: a blocked job asks anew whom it waits for."""

from redis import Redis

from support.jobs import CANCELLED, KEYS, QUEUED, SCHEDULED, STORE, a_job, a_running_job, enqueue, finish, get, writes
from taskengine.scripts import call


def mend(redis: Redis, job_id: str) -> int:
    return call("mend_dependencies", KEYS.prefix, int, id=job_id).run(redis)


def take_steps(redis: Redis) -> None:
    STORE.claim_jobs("w", "none", 1, lease_ms=1).run(redis)


def test_it_waits_for_those_that_have_not_ended(redis: Redis) -> None:
    first = a_running_job(redis, "first")
    a_job(redis, SCHEDULED, "second")
    enqueue(redis, "last", depends_on=("first", "second"))
    redis.delete(KEYS.dependents("first"))
    finish(redis, first)
    with writes(redis, by="mend_dependencies"):
        assert mend(redis, "last") == 1
    take_steps(redis)
    assert get(redis, "last").blockers == 1
    assert redis.zrange(KEYS.dependents("second"), 0, -1) == ["last"]


def test_it_starts_when_all_have_completed(redis: Redis) -> None:
    first = a_running_job(redis, "first")
    enqueue(redis, "last", depends_on=("first",))
    redis.delete(KEYS.dependents("first"))
    finish(redis, first)
    mend(redis, "last")
    take_steps(redis)
    assert get(redis, "last").state is QUEUED


def test_it_is_cancelled_when_one_ended_otherwise(redis: Redis) -> None:
    enqueue(redis, "first")
    enqueue(redis, "last", depends_on=("first",))
    redis.delete(KEYS.dependents("first"))
    STORE.cancel_job("first", terminate=False, reason="").run(redis)
    mend(redis, "last")
    take_steps(redis)
    assert get(redis, "last").state is CANCELLED


def test_one_that_waits_for_nobody_is_left_alone(redis: Redis) -> None:
    a_job(redis, QUEUED)
    with writes(redis) as written:
        assert mend(redis, "j1") == 0
        assert mend(redis, "nobody") == 0
    assert written == set()
