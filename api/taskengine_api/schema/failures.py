"""Groups of failures: those that are one problem, and how often it happened."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import Private

from taskengine import failures as domain
from taskengine_api.context import Info
from taskengine_api.paging import After, Before, First, Last, PageInfo
from taskengine_api.schema.enums import FailureWindow
from taskengine_api.schema.nodes import Node
from taskengine_api.schema.tasks import Task

if TYPE_CHECKING:
    from taskengine_api.schema.jobs import Job


Window = Annotated[FailureWindow, strawberry.argument(description="How far back to look, up to now.")]


@strawberry.type(description="How often a problem happened in one part of a time.")
class FailurePoint:
    """How often a problem happened in one part of a time."""

    at: datetime = strawberry.field(description="When that part began.")
    count: int = strawberry.field(description="Attempts that failed so.")


@strawberry.type(description="Failures that are one problem: same task, exception and place.")
class FailureGroup(Node):
    """Failures that are one problem."""

    exception: str = strawberry.field(description="Name of the exception's class.")
    message: str = strawberry.field(description="The newest message.")
    summary: str = strawberry.field(description="The message on one line, without what differs: numbers, ids, quotes.")
    location: str | None = strawberry.field(
        description="Where in the user's own code it last happened, e.g. `shop/mail.py:42 in send`."
    )
    count: int = strawberry.field(description="Attempts that failed so since `firstAt`.")
    failed_count: int = strawberry.field(description="Jobs that are FAILED for it now.")
    first_at: datetime = strawberry.field(description="When it first happened, as far as is known.")
    last_at: datetime = strawberry.field(description="When it last happened.")
    kept: Private[domain.FailureGroup]

    @classmethod
    def from_domain(cls, group: domain.FailureGroup) -> "FailureGroup":
        """Show one of the engine's groups."""
        return cls(
            id=strawberry.ID(group.id),
            exception=group.exception,
            message=group.message,
            summary=group.summary,
            location=group.place,
            count=group.count,
            failed_count=group.failed_jobs,
            first_at=group.first_at,
            last_at=group.last_at,
            kept=group,
        )

    @strawberry.field(description="What failed.")
    def task(self) -> Task:
        return Task.named(self.kept.task)

    @strawberry.field(
        description="How often it happened, oldest first: a window in equal parts without gaps. The last is not over."
    )
    def course(self, window: Window = FailureWindow.DAY) -> list[FailurePoint]:
        return [FailurePoint(at=point.at, count=point.count) for point in self.kept.course(window)]

    @strawberry.field(description="The job that failed last; null once it is gone.")
    async def sample(self, info: Info) -> Annotated["Job", strawberry.lazy("taskengine_api.schema.jobs")] | None:
        from taskengine_api.schema.jobs import Job

        found = await info.context.loaders.jobs.load(self.kept.sample)
        return Job.from_domain(found) if found else None


@strawberry.type(description="A group of failures and its place in the list.")
class FailureGroupEdge:
    """A group of failures and its place in the list."""

    cursor: str = strawberry.field(description="Its place, for `after` and `before`.")
    node: FailureGroup = strawberry.field(description="The group.")


@strawberry.type(description="A page of groups of failures, those that failed last first. One that fails again moves.")
class FailureGroupConnection:
    """A page of groups of failures, those that failed last first."""

    edges: list[FailureGroupEdge] = strawberry.field(description="The groups with their cursors.")
    nodes: list[FailureGroup] = strawberry.field(description="The groups.")
    page_info: PageInfo = strawberry.field(description="Where this page lies.")
    total_count: int | None = strawberry.field(description="Groups that are kept: those of a month, at most 1,000.")

    @classmethod
    def from_domain(cls, page: domain.FailureGroupPage) -> "FailureGroupConnection":
        """Show one of the engine's pages."""
        edges = [
            FailureGroupEdge(cursor=domain.cursor_of(group), node=FailureGroup.from_domain(group))
            for group in page.groups
        ]
        cursors = [edge.cursor for edge in edges]
        return cls(
            edges=edges,
            nodes=[edge.node for edge in edges],
            page_info=PageInfo.around(cursors, more_after=page.has_next, more_before=page.has_previous),
            total_count=page.total,
        )


@strawberry.type
class FailureQueries:
    """What can be asked of failures."""

    @strawberry.field(description="Groups of failures by page, those that failed last first.")
    async def failure_groups(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> FailureGroupConnection:
        page = await info.context.client.list_failure_groups(first=first, after=after, last=last, before=before)
        return FailureGroupConnection.from_domain(page)
