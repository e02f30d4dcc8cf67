"""Everything that can go wrong, drawn as one tree.

TaskEngineError
├── InvalidInput              a value was refused; nothing has changed
│   ├── InvalidInputs         several values were refused at once
│   ├── UnknownTask           no such task (InvalidInput of ``task``)
│   ├── TooLarge              arguments past their size limit
│   └── UnknownDependency     a job is to wait for one that is not there
├── QueueFull                 Redis holds as much as it may; nothing was enqueued
├── InvalidSetting            an environment variable or option was refused
├── InvalidTask               a function cannot be a task (raised at definition)
├── JobNotFound               there is no record of that id
├── BulkNotFound              there is no change to many jobs of that id
├── ScheduleNotFound          there is no schedule of that name
├── ScheduleDeclared          code declares the schedule, so it cannot be deleted from outside
├── ApiKeyNotFound            there is no key of the API of that name
├── WorkerNotFound            there is no worker of that name
├── WorkerOffline             the worker has not been heard of for too long to be asked anything
├── IllegalMove               the job is there, but its state does not allow the move
├── LeaseLost                 the attempt no longer owns its job; someone else may
├── UnusableResult            what a task returned is not JSON, or too large
├── UnreadableSecret          a secret argument is encrypted, and no key here opens it
├── WorkerLost                the job's worker died under it too often
├── JobCancelled              raised inside a task that was asked to stop
├── Fail                      raised by a task: no further attempt would help
├── Retry                     raised by a task: try again, after a time of its own choice
├── Snooze                    raised by a task: not now; does not count as an attempt
└── RedisUnavailable          Redis does not answer, or is not one we can use

Exceptions carry facts and word them in ``__str__``, so that they survive pickling.
"""

import difflib
from collections.abc import Iterable, Sequence
from datetime import datetime

MAX_DELAY_SECONDS = 10 * 366 * 86_400.0
"""Ten years; longer is a mistake in the unit."""


class TaskEngineError(Exception):
    """The root of every error that this package raises on purpose."""


class InvalidInput(TaskEngineError):
    """A value was refused and nothing has changed. ``path`` leads to it, outermost first."""

    def __init__(self, path: Sequence[str], message: str, constraint: str | None = None) -> None:
        super().__init__(tuple(path), message, constraint)
        self.path = tuple(path)
        self.message = message
        self.constraint = constraint

    def __str__(self) -> str:
        return f"{'.'.join(self.path)}: {self.message}" if self.path else self.message


class InvalidInputs(InvalidInput):
    """Several values were refused at once. Reads as the first; ``problems`` has them all."""

    def __init__(self, problems: Sequence[InvalidInput]) -> None:
        first = problems[0]
        super().__init__(first.path, first.message, first.constraint)
        self.args = (tuple(problems),)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "; ".join(str(problem) for problem in self.problems)


class UnknownTask(InvalidInput):
    """No worker has published a task of that name, and this process has none either."""

    def __init__(self, task: str, known: Iterable[str] = ()) -> None:
        known = tuple(known)
        hint = did_you_mean(task, known)
        super().__init__(("task",), f"there is no task {task!r}{hint}", "known task")
        self.args = (task, known)
        self.task = task


class TooLarge(InvalidInput):
    """A value has more bytes of JSON than its limit allows."""

    def __init__(self, path: Sequence[str], size: int, limit: int) -> None:
        super().__init__(path, f"expected at most {limit:,} bytes of JSON, got {size:,}", f"at most {limit} bytes")
        self.args = (tuple(path), size, limit)
        self.size = size
        self.limit = limit


class UnknownDependency(InvalidInput):
    """A job of a batch depends on one that there is no record of. ``row`` is its place in the batch, from 0."""

    def __init__(self, row: int, job_id: str) -> None:
        problem = f"there is no job {job_id!r} to wait for; it may have been removed by retention"
        super().__init__(("options", "dependsOn"), problem, "known job")
        self.args = (row, job_id)
        self.row = row
        self.job_id = job_id


class QueueFull(TaskEngineError):
    """Redis holds as much as the memory budget allows: clear history, or raise the budget. Nothing was enqueued."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return f"nothing more is taken in: {self.problem}"


class InvalidSetting(TaskEngineError):
    """A setting was refused. ``name`` is what the user wrote: a variable or an option."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(name, problem)
        self.name = name
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.name} {self.problem}"


class InvalidTask(TaskEngineError):
    """A function cannot be a task. Raised where it is defined, naming the parameter."""

    def __init__(self, task: str, problem: str, parameter: str | None = None) -> None:
        super().__init__(task, problem, parameter)
        self.task = task
        self.problem = problem
        self.parameter = parameter

    def __str__(self) -> str:
        where = f"task {self.task!r}" + (f", parameter {self.parameter!r}" if self.parameter else "")
        return f"{where}: {self.problem}"


class JobNotFound(TaskEngineError):
    """There is no record of that job: it never was, was deleted, or retention removed it."""

    def __init__(self, job_id: str) -> None:
        super().__init__(job_id)
        self.job_id = job_id

    def __str__(self) -> str:
        return f"there is no job {self.job_id!r}; it may have been deleted or removed by retention"


class BulkNotFound(TaskEngineError):
    """There is no change to many jobs of that id: it never was, or ended more than a week ago."""

    def __init__(self, bulk_id: str) -> None:
        super().__init__(bulk_id)
        self.bulk_id = bulk_id

    def __str__(self) -> str:
        return f"there is no bulk operation {self.bulk_id!r}; it is forgotten a week after its end"


class ScheduleNotFound(TaskEngineError):
    """There is no schedule of that name: it never was, or was deleted."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"there is no schedule {self.name!r}"


class ApiKeyNotFound(TaskEngineError):
    """There is no key of the API of that name: it never was, or was revoked."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"there is no key {self.name!r}"


class ScheduleDeclared(TaskEngineError):
    """A worker's code declares the schedule: deleted from outside, it would come back with the next worker."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"schedule {self.name!r} is declared in code; disable it, or remove it from the code first"


class WorkerNotFound(TaskEngineError):
    """There is no worker of that name: it never was, or has left."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"there is no worker {self.name!r}; it may have left"


class WorkerOffline(TaskEngineError):
    """The worker has not been heard of within its lease, so it hears nothing either."""

    def __init__(self, name: str, silent_seconds: float) -> None:
        super().__init__(name, silent_seconds)
        self.name = name
        self.silent_seconds = silent_seconds

    def __str__(self) -> str:
        return f"worker {self.name!r} is offline: it was last heard of {self.silent_seconds:.0f} s ago"


class IllegalMove(TaskEngineError):
    """The job exists, but its state does not allow this move."""

    def __init__(self, job_id: str, state: str, wanted: str) -> None:
        super().__init__(job_id, state, wanted)
        self.job_id = job_id
        self.state = state
        self.wanted = wanted

    def __str__(self) -> str:
        if self.state == "RUNNING" and self.wanted == "CANCELLED":
            return f"job {self.job_id!r} is RUNNING; ask to terminate it as well to stop it"
        if self.wanted == "RESCHEDULED":
            return f"job {self.job_id!r} is {self.state}; only a job that waits can be given another time"
        if self.wanted == "REPRIORITIZED":
            return f"job {self.job_id!r} is {self.state}; only a job that waits can be given another priority"
        if self.wanted == "DELETED":
            return f"job {self.job_id!r} is {self.state}, so it cannot be deleted; cancel it first"
        return f"job {self.job_id!r} is {self.state}, so it cannot become {self.wanted}"


class LeaseLost(TaskEngineError):
    """The attempt's lease ran out or was taken back; what it wanted to write was refused."""

    def __init__(self, job_id: str) -> None:
        super().__init__(job_id)
        self.job_id = job_id

    def __str__(self) -> str:
        return f"this attempt no longer holds the lease of job {self.job_id!r}; nothing was written"


class UnusableResult(TaskEngineError):
    """A task ran, but what it returned cannot be kept: not JSON, or over the size limit."""

    def __init__(self, task: str, problem: str) -> None:
        super().__init__(task, problem)
        self.task = task
        self.problem = problem

    def __str__(self) -> str:
        return f"the result of task {self.task!r} cannot be kept: {self.problem}"


class UnreadableSecret(TaskEngineError):
    """A secret argument is encrypted, and no key of this process opens it. ``place`` is where it is among them."""

    def __init__(self, problem: str, place: str | None = None) -> None:
        super().__init__(problem, place)
        self.problem = problem
        self.place = place

    def __str__(self) -> str:
        return f"the secret{f' argument {self.place!r}' if self.place else ''} cannot be read: {self.problem}"


class WorkerLost(TaskEngineError):
    """The job's worker died under it ``losses`` times: the job is not given to another."""

    def __init__(self, job_id: str, losses: int) -> None:
        super().__init__(job_id, losses)
        self.job_id = job_id
        self.losses = losses

    def __str__(self) -> str:
        return f"the worker of job {self.job_id!r} died under it {self.losses} times"


class JobCancelled(TaskEngineError):
    """Raised inside a running task at its next checkpoint after someone asked it to stop."""

    def __init__(self, job_id: str) -> None:
        super().__init__(job_id)
        self.job_id = job_id

    def __str__(self) -> str:
        return f"job {self.job_id!r} was asked to stop"


class Fail(TaskEngineError):
    """Raise it inside a task to say that no further attempt would help: the job FAILED, whatever ``retry_on`` says."""


class Retry(TaskEngineError):
    """Raise it inside a task to try again, whatever ``retry_on`` says, as long as attempts are left.

    ``after``: seconds until then; the task's backoff decides when absent.
    """

    def __init__(self, message: str = "", after: float | None = None) -> None:
        super().__init__(message, after)
        self.message = message
        self.after = None if after is None else _delay(after)

    def __str__(self) -> str:
        return self.message


class Snooze(TaskEngineError):
    """Raise it inside a task that cannot do its work yet. The job is SCHEDULED again; this does not count.

    ``until``: an aware datetime. ``after``: seconds, counted by Redis's clock. Give one of them.
    """

    def __init__(self, message: str = "", until: datetime | None = None, after: float | None = None) -> None:
        super().__init__(message, until, after)
        self.message = message
        if (until is None) == (after is None):
            raise InvalidInput(("until",), "give either until (a time) or after (seconds)")
        if until is not None and (not isinstance(until, datetime) or until.tzinfo is None):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidInput(("until",), f"expected a time with its offset from UTC, got {until!r}")
        self.until = until
        self.after = None if after is None else _delay(after)

    def __str__(self) -> str:
        return self.message


def _delay(seconds: object) -> float:
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0 <= seconds <= MAX_DELAY_SECONDS:
        raise InvalidInput(("after",), f"expected 0 to {MAX_DELAY_SECONDS:,.0f} seconds, got {seconds!r}")
    return seconds


class RedisUnavailable(TaskEngineError):
    """Redis does not answer, or it is too old. ``problem`` never holds a password."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return self.problem


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?`` for the nearest known name, or an empty string."""
    near = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
