"""Logs: what the runs of a job said."""

from datetime import datetime
from typing import cast

import strawberry

from taskengine import jobs as domain
from taskengine.client import Client
from taskengine.errors import JobNotFound
from taskengine_api.paging import PageInfo
from taskengine_api.scalars import Json
from taskengine_api.schema.enums import LogLevel
from taskengine_api.schema.nodes import Node, Prefix, id_of


@strawberry.type(description="One line that a run of a job said.")
class JobLog(Node):
    """One line that a run of a job said."""

    at: datetime = strawberry.field(description="When it was said.")
    level: LogLevel = strawberry.field(description="How much it matters.")
    message: str = strawberry.field(description="What was said; at most 2,000 characters.")
    attempt: int = strawberry.field(description="Number of the run, as in `Attempt.number`.")
    fields: Json | None = strawberry.field(description="What was said by name beside the message; null for nothing.")
    logger: str | None = strawberry.field(description="Who said it, when it came by Python's own `logging`.")

    @classmethod
    def from_domain(cls, line: domain.LogLine) -> "JobLog":
        """Show one of the engine's lines."""
        return cls(
            id=id_of(Prefix.LOG, f"{line.cursor}_{line.job_id}"),
            at=line.at,
            level=line.level,
            message=line.message,
            attempt=line.attempt,
            fields=cast("Json | None", line.fields or None),
            logger=line.logger,
        )


@strawberry.type(description="A line and its place in the log.")
class JobLogEdge:
    """A line and its place in the log."""

    cursor: str = strawberry.field(description="Its place, for `after` and `before`.")
    node: JobLog = strawberry.field(description="The line.")


@strawberry.type(
    description="A page of a job's log, oldest first. The newest 1,000 lines or 256 KiB of a job are kept."
)
class JobLogConnection:
    """A page of a job's log, oldest first."""

    edges: list[JobLogEdge] = strawberry.field(description="The lines with their cursors.")
    nodes: list[JobLog] = strawberry.field(description="The lines.")
    page_info: PageInfo = strawberry.field(description="Where this page lies.")
    total_count: int | None = strawberry.field(description="Lines of this level and above that are kept.")

    @classmethod
    def from_domain(cls, page: domain.LogPage) -> "JobLogConnection":
        """Show one of the engine's pages."""
        edges = [JobLogEdge(cursor=line.cursor, node=JobLog.from_domain(line)) for line in page.lines]
        cursors = [edge.cursor for edge in edges]
        return cls(
            edges=edges,
            nodes=[edge.node for edge in edges],
            page_info=PageInfo.around(cursors, more_after=page.has_next, more_before=page.has_previous),
            total_count=page.total,
        )


GONE = domain.LogPage(lines=(), has_next=False, has_previous=False, total=0, said=0)
"""The log of a job that was deleted a moment ago."""


async def logs_of(
    client: Client,
    job_id: str,
    *,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
    min_level: LogLevel,
) -> JobLogConnection:
    """Return a page of what a job said."""
    try:
        page = await client.list_logs(job_id, first=first, after=after, last=last, before=before, min_level=min_level)
    except JobNotFound:
        page = GONE
    return JobLogConnection.from_domain(page)
