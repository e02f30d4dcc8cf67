"""Rows as Arrow tables, which Streamlit sends as they are: ten times cheaper than data frames. Pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar

import pyarrow

from taskengine_dashboard import wording
from taskengine_dashboard.model.jobs import JobRow
from taskengine_dashboard.model.workers import WorkerRow

Row = TypeVar("Row")
_arrow: Any = pyarrow  # it has no types
Table = Any

TEXT: Any = _arrow.string()
WHOLE: Any = _arrow.int64()
NUMBER: Any = _arrow.float64()
CHIPS: Any = _arrow.list_(_arrow.string())
"""A list of words, each drawn as a chip of its colour."""
COURSE: Any = _arrow.list_(_arrow.int64())
"""A list of counts, drawn as a small chart."""
TIME: Any = _arrow.timestamp("ms", tz="UTC")


def table(rows: Sequence[Row], columns: Mapping[str, tuple[Any, Callable[[Row], Any]]]) -> Table:
    """Return rows as a table: each column has a type of this module, and what it is of a row."""
    return _arrow.table(
        {name: _arrow.array([read(row) for row in rows], type_) for name, (type_, read) in columns.items()}
    )


def texts(columns: Mapping[str, Sequence[str]]) -> Table:
    """Return columns of text by title."""
    return _arrow.table({title: _arrow.array(list(values), TEXT) for title, values in columns.items()})


def running_fraction(job: JobRow) -> float | None:
    """Return how far a running job is; a full bar behind every finished one would say nothing."""
    fraction = job.progress.fraction if job.progress and job.state == "RUNNING" else None
    return None if fraction is None else round(fraction, 2)


JOB_COLUMNS: dict[str, tuple[Any, Callable[[JobRow], Any]]] = {
    "job": (TEXT, lambda job: wording.short_id(job.id)),
    "state": (CHIPS, lambda job: [job.state]),
    "task": (TEXT, lambda job: job.task),
    "queue": (TEXT, lambda job: job.queue),
    "progress": (NUMBER, running_fraction),
    "error": (TEXT, lambda job: job.failure.headline if job.failure else None),
    "attempts": (TEXT, lambda job: f"{job.attempt_count} / {job.max_attempts}"),
    "priority": (WHOLE, lambda job: job.priority),
    "created": (TIME, lambda job: job.created_at),
    "due": (TIME, lambda job: job.run_at),
    "finished": (TIME, lambda job: job.finished_at),
    "waited": (TEXT, lambda job: wording.seconds(job.wait_seconds)),
    "ran": (TEXT, lambda job: wording.seconds(job.run_seconds)),
}


def jobs(rows: Sequence[JobRow], names: Sequence[str] = tuple(JOB_COLUMNS)) -> Table:
    """Return jobs, one row each, with every column that any view of them shows, or with those."""
    return table(rows, {name: JOB_COLUMNS[name] for name in names})


def worker_columns(now: datetime) -> dict[str, tuple[Any, Callable[[WorkerRow], Any]]]:
    """Return what every list of workers shows of one, as of ``now``."""
    return {
        "worker": (TEXT, lambda worker: worker.name),
        "state": (CHIPS, lambda worker: [worker.state]),
        "busy": (TEXT, lambda worker: f"{worker.running} / {worker.concurrency}" if worker.online else wording.NOTHING),
        "load": (NUMBER, lambda worker: worker.load),
        "queues": (TEXT, lambda worker: wording.served(worker.queues)),
        "seen": (TEXT, lambda worker: wording.ago(worker.last_heartbeat_at, now)),
    }
