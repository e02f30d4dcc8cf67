"""What the overview asks, in one question, and the answer with the Arrow tables that are drawn of it."""

from dataclasses import dataclass
from typing import Self

from taskengine_dashboard import tables
from taskengine_dashboard.client import Operation
from taskengine_dashboard.feed import Reading
from taskengine_dashboard.fragments import COUNTS, FRAME, JOB_ROW
from taskengine_dashboard.model.counts import Counts
from taskengine_dashboard.model.frame import Frame
from taskengine_dashboard.model.jobs import JobRow
from taskengine_dashboard.model.json_values import Json
from taskengine_dashboard.model.queues import QueueRow
from taskengine_dashboard.model.workers import WorkerRow
from taskengine_dashboard.source import source
from taskengine_dashboard.views.overview import tables as own_tables

NEWEST_FAILURES = 6

OVERVIEW = Operation(
    "Overview",
    f"""
query Overview($failures: Int!) {{
  counts {COUNTS}
  queues {{ name oldestWaitSeconds counts {COUNTS} }}
  workers {{
    name hostname pid version concurrency online startedAt lastHeartbeatAt
    queues {{ name }}
    runningJobs {{ id }}
  }}
  failures: jobs(first: $failures, filter: {{ states: [FAILED] }}) {{ nodes {{ ...JobRow }} }}
  ...Frame
}}
{JOB_ROW}{FRAME}""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """The answer to ``OVERVIEW``."""

    frame: Frame
    counts: Counts
    queues: tuple[QueueRow, ...]
    workers: tuple[WorkerRow, ...]
    failures: tuple[JobRow, ...]
    queue_table: tables.Table
    worker_table: tables.Table
    failure_table: tables.Table

    @classmethod
    def read(cls, data: Json) -> Self:
        frame = Frame.read(data)
        queues = tuple(QueueRow.read(queue) for queue in data["queues"])
        workers = sorted((WorkerRow.read(worker) for worker in data["workers"]), key=lambda w: (not w.online, w.name))
        failed = (JobRow.read(job) for job in data["failures"]["nodes"])
        failures = sorted(failed, key=lambda job: job.finished_at or job.created_at, reverse=True)
        return cls(
            frame=frame,
            counts=Counts.read(data["counts"]),
            queues=queues,
            workers=tuple(workers),
            failures=tuple(failures),
            queue_table=own_tables.queues(queues),
            worker_table=own_tables.workers(workers, frame.now),
            failure_table=own_tables.failures(failures),
        )


def overview() -> Reading[Overview]:
    """Ask for all that the page shows."""
    return source().read(OVERVIEW, {"failures": NEWEST_FAILURES}, Overview.read)
