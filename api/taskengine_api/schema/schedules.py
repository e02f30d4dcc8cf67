"""Schedules: what is enqueued at set times."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, cast

import strawberry
from strawberry import Private

from taskengine import schedules as domain
from taskengine_api.context import Info
from taskengine_api.paging import After, Before, First, Last
from taskengine_api.scalars import Json
from taskengine_api.schema.nodes import Node, Prefix, id_of
from taskengine_api.schema.tasks import Task

if TYPE_CHECKING:
    from taskengine_api.schema.jobs import Job, JobConnection


@strawberry.type(description="A periodic enqueue.")
class Schedule(Node):
    """A periodic enqueue."""

    name: str = strawberry.field(description="What it is called, unique among schedules.")
    cron: str | None = strawberry.field(description="Its cron rule of five fields; null where another rule holds.")
    every_seconds: float | None = strawberry.field(
        description="Its interval, counted from 1970 in UTC; null where another rule holds."
    )
    timezone: str = strawberry.field(description="The zone that `cron` goes by, e.g. `Europe/Berlin`.")
    summary: str = strawberry.field(description="The rule in plain words.")
    args: Json = strawberry.field(description="The arguments of its jobs, by parameter name.")
    enabled: bool = strawberry.field(description="Whether it enqueues anything.")
    declared: bool = strawberry.field(description="Whether code declares it: then it can be disabled, not deleted.")
    next_run_at: datetime | None = strawberry.field(description="When it enqueues next; null while it is disabled.")
    kept: Private[domain.Schedule]

    @classmethod
    def from_domain(cls, schedule: domain.Schedule) -> "Schedule":
        """Show one of the engine's schedules."""
        return cls(
            id=id_of(Prefix.SCHEDULE, schedule.name),
            name=schedule.name,
            cron=schedule.cron,
            every_seconds=schedule.every_seconds,
            timezone=schedule.timezone,
            summary=schedule.summary,
            args=cast(Json, dict(schedule.args)),
            enabled=schedule.enabled,
            declared=schedule.declared and not schedule.undeclared,
            next_run_at=schedule.next_run_at,
            kept=schedule,
        )

    @strawberry.field(description="What it enqueues.")
    def task(self) -> Task:
        return Task.named(self.kept.task)

    @strawberry.field(description="The job that it enqueued last; null before the first, or once that is gone.")
    async def last_job(self, info: Info) -> Annotated["Job", strawberry.lazy("taskengine_api.schema.jobs")] | None:
        from taskengine_api.schema.jobs import Job

        if self.kept.last_job_id is None:
            return None
        found = await info.context.loaders.jobs.load(self.kept.last_job_id)
        return Job.from_domain(found) if found else None

    @strawberry.field(description="Its jobs, newest first.")
    async def jobs(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Annotated["JobConnection", strawberry.lazy("taskengine_api.schema.jobs")]:
        from taskengine_api.schema.jobs import JobConnection

        page = await info.context.client.list_schedule_jobs(
            self.name, first=first, after=after, last=last, before=before
        )
        return JobConnection.from_domain(page)


@strawberry.type
class ScheduleQueries:
    """What can be asked of schedules."""

    @strawberry.field(description="All schedules, by name.")
    async def schedules(self, info: Info) -> list[Schedule]:
        return [Schedule.from_domain(one) for one in await info.context.client.list_schedules()]
