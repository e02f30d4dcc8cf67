"""``reschedule_job.lua``: another time for a job that waits."""

import pytest
from redis import Redis

from support.jobs import (
    FINAL,
    KEYS,
    MINUTE,
    QUEUED,
    RETRYING,
    RUNNING,
    SCHEDULED,
    STORE,
    a_job,
    enqueue,
    get,
    now_ms,
    register,
    take,
    writes,
)
from taskengine.errors import IllegalMove, JobNotFound
from taskengine.jobs import JobState


def reschedule(redis: Redis, run_at_ms: int | None = None, job_id: str = "j1") -> None:
    STORE.reschedule_job(job_id, run_at_ms=run_at_ms).run(redis)


@pytest.mark.parametrize("state", [SCHEDULED, RETRYING])
def test_now_is_at_once(redis: Redis, state: JobState) -> None:
    a_job(redis, state)
    reschedule(redis)
    assert get(redis).state is QUEUED


@pytest.mark.parametrize("state", [SCHEDULED, RETRYING])
def test_another_time_keeps_the_state(redis: Redis, state: JobState) -> None:
    a_job(redis, state)
    later = now_ms(redis) + 5 * MINUTE
    reschedule(redis, later)
    assert get(redis).state is state
    assert redis.zscore(KEYS.waiting, "j1") == later


def test_a_queued_job_waits_again(redis: Redis) -> None:
    enqueue(redis, "j1")
    reschedule(redis, now_ms(redis) + MINUTE)
    register(redis)
    assert get(redis).state is SCHEDULED
    assert take(redis).jobs == []


def test_a_queued_job_told_to_run_now_keeps_its_place(redis: Redis) -> None:
    enqueue(redis, "j1", "j2")
    reschedule(redis)
    register(redis)
    assert [job.id for job in take(redis, 2).jobs] == ["j1", "j2"]


def test_one_that_waits_for_others_goes_on_doing_so(redis: Redis) -> None:
    enqueue(redis, "first")
    enqueue(redis, "j1", depends_on=("first",))
    reschedule(redis)
    assert get(redis).state is SCHEDULED


@pytest.mark.parametrize("state", [RUNNING, *FINAL])
def test_a_job_that_does_not_wait_is_refused(redis: Redis, state: JobState) -> None:
    a_job(redis, state)
    with writes(redis) as written, pytest.raises(IllegalMove, match="only a job that waits can be given another time"):
        reschedule(redis)
    assert written == set()


def test_an_unknown_id_is_refused(redis: Redis) -> None:
    with pytest.raises(JobNotFound):
        reschedule(redis)


def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    a_job(redis, SCHEDULED)
    with writes(redis, "reschedule_job") as written:
        reschedule(redis)
    assert {key.partition(":")[0] for key in written} == {
        "job", "lane", "waiting", "ready", "heads", "wake", "clock", "events",
    }  # fmt: skip
