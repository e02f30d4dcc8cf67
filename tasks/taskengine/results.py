"""What a caller holds of a job it enqueued: its id, and the way to its outcome."""

import time
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from huey.api import ChordResult as HueyChordResult
from huey.api import Result as HueyResult
from huey.api import ResultGroup as HueyResultGroup
from huey.constants import EmptyData
from huey.exceptions import ResultTimeout, TaskException
from huey.utils import Error

from taskengine.errors import JobNotFound
from taskengine.jobs import Job, JobState

if TYPE_CHECKING:
    from taskengine.engine import TaskEngine
    from taskengine.signatures import Signature
    from taskengine.task import JobTask

R = TypeVar("R")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.25  # seconds between looks


class Result(HueyResult, Generic[R]):
    """A job that was enqueued. Calling it is ``get``, as with Huey; reading a result does not remove it."""

    def __init__(
        self,
        engine: "TaskEngine",
        job_id: str,
        signature: "Signature | None" = None,
        *,
        after: "Result[Any] | None" = None,
        later: bool = False,
    ) -> None:
        """``after``: the job that enqueues this one when it completes. ``later``: others will enqueue it."""
        self.huey = engine
        self._engine = engine
        self._signature = signature
        self._job_id = job_id
        self._after = after
        self._later = later
        self._ended: Job | None = None

    def __repr__(self) -> str:
        return f"<Result of job {self.id}>"

    @property
    def id(self) -> str:
        """The job's id."""
        return self._job_id

    @property
    def task(self) -> "JobTask":
        """The call that it is of, as Huey's instance."""
        return self._engine.instance_of(self.job())

    def job(self) -> Job:
        """Return the job as it is now; raise ``JobNotFound``."""
        job = self._engine.get_job(self.id)
        if job is None:
            raise JobNotFound(self.id)
        return job

    def is_ready(self) -> bool:
        """Whether the job has ended."""
        return self._outcome() is not None

    def get(
        self,
        blocking: bool = False,
        timeout: float | None = None,
        backoff: float = 1.5,
        max_delay: float = _LONGEST_PAUSE,
        revoke_on_timeout: bool = False,
        preserve: bool = True,
    ) -> R | None:
        """Return what the task returned, or ``None`` when it has not ended and ``blocking`` is false.

        Raises ``TaskException`` when the job failed or was cancelled, and
        ``ResultTimeout`` when it has not ended after ``timeout`` seconds; it is
        cancelled then with ``revoke_on_timeout``. A result is always preserved.
        """
        del preserve
        deadline = None if timeout is None else time.monotonic() + timeout
        pause = _FIRST_PAUSE
        while (job := self._outcome()) is None:
            if not blocking:
                return None
            if deadline is not None and time.monotonic() >= deadline:
                if revoke_on_timeout:
                    self.revoke()
                raise ResultTimeout(f"job {self.id} has not ended after {timeout:g} s; it is {self._state()}")
            time.sleep(pause)
            pause = min(pause * backoff, max_delay)
        return self._value(job)

    __call__ = get

    def get_raw_result(self, *args: Any, **kwargs: Any) -> Any:
        """As ``get``, with an error as Huey's ``Error`` instead of raised."""
        try:
            return self.get(*args, **kwargs)
        except TaskException as error:
            return Error(error.metadata)

    def _get(self, preserve: bool = True) -> Any:
        """What ``huey.contrib.asyncio`` asks for."""
        return self.get_raw_result(preserve=preserve) if self.is_ready() else EmptyData

    def reset(self) -> None:
        """Forget what was read: the next look asks anew."""
        self._ended = None

    # Steering

    def revoke(self, revoke_once: bool = True) -> None:
        """Cancel the job if it waits; one that runs or has ended is left."""
        del revoke_once
        self._engine.revoke(self.id)

    def restore(self) -> bool:
        """Queue the job again if it was cancelled; tell whether it was."""
        self.reset()
        return self._engine.restore(self.id)

    def is_revoked(self) -> bool:
        """Whether the job was cancelled, or its task is revoked."""
        return self._engine.is_revoked(self)

    def reschedule(
        self,
        eta: datetime | None = None,
        delay: float | timedelta | None = None,
        expires: Any = None,
        priority: Any = None,
        preserve_pipeline: bool = True,
    ) -> "Result[R]":
        """Give the job another time, now by default; return it.

        One that runs or has ended is enqueued anew and has another id, and so
        has one that waits but is to have no pipeline or another expiry.
        """
        said = {"eta": eta, "delay": delay, "priority": priority}
        self.reset()
        if preserve_pipeline and expires is None and self._engine.move(self.id, said):
            return self
        new = self._engine.enqueue(self._engine.again(self.job(), said | {"expires": expires}))
        self.revoke()
        return new

    # Reading

    def _outcome(self) -> Job | None:
        """Return the job once it has ended. One that a job before it enqueues is not there yet, or never will be."""
        if self._ended is None:
            job = self._engine.get_job(self.id)
            if job is None:
                return self._outcome_before()
            self._ended = job if job.state.is_final else None
        return self._ended

    def _outcome_before(self) -> Job | None:
        if self._later:
            return None
        before = None if self._after is None else self._after._outcome()
        if self._after is None or (before is not None and before.state is JobState.COMPLETED):
            job = self._engine.get_job(self.id)  # the job before may have ended since the first look
            if job is None:
                raise JobNotFound(self.id)
            return job if job.state.is_final else None
        return before

    def _state(self) -> str:
        job = self._engine.get_job(self.id)
        return "not enqueued yet" if job is None else str(job.state)

    def _value(self, job: Job) -> Any:
        if job.state is JobState.COMPLETED:
            return job.result if self._signature is None else self._signature.load_result(job.result)
        known: dict[str, Any] = {"task_id": job.id, "retries": max(job.max_attempts - job.attempt_count, 0)}
        if job.error is None:
            known |= {
                "error": f"{job.state}" + (f": {job.cancel_reason}" if job.cancel_reason else ""),
                "traceback": "",
            }
        else:
            traceback = self._engine.traceback_of(job)
            known |= {"error": f"{job.error.exception}: {job.error.message}", "traceback": traceback}
        raise TaskException(known)


class ResultGroup(HueyResultGroup):
    """Several results: all at once, by number, or as they end."""

    def __init__(self, results: Iterable[Result[Any]]) -> None:
        super().__init__(list(results))

    def as_completed(self, backoff: float = 1.5, max_delay: float = _LONGEST_PAUSE) -> Iterator[Any]:
        """Yield the values as the jobs end; raises as ``Result.get`` does."""
        waiting, pause = deque(self._results), _FIRST_PAUSE
        while waiting:
            ready = [result for result in waiting if result.is_ready()]
            waiting = deque(result for result in waiting if result not in ready)
            for result in ready:
                yield result.get()
            if waiting and not ready:
                time.sleep(pause)
            pause = _FIRST_PAUSE if ready else min(pause * backoff, max_delay)


class ChordResult(HueyChordResult):
    """The results of a chord's members, and of the callback and what follows that."""

    def __init__(self, results: Iterable[Result[Any]], pipeline: list[Result[Any]]) -> None:
        several = ResultGroup(pipeline) if len(pipeline) > 1 else None
        super().__init__([], pipeline[0], several)
        self.results = ResultGroup(results)
        self.last = pipeline[-1]
