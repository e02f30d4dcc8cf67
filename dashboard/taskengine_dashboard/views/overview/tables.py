"""The overview's tables. Pure."""

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from taskengine_dashboard import charts, tables, wording
from taskengine_dashboard.model.failures import GroupRow
from taskengine_dashboard.model.metrics import Point
from taskengine_dashboard.model.queues import QueueRow
from taskengine_dashboard.model.workers import WorkerRow
from taskengine_dashboard.tables import Table

_GAP = 0.15
"""Between two bars, as a part of what each stands for."""


def series(points: Sequence[Point], zone: tzinfo) -> Table:
    """Return what happened in each part of the window, by the clocks of a zone."""
    length = points[1].at - points[0].at if len(points) > 1 else timedelta(seconds=1)
    return tables.table(
        points,
        {
            charts.TIME: (tables.TIME, lambda point: charts.wall_clock(point.at, zone)),
            charts.UNTIL: (tables.TIME, lambda point: charts.wall_clock(point.at, zone) + length * (1 - _GAP)),
            charts.COMPLETED.column: (tables.WHOLE, lambda point: point.completed),
            charts.FAILED.column: (tables.WHOLE, lambda point: point.failed),
            charts.WAIT_P95.column: (tables.NUMBER, lambda point: point.wait_p95),
            charts.RUN_P95.column: (tables.NUMBER, lambda point: point.run_p95),
        },
    )


def groups(rows: Sequence[GroupRow], now: datetime) -> Table:
    """Return problems, as of ``now``."""
    return tables.table(
        rows,
        {
            "task": (tables.TEXT, lambda group: group.task),
            "problem": (tables.TEXT, lambda group: group.headline),
            "place": (tables.TEXT, lambda group: group.location),
            "course": (tables.COURSE, lambda group: [point.count for point in group.course]),
            "failed": (tables.WHOLE, lambda group: group.failed),
            "count": (tables.WHOLE, lambda group: group.count),
            "last": (tables.TEXT, lambda group: wording.ago(group.last_at, now)),
            "first": (tables.TEXT, lambda group: wording.ago(group.first_at, now)),
            "sample": (tables.TEXT, lambda group: wording.short_id(group.sample) if group.sample else None),
        },
    )


def queues(rows: Sequence[QueueRow]) -> Table:
    """Return the queues with their depth."""
    return tables.table(
        rows,
        {
            "queue": (tables.TEXT, lambda queue: queue.name),
            "state": (tables.CHIPS, lambda queue: ["Paused"] if queue.paused else []),
            "queued": (tables.WHOLE, lambda queue: queue.counts.of("QUEUED")),
            "wait": (tables.TEXT, lambda queue: wording.seconds(queue.oldest_wait_seconds)),
            "running": (tables.WHOLE, lambda queue: queue.counts.of("RUNNING")),
            "retrying": (tables.WHOLE, lambda queue: queue.counts.of("RETRYING")),
            "failed": (tables.WHOLE, lambda queue: queue.counts.of("FAILED")),
        },
    )


def workers(rows: Sequence[WorkerRow], now: datetime) -> Table:
    """Return the workers with their load, as of ``now``."""
    return tables.table(rows, tables.worker_columns(now))
