"""What the pages show, as plain data read from the API's answers. No Streamlit, no network."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self

from taskengine_dashboard.states import STATE_NAMES, state_of

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Counts:
    """Number of jobs by state."""

    by_state: Mapping[str, int] = field(default_factory=dict[str, int])

    @classmethod
    def read(cls, counts: Json) -> Self:
        return cls({name: int(counts[name.lower()]) for name in STATE_NAMES})

    @classmethod
    def sum(cls, many: Iterable["Counts"]) -> Self:
        every = list(many)
        return cls({name: sum(counts.of(name) for counts in every) for name in STATE_NAMES})

    def of(self, state: str) -> int:
        return self.by_state.get(state, 0)

    @property
    def total(self) -> int:
        return sum(self.by_state.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """What answers: versions, and the clock that all ages on a page are counted by."""

    version: str
    redis_version: str
    redis_memory_bytes: float
    now: datetime

    @classmethod
    def read(cls, system: Json) -> Self:
        return cls(
            version=system["version"],
            redis_version=system["redisVersion"],
            redis_memory_bytes=system["redisMemoryBytes"],
            now=_moment(system["now"]),
        )


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
        return cls(**_row_fields(job))


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
            started_at=_moment(attempt["startedAt"]),
            finished_at=_maybe_moment(attempt["finishedAt"]),
            next_attempt_at=_maybe_moment(attempt["nextAttemptAt"]),
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
            **_row_fields(job),
            args=job["args"],
            result=job["result"],
            tags=tuple(job["tags"]),
            timeout_seconds=job["timeoutSeconds"],
            cancel_reason=job["cancelReason"],
            worker=job["worker"]["name"] if job["worker"] else None,
            attempts=tuple(Attempt.read(attempt) for attempt in job["attempts"]["nodes"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """One queue: how deep it is, and how long its oldest ready job has waited."""

    name: str
    counts: Counts
    oldest_wait_seconds: float | None = None

    @classmethod
    def read(cls, queue: Json) -> Self:
        return cls(
            name=queue["name"],
            counts=Counts.read(queue["counts"]),
            oldest_wait_seconds=queue.get("oldestWaitSeconds"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerRow:
    """One consumer process."""

    name: str
    hostname: str
    pid: int
    version: str
    queues: tuple[str, ...]
    concurrency: int
    running: int
    online: bool
    started_at: datetime
    last_heartbeat_at: datetime

    @classmethod
    def read(cls, worker: Json) -> Self:
        return cls(
            name=worker["name"],
            hostname=worker["hostname"],
            pid=worker["pid"],
            version=worker["version"],
            queues=tuple(queue["name"] for queue in worker["queues"]),
            concurrency=worker["concurrency"],
            running=len(worker["runningJobs"]),
            online=worker["online"],
            started_at=_moment(worker["startedAt"]),
            last_heartbeat_at=_moment(worker["lastHeartbeatAt"]),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskInfo:
    """A task that can be enqueued, with its own defaults."""

    name: str
    description: str | None
    schema: Json
    enqueue_field: str
    queue: str
    priority: int
    max_attempts: int

    @classmethod
    def read(cls, task: Json) -> Self:
        return cls(
            name=task["name"],
            description=task["description"],
            schema=task["argsSchema"],
            enqueue_field=task["enqueueField"],
            queue=task["queue"]["name"],
            priority=task["priority"],
            max_attempts=task["maxAttempts"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The answer to ``operations.OVERVIEW``."""

    counts: Counts
    queues: tuple[QueueRow, ...]
    workers: tuple[WorkerRow, ...]
    failures: tuple[JobRow, ...]
    system: System

    @classmethod
    def read(cls, data: Json) -> Self:
        failures = (JobRow.read(job) for job in data["failures"]["nodes"])
        workers = sorted((WorkerRow.read(worker) for worker in data["workers"]), key=lambda w: (not w.online, w.name))
        return cls(
            counts=Counts.read(data["counts"]),
            queues=tuple(QueueRow.read(queue) for queue in data["queues"]),
            workers=tuple(workers),
            failures=tuple(sorted(failures, key=lambda job: job.finished_at or job.created_at, reverse=True)),
            system=System.read(data["system"]),
        )

    @property
    def workers_online(self) -> int:
        return sum(worker.online for worker in self.workers)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsPage:
    """The answer to ``operations.JOBS``: one page of a list, and the counts around it."""

    jobs: tuple[JobRow, ...]
    total: int | None
    has_newer: bool
    has_older: bool
    start_cursor: str | None
    end_cursor: str | None
    counts: Counts
    by_queue: Mapping[str, Counts]
    by_task: Mapping[str, Counts]
    workers_online: int
    system: System

    @classmethod
    def read(cls, data: Json) -> Self:
        page = data["jobs"]
        return cls(
            jobs=tuple(JobRow.read(job) for job in page["nodes"]),
            total=page["totalCount"],
            has_newer=page["pageInfo"]["hasPreviousPage"],
            has_older=page["pageInfo"]["hasNextPage"],
            start_cursor=page["pageInfo"]["startCursor"],
            end_cursor=page["pageInfo"]["endCursor"],
            counts=Counts.read(data["counts"]),
            by_queue={queue["name"]: Counts.read(queue["counts"]) for queue in data["queues"]},
            by_task={task["name"]: Counts.read(task["counts"]) for task in data["tasks"]},
            workers_online=_online(data),
            system=System.read(data["system"]),
        )

    def counts_within(self, *, tasks: Iterable[str], queues: Iterable[str]) -> Counts | None:
        """Counts of the jobs of these tasks and queues; ``None`` when both are given, which no counter has."""
        tasks, queues = tuple(tasks), tuple(queues)
        if tasks and queues:
            return None
        if tasks:
            return Counts.sum(self.by_task.get(task, Counts()) for task in tasks)
        if queues:
            return Counts.sum(self.by_queue.get(queue, Counts()) for queue in queues)
        return self.counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """The answer to ``operations.TASKS``: what can be enqueued, and where to."""

    tasks: tuple[TaskInfo, ...]
    queues: tuple[str, ...]
    workers_online: int
    system: System

    @classmethod
    def read(cls, data: Json) -> Self:
        tasks = tuple(TaskInfo.read(task) for task in data["tasks"])
        queues = {queue["name"] for queue in data["queues"]} | {task.queue for task in tasks}
        return cls(
            tasks=tasks,
            queues=tuple(sorted(queues)),
            workers_online=_online(data),
            system=System.read(data["system"]),
        )

    def task(self, name: str | None) -> TaskInfo | None:
        return next((task for task in self.tasks if task.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobAnswer:
    """The answer to ``operations.JOB``. ``job`` is ``None`` when there is no record of it (any more)."""

    job: JobDetail | None
    system: System

    @classmethod
    def read(cls, data: Json) -> Self:
        return cls(job=JobDetail.read(data["job"]) if data["job"] else None, system=System.read(data["system"]))


def can_retry(job: JobRow) -> bool:
    """Whether Retry is offered for this job; the API decides anyway."""
    return state_of(job.state).can_retry


def can_cancel(job: JobRow) -> bool:
    """Whether Cancel is offered for this job; the API decides anyway."""
    return state_of(job.state).can_cancel


def _row_fields(job: Json) -> dict[str, Any]:
    return {
        "id": job["id"],
        "state": job["state"],
        "task": job["task"]["name"],
        "queue": job["queue"]["name"],
        "priority": job["priority"],
        "attempt_count": job["attemptCount"],
        "max_attempts": job["maxAttempts"],
        "created_at": _moment(job["createdAt"]),
        "run_at": _maybe_moment(job["runAt"]),
        "started_at": _maybe_moment(job["startedAt"]),
        "finished_at": _maybe_moment(job["finishedAt"]),
        "wait_seconds": job["waitSeconds"],
        "run_seconds": job["runSeconds"],
        "progress": Progress.read(job["progress"]),
        "failure": Failure.read(job["error"]),
    }


def _online(data: Json) -> int:
    return sum(bool(worker["online"]) for worker in data["workers"])


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _maybe_moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
