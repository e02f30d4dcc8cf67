"""Changes of jobs that are named by their ids."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from taskengine_dashboard.client import Operation
from taskengine_dashboard.source import Changed, Reply, source

ENQUEUE_JOB = Operation(
    "EnqueueJob",
    """
mutation EnqueueJob($input: EnqueueJobInput!) {
  enqueueJob(input: $input) {
    job { id state task { name } }
    deduplicated
    errors { code message path }
  }
}
""",
)

CANCEL_JOB = Operation(
    "CancelJob",
    """
mutation CancelJob($input: CancelJobInput!) {
  cancelJob(input: $input) {
    job { id state }
    errors { code message path }
  }
}
""",
)

RETRY_JOB = Operation(
    "RetryJob",
    """
mutation RetryJob($input: RetryJobInput!) {
  retryJob(input: $input) {
    job { id state }
    errors { code message path }
  }
}
""",
)

DELETE_JOB = Operation(
    "DeleteJob",
    """
mutation DeleteJob($input: DeleteJobInput!) {
  deleteJob(input: $input) {
    deletedId
    errors { code message path }
  }
}
""",
)

RERUN_JOB = Operation(
    "RerunJob",
    """
mutation RerunJob($input: RerunJobInput!) {
  rerunJob(input: $input) {
    job { id }
    errors { code message path }
  }
}
""",
)

RESCHEDULE_JOB = Operation(
    "RescheduleJob",
    """
mutation RescheduleJob($input: RescheduleJobInput!) {
  rescheduleJob(input: $input) {
    job { id state runAt }
    errors { code message path }
  }
}
""",
)

CHANGE_JOB_PRIORITY = Operation(
    "ChangeJobPriority",
    """
mutation ChangeJobPriority($input: ChangeJobPriorityInput!) {
  changeJobPriority(input: $input) {
    job { id priority }
    errors { code message path }
  }
}
""",
)


def enqueue(request: Mapping[str, Any], operation: Operation = ENQUEUE_JOB) -> Reply:
    """Enqueue one job; its id is in the payload. ``request`` is the input of ``operation``, which enqueues one."""
    return source().send(operation, {"input": request})


def retry(job_ids: Iterable[str]) -> Changed:
    """Retry each of these jobs."""
    return source().send_each(RETRY_JOB, [{"id": job_id} for job_id in job_ids])


def cancel(job_ids: Iterable[str], *, terminate: bool, reason: str = "") -> Changed:
    """Cancel each of these jobs; with ``terminate`` those that run are stopped as well."""
    why = {"reason": reason} if reason else {}
    return source().send_each(CANCEL_JOB, [{"id": job_id, "terminate": terminate, **why} for job_id in job_ids])


def delete(job_ids: Iterable[str]) -> Changed:
    """Remove the record of each of these jobs, with all that is kept of it."""
    return source().send_each(DELETE_JOB, [{"id": job_id} for job_id in job_ids])


def rerun(job_id: str, args: Mapping[str, Any]) -> Reply:
    """Enqueue the task of a job again with these arguments; the new job's id is in the payload."""
    return source().send(RERUN_JOB, {"input": {"id": job_id, "args": args}})


def reschedule(job_id: str, run_at: datetime | None) -> Reply:
    """Give a job that waits another time; ``None`` is now."""
    return source().send(RESCHEDULE_JOB, {"input": {"id": job_id, "runAt": run_at.isoformat() if run_at else None}})


def change_priority(job_id: str, priority: int) -> Reply:
    """Give a job that waits another priority, 1 (last) to 10 (first)."""
    return source().send(CHANGE_JOB_PRIORITY, {"input": {"id": job_id, "priority": priority}})
