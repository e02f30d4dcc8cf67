"""What Huey's own exceptions ask for when a task, or a lock or rate around it, raises them."""

from datetime import UTC, datetime

from huey import signals
from huey.exceptions import CancelExecution, RateLimitExceeded, RetryTask, TaskLockedException

from taskengine.errors import InvalidInput, Snooze


def snooze_of(error: BaseException, default: float) -> Snooze | None:
    """Return when a job is to come back without an attempt counted; ``None`` if it is not.

    ``default`` is the task's own delay between attempts, for who names none. Raises ``InvalidInput`` for what
    is no time.
    """
    if isinstance(error, RetryTask):
        words = "" if error.args[:1] == (None,) else str(error)
        if error.eta is not None:
            return Snooze(words, until=_time(error.eta))
        return Snooze(words, after=default if error.delay is None else _seconds(error.delay))
    if isinstance(error, RateLimitExceeded) and error.retry:
        return Snooze(str(error), after=max(error.delay, 0.0))
    if isinstance(error, CancelExecution) and error.retry:
        return Snooze(str(error), after=default)
    return None


def _time(eta: object) -> datetime:
    if isinstance(eta, datetime):
        return eta.astimezone(UTC)
    raise InvalidInput(("eta",), f"expected a datetime, got {eta!r:.60}; hint the parameter it came by as one")


def _seconds(delay: object) -> float:
    if isinstance(delay, (int, float)):
        return max(float(delay), 0.0)
    raise InvalidInput(("delay",), f"expected seconds, got {delay!r:.60}")


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


def signals_of_snooze(error: BaseException | None) -> list[str]:
    """Return Huey's signals of a job that is put off, ahead of its being scheduled; none for ``Snooze`` itself."""
    if error is None or isinstance(error, Snooze):
        return []
    special = signal_of(error)
    return [signals.SIGNAL_RETRYING] if special is None else [special, signals.SIGNAL_RETRYING]
