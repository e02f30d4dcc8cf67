"""What the page of workers asks, in one question, and the answer with the Arrow tables that are drawn of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from taskengine_dashboard.client import Operation
from taskengine_dashboard.feed import Reading
from taskengine_dashboard.fragments import FRAME, JOB_ROW
from taskengine_dashboard.model.frame import Frame
from taskengine_dashboard.model.jobs import JobRow
from taskengine_dashboard.model.json_values import Json
from taskengine_dashboard.source import source
from taskengine_dashboard.tables import Table
from taskengine_dashboard.views.workers import tables
from taskengine_dashboard.views.workers.worker import Worker

WORKERS = Operation(
    "Workers",
    f"""
query Workers {{
  workers {{
    id name hostname pid version concurrency online draining startedAt lastHeartbeatAt cpuPercent memoryBytes
    queues {{ name }}
    runningJobs {{ ...JobRow }}
  }}
  ...Frame
}}
{JOB_ROW}{FRAME}""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workers:
    """The answer to ``WORKERS``: those online first."""

    frame: Frame
    workers: tuple[Worker, ...]
    table: Table
    slot_table: Table

    @classmethod
    def read(cls, data: Json) -> Self:
        frame = Frame.read(data)
        workers = sorted(map(Worker.read, data["workers"]), key=lambda w: (not w.online, w.draining, w.name))
        return cls(
            frame=frame,
            workers=tuple(workers),
            table=tables.workers(workers, frame.now),
            slot_table=tables.slots(_busy_slots(workers)),
        )

    @property
    def running(self) -> list[JobRow]:
        """Jobs that run now, in the order of ``slot_table``."""
        return [job for _, job in _busy_slots(self.workers)]


def _busy_slots(workers: Sequence[Worker]) -> list[tuple[Worker, JobRow]]:
    """Return what runs: what a worker held when it was last heard of may have ended since, or run elsewhere by now."""
    return [(worker, job) for worker in workers if worker.online for job in worker.jobs if job.state == "RUNNING"]


def workers() -> Reading[Workers]:
    """Ask for all that the page shows."""
    return source().read(WORKERS, None, Workers.read)
