"""What a job is, and which moves it may make.

Plain data and pure functions: no Redis, no Huey, no clock. The scripts under
``lua/`` make the same moves atomically; ``tests/tasks/test_machine.py`` holds
both sides to ``MOVES``.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from taskengine.errors import InvalidInput
from taskengine.retries import Backoff


class JobState(StrEnum):
    """Where a job is in its life."""

    SCHEDULED = "SCHEDULED"
    """Waits for a time (delay, run_at)."""
    QUEUED = "QUEUED"
    """Ready; waits for a worker."""
    RUNNING = "RUNNING"
    """An attempt holds its lease."""
    RETRYING = "RETRYING"
    """An attempt failed; waits for the next one (backoff)."""
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    """All attempts failed, or the error was not retryable."""
    CANCELLED = "CANCELLED"

    @property
    def is_final(self) -> bool:
        """Whether nothing but an operator's retry moves the job again."""
        return self in FINAL_STATES


FINAL_STATES = frozenset({JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED})

MOVES: dict[JobState, frozenset[JobState]] = {
    JobState.SCHEDULED: frozenset({JobState.QUEUED, JobState.CANCELLED}),
    # Back to SCHEDULED when it is given another time.
    JobState.QUEUED: frozenset({JobState.RUNNING, JobState.CANCELLED, JobState.SCHEDULED}),
    # To QUEUED when the attempt is released or its worker is lost; to SCHEDULED when the task snoozed it.
    JobState.RUNNING: frozenset(
        {
            JobState.COMPLETED,
            JobState.RETRYING,
            JobState.FAILED,
            JobState.CANCELLED,
            JobState.QUEUED,
            JobState.SCHEDULED,
        }
    ),
    JobState.RETRYING: frozenset({JobState.QUEUED, JobState.CANCELLED}),
    JobState.COMPLETED: frozenset(),
    # To QUEUED by an operator's retry.
    JobState.FAILED: frozenset({JobState.QUEUED}),
    JobState.CANCELLED: frozenset({JobState.QUEUED}),
}
"""Every move there is. Anything else is an ``IllegalMove``."""


class AttemptOutcome(StrEnum):
    """How one run of a job by a worker ended, or that it has not."""

    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    CANCELLED = "CANCELLED"
    WORKER_LOST = "WORKER_LOST"
    """The worker died or was cut off; the job went back to its queue. Not counted as an attempt."""
    RELEASED = "RELEASED"
    """The worker was stopping and gave the job back, or the task snoozed it. Not counted as an attempt."""


LOWEST_PRIORITY, DEFAULT_PRIORITY, HIGHEST_PRIORITY = 1, 5, 10
DEFAULT_QUEUE = "default"

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,99}")
_JOB_ID = re.compile(r"[A-Za-z0-9_\-]{1,64}")
_GROUP_ID = re.compile(r"fail_[0-9a-f]{16}")
_CLOCK_TICK = timedelta(milliseconds=1)
"""Times are kept in ms, but creation in µs."""
_SURROGATES = re.compile(r"[\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobError:
    """Why an attempt failed. ``traceback`` is kept with the attempt, not with the job."""

    exception: str
    message: str
    retryable: bool
    traceback: str | None = None
    place: str | None = None
    """Where the user's own code was: ``shop/mail.py:42 in send``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a running task says it is, in units of its own choice."""

    current: float
    total: float | None
    message: str | None
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One unit of work: one call of a task, and the record of its life. Immutable."""

    id: str
    task: str
    queue: str
    state: JobState
    priority: int
    args: dict[str, Any]
    """By parameter name, with ``********`` in place of secrets."""
    created_at: datetime
    order: int
    """Unique and rising with creation (µs of Redis's clock): what pages are ordered by."""
    max_attempts: int
    attempt_count: int = 0
    """Attempts so far, the running one included. Released and lost runs do not count."""
    run_count: int = 0
    """Times a worker took the job, released and lost runs included."""
    worker_losses: int = 0
    timeout_seconds: float | None = None
    tags: tuple[str, ...] = ()
    run_at: datetime | None = None
    """When it may start at the earliest: what it was scheduled for, or the end of its backoff."""
    backoff: Backoff | None = None
    """How long it waits between attempts, if not as its task does."""
    ready_at: datetime | None = None
    """When it last became ready for a worker."""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    worker: str | None = None
    """Name of the worker of the current or last attempt."""
    result: Any = None
    error: JobError | None = None
    failure_group: str | None = None
    """Id of the group of failures that ``error`` belongs to."""
    progress: Progress | None = None
    start_before: datetime | None = None
    idempotency_key: str | None = None
    concurrency_key: str | None = None
    """Jobs of its task with the same key run only so many at once."""
    redacted: tuple[str, ...] = ()
    """Paths into ``args`` that are secret, with dots between names."""
    rerun_of: str | None = None
    """Id of the job whose arguments it was given once more."""
    enqueued_by: str | None = None
    """Who enqueued it, as far as somebody was named: enqueueing is told here, and not in the audit."""
    blockers: int = 0
    """How many of the jobs it depends on have not COMPLETED."""
    schedule: str | None = None
    """Name of the schedule that enqueued it."""
    cancel_requested: bool = False
    """A running job was asked to stop and has not yet."""
    cancel_reason: str | None = None

    @property
    def wait_seconds(self) -> float | None:
        """Seconds from ready to start of the current or last attempt; ``None`` when it has waited again since."""
        return None if self._waited_since else _seconds(self.ready_at, self.started_at)

    @property
    def run_seconds(self) -> float | None:
        """Seconds that the last attempt ran; ``None`` while it runs, before there was one, or when it waited since."""
        return None if self._waited_since else _seconds(self.started_at, self.finished_at)

    @property
    def _waited_since(self) -> bool:
        """Whether the job went back to waiting after its last attempt: then its end was not that attempt's."""
        if self.started_at is None:
            return False
        began = self.started_at + _CLOCK_TICK
        return any(at is not None and at > began for at in (self.ready_at, self.run_at))


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One run of a job by a worker. ``number`` counts every run, from 1."""

    job_id: str
    number: int
    outcome: AttemptOutcome
    worker: str
    started_at: datetime
    finished_at: datetime | None = None
    error: JobError | None = None
    next_attempt_at: datetime | None = None
    message: str | None = None
    """Why it was released, when somebody said."""


@dataclass(frozen=True, slots=True)
class Dependencies:
    """The jobs around one job, by id."""

    depends_on: tuple[str, ...] = ()
    """Those that have to complete before it starts, in the order given; some may be gone by now."""
    dependents: tuple[str, ...] = ()
    """Those that still wait for it, oldest first."""


class LogLevel(StrEnum):
    """How much a line of a job's log matters, from least to most."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"
    """CRITICAL of the standard ``logging`` too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line that a run of a job said."""

    job_id: str
    cursor: str
    """Its place in the job's log; lines are ordered by it."""
    at: datetime
    level: LogLevel
    message: str
    attempt: int
    """The number of the run, as in ``Attempt.number``."""
    logger: str | None = None
    """Who said it, when it came by the standard ``logging``."""
    fields: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPage:
    """A page of a job's log by keyset, in the order in which it was said."""

    lines: tuple[LogLine, ...]
    has_next: bool
    has_previous: bool
    total: int
    """All lines of this level that are kept."""
    said: int
    """All lines of any level that were said; the oldest of them go when there are too many."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a job is enqueued. ``None`` takes the task's own value.

    ``delay`` is in seconds, counted by Redis's clock; ``run_at`` is an aware
    datetime; give at most one. ``timeout`` is in seconds, 0 for no limit whatever the task says.
    """

    queue: str | None = None
    priority: int | None = None
    delay: float | None = None
    run_at: datetime | None = None
    max_attempts: int | None = None
    timeout: float | None = None
    tags: tuple[str, ...] = ()
    id: str | None = None
    """The job's id; made by us unless the caller brings one of its own."""
    start_before: datetime | None = None
    """Not started by then: CANCELLED with the reason ``expired``."""
    idempotency_key: str | None = None
    """Same task and key: the first job is returned, as long as its record is kept."""
    backoff: Backoff | None = None
    """How long to wait between attempts."""
    depends_on: tuple[str, ...] = ()
    """Starts when these have COMPLETED; CANCELLED when one of them ends otherwise."""


@dataclass(frozen=True, slots=True)
class StateCounts:
    """Number of jobs in each state."""

    scheduled: int = 0
    queued: int = 0
    running: int = 0
    retrying: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0

    @property
    def total(self) -> int:
        """Jobs in any state."""
        return sum(getattr(self, state.value.lower()) for state in JobState)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobPage:
    """A page of jobs by keyset."""

    jobs: tuple[Job, ...]
    cursors: tuple[str, ...] = ()
    """Of each job its place; by creation that is ``cursor_of(job)``."""
    start_cursor: str | None = None
    end_cursor: str | None = None
    """Where to go on: the last job's, or where the look ended."""
    has_next: bool
    has_previous: bool
    total: int | None
    """All jobs that match, exact; ``None`` where that would have to be counted by looking at each."""
    scanned: int | None = None
    """How many records were looked at, when that was enough of them and not all: there may be more behind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueInfo:
    """One queue: how deep it is."""

    name: str
    counts: StateCounts
    oldest_ready_at: datetime | None = None
    """Since when the job that has been ready the longest waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskInfo:
    """A Python function that workers can run, as they published it."""

    name: str
    args_schema: dict[str, Any]
    """JSON Schema (draft 2020-12) of the arguments."""
    queue: str = DEFAULT_QUEUE
    priority: int = DEFAULT_PRIORITY
    max_attempts: int = 1
    timeout_seconds: float | None = None
    description: str | None = None
    encrypts: bool = False
    """Its workers have a key for its secret arguments, so whoever enqueues has to have it too."""
    counts: StateCounts = field(default_factory=StateCounts)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerInfo:
    """A consumer process, as its last heartbeat told."""

    name: str
    hostname: str
    pid: int
    version: str
    queues: tuple[str, ...]
    """The queues it serves; ``("*",)`` is every queue there is."""
    concurrency: int
    mode: str
    started_at: datetime
    last_heartbeat_at: datetime
    online: bool
    draining: bool = False
    """It takes no new job, and stops when its running ones are done."""
    running: tuple[str, ...] = ()
    """Ids of the jobs it held at its last heartbeat."""
    cpu_percent: float | None = None
    """Percent of one core that it used since the heartbeat before, the processes that run its jobs included."""
    memory_bytes: int | None = None
    """Resident memory, likewise; what forked processes share is counted in each."""


def cursor_of(job: Job) -> str:
    """Return the opaque position of a job in a page ordered by creation."""
    return format(job.order, "x")


def order_of(cursor: str, *, path: tuple[str, ...] = ("after",)) -> int:
    """Read a cursor back; raise ``InvalidInput`` naming ``path`` if it is not one of ours."""
    if not re.fullmatch(r"[0-9a-f]{1,16}", cursor):
        raise InvalidInput(path, f"expected a cursor that a page returned, got {cursor[:40]!r}")
    return int(cursor, 16)


def check_log_cursor(cursor: str, *, path: tuple[str, ...]) -> str:
    """Return the cursor of a line; raise ``InvalidInput`` naming ``path`` if it is not one of ours."""
    if not re.fullmatch(r"[0-9]{1,19}-[0-9]{1,19}", cursor):
        raise InvalidInput(path, f"expected a cursor that a line had, got {cursor[:40]!r}")
    return cursor


def check_name(name: object, path: tuple[str, ...]) -> str:
    """Return the name of a task or queue, or raise ``InvalidInput``."""
    if isinstance(name, str) and _NAME.fullmatch(name):
        return name
    raise InvalidInput(
        path, f"expected 1 to 100 of the characters A-Z a-z 0-9 _ . -, got {_shown(name)}", _NAME.pattern
    )


def check_job_id(job_id: object, path: tuple[str, ...] = ("id",)) -> str:
    """Return a job's id, or raise ``InvalidInput`` if no job can have it."""
    if isinstance(job_id, str) and _JOB_ID.fullmatch(job_id):
        return job_id
    raise InvalidInput(path, f"expected 1 to 64 of the characters A-Z a-z 0-9 _ -, got {_shown(job_id)}")


def check_group_id(group: object, path: tuple[str, ...] = ("id",)) -> str:
    """Return the id of a group of failures, or raise ``InvalidInput`` if none can have it."""
    if isinstance(group, str) and _GROUP_ID.fullmatch(group):
        return group
    raise InvalidInput(path, f"expected fail_ and 16 hexadecimal digits, got {str(group)[:40]!r}", _GROUP_ID.pattern)


def check_priority(priority: object, path: tuple[str, ...] = ("options", "priority")) -> int:
    """Return a priority, 1 (last) to 10 (first), or raise ``InvalidInput``."""
    if isinstance(priority, int) and not isinstance(priority, bool) and LOWEST_PRIORITY <= priority <= HIGHEST_PRIORITY:
        return priority
    raise InvalidInput(path, f"expected a whole number from 1 to 10 (10 runs first), got {_shown(priority)}", "1 to 10")


def check_text(value: object, path: tuple[str, ...], *, at_least: int = 1, at_most: int) -> str:
    """Return text of so many characters that UTF-8 can hold, or raise ``InvalidInput``."""
    if isinstance(value, str) and at_least <= len(value) <= at_most and not _SURROGATES.search(value):
        return value
    raise InvalidInput(path, f"expected {at_least} to {at_most} characters of text, got {_shown(value)}")


def check_positive_int(value: object, path: tuple[str, ...], *, at_most: int = 1_000) -> int:
    """Return a whole number from 1 to ``at_most``, or raise ``InvalidInput``."""
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= at_most:
        return value
    raise InvalidInput(path, f"expected a whole number from 1 to {at_most:,}, got {_shown(value)}", f"1 to {at_most}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    if start is None or end is None:
        return None
    return max((end - start).total_seconds(), 0.0)
