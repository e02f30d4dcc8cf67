"""One task that does what its arguments say, so that a test reads as its rule.

    taskengine worker support.universal:engine      (with tests/ on the path)

Each run leaves a line in a ledger file when it starts and one when it ends:
``support.ledger`` reads them.
"""

import os
import signal
import threading
import time
from pathlib import Path
from typing import Literal

from pydantic import JsonValue

from support.ledger import Ledger
from taskengine import Backoff, TaskEngine, current_job

Do = Literal["OK", "FAIL", "FAIL_ONCE", "KILL", "KILL_ONCE", "HANG", "HOG", "UNUSABLE"]
ERRORS: dict[str, type[Exception]] = {
    error.__name__: error for error in (ValueError, RuntimeError, OSError, ConnectionError, KeyError)
}

engine = TaskEngine.from_env()


@engine.task(
    name="universal",
    max_attempts=3,
    fail_on=(KeyError,),
    backoff=Backoff(base_seconds=0.05, factor=1, cap_seconds=0.05, jitter=False),
)
def universal(
    do: Do = "OK",
    *,
    value: JsonValue = None,
    error: Literal["ValueError", "RuntimeError", "OSError", "ConnectionError", "KeyError"] = "ValueError",
    message: str = "as told",
    ms: int = 0,
    steps: int = 0,
    ledger: str | None = None,
) -> JsonValue:
    """Do as told.

    OK          return ``value``
    FAIL        raise ``error`` with ``message``; a KeyError is never retried
    FAIL_ONCE   FAIL at the first attempt, OK from the second on
    KILL        kill the process that runs it
    KILL_ONCE   KILL in the first run that ``ledger`` knows of, OK from the second on
    HANG        hold until asked to stop, looking every 20 ms; ends by JobCancelled
    HOG         hold the GIL for about ``ms`` in one piece, as C code does
    UNUSABLE    return what JSON cannot say

    First it takes ``ms`` milliseconds, deaf to cancelling; with ``steps`` it reports progress so
    often meanwhile, and stops there when cancelled. ``ledger`` is the path of the ledger file.
    """
    book = Ledger(Path(ledger)) if ledger else None
    if do == "KILL_ONCE" and book is None:
        raise ValueError("KILL_ONCE needs a ledger: nothing else remembers the first run")
    runs_before = len(book.starts(current_job.id)) if book and do == "KILL_ONCE" else 0
    if book:
        book.note("start", current_job.id, current_job.attempt)
    try:
        return _do(do, value, error=ERRORS[error](message), ms=ms, steps=steps, runs_before=runs_before)
    finally:
        if book:
            book.note("end", current_job.id, current_job.attempt)


def _do(do: Do, value: JsonValue, *, error: Exception, ms: int, steps: int, runs_before: int) -> JsonValue:
    if do == "HOG":
        _hog(ms)
    else:
        _take(ms, steps)
    if do == "KILL" or (do == "KILL_ONCE" and runs_before == 0):
        os.kill(os.getpid(), signal.SIGKILL)
    if do == "FAIL" or (do == "FAIL_ONCE" and current_job.attempt == 1):
        raise error
    if do == "HANG":
        _hang()
    if do == "UNUSABLE":
        return object()  # pyright: ignore[reportReturnType]: what the test is about
    return value


def _take(ms: int, steps: int) -> None:
    never = threading.Event()
    if not steps:
        never.wait(ms / 1000)
        return
    for step in range(1, steps + 1):
        never.wait(ms / 1000 / steps)
        current_job.progress(step, total=steps, message=f"step {step}")


def _hang() -> None:
    never = threading.Event()
    while True:
        current_job.check()
        never.wait(0.02)


def _hog(ms: int) -> None:
    """One call into C, sized by a small one before it."""
    sample = 200_000
    begun = time.perf_counter()
    sum(range(sample))
    seconds = time.perf_counter() - begun
    sum(range(int(sample * ms / 1000 / seconds)))
