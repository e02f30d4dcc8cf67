"""``list_attempts.lua``: the runs of jobs, oldest first."""

from redis import Redis

from support.jobs import (
    COMPLETED,
    QUEUED,
    READS,
    a_job,
    a_running_job,
    attempts,
    claim,
    finish,
    get,
    writes,
)
from taskengine.jobs import AttemptOutcome
from taskengine.store import Ending


def test_a_job_that_never_ran_has_none(redis: Redis) -> None:
    a_job(redis, QUEUED)
    assert attempts(redis) == []


def test_the_running_one_is_among_them(redis: Redis) -> None:
    a_running_job(redis)
    (attempt,) = attempts(redis)
    assert (attempt.number, attempt.outcome, attempt.finished_at) == (1, AttemptOutcome.RUNNING, None)


def test_every_run_is_there_with_its_number(redis: Redis) -> None:
    finish(redis, a_running_job(redis), Ending.FAILED, retry_ms=0)
    finish(redis, claim(redis), Ending.RELEASED)
    finish(redis, claim(redis), Ending.TIMED_OUT, retry_ms=0)
    finish(redis, claim(redis))
    assert [(attempt.number, attempt.outcome.value) for attempt in attempts(redis)] == [
        (1, "FAILED"),
        (2, "RELEASED"),
        (3, "TIMED_OUT"),
        (4, "COMPLETED"),
    ]


def test_each_job_has_its_own_in_the_order_asked_for(redis: Redis) -> None:
    a_job(redis, COMPLETED, "a")
    a_job(redis, QUEUED, "b")
    runs = READS.list_attempts([get(redis, "b"), get(redis, "a")]).run(redis)
    assert [[attempt.job_id for attempt in of_job] for of_job in runs] == [[], ["a"]]


def test_looking_changes_nothing(redis: Redis) -> None:
    a_running_job(redis)
    with writes(redis, "list_attempts") as written:
        attempts(redis)
    assert written == set()
