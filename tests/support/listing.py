"""A mixed crowd of jobs, and what a list of them has to be: all jobs, filtered and sorted in plain Python."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from redis import Redis

from support.jobs import (
    CANCELLED,
    COMPLETED,
    FAILED,
    MINUTE,
    QUEUED,
    READS,
    RETRYING,
    RUNNING,
    SCHEDULED,
    STORE,
    a_bulk,
    enqueue,
    finish,
    register,
    row,
    step_bulk,
    take,
)
from support.schedules import SCHEDULES, a_schedule
from taskengine.bulk import BulkKind
from taskengine.filters import ORDERABLE, JobFilter, JobOrder, JobOrderField
from taskengine.jobs import Job, JobState
from taskengine.records import dumps, with_fields
from taskengine.store import Ending

FAR = datetime(2050, 1, 1, tzinfo=UTC)
SCHEDULE = "nightly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What one job of a crowd is to be."""

    state: JobState
    task: str = "t"
    queue: str = "q"
    priority: int = 5
    tags: tuple[str, ...] = ()
    args: str = "{}"
    message: str = "as told"
    due: int = 0
    """Seconds after ``FAR``; several may be due at once."""
    secrets: bool = False
    """It has secret arguments, which its ``args`` show as asterisks."""
    scheduled: bool = False
    """Enqueued by ``SCHEDULE``; then it has nothing else of its own."""
    blocked: bool = False


def a_crowd(redis: Redis, crowd: Sequence[Facts]) -> list[Job]:
    """Make jobs of every kind, in this order of creation; return them as they are then."""
    register(redis, "t", "u")
    enqueue(redis, "blocker", queue="blocking", delay=3600)
    if any(facts.scheduled for facts in crowd):
        a_schedule(redis, SCHEDULE, task="t", args={})
    ids: list[str] = ["blocker"]
    queued: list[str] = []
    for number, facts in enumerate(crowd):
        job_id = f"j{number:03}"
        ids.append(job_id)
        _put(redis, job_id, facts)
        if facts.state is QUEUED:
            queued.append(job_id)
    # In one script: many ends in one millisecond.
    a_bulk(redis, BulkKind.CANCEL, JobFilter(tags=("to-cancel",)), bulk_id="crowd")
    while step_bulk(redis, "crowd"):
        pass
    for job_id in queued:
        STORE.reschedule_job(job_id, run_at_ms=None).run(redis)
    return [job for job in READS.get_jobs(ids).run(redis) if job is not None]


def _put(redis: Redis, job_id: str, facts: Facts) -> None:
    later = facts.state in (SCHEDULED, QUEUED, CANCELLED)
    tags = (*facts.tags, "to-cancel") if facts.state is CANCELLED else facts.tags
    options: dict[str, Any] = {"run_at": FAR + timedelta(seconds=facts.due)} if later else {}
    if facts.blocked and facts.state is SCHEDULED:
        options["depends_on"] = ("blocker",)
    options |= {"tags": tags, "max_attempts": 1 if facts.state is FAILED else 3}
    made = _row(job_id, facts, **options)
    if facts.scheduled:
        SCHEDULES.run_schedule(SCHEDULE, made).run(redis)
    else:
        STORE.enqueue_jobs([made]).run(redis)
    if later:
        return
    (job,) = take(redis, 1).jobs
    assert job.id == job_id
    if facts.state is COMPLETED:
        finish(redis, job)
    elif facts.state in (FAILED, RETRYING):
        error = dumps({"exception": "ValueError", "message": facts.message, "retryable": True})
        finish(redis, job, Ending.FAILED, value=error, retry_ms=None if facts.state is FAILED else MINUTE)
    else:
        assert facts.state is RUNNING


def _row(job_id: str, facts: Facts, **options: Any) -> list[Any]:
    made = row(job_id, task=facts.task, queue=facts.queue, priority=facts.priority, args=facts.args, **options)
    added = {"schedule": SCHEDULE} if facts.scheduled else {}
    return with_fields(made, added | ({"secrets": '[[["name"],"plain","x"]]'} if facts.secrets else {}))


def listed(jobs: Sequence[Job], wanted: JobFilter, order: JobOrder) -> list[str]:
    """Ids of what a list has to have, in its order."""
    can = ORDERABLE[order.field]
    found = [job for job in jobs if job.state in can and wanted.matches(job)]
    if order.field is JobOrderField.RUN_AT:
        found = [job for job in found if not job.blockers]
    return [job.id for job in sorted(found, key=_key(order.field), reverse=order.descending)]


def _key(field: JobOrderField) -> Any:
    match field:
        case JobOrderField.CREATED_AT:
            return lambda job: job.order
        case JobOrderField.RUN_AT:
            return lambda job: (job.run_at, job.id)
        case JobOrderField.FINISHED_AT:
            return lambda job: (job.finished_at, job.id)
        case JobOrderField.PRIORITY:
            # In a crowd they arrive in the order of their ids; the first to run is the greatest.
            return lambda job: (job.priority, -int(job.id[1:]))
