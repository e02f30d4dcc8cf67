"""Rows as Arrow tables, which Streamlit sends as they are: ten times cheaper than data frames. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import pyarrow

from taskengine_dashboard import wording
from taskengine_dashboard.model import JobRow, QueueRow, WorkerRow

_arrow: Any = pyarrow  # it has no types
Table = Any


def _running_fraction(job: JobRow) -> float | None:
    """Return how far a running job is; a full bar behind every finished one would say nothing."""
    fraction = job.progress.fraction if job.progress and job.state == "RUNNING" else None
    return None if fraction is None else round(fraction, 2)


_NAMED_QUEUES = 2
_CHIPS = _arrow.list_(_arrow.string())
_TIME = _arrow.timestamp("ms", tz="UTC")
_COLUMNS: dict[str, tuple[Any, Callable[[JobRow], Any]]] = {
    "job": (_arrow.string(), lambda job: wording.short_id(job.id)),
    "state": (_CHIPS, lambda job: [job.state]),
    "task": (_arrow.string(), lambda job: job.task),
    "queue": (_arrow.string(), lambda job: job.queue),
    "progress": (_arrow.float64(), _running_fraction),
    "error": (_arrow.string(), lambda job: job.failure.headline if job.failure else None),
    "attempts": (_arrow.string(), lambda job: f"{job.attempt_count} / {job.max_attempts}"),
    "priority": (_arrow.int64(), lambda job: job.priority),
    "created": (_TIME, lambda job: job.created_at),
    "due": (_TIME, lambda job: job.run_at),
    "finished": (_TIME, lambda job: job.finished_at),
    "waited": (_arrow.string(), lambda job: wording.seconds(job.wait_seconds)),
    "ran": (_arrow.string(), lambda job: wording.seconds(job.run_seconds)),
}


def jobs(rows: Sequence[JobRow]) -> Table:
    """Return a page of jobs, one row each, with every column that any view of it shows."""
    return _table(rows, tuple(_COLUMNS))


def failures(rows: Sequence[JobRow]) -> Table:
    """Return the newest failures as the overview lists them."""
    return _table(rows, ("job", "task", "error", "attempts", "finished"))


def queues(rows: Sequence[QueueRow]) -> Table:
    """Return the queues with their depth."""
    depths = ("QUEUED", "RUNNING", "RETRYING", "FAILED")
    return _arrow.table(
        {
            "queue": _texts(queue.name for queue in rows),
            **{state.lower(): _arrow.array([q.counts.of(state) for q in rows], _arrow.int64()) for state in depths},
            "wait": _texts(wording.seconds(queue.oldest_wait_seconds) for queue in rows),
        }
    )


def workers(rows: Sequence[WorkerRow], now: datetime) -> Table:
    """Return the workers with their load, as of ``now``."""
    return _arrow.table(
        {
            "worker": _texts(worker.name for worker in rows),
            "state": _arrow.array([["Online" if worker.online else "Offline"] for worker in rows], _CHIPS),
            "busy": _texts(f"{w.running} / {w.concurrency}" if w.online else wording.NOTHING for w in rows),
            "load": _arrow.array([_load(worker) for worker in rows], _arrow.float64()),
            "queues": _texts(_served(worker.queues) for worker in rows),
            "seen": _texts(wording.ago(worker.last_heartbeat_at, now) for worker in rows),
        }
    )


def texts(columns: Mapping[str, Sequence[str]]) -> Table:
    """Return columns of text by title."""
    return _arrow.table({title: _texts(values) for title, values in columns.items()})


def _load(worker: WorkerRow) -> float:
    return min(worker.running / worker.concurrency, 1.0) if worker.online and worker.concurrency else 0.0


def _served(queues: Sequence[str]) -> str:
    if "*" in queues:
        return "all"
    named, others = queues[:_NAMED_QUEUES], queues[_NAMED_QUEUES:]
    return ", ".join(named) + (f" + {len(others)}" if others else "")


def _texts(values: Iterable[str]) -> Any:
    return _arrow.array(list(values), _arrow.string())


def _table(rows: Sequence[JobRow], names: Sequence[str]) -> Table:
    columns = {name: _COLUMNS[name] for name in names}
    return _arrow.table(
        {name: _arrow.array([read(row) for row in rows], type_) for name, (type_, read) in columns.items()}
    )
