"""Tasks that tell Redis when they begin and end, by Redis's own clock.

taskengine worker limited:engine      (with tests/ and tests/faults/ on the path)
"""

import time

from redis import Redis

from support.stopwatch import Stopwatch
from taskengine import TaskEngine, current_job

engine = TaskEngine.from_env()
_redis = Redis.from_url(str(engine.settings.redis_url), decode_responses=True)
stopwatch = Stopwatch(_redis)


@engine.task(name="hold")
def hold(ms: int, *, key: str = "") -> None:
    """Take a while."""
    with stopwatch.run(current_job.id, key):
        time.sleep(ms / 1000)


@engine.task(name="hold_key", concurrency_key=lambda key, **_: key, concurrency_per_key=2)
def hold_key(ms: int, key: str) -> None:
    """Take a while; at most two of a key at once."""
    with stopwatch.run(current_job.id, key):
        time.sleep(ms / 1000)


@engine.task(name="chatter")
def chatter(seconds: float) -> None:
    """Report progress as fast as one can."""
    until, said = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        said += 1
        current_job.progress(said, message=str(said))
