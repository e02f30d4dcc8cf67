"""``retry_job.lua``: FAILED, CANCELLED or RETRYING -> QUEUED now, as the same job."""

import pytest
from redis import Redis

from support.jobs import (
    CANCELLED,
    COMPLETED,
    FAILED,
    GROUP,
    QUEUED,
    RETRYING,
    RUNNING,
    SCHEDULED,
    STORE,
    a_job,
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
    take,
    writes,
)
from taskengine.errors import IllegalMove, JobNotFound
from taskengine.jobs import JobState
from taskengine.store import Answer, Ending

LEFT = {FAILED: "finished:FAILED", CANCELLED: "finished:CANCELLED", RETRYING: "waiting"}


def retry(redis: Redis, job_id: str = "j1", attempts: int | None = None) -> None:
    STORE.retry_job(job_id, attempts=attempts).run(redis)


@pytest.mark.parametrize("state", LEFT)
def test_it_is_queued_at_once(redis: Redis, state: JobState) -> None:
    a_job(redis, state)
    retry(redis)
    assert get(redis).state is QUEUED
    assert moves(redis)[-1] == (state, "QUEUED")
    assert last_event(redis)["message"] == "retried"


@pytest.mark.parametrize("state", LEFT)
def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis, state: JobState) -> None:
    a_job(redis, state)
    with writes(redis, "retry_job") as written:
        retry(redis)
    lanes = {f"lane:q:t:{state}", "lane:q:t:QUEUED"}
    group = {f"failed:{GROUP}"} if state is FAILED else set()
    assert written == {"job:j1", "ready:q:t", "heads:q", "wake:q", "events", LEFT[state]} | lanes | group


@pytest.mark.parametrize("state", [SCHEDULED, QUEUED, RUNNING, COMPLETED])
def test_no_other_state_can_be_retried(redis: Redis, state: JobState) -> None:
    a_job(redis, state)
    with writes(redis) as written, pytest.raises(IllegalMove, match=f"'j1' is {state}, so it cannot become QUEUED"):
        retry(redis)
    assert written == set()


def test_a_job_that_does_not_exist_is_said_so(redis: Redis) -> None:
    with writes(redis) as written, pytest.raises(JobNotFound, match="'gone'"):
        retry(redis, "gone")
    assert written == set()


def test_it_gets_as_many_attempts_as_it_was_enqueued_with(redis: Redis) -> None:
    job = a_running_job(redis, max_attempts=2)
    finish(redis, job, Ending.FAILED, retry_ms=0)
    finish(redis, claim(redis), Ending.FAILED, retry_ms=0)
    retry(redis)
    assert (get(redis).attempt_count, get(redis).max_attempts) == (2, 4)


def test_it_gets_as_many_again_and_again(redis: Redis) -> None:
    a_job(redis, FAILED, max_attempts=1)
    for round_number in range(1, 4):
        retry(redis)
        assert get(redis).max_attempts == round_number + 1
        finish(redis, claim(redis), Ending.FAILED, retry_ms=0)
        assert get(redis).state is FAILED


def test_it_gets_so_many_more_as_are_asked_for(redis: Redis) -> None:
    a_job(redis, FAILED, max_attempts=1)
    retry(redis, attempts=5)
    assert get(redis).max_attempts == 6


def test_attempts_that_are_left_are_not_taken_away(redis: Redis) -> None:
    a_job(redis, RETRYING, max_attempts=9)
    retry(redis, attempts=1)
    assert get(redis).max_attempts == 9


def test_it_keeps_its_place(redis: Redis) -> None:
    a_job(redis, FAILED, "first")
    enqueue(redis, "second")
    retry(redis, "first")
    assert [job.id for job in take(redis, 2).jobs] == ["first", "second"]


def test_what_ran_before_is_kept(redis: Redis) -> None:
    a_job(redis, FAILED)
    retry(redis)
    assert len(attempts(redis)) == 1
    assert get(redis).error is not None


def test_its_end_and_why_it_was_cancelled_are_forgotten(redis: Redis) -> None:
    a_job(redis)
    STORE.cancel_job("j1", terminate=False, reason="by mistake").run(redis)
    retry(redis)
    assert (get(redis).finished_at, get(redis).cancel_reason) == (None, None)


def test_a_stop_that_was_asked_for_does_not_stop_the_next_run(redis: Redis) -> None:
    job = a_running_job(redis)
    STORE.cancel_job("j1", terminate=True, reason="").run(redis)
    finish(redis, job, Ending.CANCELLED)
    retry(redis)
    claim(redis)
    assert not get(redis).cancel_requested


def test_lost_workers_are_forgiven(redis: Redis) -> None:
    an_orphan(redis)
    STORE.rescue_jobs(max_losses=1, limit=1).run(redis)
    retry(redis)
    assert get(redis).worker_losses == 0


def test_a_late_answer_of_the_failed_attempt_changes_nothing(redis: Redis) -> None:
    job = a_running_job(redis, max_attempts=1)
    finish(redis, job, Ending.FAILED)
    retry(redis)
    with writes(redis) as written:
        assert finish(redis, job) is Answer.LEASE_LOST
    assert written == set()


def test_a_second_success_leaves_nothing_of_the_failure_but_its_attempt(redis: Redis) -> None:
    a_job(redis, FAILED)
    retry(redis)
    finish(redis, claim(redis), value="1")
    assert "error" not in record(redis)
    assert len(attempts(redis)) == 2
