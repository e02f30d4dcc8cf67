"""What is asked of one job: everything that is known of it, and what its runs said."""

from collections.abc import Callable
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
    enqueuedBy
    idempotencyKey
    expiresAt
    worker {{ name }}
    waiting {{ message jobsAhead until estimatedStartAt }}
    schedule {{ id name }}
    rerunOf {{ id }}
    failureGroup {{ id summary }}
    dependsOn {{ ...Relative }}
    dependents {{ ...Relative }}
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
fragment Relative on Job {{
  id
  state
  task {{ name }}
}}
{JOB_ROW}{FRAME}""",
)

JOB_LOGS = Operation(
    "JobLogs",
    """
query JobLogs($id: ID!, $last: Int, $before: String, $minLevel: LogLevel) {
  job(id: $id) {
    logs(last: $last, before: $before, minLevel: $minLevel) {
      totalCount
      pageInfo { hasPreviousPage startCursor }
      nodes { at level message attempt fields logger }
    }
  }
}
""",
)
LINES = 100
"""As many lines of a log as the API gives in one page."""
_PAGES = 10
"""The API keeps 1,000 lines of a job."""


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
class Waiting:
    """The one thing that a job waits for."""

    message: str
    jobs_ahead: int | None
    until: datetime | None
    estimated_start_at: datetime | None

    @classmethod
    def read(cls, waiting: Json | None) -> Self | None:
        if waiting is None:
            return None
        return cls(
            message=waiting["message"],
            jobs_ahead=waiting["jobsAhead"],
            until=maybe_moment(waiting["until"]),
            estimated_start_at=maybe_moment(waiting["estimatedStartAt"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Relative:
    """A job that another one waits for, or that waits for it."""

    id: str
    state: str
    task: str

    @classmethod
    def read(cls, job: Json) -> Self:
        return cls(id=job["id"], state=job["state"], task=job["task"]["name"])


@dataclass(frozen=True, slots=True)
class Named:
    """Something that has a page of its own: its id, and what it is called there."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class JobDetail(JobRow):
    """One job with everything that is known of it."""

    args: Any
    result: Any
    tags: tuple[str, ...]
    timeout_seconds: float | None
    cancel_reason: str | None
    enqueued_by: str | None
    idempotency_key: str | None
    expires_at: datetime | None
    worker: str | None
    waiting: Waiting | None
    schedule: Named | None
    rerun_of: str | None
    group: Named | None
    depends_on: tuple[Relative, ...]
    dependents: tuple[Relative, ...]
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
            enqueued_by=job["enqueuedBy"],
            idempotency_key=job["idempotencyKey"],
            expires_at=maybe_moment(job["expiresAt"]),
            worker=job["worker"]["name"] if job["worker"] else None,
            waiting=Waiting.read(job["waiting"]),
            schedule=_named(job["schedule"], "name"),
            rerun_of=job["rerunOf"]["id"] if job["rerunOf"] else None,
            group=_named(job["failureGroup"], "summary"),
            depends_on=tuple(map(Relative.read, job["dependsOn"])),
            dependents=tuple(map(Relative.read, job["dependents"])),
            attempts=tuple(Attempt.read(attempt) for attempt in job["attempts"]["nodes"]),
        )

    @property
    def is_waiting(self) -> bool:
        """Whether it may be given another time or priority."""
        return self.state in {"SCHEDULED", "QUEUED", "RETRYING"}


def _named(thing: Json | None, name: str) -> Named | None:
    return Named(thing["id"], thing[name]) if thing else None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line that a run of a job said."""

    at: datetime
    level: str
    message: str
    attempt: int
    fields: Any
    logger: str | None

    @classmethod
    def read(cls, line: Json) -> Self:
        return cls(
            at=moment(line["at"]),
            level=line["level"],
            message=line["message"],
            attempt=line["attempt"],
            fields=line["fields"],
            logger=line["logger"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """The answer to ``JOB_LOGS``: the newest lines, oldest first."""

    lines: tuple[LogLine, ...]
    total: int | None
    before: str | None
    """Cursor of what was said earlier; ``None`` when nothing was."""

    @classmethod
    def read(cls, data: Json) -> Self:
        logs: Json | None = data["job"]["logs"] if data["job"] else None
        if logs is None:
            return cls(lines=(), total=None, before=None)
        info = logs["pageInfo"]
        return cls(
            lines=tuple(map(LogLine.read, logs["nodes"])),
            total=logs["totalCount"],
            before=info["startCursor"] if info["hasPreviousPage"] else None,
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


def logs(job_id: str, min_level: str) -> Reading[LogPage]:
    """Ask for the newest lines of a job's log of this level and above."""
    return source().read(JOB_LOGS, {"id": job_id, "last": LINES, "minLevel": min_level}, LogPage.read)


def every_line(job_id: str, min_level: str) -> Callable[[], tuple[LogLine, ...]]:
    """Return what asks for all that is kept of a job's log, as whoever looks now."""
    viewer = source()

    def ask() -> tuple[LogLine, ...]:
        lines: tuple[LogLine, ...] = ()
        before: str | None = None
        for _ in range(_PAGES + 1):
            variables = {"id": job_id, "last": LINES, "before": before, "minLevel": min_level}
            page = LogPage.read(viewer.ask(JOB_LOGS, variables))
            lines, before = page.lines + lines, page.before
            if before is None:
                break
        return lines

    return ask
