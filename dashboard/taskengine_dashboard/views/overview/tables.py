"""The overview's tables. Pure."""

from collections.abc import Sequence
from datetime import datetime

from taskengine_dashboard import tables, wording
from taskengine_dashboard.model.jobs import JobRow
from taskengine_dashboard.model.queues import QueueRow
from taskengine_dashboard.model.workers import WorkerRow
from taskengine_dashboard.tables import Table

_DEPTHS = ("QUEUED", "RUNNING", "RETRYING", "FAILED")


def failures(rows: Sequence[JobRow]) -> Table:
    """Return the newest failures."""
    return tables.jobs(rows, ("job", "task", "error", "attempts", "finished"))


def queues(rows: Sequence[QueueRow]) -> Table:
    """Return the queues with their depth."""
    return tables.table(
        rows,
        {
            "queue": (tables.TEXT, lambda queue: queue.name),
            **{state.lower(): (tables.WHOLE, lambda queue, state=state: queue.counts.of(state)) for state in _DEPTHS},
            "wait": (tables.TEXT, lambda queue: wording.seconds(queue.oldest_wait_seconds)),
        },
    )


def workers(rows: Sequence[WorkerRow], now: datetime) -> Table:
    """Return the workers with their load, as of ``now``."""
    return tables.table(
        rows,
        {
            "worker": (tables.TEXT, lambda worker: worker.name),
            "state": (tables.CHIPS, lambda worker: ["Online" if worker.online else "Offline"]),
            "busy": (tables.TEXT, _busy),
            "load": (tables.NUMBER, lambda worker: worker.load),
            "queues": (tables.TEXT, lambda worker: wording.served(worker.queues)),
            "seen": (tables.TEXT, lambda worker: wording.ago(worker.last_heartbeat_at, now)),
        },
    )


def _busy(worker: WorkerRow) -> str:
    return f"{worker.running} / {worker.concurrency}" if worker.online else wording.NOTHING
