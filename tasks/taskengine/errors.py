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
├── ScheduleNotFound          there is no schedule of that name
├── ScheduleDeclared          code declares the schedule, so it cannot be deleted from outside
├── IllegalMove               the job is there, but its state does not allow the move
├── LeaseLost                 the attempt no longer owns its job; someone else may
├── UnusableResult            what a task returned is not JSON, or too large
├── WorkerLost                the job's worker died under it too often
├── JobCancelled              raised inside a task that was asked to stop
└── RedisUnavailable          Redis does not answer, or is not one we can use

Exceptions carry facts and word them in ``__str__``, so that they survive pickling.
"""

import difflib
from collections.abc import Iterable, Sequence


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


class ScheduleNotFound(TaskEngineError):
    """There is no schedule of that name: it never was, or was deleted."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"there is no schedule {self.name!r}"


class ScheduleDeclared(TaskEngineError):
    """A worker's code declares the schedule: deleted from outside, it would come back with the next worker."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"schedule {self.name!r} is declared in code; disable it, or remove it from the code first"


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
