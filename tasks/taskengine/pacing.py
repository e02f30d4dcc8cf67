"""Going through every key of a live namespace in small steps, so that Redis has time for others between two."""

import time
from collections.abc import Callable, Iterator
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from taskengine.keys import Keys
from taskengine.records import text
from taskengine.scripts import ours

PAGE = 500
"""Keys that one SCAN asks for."""


class Pace:
    """Takes steps, and rests after each for as long as it took, times ``rest``."""

    def __init__(self, rest: float = 0.0) -> None:
        self._rest = rest

    def __call__(self, step: Callable[[], Any]) -> Any:
        """Take a step, then rest. Raises ``RedisUnavailable`` when Redis does not let it."""
        begun = time.perf_counter()
        try:
            return step()
        except RedisError as error:
            raise ours(error) from None
        finally:
            if self._rest:
                time.sleep(self._rest * (time.perf_counter() - begun))


def key_pages(redis: Redis, keys: Keys, pace: Pace) -> Iterator[list[tuple[str, str]]]:
    """Yield every key of a namespace, as its kind and the rest of its name; some may come twice."""
    pattern = "".join(f"[{one}]" if one in "[]*?^\\" else one for one in keys.prefix) + "*"
    cursor = 0
    while True:
        cursor, found = pace(lambda at=cursor: redis.scan(at, match=pattern, count=PAGE))
        names = [text(key).removeprefix(keys.prefix).partition(":") for key in found]
        yield [(kind, name) for kind, _, name in names]
        if not cursor:
            return
