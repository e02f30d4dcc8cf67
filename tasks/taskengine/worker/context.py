"""What a running task can say and ask: ``current_job``.

Progress is coalesced: the first word goes out at once, then at most four a
second, and the last one with the outcome.
"""

import json
import logging
import math
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from taskengine.errors import InvalidInput, RedisUnavailable, TaskEngineError, TooLarge
from taskengine.jobs import LogLevel
from taskengine.records import ClaimedJob, dumps, printable
from taskengine.store import Answer, Said
from taskengine.worker.guard import NO_GUARD, Guard, mask_records
from taskengine.worker.interrupts import Gate
from taskengine.worker.logs import LogBuffer
from taskengine.worker.timeouts import timed_out

PROGRESS_SECONDS = 0.25
MAX_MESSAGE = 500
MAX_CHECKPOINT_BYTES = 262_144


class Wire(Protocol):
    """Where an attempt's words go. Each may raise ``RedisUnavailable``."""

    def report_progress(self, job: ClaimedJob, progress: str) -> Answer:
        """Send progress as JSON."""
        ...

    def append_logs(self, job: ClaimedJob, lines: Sequence[Said]) -> Answer:
        """Send lines of the log."""
        ...

    def save_checkpoint(self, job: ClaimedJob, data: str) -> Answer:
        """Save JSON, "" to forget."""
        ...

    def load_checkpoint(self, job: ClaimedJob) -> str | None:
        """Return the JSON that was saved."""
        ...


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

    def __init__(self, job: ClaimedJob, wire: Wire) -> None:
        self.job = job
        self.started = time.perf_counter()
        self.gate: Gate | None = None
        """Around the task's own code, while that runs."""
        self.logs = LogBuffer(lambda lines: wire.append_logs(job, lines))
        self.guard = NO_GUARD
        self._wire = wire
        self._stop: BaseException | None = None
        self._told = False
        self._deadline: tuple[float, float] | None = None
        self._unsent = ""
        self._sent_at = -math.inf

    def keep(self, guard: Guard) -> None:
        """Let nothing of the job's secrets out from now on."""
        self.guard, self.logs.mask = guard, guard.mask
        mask_records(guard.mask)

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
            self._told = True
            raise self._stop

    def interrupt(self) -> None:
        """Raise the reason to stop into the task where it stands, if it is to stop and can be interrupted there."""
        if self._stop is not None and self.gate is not None:
            self.gate.fire(self._stop)

    def expire(self, seconds: float) -> None:
        """The task has had its time."""
        self.stop_with(timed_out(seconds))
        self.interrupt()

    def expire_after(self, seconds: float) -> None:
        """Have ``tend`` see to it that the task's time ends."""
        self._deadline = (time.monotonic() + seconds, seconds)

    def tend(self) -> None:
        """Called a few times a second by another thread: stop the task if need be, and send what waits."""
        if self._deadline is not None and time.monotonic() >= self._deadline[0]:
            self.stop_with(timed_out(self._deadline[1]))
        self.interrupt()
        if self._may_report():
            self.send_progress()
        self.logs.flush()

    @contextmanager
    def shielded(self) -> Generator[None]:
        """The task calls us: it is not interrupted meanwhile."""
        gate = self.gate
        if gate is not None:
            gate.shield()
        try:
            yield
        finally:
            if gate is not None:
                gate.unshield()

    def progress(self, current: float, total: float | None, message: str | None) -> None:
        """Note how far the task is, and send it when it is time; then ``check``."""
        with self.shielded():
            words = None if message is None else self.guard.mask(str(message))
            self._unsent = _progress_json(current, total, words)
            if self._may_report():
                self.send_progress()
        self.check()

    def log(self, level: LogLevel, message: str, fields: Mapping[str, Any], logger: str | None = None) -> None:
        """Note a line of the job's log; then raise if the task is to stop and does not know yet.

        One that knows may say what it does about it.
        """
        with self.shielded():
            self.logs.add(level, message, fields, logger)
        if not (self._told or (self.gate is not None and self.gate.told)):
            self.check()

    def checkpoint(self, data: Any) -> None:
        """Save where the task is, at once; then ``check``. ``None`` forgets it. Raises ``RedisUnavailable``."""
        with self.shielded():
            self._wire.save_checkpoint(self.job, "" if data is None else self.guard.seal(_checkpoint_json(data)))
        self.check()

    def checkpointed(self) -> Any:
        """Return what was last saved, by this attempt or one before. Raises ``RedisUnavailable``."""
        with self.shielded():
            saved = self._wire.load_checkpoint(self.job)
        self.check()
        return None if saved is None else json.loads(self.guard.open(saved))

    def send_progress(self) -> None:
        """Send what was not sent yet. When Redis is away it is kept for the next time."""
        unsent, self._unsent = self._unsent, ""
        if not unsent:
            return
        self._sent_at = math.inf  # no other thread sends meanwhile
        try:
            self._wire.report_progress(self.job, unsent)
        except RedisUnavailable:
            self._unsent = self._unsent or unsent
        finally:
            self._sent_at = time.monotonic()  # when it has arrived, so that Redis sees no more than we send

    def _may_report(self) -> bool:
        return time.monotonic() - self._sent_at >= PROGRESS_SECONDS

    def take_unsent_progress(self) -> str:
        """Return what was not sent, to go with the outcome."""
        unsent, self._unsent = self._unsent, ""
        return unsent


_current: ContextVar[JobContext | None] = ContextVar("taskengine_current_job", default=None)
enter = _current.set
leave = _current.reset
current = _current.get
_elsewhere = logging.getLogger("taskengine.job")


class JobLog:
    """The job's log: a message and, by name, any facts. Outside a worker the lines go to the standard ``logging``."""

    def debug(self, message: str, **fields: Any) -> None:
        """Note what only matters when one looks for a fault."""
        self._say(LogLevel.DEBUG, message, fields)

    def info(self, message: str, **fields: Any) -> None:
        """Note what happened."""
        self._say(LogLevel.INFO, message, fields)

    def warning(self, message: str, **fields: Any) -> None:
        """Note what someone should see to."""
        self._say(LogLevel.WARNING, message, fields)

    def error(self, message: str, **fields: Any) -> None:
        """Note what went wrong."""
        self._say(LogLevel.ERROR, message, fields)

    def _say(self, level: LogLevel, message: str, fields: Mapping[str, Any]) -> None:
        context = _current.get()
        if context is not None:
            context.log(level, message, fields)
        else:
            facts = "".join(f" {name}={value!r}" for name, value in fields.items())
            _elsewhere.log(getattr(logging, level), "%s%s", message, facts)


class CurrentJob:
    """The job that runs here.

    Outside a worker progress, checks and checkpoints do nothing, and facts raise ``NoCurrentJob``.
    """

    log = JobLog()
    """Kept with the job: level, message, fields, attempt and time."""

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
            with context.shielded():
                pass
            context.check()

    def progress(self, current: float, total: float | None = None, message: str | None = None) -> None:
        """Tell how far the task is, in any unit, and check whether it should stop."""
        context = _current.get()
        if context is not None:
            context.progress(current, total, message)

    def checkpoint(self, data: Any) -> None:
        """Save where the task is, as JSON, for a later attempt; it is saved when this returns. ``None`` forgets it.

        Kept over retries, releases and crashes, until the job COMPLETED or its record is removed. Raises
        ``TooLarge``, ``InvalidInput``, ``RedisUnavailable``, and as ``check`` does.
        """
        context = _current.get()
        if context is not None:
            context.checkpoint(data)

    @property
    def checkpointed(self) -> Any:
        """What was last saved by ``checkpoint``, by this attempt or one before; ``None`` when nothing was."""
        context = _current.get()
        return None if context is None else context.checkpointed()

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
        facts["message"] = printable(message[:MAX_MESSAGE])
    return dumps(facts)


def _checkpoint_json(data: Any) -> str:
    try:
        text = dumps(data)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as problem:
        raise InvalidInput(("checkpoint",), f"expected what JSON can say: {problem}") from None
    if size > MAX_CHECKPOINT_BYTES:
        raise TooLarge(("checkpoint",), size, MAX_CHECKPOINT_BYTES)
    return text
