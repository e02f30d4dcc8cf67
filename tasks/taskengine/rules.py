"""What holds a queue or a task back: pauses and limits, and how they are said.

Plain data and the codec of what ``lua/fragments/limits.lua`` keeps.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from taskengine.errors import InvalidInput
from taskengine.jobs import check_positive_int
from taskengine.records import instant, text

MAX_CONCURRENCY = 100_000
MAX_RATE_JOBS = 1_000_000
MAX_RATE_SECONDS = 86_400.0
MAX_AGING_SECONDS = 31_622_400.0


class Kind(StrEnum):
    """What a rule is about."""

    QUEUE = "queue"
    TASK = "task"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Nothing more of it starts."""

    at: datetime
    by: str | None
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """At most ``jobs`` starts in ``per_seconds``, as a token bucket: it begins full, so that many may start at once."""

    jobs: int
    per_seconds: float

    def __post_init__(self) -> None:
        check_positive_int(self.jobs, ("rateLimit", "jobs"), at_most=MAX_RATE_JOBS)
        if isinstance(self.per_seconds, bool) or not 0.001 <= self.per_seconds <= MAX_RATE_SECONDS:
            problem = f"expected 0.001 to {MAX_RATE_SECONDS:,.0f} seconds, got {self.per_seconds!r}"
            raise InvalidInput(("rateLimit", "perSeconds"), problem)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much of it may run and start. ``None`` is no limit."""

    concurrency: int | None = None
    rate: Rate | None = None
    per_key: int | None = None
    """Of a task: at once for each concurrency key, in place of what its code says."""


@dataclass(frozen=True, slots=True)
class Keep:
    """Stands for a limit that is left as it is."""


KEEP = Keep()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Every pause and limit, by ``kind`` and name."""

    pauses: dict[tuple[Kind, str], Pause]
    limits: dict[tuple[Kind, str], Limits]
    aging_seconds: float | None = None
    """Waiting so long lifts a job by one priority step; ``None`` for never."""

    def pause_of(self, kind: Kind, name: str) -> Pause | None:
        """Return who paused it, when and why, if anyone did."""
        return self.pauses.get((kind, name))

    def limits_of(self, kind: Kind, name: str) -> Limits:
        """Return its limits."""
        return self.limits.get((kind, name), Limits())


def read_rules(reply: Sequence[Any]) -> Rules:
    """Read what ``list_rules.lua`` returns."""
    pauses, limits = ([text(item) for item in pairs] for pairs in reply[:2])
    return Rules(
        pauses={_field(name): read_pause(json.loads(value)) for name, value in _pairs(pauses)},
        limits={_field(name): _limits(json.loads(value)) for name, value in _pairs(limits)},
        aging_seconds=None if reply[2] is None else int(reply[2]) / 1e6,
    )


def read_pause(data: dict[str, Any]) -> Pause:
    """Read one pause."""
    return Pause(at=instant(data["at"]), by=data["by"] or None, reason=data["reason"] or None)


def concurrency_arg(value: int | Keep | None, name: str = "concurrencyLimit") -> str | int:
    """Return the argument of ``set_limits.lua``; raise ``InvalidInput``."""
    if isinstance(value, Keep):
        return "keep"
    return "" if value is None else check_positive_int(value, (name,), at_most=MAX_CONCURRENCY)


def rate_args(value: Rate | Keep | None) -> tuple[str | int, str | int]:
    """Return the two arguments of ``set_limits.lua``."""
    if isinstance(value, Keep):
        return "keep", ""
    return ("", "") if value is None else (value.jobs, round(value.per_seconds * 1000))


def aging_arg(seconds: object) -> str | int:
    """Return the argument of ``set_aging.lua``; raise ``InvalidInput``."""
    if seconds is None:
        return ""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)) or not 0.001 <= seconds <= MAX_AGING_SECONDS:
        problem = f"expected 0.001 to {MAX_AGING_SECONDS:,.0f} seconds, or None for no aging, got {seconds!r}"
        raise InvalidInput(("seconds",), problem)
    return round(seconds * 1e6)


def _pairs(flat: Sequence[str]) -> list[tuple[str, str]]:
    return list(zip(flat[::2], flat[1::2], strict=True))


def _field(name: str) -> tuple[Kind, str]:
    kind, _, rest = name.partition(":")
    return Kind(kind), rest


def _limits(data: dict[str, Any]) -> Limits:
    rate = Rate(jobs=data["jobs"], per_seconds=data["per_ms"] / 1000) if "jobs" in data else None
    return Limits(concurrency=data.get("concurrency"), rate=rate, per_key=data.get("per_key"))
