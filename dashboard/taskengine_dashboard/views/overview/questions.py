"""What the overview asks, in one question, and the answer with the Arrow tables that are drawn of it."""

from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Self

from taskengine_dashboard.client import Operation
from taskengine_dashboard.feed import Reading
from taskengine_dashboard.fragments import COUNTS, FRAME
from taskengine_dashboard.model.counts import Counts
from taskengine_dashboard.model.failures import GROUP_ROW, GroupRow, Span
from taskengine_dashboard.model.frame import Frame
from taskengine_dashboard.model.json_values import Json
from taskengine_dashboard.model.metrics import METRICS, Metrics
from taskengine_dashboard.model.queues import QueueRow
from taskengine_dashboard.model.workers import WorkerRow
from taskengine_dashboard.source import source
from taskengine_dashboard.tables import Table
from taskengine_dashboard.views.overview import tables

GROUPS = 6
ROWS = 8
"""Queues, and workers: what one looks for among more than these is on their own pages."""

OVERVIEW = Operation(
    "Overview",
    f"""
query Overview($window: MetricsWindow!, $span: FailureWindow!, $groups: Int!) {{
  counts {COUNTS}
  metrics(window: $window) {{ ...Metrics }}
  queues {{ name paused oldestWaitSeconds counts {COUNTS} }}
  workers {{
    name hostname pid version concurrency online draining startedAt lastHeartbeatAt
    queues {{ name }}
    runningJobs {{ id state }}
  }}
  failureGroups(first: $groups) {{ totalCount nodes {{ ...GroupRow }} }}
  ...Frame
}}
{METRICS}{GROUP_ROW}{FRAME}""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The answer to ``OVERVIEW``."""

    frame: Frame
    counts: Counts
    metrics: Metrics
    queues: tuple[QueueRow, ...]
    workers: tuple[WorkerRow, ...]
    groups: tuple[GroupRow, ...]
    group_count: int
    queue_table: Table
    """The deepest ``ROWS``."""
    worker_table: Table
    """The first ``ROWS``, those online before others."""
    group_table: Table
    _series: dict[tzinfo, Table] = field(default_factory=dict[tzinfo, Table], repr=False, compare=False)

    @classmethod
    def read(cls, data: Json) -> Self:
        frame, metrics = Frame.read(data), Metrics.read(data["metrics"])
        queues = sorted(
            (QueueRow.read(queue) for queue in data["queues"]), key=lambda q: (-q.counts.of("QUEUED"), q.name)
        )
        workers = sorted(map(WorkerRow.read, data["workers"]), key=lambda w: (not w.online, w.name))
        groups = tuple(GroupRow.read(group) for group in data["failureGroups"]["nodes"])
        return cls(
            frame=frame,
            counts=Counts.read(data["counts"]),
            metrics=metrics,
            queues=tuple(queues),
            workers=tuple(workers),
            groups=groups,
            group_count=data["failureGroups"]["totalCount"],
            queue_table=tables.queues(queues[:ROWS]),
            worker_table=tables.workers(workers[:ROWS], frame.now),
            group_table=tables.groups(groups, frame.now),
        )

    def series_table(self, zone: tzinfo) -> Table:
        """Return what happened in each part of the window; made once for all viewers in a time zone."""
        if zone not in self._series:
            self._series[zone] = tables.series(self.metrics.series, zone)
        return self._series[zone]

    @property
    def slots(self) -> int:
        """Jobs that can run at once."""
        return sum(worker.concurrency for worker in self.workers if worker.online)

    @property
    def oldest_wait_seconds(self) -> float | None:
        """How long the oldest ready job of all queues has waited."""
        return max((queue.oldest_wait_seconds or 0 for queue in self.queues), default=None) or None


def overview(window: str, span: Span) -> Reading[Overview]:
    """Ask for all that the page shows."""
    return source().read(OVERVIEW, {"window": window, "span": span, "groups": GROUPS}, Overview.read)
