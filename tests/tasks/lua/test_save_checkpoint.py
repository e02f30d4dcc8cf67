"""``save_checkpoint.lua``: where a running attempt is, for a later one to go on from."""

from dataclasses import replace

import pytest
from redis import Redis

from support.jobs import (
    CANCELLED,
    COMPLETED,
    FAILED,
    KEYS,
    QUEUED,
    RETRYING,
    SCHEDULED,
    STORE,
    a_running_job,
    an_orphan,
    claim,
    everything,
    finish,
    get,
    record,
    writes,
)
from taskengine.jobs import JobState
from taskengine.records import ClaimedJob
from taskengine.store import Answer, Ending


def save(redis: Redis, job: ClaimedJob, data: str = '{"page":7}') -> Answer:
    return STORE.save_checkpoint(job.id, job.lease, data).run(redis)


def saved(redis: Redis) -> str | None:
    return redis.get(KEYS.checkpoint("j1"))


def test_what_is_saved_can_be_read(redis: Redis) -> None:
    assert save(redis, a_running_job(redis)) is Answer.OK
    assert saved(redis) == '{"page":7}'


def test_the_last_one_counts(redis: Redis) -> None:
    job = a_running_job(redis)
    save(redis, job, "1")
    save(redis, job, "2")
    assert saved(redis) == "2"


def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    job = a_running_job(redis)
    with writes(redis, "save_checkpoint") as written:
        save(redis, job)
    assert written == {"job:j1", "checkpoint:j1"}


def test_nothing_forgets_it(redis: Redis) -> None:
    job = a_running_job(redis)
    save(redis, job)
    assert save(redis, job, "") is Answer.OK
    assert saved(redis) is None
    assert "checkpoint" not in record(redis)


def test_a_lost_lease_saves_nothing(redis: Redis) -> None:
    job = a_running_job(redis)
    with writes(redis) as written:
        assert save(redis, replace(job, lease="another")) is Answer.LEASE_LOST
        assert save(redis, replace(job, id="gone")) is Answer.LEASE_LOST
    assert written == set()


def test_who_is_to_stop_learns_of_it_and_it_is_saved(redis: Redis) -> None:
    job = a_running_job(redis)
    STORE.cancel_job("j1", terminate=True, reason="").run(redis)
    assert save(redis, job) is Answer.CANCEL
    assert saved(redis) == '{"page":7}'


@pytest.mark.parametrize(
    ("ending", "retry_ms", "state"),
    [
        (Ending.FAILED, 60_000, RETRYING),
        (Ending.FAILED, None, FAILED),
        (Ending.TIMED_OUT, 60_000, RETRYING),
        (Ending.CANCELLED, None, CANCELLED),
        (Ending.RELEASED, None, QUEUED),
        (Ending.SNOOZED, 60_000, SCHEDULED),
        (Ending.UNSTARTED, None, QUEUED),
    ],
)
def test_it_survives_every_end_but_success(redis: Redis, ending: Ending, retry_ms: int | None, state: JobState) -> None:
    job = a_running_job(redis)
    save(redis, job)
    finish(redis, job, ending, retry_ms=retry_ms)
    assert (get(redis).state, saved(redis)) == (state, '{"page":7}')


def test_it_survives_a_lost_worker(redis: Redis) -> None:
    job = an_orphan(redis)
    save(redis, job)
    STORE.rescue_jobs(max_losses=9, limit=9).run(redis)
    assert saved(redis) == '{"page":7}'


def test_it_survives_an_operators_retry(redis: Redis) -> None:
    job = a_running_job(redis)
    save(redis, job)
    finish(redis, job, Ending.FAILED)
    STORE.retry_job("j1", attempts=None).run(redis)
    assert saved(redis) == '{"page":7}'


def test_who_completed_has_none(redis: Redis) -> None:
    save(redis, job := a_running_job(redis))
    finish(redis, job, Ending.FAILED, retry_ms=0)
    job = claim(redis)
    with writes(redis, "finish_jobs") as written:
        finish(redis, job)
    assert "checkpoint:j1" in written
    assert (get(redis).state, saved(redis)) == (COMPLETED, None)
    assert "checkpoint" not in record(redis)


def test_it_goes_with_its_job(redis: Redis) -> None:
    job = a_running_job(redis)
    save(redis, job)
    finish(redis, job, Ending.FAILED)
    STORE.delete_job("j1").run(redis)
    assert [key for key in everything(redis) if key.startswith("checkpoint:")] == []
