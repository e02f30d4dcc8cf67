"""What the list of jobs asks: one page of it, and the counts around it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Self

from taskengine_dashboard import tables
from taskengine_dashboard.client import Operation
from taskengine_dashboard.feed import Reading
from taskengine_dashboard.fragments import COUNTS, FRAME, JOB_ROW
from taskengine_dashboard.jobs_query import JobsQuery
from taskengine_dashboard.model.bulks import BULK_ROW, BulkRow
from taskengine_dashboard.model.counts import Counts
from taskengine_dashboard.model.frame import Frame
from taskengine_dashboard.model.jobs import JobRow
from taskengine_dashboard.model.json_values import Json
from taskengine_dashboard.source import source

JOBS = Operation(
    "Jobs",
    f"""
query Jobs($first: Int, $after: String, $last: Int, $before: String, $filter: JobFilter, $orderBy: JobOrder!) {{
  jobs(first: $first, after: $after, last: $last, before: $before, filter: $filter, orderBy: $orderBy) {{
    totalCount
    scannedCount
    pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
    nodes {{ ...JobRow }}
  }}
  counts {COUNTS}
  queues {{ name counts {COUNTS} }}
  tasks {{ name counts {COUNTS} }}
  bulkOperations {{ ...BulkRow }}
  ...Frame
}}
{JOB_ROW}{BULK_ROW}{FRAME}""",
)

OFFERS = Operation(
    "JobFilters",
    """
query JobFilters {
  schedules { id name }
  failureGroups(first: 100) { nodes { id exception summary task { name } } }
}
""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsPage:
    """The answer to ``JOBS``."""

    frame: Frame
    jobs: tuple[JobRow, ...]
    table: tables.Table
    total: int | None
    scanned: int | None
    """Jobs looked at, when that was enough and there may be more."""
    has_previous: bool
    has_next: bool
    start_cursor: str | None
    end_cursor: str | None
    counts: Counts
    by_queue: Mapping[str, Counts]
    by_task: Mapping[str, Counts]
    bulks: tuple[BulkRow, ...]
    """The newest changes to many jobs, whoever asked for them."""

    @classmethod
    def read(cls, data: Json) -> Self:
        page = data["jobs"]
        jobs = tuple(JobRow.read(job) for job in page["nodes"])
        return cls(
            frame=Frame.read(data),
            jobs=jobs,
            table=tables.jobs(jobs),
            total=page["totalCount"],
            scanned=page["scannedCount"],
            has_previous=page["pageInfo"]["hasPreviousPage"],
            has_next=page["pageInfo"]["hasNextPage"],
            start_cursor=page["pageInfo"]["startCursor"],
            end_cursor=page["pageInfo"]["endCursor"],
            counts=Counts.read(data["counts"]),
            by_queue={queue["name"]: Counts.read(queue["counts"]) for queue in data["queues"]},
            by_task={task["name"]: Counts.read(task["counts"]) for task in data["tasks"]},
            bulks=tuple(BulkRow.read(bulk) for bulk in data["bulkOperations"]),
        )

    def counts_within(self, *, tasks: Iterable[str], queues: Iterable[str]) -> Counts | None:
        """Counts of the jobs of these tasks and queues; ``None`` when both are given, which no counter has."""
        tasks, queues = tuple(tasks), tuple(queues)
        if tasks and queues:
            return None
        if tasks:
            return Counts.sum(self.by_task.get(task, Counts()) for task in tasks)
        if queues:
            return Counts.sum(self.by_queue.get(queue, Counts()) for queue in queues)
        return self.counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """The answer to ``OFFERS``: schedules and groups of failures to choose from, by id, in words."""

    schedules: Mapping[str, str] = field(default_factory=dict[str, str])
    groups: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def read(cls, data: Json) -> Self:
        groups = data["failureGroups"]["nodes"]
        return cls(
            schedules={schedule["id"]: schedule["name"] for schedule in data["schedules"]},
            groups={group["id"]: f"{group['task']['name']} · {_headline(group)}" for group in groups},
        )

    @property
    def names(self) -> Mapping[str, str]:
        return {**self.schedules, **self.groups}


def _headline(group: Json) -> str:
    name = group["exception"].rpartition(".")[2]
    return f"{name}: {group['summary']}" if group["summary"] else name


def jobs(query: JobsQuery) -> Reading[JobsPage]:
    """Ask for the page of a list that was chosen."""
    return source().read(JOBS, query.variables(datetime.now(UTC)), JobsPage.read)


def offers() -> Reading[Offers]:
    """Ask what jobs can be narrowed to. Only while someone looks at that."""
    return source().read(OFFERS, None, Offers.read)
