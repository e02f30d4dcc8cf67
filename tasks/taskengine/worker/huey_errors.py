"""What Huey's own exceptions ask for when a task, or a lock or rate around it, raises them."""

from datetime import UTC, datetime

from huey import signals
from huey.exceptions import CancelExecution, RateLimitExceeded, RetryTask, TaskLockedException


def put_off_seconds(error: BaseException, default: float) -> float | None:
    """Return in how many seconds the job is to come back without an attempt counted; ``None`` if it is not.

    ``default`` is the task's own delay between attempts, for who names none.
    """
    if isinstance(error, RetryTask):
        if error.eta is not None:
            return max((error.eta.astimezone(UTC) - datetime.now(UTC)).total_seconds(), 0.0)
        return default if error.delay is None else max(float(error.delay), 0.0)
    if isinstance(error, RateLimitExceeded) and error.retry:
        return max(error.delay, 0.0)
    if isinstance(error, CancelExecution) and error.retry:
        return default
    return None


def least_seconds(error: BaseException) -> float:
    """Return how long a further attempt has to wait at the least."""
    return error.delay if isinstance(error, RateLimitExceeded) else 0.0


def signal_of(error: BaseException | None) -> str | None:
    """Return Huey's signal of an exception that has one of its own."""
    if isinstance(error, RateLimitExceeded):
        return signals.SIGNAL_RATE_LIMITED
    if isinstance(error, TaskLockedException):
        return signals.SIGNAL_LOCKED
    return signals.SIGNAL_CANCELED if isinstance(error, CancelExecution) else None
