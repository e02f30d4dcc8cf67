"""``rescue_jobs.lua``: a job whose worker is gone runs again, but not for ever."""

import pytest
from redis import Redis

from support.jobs import (
    CANCELLED,
    FAILED,
    KEYS,
    QUEUED,
    RUNNING,
    STORE,
    a_running_job,
    an_orphan,
    attempts,
    claim,
    enqueue,
    finish,
    get,
    last_event,
    moves,
    record,
    register,
    take,
    writes,
)
from taskengine.failures import group_id
from taskengine.jobs import AttemptOutcome
from taskengine.store import Answer


def rescue(redis: Redis, *, max_losses: int = 3, limit: int = 100) -> int:
    return STORE.rescue_jobs(max_losses=max_losses, limit=limit).run(redis)


def test_a_job_whose_lease_ran_out_is_queued_again(redis: Redis) -> None:
    an_orphan(redis)
    assert rescue(redis) == 1
    assert get(redis).state is QUEUED
    assert moves(redis)[-1] == ("RUNNING", "QUEUED")
    assert last_event(redis)["message"] == "worker lost"


def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    an_orphan(redis)
    with writes(redis, "rescue_jobs") as written:
        rescue(redis)
    assert written == {
        "job:j1",
        "attempts:j1",
        "lane:q:t:RUNNING",
        "lane:q:t:QUEUED",
        "leases",
        "ready:q:t",
        "heads:q",
        "wake:q",
        "events",
    }


def test_a_lease_that_still_runs_is_left_alone(redis: Redis) -> None:
    a_running_job(redis)
    with writes(redis) as written:
        assert rescue(redis) == 0
    assert written == set()


def test_it_keeps_its_place(redis: Redis) -> None:
    an_orphan(redis, "j1")
    enqueue(redis, "j2")
    rescue(redis)
    assert [job.id for job in take(redis, 2).jobs] == ["j1", "j2"]


def test_the_lost_run_is_kept_but_is_no_attempt(redis: Redis) -> None:
    an_orphan(redis)
    rescue(redis)
    job = get(redis)
    assert (job.attempt_count, job.run_count, job.worker_losses) == (0, 1, 1)
    assert [attempt.outcome for attempt in attempts(redis)] == [AttemptOutcome.WORKER_LOST]


def test_the_dead_workers_lease_and_progress_are_worth_nothing(redis: Redis) -> None:
    orphan = an_orphan(redis)
    STORE.report_progress([(orphan.id, orphan.lease, '{"current":1}')]).run(redis)
    rescue(redis)
    assert "lease" not in record(redis)
    assert get(redis).progress is None


def test_a_job_that_lost_its_worker_too_often_fails(redis: Redis) -> None:
    enqueue(redis, "j1")
    for _ in range(3):
        claim(redis, lease_ms=0)
        rescue(redis, max_losses=3)
    job = get(redis)
    assert (job.state, job.worker_losses) == (FAILED, 3)
    assert job.error is not None
    assert (job.error.exception, job.error.retryable) == ("WorkerLost", False)
    assert job.error.message == "the worker of job 'j1' died under it 3 times"


def test_failing_for_that_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    an_orphan(redis)
    with writes(redis, "rescue_jobs") as written:
        rescue(redis, max_losses=1)
    group = group_id("t", "WorkerLost", None)
    assert written == {
        "job:j1",
        "attempts:j1",
        "lane:q:t:RUNNING",
        "lane:q:t:FAILED",
        "leases",
        "finished:FAILED",
        "events",
        "clock",
        "failures",
        f"failure:{group}",
        f"failed:{group}",
    }


def test_the_worker_of_a_job_that_failed_so_is_told_that_it_is_too_late(redis: Redis) -> None:
    orphan = an_orphan(redis)
    rescue(redis, max_losses=1)
    assert finish(redis, orphan) is Answer.LEASE_LOST


def test_every_lost_run_is_kept(redis: Redis) -> None:
    enqueue(redis, "j1")
    for _ in range(3):
        claim(redis, lease_ms=0)
        rescue(redis, max_losses=3)
    kept = attempts(redis)
    assert [attempt.number for attempt in kept] == [1, 2, 3]
    assert {attempt.outcome for attempt in kept} == {AttemptOutcome.WORKER_LOST}
    assert kept[-1].error.exception == "WorkerLost"


def test_a_job_that_was_asked_to_stop_is_cancelled_instead(redis: Redis) -> None:
    an_orphan(redis)
    STORE.cancel_job("j1", terminate=True, reason="enough").run(redis)
    rescue(redis)
    assert get(redis).state is CANCELLED
    assert get(redis).cancel_reason == "enough"


def test_one_that_was_asked_to_stop_is_cancelled_also_at_the_last_loss(redis: Redis) -> None:
    an_orphan(redis)
    STORE.cancel_job("j1", terminate=True, reason="").run(redis)
    rescue(redis, max_losses=1)
    assert get(redis).state is CANCELLED


def test_no_more_are_rescued_than_the_limit_the_longest_dead_first(redis: Redis) -> None:
    register(redis)
    enqueue(redis, "a", "b", "c")
    for ago, job in enumerate(take(redis, 3, lease_ms=0).jobs, 1):
        redis.zincrby(KEYS.leases, -1000 * ago, job.id)
    assert rescue(redis, limit=2) == 2
    assert [get(redis, job_id).state for job_id in "abc"] == [RUNNING, QUEUED, QUEUED]


@pytest.mark.parametrize("max_losses", [1, 2, 5])
def test_it_runs_so_often_and_not_once_more(redis: Redis, max_losses: int) -> None:
    enqueue(redis, "j1")
    runs = 0
    while get(redis).state is QUEUED:
        claim(redis, lease_ms=0)
        rescue(redis, max_losses=max_losses)
        runs += 1
    assert runs == max_losses
