"""One event loop a process, in a thread of its own: where the coroutines of ``async def`` tasks run, many at once.

The worker thread that took a job waits for its coroutine, so that a worker's
concurrency counts both kinds of tasks alike.
"""

import asyncio
import logging
import os
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from taskengine.worker.interrupts import LoopGate

logger = logging.getLogger("taskengine.worker")

_lock = threading.Lock()
_loop: asyncio.AbstractEventLoop | None = None


def loop() -> asyncio.AbstractEventLoop:
    """Return this process's event loop, which runs."""
    global _loop  # noqa: PLW0603 - one a process is what this module is about
    with _lock:
        if _loop is None:
            _loop = asyncio.new_event_loop()
            threading.Thread(target=_run_forever, args=(_loop,), name="taskengine-loop", daemon=True).start()
        return _loop


def run(gate: LoopGate, start: Callable[[], Awaitable[Any]], seconds: float | None, expire: Callable[[], None]) -> Any:
    """Run a coroutine on the loop, in the caller's context; wait for it and return what it returns.

    ``expire`` is called on the loop after ``seconds``. When the gate cancelled it, its reason is raised.
    """
    future = asyncio.run_coroutine_threadsafe(_supervised(gate, start, seconds, expire), loop())
    result, error = future.result()
    if error is not None:
        raise error
    return result


async def _supervised(
    gate: LoopGate, start: Callable[[], Awaitable[Any]], seconds: float | None, expire: Callable[[], None]
) -> tuple[Any, BaseException | None]:
    """Errors are returned: raised out of a task, some of them would end the loop."""
    task = asyncio.current_task()
    assert task is not None
    gate.attach(task)
    timer = None if seconds is None else asyncio.get_running_loop().call_later(seconds, expire)
    try:
        return await start(), None
    except asyncio.CancelledError as error:
        return None, error if gate.reason is None else gate.reason.with_traceback(error.__traceback__)
    except BaseException as error:  # noqa: BLE001 - judged by the caller
        return None, error
    finally:
        if timer is not None:
            timer.cancel()


def _run_forever(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    while True:
        try:
            loop.run_forever()
        except BaseException:
            # SystemExit in a task that a job's coroutine started and left: the others go on.
            logger.exception("a background task of a job tried to end the event loop")


def _forget_loop() -> None:
    """In a forked child: its parent's loop has no thread here."""
    global _loop, _lock
    _loop, _lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_loop)
