"""Tasks for what may happen while a task runs: coroutines, ones that do not stop, ones that go on where they were.

taskengine worker support.running:engine      (with tests/ on the path)
"""

import asyncio
import logging
import os
import signal
import threading
import time
from pathlib import Path

from support.ledger import Ledger
from support.universal import engine as universal_engine
from taskengine import Backoff, TaskEngine, current_job

engine = TaskEngine.from_env()
AT_ONCE = Backoff(base_seconds=0.05, factor=1, cap_seconds=0.05, jitter=False)
logger = logging.getLogger("shop")

engine.task(name="universal", backoff=AT_ONCE)(universal_engine.tasks["universal"].func)


@engine.task(name="coroutine", backoff=AT_ONCE)
async def coroutine(ms: int = 0, ledger: str | None = None) -> str:
    """Wait, and tell in the ledger when it was ended before its time."""
    try:
        await asyncio.sleep(ms / 1000)
    except asyncio.CancelledError:
        if ledger:
            Ledger(Path(ledger)).note("end", current_job.id, current_job.attempt)
        raise
    return current_job.id


@engine.task(name="busy", backoff=AT_ONCE)
def busy(seconds: float = 60) -> None:
    """Work in Python, and ask nothing."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        sum(range(1_000))


@engine.task(name="stubborn", backoff=AT_ONCE)
def stubborn() -> None:
    """Never stop, whatever is raised."""
    never = threading.Event()
    while True:
        try:
            never.wait(0.05)
        except Exception:  # noqa: BLE001 - what it is about
            logger.warning("not now")


@engine.task(name="walk", backoff=AT_ONCE)
def walk(steps: int, ledger: str, kill_after: int) -> list[int]:
    """Go one step after another, each once over all runs; the first run is killed on its way."""
    book = Ledger(Path(ledger))
    first_run = not book.starts(current_job.id)
    book.note("start", current_job.id, current_job.attempt)
    begun_at = current_job.checkpointed or 0
    taken: list[int] = []
    for step in range(begun_at, steps):
        taken.append(step)
        current_job.log.info("step", number=step)
        current_job.checkpoint(step + 1)
        if first_run and step + 1 == kill_after:
            threading.Event().wait(1.0)  # what was said is sent within a second
            os.kill(os.getpid(), signal.SIGKILL)
    return taken
