"""What holds a queue or a task back on purpose: a number at once, a number in a time."""

from dataclasses import dataclass
from typing import Any, Self

from taskengine_dashboard import wording
from taskengine_dashboard.model.json_values import Json

LIMITS = "concurrencyLimit rateLimit { jobs perSeconds }"
"""Of a ``Queue`` or ``Task``: what ``Limits`` reads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """``None`` is no limit. Both hold over all workers."""

    concurrency: int | None = None
    rate_jobs: int | None = None
    rate_seconds: float | None = None

    @classmethod
    def read(cls, thing: Json) -> Self:
        rate: Json | None = thing["rateLimit"]
        if rate is None:
            return cls(concurrency=thing["concurrencyLimit"])
        return cls(concurrency=thing["concurrencyLimit"], rate_jobs=rate["jobs"], rate_seconds=rate["perSeconds"])

    def input(self) -> dict[str, Any]:
        """Return what a mutation takes: null lifts a limit."""
        rate = {"jobs": self.rate_jobs, "perSeconds": self.rate_seconds} if self.rate_jobs else None
        return {"concurrencyLimit": self.concurrency, "rateLimit": rate}

    def __str__(self) -> str:
        parts: list[str] = []
        if self.concurrency is not None:
            parts.append(f"{wording.count(self.concurrency)} at once")
        if self.rate_jobs is not None and self.rate_seconds is not None:
            every = wording.span(self.rate_seconds).removeprefix("1 ")
            parts.append(f"{wording.count(self.rate_jobs)} per {every}")
        return ", ".join(parts) or "none"
