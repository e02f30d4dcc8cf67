"""What the page of queues asks, in one question."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from taskengine_dashboard.client import Operation
from taskengine_dashboard.feed import Reading
from taskengine_dashboard.fragments import COUNTS, FRAME
from taskengine_dashboard.model.frame import Frame
from taskengine_dashboard.model.json_values import Json, maybe_moment
from taskengine_dashboard.model.limits import LIMITS, Limits
from taskengine_dashboard.model.metrics import METRICS, Metrics
from taskengine_dashboard.model.queues import QueueRow
from taskengine_dashboard.source import source

QUEUES = Operation(
    "Queues",
    f"""
query Queues($window: MetricsWindow!) {{
  queues {{
    name paused pausedAt pausedBy pauseReason oldestWaitSeconds {LIMITS}
    counts {COUNTS}
    workers {{ name online }}
    metrics(window: $window) {{ ...Metrics }}
  }}
  ...Frame
}}
{METRICS}{FRAME}""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue(QueueRow):
    """One queue with all that is known of it."""

    paused_at: datetime | None
    paused_by: str | None
    pause_reason: str | None
    limits: Limits
    workers: tuple[str, ...]
    """Those online that serve it."""
    metrics: Metrics

    @classmethod
    def read(cls, queue: Json) -> Self:
        row = QueueRow.read(queue)
        return cls(
            name=row.name,
            counts=row.counts,
            oldest_wait_seconds=row.oldest_wait_seconds,
            paused=row.paused,
            paused_at=maybe_moment(queue["pausedAt"]),
            paused_by=queue["pausedBy"],
            pause_reason=queue["pauseReason"],
            limits=Limits.read(queue),
            workers=tuple(worker["name"] for worker in queue["workers"] if worker["online"]),
            metrics=Metrics.read(queue["metrics"]),
        )

    @property
    def waits_for_nobody(self) -> bool:
        """Whether it has work and no worker that would take it."""
        return not self.workers and bool(self.counts.of("QUEUED"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Queues:
    """The answer to ``QUEUES``: first what needs somebody, then the deepest."""

    frame: Frame
    queues: tuple[Queue, ...]

    @classmethod
    def read(cls, data: Json) -> Self:
        queues = sorted(
            map(Queue.read, data["queues"]),
            key=lambda q: (not q.waits_for_nobody, not q.paused, -q.counts.of("QUEUED"), q.name),
        )
        return cls(frame=Frame.read(data), queues=tuple(queues))


def queues(window: str) -> Reading[Queues]:
    """Ask for all that the page shows."""
    return source().read(QUEUES, {"window": window}, Queues.read)
