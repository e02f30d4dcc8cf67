"""Tasks that say something while they run, beside the universal one.

taskengine up support.talking:engine      (with tests/ on the path)
"""

import threading

from support.universal import engine as universal_engine
from taskengine import Backoff, TaskEngine, current_job

engine = TaskEngine.from_env()
AT_ONCE = Backoff(base_seconds=0.05, factor=1, cap_seconds=0.05, jitter=False)

engine.task(name="universal", backoff=AT_ONCE)(universal_engine.tasks["universal"].func)


@engine.task(name="talk", backoff=AT_ONCE)
def talk(lines: int = 3, ms: int = 0) -> int:
    """Say so many lines, each a while after the one before; the last is a warning."""
    never = threading.Event()
    for number in range(1, lines + 1):
        say = current_job.log.warning if number == lines else current_job.log.info
        say(f"line {number}", of=lines)
        current_job.check()
        never.wait(ms / 1_000)
    return lines
