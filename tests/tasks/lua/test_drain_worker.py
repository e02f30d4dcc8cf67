"""``drain_worker.lua``: a worker takes no new job from now on."""

import pytest
from redis import Redis

from support.jobs import (
    KEYS,
    MINUTE,
    READS,
    RUNNING,
    STORE,
    WORKER,
    a_running_job,
    enqueue,
    get,
    now_ms,
    register,
    take,
    writes,
)
from taskengine.errors import WorkerNotFound, WorkerOffline
from taskengine.jobs import WorkerInfo


def drain(redis: Redis, name: str = WORKER, *, by: str = "") -> WorkerInfo:
    return STORE.drain_worker(name, lease_ms=MINUTE, by=by).run(redis)


def test_it_takes_no_job_from_that_moment_on(redis: Redis) -> None:
    register(redis)
    enqueue(redis, "j1", "j2")
    assert [job.id for job in take(redis).jobs] == ["j1"]
    drain(redis)
    assert take(redis).jobs == []


def test_others_take_the_jobs(redis: Redis) -> None:
    register(redis)
    register(redis, worker="other")
    enqueue(redis, "j1")
    drain(redis)
    assert [job.id for job in take(redis, worker="other").jobs] == ["j1"]


def test_what_it_runs_goes_on_under_its_lease(redis: Redis) -> None:
    job = a_running_job(redis)
    drain(redis)
    heard = STORE.renew_leases(WORKER, [(job.id, job.lease)], "{}", lease_ms=MINUTE).run(redis)
    assert (heard.registered, heard.answers) == (True, ["OK"])
    assert get(redis).state is RUNNING


def test_it_is_shown_as_draining_at_once(redis: Redis) -> None:
    register(redis)
    assert drain(redis).draining
    assert [worker.draining for worker in READS.list_workers().run(redis)] == [True]


def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    register(redis)
    with writes(redis, "drain_worker") as written:
        drain(redis, by="ops@example.org")
    assert written == {"draining", f"knows:{WORKER}", "audit"}


def test_asking_twice_changes_nothing_more(redis: Redis) -> None:
    register(redis)
    drain(redis, by="first@example.org")
    with writes(redis) as written:
        assert drain(redis, by="second@example.org").draining
    assert written == set()
    assert redis.hget(KEYS.draining, WORKER) == "first@example.org"


def test_who_asked_is_in_the_audit(redis: Redis) -> None:
    register(redis)
    drain(redis, by="ops@example.org")
    ((_, entry),) = redis.xrange(KEYS.audit)
    assert (entry["by"], entry["action"], entry["subject"]) == ("ops@example.org", "drain_worker", WORKER)


def test_a_worker_that_is_not_there_is_an_error(redis: Redis) -> None:
    with pytest.raises(WorkerNotFound, match="there is no worker 'stranger'"):
        drain(redis, "stranger")
    assert not redis.exists(KEYS.draining)


def test_a_worker_that_is_offline_is_an_error_that_says_since_when(redis: Redis) -> None:
    register(redis)
    redis.zadd(KEYS.heartbeats, {WORKER: now_ms(redis) - 2 * MINUTE})
    with pytest.raises(WorkerOffline, match="worker 'w' is offline: it was last heard of 120 s ago"):
        drain(redis)
    assert not redis.exists(KEYS.draining)


def test_a_job_that_only_it_could_run_says_so(redis: Redis) -> None:
    register(redis)
    enqueue(redis, "j1")
    drain(redis)
    waiting = READS.explain_job("j1").run(redis)
    assert waiting is not None
    assert (waiting.reason, waiting.message) == (
        "NO_WORKER",
        "the workers that are online drain: they take nothing more",
    )
