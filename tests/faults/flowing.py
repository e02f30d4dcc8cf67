"""Tasks that follow one another, slow enough to be killed in between.

taskengine worker faults.flowing:engine      (with tests/ on the path)
"""

import time

from taskengine import Backoff, TaskEngine

engine = TaskEngine.from_env()
_AT_ONCE = Backoff(base_seconds=0, jitter=False)


@engine.task(max_attempts=3, backoff=_AT_ONCE)
def step(a: int, b: int = 1) -> int:
    """Add, slowly."""
    time.sleep(0.02)
    return a + b


@engine.task()
def total(values: list[int]) -> int:
    """Add up."""
    return sum(values)
