"""``change_priority.lua``: another priority for a job that waits."""

import pytest
from redis import Redis

from support.jobs import FINAL, QUEUED, RETRYING, RUNNING, SCHEDULED, STORE, a_job, enqueue, get, register, take, writes
from taskengine.errors import IllegalMove, JobNotFound
from taskengine.jobs import JobState


def change(redis: Redis, priority: int, job_id: str = "j1") -> None:
    STORE.change_priority(job_id, priority).run(redis)


def test_a_queued_job_overtakes_those_below(redis: Redis) -> None:
    enqueue(redis, "a", "b", "j1", priority=3)
    change(redis, 4)
    register(redis)
    assert [job.id for job in take(redis, 3).jobs] == ["j1", "a", "b"]


def test_among_its_new_peers_it_keeps_its_time_of_arrival(redis: Redis) -> None:
    enqueue(redis, "j1", priority=3)
    enqueue(redis, "a", priority=8)
    change(redis, 8)
    register(redis)
    assert [job.id for job in take(redis, 2).jobs] == ["j1", "a"]


@pytest.mark.parametrize("state", [SCHEDULED, QUEUED, RETRYING])
def test_any_job_that_waits_can_have_another(redis: Redis, state: JobState) -> None:
    a_job(redis, state)
    change(redis, 9)
    assert (get(redis).priority, get(redis).state) == (9, state)


@pytest.mark.parametrize("state", [RUNNING, *FINAL])
def test_a_job_that_does_not_wait_is_refused(redis: Redis, state: JobState) -> None:
    a_job(redis, state)
    with writes(redis) as written, pytest.raises(IllegalMove, match="only a job that waits can be given another prio"):
        change(redis, 9)
    assert written == set()


def test_an_unknown_id_is_refused(redis: Redis) -> None:
    with pytest.raises(JobNotFound):
        change(redis, 9)


def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    enqueue(redis, "j1")
    with writes(redis, "change_priority") as written:
        change(redis, 9)
    assert {key.partition(":")[0] for key in written} <= {"job", "ready", "heads", "wake"}
