"""What is asked of one job: everything that is known of it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from taskengine_dashboard.client import Operation
from taskengine_dashboard.feed import Reading
from taskengine_dashboard.fragments import FRAME, JOB_ROW
from taskengine_dashboard.model.frame import Frame
from taskengine_dashboard.model.jobs import Failure, JobRow, row_fields
from taskengine_dashboard.model.json_values import Json, maybe_moment, moment
from taskengine_dashboard.source import source

JOB = Operation(
    "Job",
    f"""
query Job($id: ID!) {{
  job(id: $id) {{
    ...JobRow
    args
    result
    tags
    timeoutSeconds
    cancelReason
    worker {{ name }}
    error {{ exception message retryable traceback }}
    attempts(last: 50) {{
      nodes {{
        number
        outcome
        workerName
        startedAt
        finishedAt
        nextAttemptAt
        error {{ exception message retryable traceback }}
      }}
    }}
  }}
  ...Frame
}}
{JOB_ROW}{FRAME}""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One run of a job by a worker."""

    number: int
    outcome: str
    worker: str
    started_at: datetime
    finished_at: datetime | None
    next_attempt_at: datetime | None
    failure: Failure | None

    @classmethod
    def read(cls, attempt: Json) -> Self:
        return cls(
            number=attempt["number"],
            outcome=attempt["outcome"],
            worker=attempt["workerName"],
            started_at=moment(attempt["startedAt"]),
            finished_at=maybe_moment(attempt["finishedAt"]),
            next_attempt_at=maybe_moment(attempt["nextAttemptAt"]),
            failure=Failure.read(attempt["error"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDetail(JobRow):
    """One job with everything that is known of it."""

    args: Any
    result: Any
    tags: tuple[str, ...]
    timeout_seconds: float | None
    cancel_reason: str | None
    worker: str | None
    attempts: tuple[Attempt, ...]

    @classmethod
    def read(cls, job: Json) -> Self:
        return cls(
            **row_fields(job),
            args=job["args"],
            result=job["result"],
            tags=tuple(job["tags"]),
            timeout_seconds=job["timeoutSeconds"],
            cancel_reason=job["cancelReason"],
            worker=job["worker"]["name"] if job["worker"] else None,
            attempts=tuple(Attempt.read(attempt) for attempt in job["attempts"]["nodes"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class JobAnswer:
    """The answer to ``JOB``. ``job`` is ``None`` when there is no record of it (any more)."""

    frame: Frame
    job: JobDetail | None

    @classmethod
    def read(cls, data: Json) -> Self:
        return cls(frame=Frame.read(data), job=JobDetail.read(data["job"]) if data["job"] else None)


def job(job_id: str) -> Reading[JobAnswer]:
    """Ask for one job."""
    return source().read(JOB, {"id": job_id}, JobAnswer.read)
