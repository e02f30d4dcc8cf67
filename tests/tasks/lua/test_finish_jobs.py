"""``finish_jobs.lua``: RUNNING -> what the attempts came to, by the workers that hold the leases."""

from dataclasses import replace

import pytest
from redis import Redis

from support.jobs import (
    CANCELLED,
    COMPLETED,
    ERROR,
    FAILED,
    GROUP,
    KEYS,
    MINUTE,
    QUEUED,
    RETRYING,
    RUNNING,
    SCHEDULED,
    STORE,
    a_running_job,
    an_orphan,
    attempts,
    claim,
    enqueue,
    finish,
    finish_all,
    get,
    last_event,
    moves,
    now_ms,
    outcome,
    record,
    register,
    take,
    writes,
)
from taskengine.jobs import AttemptOutcome
from taskengine.records import dumps
from taskengine.store import Answer, Ending

GIVING_BACK = [Ending.RELEASED, Ending.SNOOZED, Ending.UNSTARTED]


def ask_to_stop(redis: Redis, reason: str = "enough") -> None:
    STORE.cancel_job("j1", terminate=True, reason=reason).run(redis)


# COMPLETED


def test_a_completed_job_has_its_result(redis: Redis) -> None:
    job = a_running_job(redis)
    assert finish(redis, job, value='{"sent":3}') is Answer.OK
    assert get(redis).state is COMPLETED
    assert get(redis).result == {"sent": 3}
    assert moves(redis)[-1] == ("RUNNING", "COMPLETED")


def test_completing_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    job = a_running_job(redis)
    with writes(redis, "finish_jobs") as written:
        finish(redis, job)
    assert written == {
        "job:j1",
        "lane:q:t:RUNNING",
        "lane:q:t:COMPLETED",
        "leases",
        "finished:COMPLETED",
        "events",
    }


def test_no_result_takes_no_place(redis: Redis) -> None:
    finish(redis, a_running_job(redis))
    assert "result" not in record(redis)
    assert get(redis).result is None


def test_the_time_of_the_end_is_rediss_own(redis: Redis) -> None:
    job = a_running_job(redis)
    before = now_ms(redis)
    finish(redis, job)
    finished = redis.zscore(KEYS.finished("COMPLETED"), "j1")
    assert before <= finished <= now_ms(redis)
    assert record(redis)["finished_at"] == f"{finished:.0f}"


def test_a_completed_run_is_told_by_the_record_alone(redis: Redis) -> None:
    finish(redis, a_running_job(redis))
    assert redis.exists(KEYS.attempts("j1")) == 0
    assert [attempt.outcome for attempt in attempts(redis)] == [AttemptOutcome.COMPLETED]


def test_success_after_a_failure_forgets_the_error(redis: Redis) -> None:
    finish(redis, a_running_job(redis), Ending.FAILED, retry_ms=0)
    assert get(redis).error is not None
    finish(redis, claim(redis))
    assert get(redis).error is None
    assert [attempt.outcome for attempt in attempts(redis)] == [AttemptOutcome.FAILED, AttemptOutcome.COMPLETED]


# FAILED


def test_a_failure_is_tried_again_after_its_backoff(redis: Redis) -> None:
    job = a_running_job(redis)
    before = now_ms(redis)
    finish(redis, job, Ending.FAILED, retry_ms=MINUTE)
    assert get(redis).state is RETRYING
    assert before + MINUTE <= redis.zscore(KEYS.waiting, "j1") <= now_ms(redis) + MINUTE
    assert last_event(redis)["message"] == "ValueError: as told"


def test_retrying_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    job = a_running_job(redis)
    with writes(redis, "finish_jobs") as written:
        finish(redis, job, Ending.FAILED, retry_ms=MINUTE)
    assert written == {
        "job:j1",
        "attempts:j1",
        "lane:q:t:RUNNING",
        "lane:q:t:RETRYING",
        "leases",
        "waiting",
        "events",
        "clock",
        "failures",
        f"failure:{GROUP}",
    }


def test_the_attempt_keeps_error_traceback_and_next_time(redis: Redis) -> None:
    finish(redis, a_running_job(redis), Ending.FAILED, retry_ms=MINUTE, traceback=dumps('File "x.py"\n'))
    (attempt,) = attempts(redis)
    assert (attempt.number, attempt.outcome, attempt.worker) == (1, AttemptOutcome.FAILED, "w")
    assert (attempt.error.exception, attempt.error.message, attempt.error.retryable) == ("ValueError", "as told", True)
    assert attempt.error.traceback == 'File "x.py"\n'
    assert attempt.next_attempt_at == get(redis).run_at
    assert attempt.started_at <= attempt.finished_at


def test_the_record_keeps_the_error_without_its_traceback(redis: Redis) -> None:
    finish(redis, a_running_job(redis), Ending.FAILED, retry_ms=MINUTE, traceback=dumps("a long one"))
    assert record(redis)["error"] == ERROR


def test_the_last_attempt_that_fails_fails_the_job(redis: Redis) -> None:
    finish(redis, a_running_job(redis, max_attempts=1), Ending.FAILED, retry_ms=0)
    assert get(redis).state is FAILED
    assert redis.zcard(KEYS.waiting) == 0


def test_failing_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    job = a_running_job(redis, max_attempts=1)
    with writes(redis, "finish_jobs") as written:
        finish(redis, job, Ending.FAILED, retry_ms=0)
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
        f"failure:{GROUP}",
        f"failed:{GROUP}",
    }


def test_an_error_that_forbids_a_retry_fails_the_job_at_once(redis: Redis) -> None:
    finish(redis, a_running_job(redis, max_attempts=9), Ending.FAILED, retry_ms=None)
    assert get(redis).state is FAILED
    assert get(redis).attempt_count == 1


def test_a_timeout_is_told_from_other_failures(redis: Redis) -> None:
    finish(redis, a_running_job(redis), Ending.TIMED_OUT, retry_ms=MINUTE)
    assert get(redis).state is RETRYING
    assert [attempt.outcome for attempt in attempts(redis)] == [AttemptOutcome.TIMED_OUT]


def test_only_the_last_hundred_attempts_are_kept(redis: Redis) -> None:
    register(redis)
    enqueue(redis, "j1", max_attempts=1000)
    for _ in range(103):
        finish(redis, take(redis).jobs[0], Ending.FAILED, retry_ms=0)
    kept = attempts(redis)
    assert len(kept) == 100
    assert kept[-1].number == 103


# CANCELLED


def test_a_job_that_was_asked_to_stop_is_cancelled(redis: Redis) -> None:
    job = a_running_job(redis)
    ask_to_stop(redis)
    finish(redis, job, Ending.CANCELLED)
    assert get(redis).state is CANCELLED
    assert get(redis).cancel_reason == "enough"
    assert [attempt.outcome for attempt in attempts(redis)] == [AttemptOutcome.CANCELLED]


def test_a_failure_after_being_asked_to_stop_is_not_tried_again(redis: Redis) -> None:
    job = a_running_job(redis)
    ask_to_stop(redis)
    finish(redis, job, Ending.FAILED, retry_ms=0)
    assert get(redis).state is CANCELLED
    assert [attempt.outcome for attempt in attempts(redis)] == [AttemptOutcome.FAILED]


def test_a_job_that_completed_before_it_heard_is_completed(redis: Redis) -> None:
    job = a_running_job(redis)
    ask_to_stop(redis)
    finish(redis, job)
    assert get(redis).state is COMPLETED
    assert "cancel" not in record(redis)


# RELEASED and UNSTARTED


def test_a_released_job_is_queued_at_its_old_place(redis: Redis) -> None:
    job = a_running_job(redis, "j1")
    enqueue(redis, "j2")
    finish(redis, job, Ending.RELEASED)
    assert get(redis).state is QUEUED
    assert [claimed.id for claimed in take(redis, 2).jobs] == ["j1", "j2"]


def test_releasing_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    job = a_running_job(redis)
    with writes(redis, "finish_jobs") as written:
        finish(redis, job, Ending.RELEASED)
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


def test_a_released_run_is_kept_but_is_no_attempt(redis: Redis) -> None:
    finish(redis, a_running_job(redis), Ending.RELEASED, progress='{"current":1}')
    job = get(redis)
    assert (job.attempt_count, job.run_count, job.progress) == (0, 1, None)
    assert [attempt.outcome for attempt in attempts(redis)] == [AttemptOutcome.RELEASED]


def test_a_released_job_that_was_asked_to_stop_is_cancelled(redis: Redis) -> None:
    job = a_running_job(redis)
    ask_to_stop(redis)
    finish(redis, job, Ending.RELEASED)
    assert get(redis).state is CANCELLED


def test_what_was_never_begun_leaves_no_run(redis: Redis) -> None:
    finish(redis, a_running_job(redis), Ending.UNSTARTED)
    job = get(redis)
    assert (job.state, job.attempt_count, job.run_count) == (QUEUED, 0, 0)
    assert (job.worker, job.started_at) == (None, None)
    assert attempts(redis) == []


def test_what_was_never_begun_and_asked_to_stop_is_cancelled(redis: Redis) -> None:
    job = a_running_job(redis)
    ask_to_stop(redis)
    finish(redis, job, Ending.UNSTARTED)
    assert get(redis).state is CANCELLED


# Fencing


@pytest.mark.parametrize("ending", Ending)
def test_a_worker_that_lost_its_lease_changes_nothing(redis: Redis, ending: Ending) -> None:
    job = a_running_job(redis)
    with writes(redis, "finish_jobs") as written:
        answer = finish(redis, replace(job, lease="another"), ending, value=ERROR, progress='{"current":1}')
    assert answer is Answer.LEASE_LOST
    assert written == set()


@pytest.mark.parametrize("ending", Ending)
def test_a_rescued_jobs_first_worker_changes_nothing(redis: Redis, ending: Ending) -> None:
    orphan = an_orphan(redis)
    STORE.rescue_jobs(max_losses=3, limit=10).run(redis)
    with writes(redis, "finish_jobs") as written:
        assert finish(redis, orphan, ending, value=ERROR) is Answer.LEASE_LOST
    assert written == set()


def test_a_late_worker_does_not_disturb_the_next_one(redis: Redis) -> None:
    orphan = an_orphan(redis)
    STORE.rescue_jobs(max_losses=3, limit=10).run(redis)
    second = claim(redis)
    assert finish(redis, orphan, value='"late"') is Answer.LEASE_LOST
    assert finish(redis, second, value='"in time"') is Answer.OK
    assert get(redis).result == "in time"


def test_a_job_that_is_gone_is_said_so(redis: Redis) -> None:
    job = a_running_job(redis)
    with writes(redis, "finish_jobs") as written:
        assert finish(redis, replace(job, id="gone")) is Answer.JOB_NOT_FOUND
    assert written == set()


@pytest.mark.parametrize(
    ("ending", "retry_ms"),
    [(Ending.COMPLETED, None), (Ending.FAILED, MINUTE), (Ending.FAILED, None), (Ending.CANCELLED, None)],
)
def test_asking_twice_is_as_good_as_once(redis: Redis, ending: Ending, retry_ms: int | None) -> None:
    job = a_running_job(redis)
    finish(redis, job, ending, retry_ms=retry_ms)
    with writes(redis, "finish_jobs") as written:
        assert finish(redis, job, ending, retry_ms=retry_ms) is Answer.OK
    assert written == set()


@pytest.mark.parametrize("ending", GIVING_BACK)
def test_giving_back_twice_is_as_good_as_once(redis: Redis, ending: Ending) -> None:
    job = a_running_job(redis)
    finish(redis, job, ending, retry_ms=MINUTE)
    with writes(redis, "finish_jobs") as written:
        assert finish(redis, job, ending, retry_ms=MINUTE) is Answer.OK
    assert written == set()


@pytest.mark.parametrize("ending", GIVING_BACK)
def test_giving_back_twice_does_not_disturb_the_next_attempt(redis: Redis, ending: Ending) -> None:
    job = a_running_job(redis)
    finish(redis, job, ending, retry_ms=0)
    claim(redis)
    with writes(redis, "finish_jobs") as written:
        assert finish(redis, job, ending, retry_ms=0) is Answer.OK
    assert written == set()
    assert get(redis).state is RUNNING


@pytest.mark.parametrize("ending", GIVING_BACK)
def test_what_was_given_back_cannot_be_ended_otherwise(redis: Redis, ending: Ending) -> None:
    job = a_running_job(redis)
    finish(redis, job, ending, retry_ms=MINUTE)
    with writes(redis, "finish_jobs") as written:
        assert finish(redis, job, value="1") is Answer.LEASE_LOST
    assert written == set()


# Many at once, and the next claim


def test_each_outcome_has_its_answer_and_one_that_is_refused_stops_no_other(redis: Redis) -> None:
    register(redis)
    enqueue(redis, "a", "b", "c")
    a, b, c = take(redis, 3).jobs
    outcomes = [outcome(a), outcome(replace(b, lease="another")), outcome(replace(b, id="gone")), outcome(c)]
    assert finish_all(redis, outcomes).answers == [Answer.OK, Answer.LEASE_LOST, Answer.JOB_NOT_FOUND, Answer.OK]
    assert [get(redis, job_id).state for job_id in "abc"] == [COMPLETED, RUNNING, COMPLETED]


def test_the_next_claim_goes_in_the_same_round_trip(redis: Redis) -> None:
    register(redis)
    enqueue(redis, "j1", "j2", "j3")
    first = take(redis).jobs[0]
    answer = finish_all(redis, [outcome(first)], count=5)
    assert answer.answers == [Answer.OK]
    assert [job.id for job in answer.jobs] == ["j2", "j3"]


def test_a_released_job_can_be_claimed_by_the_same_call(redis: Redis) -> None:
    job = a_running_job(redis)
    answer = finish_all(redis, [outcome(job, Ending.RELEASED)], count=1)
    assert [claimed.id for claimed in answer.jobs] == ["j1"]
    assert answer.jobs[0].lease != job.lease


def test_no_claim_is_made_when_none_is_wanted(redis: Redis) -> None:
    register(redis)
    enqueue(redis, "j1", "j2")
    answer = finish_all(redis, [outcome(take(redis).jobs[0])], count=0)
    assert (answer.jobs, answer.next_due_ms) == ([], None)
    assert get(redis, "j2").state is QUEUED


def test_progress_goes_with_the_outcome_and_gets_its_time(redis: Redis) -> None:
    finish(redis, a_running_job(redis), progress='{"current":2,"total":2,"message":"done"}')
    progress = get(redis).progress
    assert progress is not None
    assert (progress.current, progress.total, progress.message) == (2, 2, "done")
    assert abs(progress.updated_at.timestamp() * 1000 - now_ms(redis)) < 5000


# SNOOZED


def test_a_snoozed_job_is_scheduled_again_and_its_attempt_does_not_count(redis: Redis) -> None:
    job = a_running_job(redis)
    before = now_ms(redis)
    assert finish(redis, job, Ending.SNOOZED, retry_ms=MINUTE, value="not before nine") is Answer.OK
    snoozed = get(redis)
    assert (snoozed.state, snoozed.attempt_count, snoozed.run_count) == (SCHEDULED, 0, 1)
    assert snoozed.run_at is not None
    assert MINUTE <= snoozed.run_at.timestamp() * 1000 - before < MINUTE + 5_000
    assert moves(redis)[-1] == ("RUNNING", "SCHEDULED")
    assert last_event(redis)["message"] == "not before nine"


def test_a_job_may_be_snoozed_until_a_time(redis: Redis) -> None:
    job = a_running_job(redis)
    until = now_ms(redis) + 12_345
    finish(redis, job, Ending.SNOOZED, run_at_ms=until)
    assert record(redis)["run_at"] == str(until)


def test_the_run_of_a_snoozed_job_is_recorded_as_released_with_the_reason(redis: Redis) -> None:
    finish(redis, a_running_job(redis), Ending.SNOOZED, retry_ms=MINUTE, value="not before nine")
    (attempt,) = attempts(redis)
    assert (attempt.outcome, attempt.message, attempt.error) == (AttemptOutcome.RELEASED, "not before nine", None)
    assert attempt.next_attempt_at == get(redis).run_at


def test_a_snoozed_job_keeps_its_place_when_its_time_comes(redis: Redis) -> None:
    job = a_running_job(redis, "first")
    enqueue(redis, "second")
    finish(redis, job, Ending.SNOOZED, retry_ms=0)
    assert [one.id for one in take(redis, 2).jobs] == ["first", "second"]


def test_a_time_that_is_past_is_now(redis: Redis) -> None:
    finish(redis, a_running_job(redis), Ending.SNOOZED, run_at_ms=1)
    assert claim(redis).id == "j1"


def test_a_job_that_was_asked_to_stop_does_not_snooze(redis: Redis) -> None:
    job = a_running_job(redis)
    ask_to_stop(redis)
    finish(redis, job, Ending.SNOOZED, retry_ms=MINUTE)
    assert (get(redis).state, get(redis).cancel_reason) == (CANCELLED, "enough")


def test_a_snooze_writes_what_the_header_says(redis: Redis) -> None:
    job = a_running_job(redis)
    with writes(redis, "finish_jobs") as written:
        finish(redis, job, Ending.SNOOZED, retry_ms=MINUTE)
    assert written == {
        "job:j1", "attempts:j1", "leases", "waiting", "lane:q:t:RUNNING", "lane:q:t:SCHEDULED", "events"
    }  # fmt: skip


def test_a_snoozed_attempt_has_nothing_more_to_say(redis: Redis) -> None:
    job = a_running_job(redis)
    finish(redis, job, Ending.SNOOZED, retry_ms=MINUTE)
    with writes(redis) as written:
        assert finish(redis, job) is Answer.LEASE_LOST
    assert written == set()


# RELEASED with a reason


def test_why_a_job_was_given_back_is_kept_when_somebody_says(redis: Redis) -> None:
    finish(redis, a_running_job(redis), Ending.RELEASED, value="released: its process was killed")
    (attempt,) = attempts(redis)
    assert (attempt.message, last_event(redis)["message"]) == ("released: its process was killed",) * 2
