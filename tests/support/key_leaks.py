"""Which Redis keys would stay for ever although nothing removes them."""

import re

from redis import Redis

PERMANENT = frozenset(
    {
        "attempts",
        "catalogue",
        "catalogue_version",
        "checkpoint",
        "clock",
        "events",
        "finished",
        "heads",
        "heartbeats",
        "job",
    }
    | {
        "budget",
        "bulk",
        "bulking",
        "bulks",
        "dependencies",
        "dependents",
        "expiring",
        "idempotency",
        "key_limits",
        "keyed",
        "parked",
        "parked_jobs",
        "parked_keys",
        "limits",
        "paused",
        "resolving",
    }
    | {"audit", "failed", "api_keys", "api_keys_used"}
    | {"counter", "data", "revoked"}  # an application's own, and one field a task
    | {
        "lane",
        "lanes",
        "leases",
        "logs",
        "queues",
        "ready",
        "schedule",
        "schedule_jobs",
        "schedules",
        "tagged",
        "waiting",
        "workers",
        "draining",
        "aging",
        "rescoring",
    }
)
"""Kinds of keys that live as long as what they are about: the scripts and retention remove them."""

_OURS = re.compile(r"te:\{[^}]+\}:(\w+)(:.*)?", re.DOTALL)


def leaked_keys(redis: Redis) -> list[str]:
    """Return every key without an end that is not of a permanent kind, in order."""
    keys = [key for key in redis.scan_iter(count=1000) if not _is_permanent(key)]
    return sorted(key for key in keys if redis.ttl(key) == -1)


def _is_permanent(key: str) -> bool:
    ours = _OURS.fullmatch(key)
    return ours is not None and ours[1] in PERMANENT
