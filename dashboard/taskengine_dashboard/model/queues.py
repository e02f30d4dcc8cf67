"""A queue as lists show it."""

from dataclasses import dataclass
from typing import Self

from taskengine_dashboard.model.counts import Counts
from taskengine_dashboard.model.json_values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRow:
    """One queue: how deep it is, and how long its oldest ready job has waited."""

    name: str
    counts: Counts
    oldest_wait_seconds: float | None = None
    paused: bool = False

    @classmethod
    def read(cls, queue: Json) -> Self:
        return cls(
            name=queue["name"],
            counts=Counts.read(queue["counts"]),
            oldest_wait_seconds=queue.get("oldestWaitSeconds"),
            paused=queue.get("paused", False),
        )
