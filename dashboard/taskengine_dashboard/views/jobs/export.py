"""A page of jobs as a file. Pure."""

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from taskengine_dashboard import wording
from taskengine_dashboard.model.jobs import JobRow

_RISKY = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


def as_csv(jobs: Sequence[JobRow]) -> str:
    """Return one line a job under a line of names; times are ISO 8601 in UTC, durations seconds."""
    out = io.StringIO()
    rows = [_facts(job) for job in jobs]
    writer = csv.DictWriter(out, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows([{name: _cell(value) for name, value in row.items()} for row in rows])
    return out.getvalue()


def as_json(jobs: Sequence[JobRow]) -> str:
    """Return a list of objects, with the same names."""
    return wording.pretty([_facts(job) for job in jobs])


def _facts(job: JobRow) -> dict[str, Any]:
    return {
        "id": job.id,
        "state": job.state,
        "task": job.task,
        "queue": job.queue,
        "priority": job.priority,
        "attemptCount": job.attempt_count,
        "maxAttempts": job.max_attempts,
        "createdAt": _iso(job.created_at),
        "runAt": _iso(job.run_at),
        "startedAt": _iso(job.started_at),
        "finishedAt": _iso(job.finished_at),
        "waitSeconds": job.wait_seconds,
        "runSeconds": job.run_seconds,
        "exception": job.failure.exception if job.failure else None,
        "message": job.failure.message if job.failure else None,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(_RISKY) else value
