"""Changes of jobs that are named by their ids."""

from collections.abc import Iterable, Mapping
from typing import Any

from taskengine_dashboard.client import Operation
from taskengine_dashboard.source import Changed, Reply, source

ENQUEUE_JOB = Operation(
    "EnqueueJob",
    """
mutation EnqueueJob($input: EnqueueJobInput!) {
  enqueueJob(input: $input) {
    job { id state task { name } }
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


def enqueue(request: Mapping[str, Any]) -> Reply:
    """Enqueue one job; its id is in the payload. ``request`` is an ``EnqueueJobInput``."""
    return source().send(ENQUEUE_JOB, {"input": request})


def retry(job_ids: Iterable[str]) -> Changed:
    """Retry each of these jobs."""
    return source().send_each(RETRY_JOB, [{"id": job_id} for job_id in job_ids])


def cancel(job_ids: Iterable[str], *, terminate: bool) -> Changed:
    """Cancel each of these jobs; with ``terminate`` those that run are stopped as well."""
    return source().send_each(CANCEL_JOB, [{"id": job_id, "terminate": terminate} for job_id in job_ids])


def delete(job_ids: Iterable[str]) -> Changed:
    """Remove the record of each of these jobs, with all that is kept of it."""
    return source().send_each(DELETE_JOB, [{"id": job_id} for job_id in job_ids])
