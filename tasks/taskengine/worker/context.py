"""What a running task can say and ask: ``current_job``.

Progress is coalesced: the first word goes out at once, then at most four a
second, and the last one with the outcome.
"""

import time
from collections.abc import Callable
from contextvars import ContextVar

from taskengine.errors import InvalidInput, RedisUnavailable, TaskEngineError
from taskengine.records import ClaimedJob, dumps, printable
from taskengine.store import Answer

PROGRESS_SECONDS = 0.25
MAX_MESSAGE = 500

Report = Callable[[ClaimedJob, str], Answer]


class NoCurrentJob(TaskEngineError):
    """``current_job`` was asked for a fact outside a running job."""

    def __str__(self) -> str:
        return "there is no current job: this code does not run inside a worker"


class Released(BaseException):
    """Raised inside a task when its worker must stop now; the job goes back to its queue.

    Not an ``Exception``, so that a task that catches those does not swallow it.
    """


class JobContext:
    """The running attempt, as its task sees it."""

    def __init__(self, job: ClaimedJob, report: Report) -> None:
        self.job = job
        self.started = time.perf_counter()
        self.interruptible = False
        """Whether the task's own code runs now, so that an exception may be raised into it."""
        self._report = report
        self._stop: BaseException | None = None
        self._unsent = ""
        self._sent_at = -PROGRESS_SECONDS

    def stop_with(self, reason: BaseException) -> None:
        """Have the task raise ``reason`` at its next checkpoint. The first reason counts."""
        self._stop = self._stop or reason

    @property
    def stopped(self) -> BaseException | None:
        """Why the task is to stop, if it is."""
        return self._stop

    def check(self) -> None:
        """Raise if the task is to stop."""
        if self._stop is not None:
            raise self._stop

    def progress(self, current: float, total: float | None, message: str | None) -> None:
        """Note how far the task is, and send it when it is time; then ``check``."""
        self._unsent = _progress_json(current, total, message)
        if time.monotonic() - self._sent_at >= PROGRESS_SECONDS:
            self.send_progress()
        self.check()

    def send_progress(self) -> None:
        """Send what was not sent yet. When Redis is away it is kept for the next time."""
        unsent, self._unsent = self._unsent, ""
        if not unsent:
            return
        self._sent_at = time.monotonic()
        try:
            self._report(self.job, unsent)
        except RedisUnavailable:
            self._unsent = self._unsent or unsent

    def take_unsent_progress(self) -> str:
        """Return what was not sent, to go with the outcome."""
        unsent, self._unsent = self._unsent, ""
        return unsent


_current: ContextVar[JobContext | None] = ContextVar("taskengine_current_job", default=None)
enter = _current.set
leave = _current.reset


class CurrentJob:
    """The job that runs here. Outside a worker progress and checks do nothing, and facts raise ``NoCurrentJob``."""

    @property
    def id(self) -> str:
        """The job's id."""
        return self._context().job.id

    @property
    def task(self) -> str:
        """The task's name."""
        return self._context().job.task

    @property
    def queue(self) -> str:
        """The queue that it came from."""
        return self._context().job.queue

    @property
    def attempt(self) -> int:
        """Which attempt this is, from 1; released and lost ones do not count."""
        return self._context().job.attempt

    @property
    def max_attempts(self) -> int:
        """How many attempts there can be."""
        return self._context().job.max_attempts

    @property
    def tags(self) -> tuple[str, ...]:
        """What it was tagged with."""
        return self._context().job.tags

    @property
    def cancelled(self) -> bool:
        """Whether the task should stop: it was cancelled, or lost its lease."""
        context = _current.get()
        return context is not None and context.stopped is not None

    def check(self) -> None:
        """Raise ``JobCancelled`` if someone asked the job to stop (``LeaseLost`` if it is not ours any more)."""
        context = _current.get()
        if context is not None:
            context.check()

    def progress(self, current: float, total: float | None = None, message: str | None = None) -> None:
        """Tell how far the task is, in any unit, and check whether it should stop."""
        context = _current.get()
        if context is not None:
            context.progress(current, total, message)

    def _context(self) -> JobContext:
        context = _current.get()
        if context is None:
            raise NoCurrentJob
        return context


current_job = CurrentJob()


def current_claim() -> ClaimedJob | None:
    """Return the job that runs here as its worker got it, ``None`` outside a worker."""
    context = _current.get()
    return None if context is None else context.job


def _progress_json(current: float, total: float | None, message: str | None) -> str:
    for name, value in (("current", current), ("total", total)):
        absent = value is None and name == "total"
        if not absent and not (isinstance(value, (int, float)) and abs(value) < 1e300):
            raise InvalidInput((name,), f"expected a finite number, got {value!r}")
    facts: dict[str, float | str] = {"current": current}
    if total is not None:
        facts["total"] = total
    if message is not None:
        facts["message"] = printable(str(message)[:MAX_MESSAGE])
    return dumps(facts)
