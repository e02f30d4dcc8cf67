"""What a caller holds of a job it enqueued: its id, and the way to its outcome."""

import time
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from huey.exceptions import ResultTimeout, TaskException

from taskengine.errors import JobNotFound
from taskengine.jobs import Job, JobState

if TYPE_CHECKING:
    from taskengine.engine import TaskEngine
    from taskengine.signatures import Signature

R = TypeVar("R")

_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.25  # seconds between looks


class Result(Generic[R]):
    """A job that was enqueued. Calling it is ``get``, as with Huey; reading a result does not remove it."""

    def __init__(self, engine: "TaskEngine", job_id: str, signature: "Signature | None" = None) -> None:
        self._engine = engine
        self._signature = signature
        self.id = job_id

    def __repr__(self) -> str:
        return f"<Result of job {self.id}>"

    def job(self) -> Job:
        """Return the job as it is now; raise ``JobNotFound``."""
        job = self._engine.get_job(self.id)
        if job is None:
            raise JobNotFound(self.id)
        return job

    def is_ready(self) -> bool:
        """Whether the job has ended."""
        return self.job().state.is_final

    def get(self, blocking: bool = False, timeout: float | None = None) -> R | None:
        """Return what the task returned, or ``None`` when it has not ended and ``blocking`` is false.

        Raises ``TaskException`` when the job failed or was cancelled, and
        ``ResultTimeout`` when it has not ended after ``timeout`` seconds.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        pause = _FIRST_PAUSE
        while not (job := self.job()).state.is_final:
            if not blocking:
                return None
            if deadline is not None and time.monotonic() >= deadline:
                raise ResultTimeout(f"job {self.id} has not ended after {timeout:g} s; it is {job.state}")
            time.sleep(pause)
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        return self._value(job)

    __call__ = get

    def _value(self, job: Job) -> Any:
        if job.state is JobState.COMPLETED:
            return job.result if self._signature is None else self._signature.load_result(job.result)
        if job.error is not None:
            error = f"{job.error.exception}: {job.error.message}"
        else:
            error = f"{job.state}" + (f": {job.cancel_reason}" if job.cancel_reason else "")
        raise TaskException({"error": error, "task_id": job.id, "retries": job.max_attempts - job.attempt_count})
