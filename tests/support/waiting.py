"""Waiting for a condition, instead of sleeping and hoping."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], timeout: float = 10.0, message: str = "", every: float = 0.02) -> T:
    """Return what ``condition`` returns once that is true; fail after ``timeout`` seconds, saying what came last."""
    deadline = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(_too_late(timeout, message, value))
        time.sleep(every)
    return value


async def until(condition: Callable[[], Awaitable[T]], timeout: float = 10.0, message: str = "") -> T:
    """As ``wait_until``, for a coroutine function; other tasks run meanwhile."""
    deadline = time.monotonic() + timeout
    while not (value := await condition()):
        if time.monotonic() > deadline:
            raise AssertionError(_too_late(timeout, message, value))
        await asyncio.sleep(0.02)
    return value


def _too_late(timeout: float, message: str, value: object) -> str:
    return f"after {timeout:g} s still not so: {message or 'the condition'} (last: {value!r})"
