"""``cancel_job.lua``: what waits is CANCELLED; what runs is asked to stop."""

import pytest
from redis import Redis

from support.jobs import (
    CANCELLED,
    COMPLETED,
    FAILED,
    KEYS,
    QUEUED,
    RETRYING,
    RUNNING,
    SCHEDULED,
    STORE,
    a_job,
    a_running_job,
    attempts,
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
from taskengine.errors import IllegalMove, JobNotFound
from taskengine.jobs import JobState
from taskengine.store import Ending

WAITING_KEYS = {
    SCHEDULED: {"waiting"},
    QUEUED: {"ready:q:t", "heads:q"},
    RETRYING: {"waiting"},
}


def cancel(redis: Redis, job_id: str = "j1", *, terminate: bool = False, reason: str = "") -> None:
    STORE.cancel_job(job_id, terminate=terminate, reason=reason).run(redis)


@pytest.mark.parametrize("state", WAITING_KEYS)
@pytest.mark.parametrize("terminate", [False, True])
def test_a_job_that_waits_is_cancelled(redis: Redis, state: JobState, terminate: bool) -> None:
    a_job(redis, state)
    cancel(redis, terminate=terminate)
    assert get(redis).state is CANCELLED
    assert moves(redis)[-1] == (state, "CANCELLED")


@pytest.mark.parametrize("state", WAITING_KEYS)
def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis, state: JobState) -> None:
    a_job(redis, state)
    with writes(redis, "cancel_job") as written:
        cancel(redis)
    lanes = {f"lane:q:t:{state}", "lane:q:t:CANCELLED"}
    assert written == {"job:j1", "finished:CANCELLED", "events"} | lanes | WAITING_KEYS[state]


def test_a_cancelled_job_is_not_claimed(redis: Redis) -> None:
    register(redis)
    enqueue(redis, "j1", "j2")
    cancel(redis, "j1")
    assert [job.id for job in take(redis, 5).jobs] == ["j2"]


def test_the_reason_is_kept_and_told(redis: Redis) -> None:
    a_job(redis)
    cancel(redis, reason="not needed any more")
    assert get(redis).cancel_reason == "not needed any more"
    assert last_event(redis)["message"] == "not needed any more"


def test_no_reason_takes_no_place(redis: Redis) -> None:
    a_job(redis)
    cancel(redis)
    assert "cancel_reason" not in record(redis)


def test_cancelling_again_is_no_error_and_changes_nothing(redis: Redis) -> None:
    a_job(redis, CANCELLED)
    with writes(redis) as written:
        cancel(redis, reason="again", terminate=True)
    assert written == set()


@pytest.mark.parametrize("state", [COMPLETED, FAILED])
@pytest.mark.parametrize("terminate", [False, True])
def test_what_ended_cannot_be_cancelled(redis: Redis, state: JobState, terminate: bool) -> None:
    a_job(redis, state)
    with writes(redis) as written, pytest.raises(IllegalMove, match=f"'j1' is {state}, so it cannot become CANCELLED"):
        cancel(redis, terminate=terminate)
    assert written == set()


def test_a_running_job_is_not_cancelled_unless_that_is_said(redis: Redis) -> None:
    a_running_job(redis)
    with writes(redis) as written, pytest.raises(IllegalMove, match="RUNNING; ask to terminate it as well"):
        cancel(redis)
    assert written == set()


def test_a_running_job_is_asked_to_stop(redis: Redis) -> None:
    a_running_job(redis)
    with writes(redis, "cancel_job") as written:
        cancel(redis, terminate=True)
    assert written == {"job:j1"}
    assert get(redis).state is RUNNING
    assert get(redis).cancel_requested


def test_a_job_that_stopped_was_not_asked_any_more(redis: Redis) -> None:
    job = a_running_job(redis)
    cancel(redis, terminate=True, reason="enough")
    finish(redis, job, Ending.CANCELLED)
    assert get(redis).state is CANCELLED
    assert not get(redis).cancel_requested


def test_a_job_that_does_not_exist_is_said_so(redis: Redis) -> None:
    with writes(redis) as written, pytest.raises(JobNotFound, match="'gone'"):
        cancel(redis, "gone")
    assert written == set()


def test_attempts_stay_when_the_backoff_is_cut_short(redis: Redis) -> None:
    a_job(redis, RETRYING)
    cancel(redis)
    assert len(attempts(redis)) == 1
    assert redis.zcard(KEYS.waiting) == 0
