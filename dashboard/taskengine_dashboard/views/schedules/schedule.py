"""A schedule with all that its page shows."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from taskengine_dashboard.model.jobs import JobRow
from taskengine_dashboard.model.json_values import Json, maybe_moment

SCHEDULE_STATES = {"Enabled": "#2fa36b47", "Disabled": "#8a93a34d"}
"""How a schedule stands, and the colour of its chip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One periodic enqueue. Of ``cron`` and ``every_seconds`` one is set, or neither where another rule holds."""

    id: str
    name: str
    task: str
    summary: str
    cron: str | None
    every_seconds: float | None
    timezone: str
    args: Json
    enabled: bool
    declared: bool
    """Code declares it: then it is changed there, and only disabled here."""
    next_run_at: datetime | None
    last_job: JobRow | None

    @classmethod
    def read(cls, schedule: Json) -> Self:
        job = schedule["lastJob"]
        return cls(
            id=schedule["id"],
            name=schedule["name"],
            task=schedule["task"]["name"],
            summary=schedule["summary"],
            cron=schedule["cron"],
            every_seconds=schedule["everySeconds"],
            timezone=schedule["timezone"],
            args=schedule["args"],
            enabled=schedule["enabled"],
            declared=schedule["declared"],
            next_run_at=maybe_moment(schedule["nextRunAt"]),
            last_job=JobRow.read(job) if job is not None else None,
        )

    @property
    def state(self) -> str:
        return "Enabled" if self.enabled else "Disabled"
