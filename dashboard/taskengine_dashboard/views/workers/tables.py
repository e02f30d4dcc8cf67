"""The tables of the page of workers. Pure."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from taskengine_dashboard import tables, wording
from taskengine_dashboard.model.jobs import JobRow
from taskengine_dashboard.tables import Table
from taskengine_dashboard.views.workers.worker import Worker


def workers(rows: Sequence[Worker], now: datetime) -> Table:
    """Return the workers, as of ``now``; what an offline one used last is no news."""
    return tables.table(
        rows,
        {
            **tables.worker_columns(now),
            "cpu": (tables.TEXT, _cpu),
            "memory": (tables.TEXT, _memory),
            "host": (tables.TEXT, lambda worker: f"{worker.hostname} · {worker.pid}"),
            "version": (tables.TEXT, lambda worker: worker.version),
            "up": (tables.TEXT, lambda worker: wording.seconds((now - worker.started_at).total_seconds())),
            "drain": (tables.CHIPS, lambda worker: [drain(worker, rows)] if worker.may_be_drained else None),
        },
    )


def drain(worker: Worker, workers: Iterable[Worker]) -> str:
    """Return how a worker's button offers to drain it: named, since its row may be another's when that is heard."""
    is_alone = sum(other.name == worker.name for other in workers) == 1
    return f"Drain {worker.name}" if is_alone else f"Drain {worker.name} · {worker.id}"


def drained(said: str, workers: Sequence[Worker]) -> Worker | None:
    """Return which worker such a button is about; ``None`` when it cannot be drained any more."""
    return next((worker for worker in workers if worker.may_be_drained and drain(worker, workers) == said), None)


def slots(rows: Sequence[tuple[Worker, JobRow]]) -> Table:
    """Return what runs, with the worker that runs it."""
    return tables.table(
        rows,
        {
            "job": (tables.TEXT, lambda row: wording.short_id(row[1].id)),
            "task": (tables.TEXT, lambda row: row[1].task),
            "queue": (tables.TEXT, lambda row: row[1].queue),
            "worker": (tables.TEXT, lambda row: row[0].name),
            "ran": (tables.TEXT, lambda row: wording.seconds(row[1].run_seconds)),
            "progress": (tables.NUMBER, lambda row: tables.running_fraction(row[1])),
            "attempt": (tables.TEXT, lambda row: f"{row[1].attempt_count} / {row[1].max_attempts}"),
        },
    )


def _cpu(worker: Worker) -> str | None:
    return f"{worker.cpu_percent:.0f} %" if worker.online and worker.cpu_percent is not None else None


def _memory(worker: Worker) -> str | None:
    return wording.size(worker.memory_bytes) if worker.online and worker.memory_bytes is not None else None
