"""The table of schedules. Pure."""

from collections.abc import Sequence
from datetime import datetime

from taskengine_dashboard import tables, wording
from taskengine_dashboard.tables import Table
from taskengine_dashboard.views.schedules.choices import choices, item
from taskengine_dashboard.views.schedules.schedule import Schedule


def schedules(rows: Sequence[Schedule], now: datetime, *, may_change: bool) -> Table:
    """Return the schedules as of ``now``, with what the viewer may do with each."""
    return tables.table(
        rows,
        {
            "schedule": (tables.TEXT, lambda schedule: schedule.name),
            "when": (tables.TEXT, lambda schedule: schedule.summary),
            "task": (tables.TEXT, lambda schedule: schedule.task),
            "state": (tables.CHIPS, lambda schedule: [schedule.state]),
            "next": (tables.TIME, lambda schedule: schedule.next_run_at),
            "outcome": (tables.CHIPS, lambda schedule: [schedule.last_job.state] if schedule.last_job else None),
            "last": (tables.TEXT, lambda schedule: _last(schedule, now)),
            "job": (
                tables.TEXT,
                lambda schedule: wording.short_id(schedule.last_job.id) if schedule.last_job else None,
            ),
            "zone": (tables.TEXT, lambda schedule: schedule.timezone),
            "origin": (tables.TEXT, lambda schedule: "Code" if schedule.declared else "Dashboard or API"),
            "actions": (
                tables.CHIPS,
                lambda schedule: [item(schedule, one) for one in choices(schedule, may_change=may_change)],
            ),
        },
    )


def _last(schedule: Schedule, now: datetime) -> str | None:
    return wording.ago(schedule.last_job.created_at, now) if schedule.last_job else None
