"""Letting time pass for what was counted: Redis's clock cannot be set, but its slots can be moved back."""

from redis import Redis

from support.jobs import KEYS
from taskengine.metrics import Metrics, MetricsWindow, read_metrics


def metrics(
    redis: Redis, window: MetricsWindow = MetricsWindow.MINUTE, *, task: str | None = None, queue: str | None = None
) -> Metrics:
    """What was counted over a window."""
    return read_metrics(KEYS, window, task=task, queue=queue).run(redis)


def age(redis: Redis, seconds: int) -> None:
    """Let what was counted so far be older by some seconds; longer slots, by as much as they divide of that."""
    for key in slots(redis):
        kind, length, start = key.removeprefix(_PREFIX).rpartition(":")[0], *key.rsplit(":", 2)[1:]
        earlier = int(start) - seconds // int(length) * int(length)
        is_open = kind.startswith("open")
        redis.rename(key, (KEYS.metrics_open if is_open else KEYS.metrics)(length, earlier))
        if is_open:
            redis.hset(KEYS.metrics_slots, length, earlier)


def slots(redis: Redis) -> list[str]:
    """The keys of all slots, the oldest of each length first."""
    found = [str(key) for key in redis.scan_iter(count=1000) if str(key).startswith(_PREFIX)]
    return sorted(key for key in found if key not in {KEYS.metrics_slots, KEYS.metrics_totals})


_PREFIX = KEYS.metrics("", "")[:-1]
