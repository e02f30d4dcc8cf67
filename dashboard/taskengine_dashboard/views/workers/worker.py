"""A worker with all that is known of it."""

from dataclasses import dataclass, fields
from typing import Self

from taskengine_dashboard.model.jobs import JobRow
from taskengine_dashboard.model.json_values import Json
from taskengine_dashboard.model.workers import WorkerRow


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker(WorkerRow):
    """One consumer process, what it runs and what it uses."""

    id: str
    cpu_percent: float | None
    """Of one core."""
    memory_bytes: float | None
    jobs: tuple[JobRow, ...]
    """What it runs, longest first."""

    @property
    def may_be_drained(self) -> bool:
        return self.online and not self.draining

    @classmethod
    def read(cls, worker: Json) -> Self:
        row = WorkerRow.read(worker)
        jobs = sorted(map(JobRow.read, worker["runningJobs"]), key=lambda job: -(job.run_seconds or 0))
        return cls(
            **{field.name: getattr(row, field.name) for field in fields(WorkerRow)},
            id=worker["id"],
            cpu_percent=worker["cpuPercent"],
            memory_bytes=worker["memoryBytes"],
            jobs=tuple(jobs),
        )
