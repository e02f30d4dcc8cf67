"""``delete_job.lua``: the record of a job that is not RUNNING goes, and every trace of it but its events."""

import pytest
from redis import Redis

from support.jobs import (
    CANCELLED,
    COMPLETED,
    FAILED,
    GROUP,
    QUEUED,
    RETRYING,
    SCHEDULED,
    STORE,
    a_job,
    a_running_job,
    enqueue,
    everything,
    find,
    last_event,
    register,
    take,
    writes,
)
from taskengine.errors import IllegalMove, JobNotFound
from taskengine.jobs import JobState

NOT_OF_JOBS = {"clock", "events", "wake:q", "wake:*", "workers", "heartbeats", "knows:w", "catalogue"}
NOT_OF_JOBS |= {"catalogue_version"}


def delete(redis: Redis, job_id: str = "j1") -> None:
    STORE.delete_job(job_id).run(redis)


@pytest.mark.parametrize("state", [SCHEDULED, QUEUED, RETRYING, COMPLETED, FAILED, CANCELLED])
def test_nothing_is_left_of_it(redis: Redis, state: JobState) -> None:
    a_job(redis, state)
    delete(redis)
    assert find(redis) is None
    # What was counted, and the group of its failures, tell of more than one job and expire.
    kinds = {key.partition(":")[0] for key in everything(redis).keys() - NOT_OF_JOBS}
    assert kinds <= {"metrics", "failures", "failure"}


WRITES = {
    SCHEDULED: {"events", "waiting", "lane:q:t:SCHEDULED"},
    QUEUED: {"events", "ready:q:t", "heads:q", "lane:q:t:QUEUED"},
    RETRYING: {"events", "waiting", "attempts:j1", "lane:q:t:RETRYING"},
    COMPLETED: {"finished:COMPLETED", "lane:q:t:COMPLETED"},
    FAILED: {"finished:FAILED", f"failed:{GROUP}", "attempts:j1", "lane:q:t:FAILED"},
    CANCELLED: {"finished:CANCELLED", "lane:q:t:CANCELLED"},
}


@pytest.mark.parametrize("state", WRITES)
def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis, state: JobState) -> None:
    a_job(redis, state)
    with writes(redis, "delete_job") as written:
        delete(redis)
    assert written == {"job:j1", "lanes", "queues"} | WRITES[state]


def test_a_running_job_is_not_deleted(redis: Redis) -> None:
    a_running_job(redis)
    with writes(redis) as written, pytest.raises(IllegalMove, match="RUNNING, so it cannot be deleted; cancel it"):
        delete(redis)
    assert written == set()


def test_a_job_that_does_not_exist_is_said_so(redis: Redis) -> None:
    with writes(redis) as written, pytest.raises(JobNotFound, match="'gone'"):
        delete(redis, "gone")
    assert written == set()


def test_the_others_stay(redis: Redis) -> None:
    register(redis)
    enqueue(redis, "j1", "j2")
    with writes(redis) as written:
        delete(redis)
    assert written == {"events", "job:j1", "ready:q:t", "heads:q", "lane:q:t:QUEUED"}
    assert [job.id for job in take(redis, 5).jobs] == ["j2"]


def test_a_queue_is_known_as_long_as_one_of_its_tasks_has_jobs(redis: Redis) -> None:
    enqueue(redis, "j1")
    enqueue(redis, "j2", task="u")
    delete(redis, "j1")
    assert everything(redis)["queues"] == {"q"}
    assert everything(redis)["lanes"] == {"q:u"}


def test_queues_whose_names_begin_alike_are_told_apart(redis: Redis) -> None:
    enqueue(redis, "j1", queue="mail")
    enqueue(redis, "j2", queue="mail-bulk")
    delete(redis, "j1")
    assert everything(redis)["queues"] == {"mail-bulk"}


@pytest.mark.parametrize(("state", "kind"), [(SCHEDULED, "DELETED"), (QUEUED, "DELETED"), (COMPLETED, "STATE")])
def test_it_is_told_of_one_that_had_not_ended(redis: Redis, state: JobState, kind: str) -> None:
    a_job(redis, state)
    delete(redis)
    assert (last_event(redis)["kind"], last_event(redis)["job"]) == (kind, "j1")
