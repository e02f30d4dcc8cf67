"""``report_progress.lua``: how far running attempts are."""

import json
from dataclasses import replace

from redis import Redis

from support.jobs import (
    STORE,
    a_running_job,
    an_orphan,
    finish,
    get,
    last_event,
    now_ms,
    writes,
)
from taskengine.records import ClaimedJob
from taskengine.store import Answer

HALF = '{"current":1,"total":2,"message":"half"}'


def report(redis: Redis, *jobs: ClaimedJob, progress: str = HALF) -> list[Answer]:
    return STORE.report_progress([(job.id, job.lease, progress) for job in jobs]).run(redis)


def test_the_record_has_it_with_rediss_time(redis: Redis) -> None:
    job = a_running_job(redis)
    before = now_ms(redis)
    assert report(redis, job) == [Answer.OK]
    progress = get(redis).progress
    assert progress is not None
    assert (progress.current, progress.total, progress.message) == (1, 2, "half")
    assert before <= progress.updated_at.timestamp() * 1000 <= now_ms(redis)


def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    job = a_running_job(redis)
    with writes(redis, "report_progress") as written:
        report(redis, job)
    assert written == {"job:j1", "events"}


def test_the_event_has_it_too(redis: Redis) -> None:
    report(redis, a_running_job(redis))
    event = last_event(redis)
    data = json.loads(event.pop("data"))
    assert event == {"kind": "PROGRESS", "job": "j1", "task": "t", "queue": "q"}
    assert (data["current"], data["total"], data["message"]) == (1, 2, "half")


def test_a_lost_lease_changes_nothing(redis: Redis) -> None:
    job = a_running_job(redis)
    with writes(redis) as written:
        assert report(redis, replace(job, lease="another")) == [Answer.LEASE_LOST]
    assert written == set()


def test_a_rescued_jobs_first_worker_changes_nothing(redis: Redis) -> None:
    orphan = an_orphan(redis)
    STORE.rescue_jobs(max_losses=3, limit=1).run(redis)
    with writes(redis) as written:
        assert report(redis, orphan) == [Answer.LEASE_LOST]
    assert written == set()


def test_a_job_that_ended_or_is_gone_changes_nothing(redis: Redis) -> None:
    job = a_running_job(redis)
    finish(redis, job)
    with writes(redis) as written:
        assert report(redis, job, replace(job, id="gone")) == [Answer.LEASE_LOST, Answer.LEASE_LOST]
    assert written == set()


def test_who_is_to_stop_learns_of_it_and_is_noted(redis: Redis) -> None:
    job = a_running_job(redis)
    STORE.cancel_job("j1", terminate=True, reason="").run(redis)
    assert report(redis, job) == [Answer.CANCEL]
    assert get(redis).progress is not None


def test_each_report_has_its_answer(redis: Redis) -> None:
    first, second = a_running_job(redis, "j1"), a_running_job(redis, "j2")
    assert report(redis, replace(first, lease="another"), second) == [Answer.LEASE_LOST, Answer.OK]
    assert get(redis, "j1").progress is None
    assert get(redis, "j2").progress is not None
