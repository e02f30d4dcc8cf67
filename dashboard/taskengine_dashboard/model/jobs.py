"""A job as lists show it, and what may be done to it in its state."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from taskengine_dashboard.model.json_values import Json, maybe_moment, moment
from taskengine_dashboard.states import state_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why an attempt failed."""

    exception: str
    message: str
    retryable: bool | None = None
    traceback: str | None = None

    @classmethod
    def read(cls, error: Json | None) -> Self | None:
        if error is None:
            return None
        return cls(
            exception=error["exception"],
            message=error["message"],
            retryable=error.get("retryable"),
            traceback=error.get("traceback"),
        )

    @property
    def headline(self) -> str:
        """``ValueError: row 3 …`` in one line, the exception without its module."""
        name = self.exception.rpartition(".")[2]
        first_line = self.message.strip().split("\n", 1)[0]
        return f"{name}: {first_line}" if first_line else name


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a running task says it is."""

    current: float
    total: float | None
    message: str | None

    @classmethod
    def read(cls, progress: Json | None) -> Self | None:
        if progress is None:
            return None
        return cls(current=progress["current"], total=progress["total"], message=progress["message"])

    @property
    def fraction(self) -> float | None:
        """0 to 1; ``None`` when the task does not say out of how many."""
        return min(max(self.current / self.total, 0.0), 1.0) if self.total else None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """One job as a list shows it."""

    id: str
    state: str
    task: str
    queue: str
    priority: int
    attempt_count: int
    max_attempts: int
    created_at: datetime
    run_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    wait_seconds: float | None = None
    run_seconds: float | None = None
    progress: Progress | None = None
    failure: Failure | None = None

    @classmethod
    def read(cls, job: Json) -> Self:
        return cls(**row_fields(job))


def can_retry(job: JobRow) -> bool:
    """Whether Retry is offered for this job; the API decides anyway."""
    return state_of(job.state).can_retry


def can_cancel(job: JobRow) -> bool:
    """Whether Cancel is offered for this job; the API decides anyway."""
    return state_of(job.state).can_cancel


def can_delete(job: JobRow) -> bool:
    """Whether Delete is offered for this job; the API decides anyway."""
    return job.state != "RUNNING"


def row_fields(job: Json) -> dict[str, Any]:
    """Return the fields of a ``JobRow``, for it and for what has more of them."""
    return {
        "id": job["id"],
        "state": job["state"],
        "task": job["task"]["name"],
        "queue": job["queue"]["name"],
        "priority": job["priority"],
        "attempt_count": job["attemptCount"],
        "max_attempts": job["maxAttempts"],
        "created_at": moment(job["createdAt"]),
        "run_at": maybe_moment(job["runAt"]),
        "started_at": maybe_moment(job["startedAt"]),
        "finished_at": maybe_moment(job["finishedAt"]),
        "wait_seconds": job["waitSeconds"],
        "run_seconds": job["runSeconds"],
        "progress": Progress.read(job["progress"]),
        "failure": Failure.read(job["error"]),
    }
