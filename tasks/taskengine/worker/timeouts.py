"""When an attempt has had its time: an alarm in the process itself, and what a parent needs to see to it from outside.

The alarm is a signal, so it interrupts Python code and blocking calls, but
not C code that keeps the interpreter, nor a task that swallows the exception.
It rings until it is heard: one that comes into a finalizer is not.
For those a worker's parent looks at the deadlines of its children.
"""

import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import astuple, dataclass
from typing import Any

from huey.exceptions import TaskTimeout

_AGAIN_SECONDS = 0.25

DEAF_SECONDS = 3.0
"""A child that was told to stop a job and has not for so long is killed."""


@dataclass(frozen=True, slots=True)
class Deadline:
    """By when an attempt is to have ended, for another process."""

    job_id: str
    lease: str
    seconds: float
    """How much time it had."""
    at: float
    """By ``time.monotonic()``, which the processes of a machine share."""
    retry_ms: int | None
    """After how long it is tried again; ``None`` when its task does not do so."""

    def as_list(self) -> list[Any]:
        """Return what a board can hold."""
        return list(astuple(self))


def timed_out(seconds: float) -> TaskTimeout:
    """Return what is raised into a task whose time is over."""
    return TaskTimeout(f"timeout ({seconds:g}s)")


@contextmanager
def alarm(seconds: float | None, ring: Callable[[], None]) -> Generator[None]:
    """Have ``ring`` called in this thread, the main one, after so many seconds and from then on, until left."""
    if seconds is None:
        yield
        return
    before = signal.signal(signal.SIGALRM, lambda _number, _frame: ring())
    signal.setitimer(signal.ITIMER_REAL, seconds, _AGAIN_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
