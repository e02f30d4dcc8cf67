"""Jobs: the type with everything that is kept of one, and the pages of them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, cast

import strawberry
from strawberry import Private

from taskengine import jobs as domain
from taskengine.jobs import MOVES
from taskengine_api.context import Info
from taskengine_api.paging import After, Before, First, Last, PageInfo, page_of
from taskengine_api.roles import Role
from taskengine_api.scalars import Json
from taskengine_api.schema.attempts import Attempt, AttemptConnection, AttemptEdge, JobError
from taskengine_api.schema.enums import JobState, LogLevel
from taskengine_api.schema.filters import NEWEST_FIRST, JobFilter, JobOrder
from taskengine_api.schema.logs import JobLogConnection, logs_of
from taskengine_api.schema.nodes import Node
from taskengine_api.schema.queues import Queue
from taskengine_api.schema.tasks import Task
from taskengine_api.schema.waiting import Waiting

if TYPE_CHECKING:
    from taskengine_api.schema.failures import FailureGroup
    from taskengine_api.schema.job_events import JobEventConnection
    from taskengine_api.schema.schedules import Schedule
    from taskengine_api.schema.workers import Worker

RETRYABLE = frozenset({JobState.FAILED, JobState.CANCELLED, JobState.RETRYING})
"""States in which ``retryJob`` takes a job."""


@strawberry.type(description="How far a running task says it is.")
class JobProgress:
    """How far a running task says it is."""

    current: float = strawberry.field(description="How much is done, in units of the task's choice.")
    total: float | None = strawberry.field(description="How much there is in all, when the task knows.")
    message: str | None = strawberry.field(description="What it is doing, in its own words.")
    updated_at: datetime = strawberry.field(description="When it said so.")

    @classmethod
    def from_domain(cls, progress: domain.Progress) -> "JobProgress":
        """Show the engine's progress."""
        return cls(
            current=progress.current,
            total=progress.total,
            message=progress.message,
            updated_at=progress.updated_at,
        )


@strawberry.type(description="A unit of work: one call of a task, and the record of its whole life.")
class Job(Node):
    """A unit of work: one call of a task, and the record of its whole life."""

    state: JobState = strawberry.field(description="Where it is in its life.")
    priority: int = strawberry.field(description="1 (last) to 10 (first); 5 unless said otherwise.")
    args: Json = strawberry.field(description="The arguments, by parameter name.")
    result: Json | None = strawberry.field(description="What the task returned; null until it is COMPLETED.")
    error: JobError | None = strawberry.field(description="Why its last attempt failed, if it did.")
    progress: JobProgress | None = strawberry.field(description="How far it says it is; null until it says so.")
    tags: list[str] = strawberry.field(description="Words given to it when it was enqueued.")
    attempt_count: int = strawberry.field(description="Attempts so far, the running one included.")
    max_attempts: int = strawberry.field(description="How many attempts it gets.")
    idempotency_key: str | None = strawberry.field(
        description="The key that it was enqueued with: the same task and key again is this job, as long as it is kept."
    )
    timeout_seconds: float | None = strawberry.field(description="How long an attempt may run; null is no limit.")
    created_at: datetime = strawberry.field(description="When it was enqueued.")
    run_at: datetime | None = strawberry.field(description="When it may start at the earliest.")
    started_at: datetime | None = strawberry.field(description="When its current or last attempt started.")
    finished_at: datetime | None = strawberry.field(description="When it reached its final state.")
    wait_seconds: float | None = strawberry.field(
        description="Seconds from ready to start of the current or last attempt."
    )
    cancel_reason: str | None = strawberry.field(description="Why it was cancelled, as far as someone said.")
    enqueued_by: str | None = strawberry.field(
        description="Who enqueued it, by the name that the audit uses;"
        " null for what a schedule, another job or a program enqueued that named nobody."
    )
    kept: Private[domain.Job]

    @classmethod
    def from_domain(cls, job: domain.Job) -> "Job":
        """Show one of the engine's jobs."""
        return cls(
            id=strawberry.ID(job.id),
            state=job.state,
            priority=job.priority,
            args=cast(Json, job.args),
            result=cast("Json | None", job.result),
            error=JobError.from_domain(job.error, of_job=job) if job.error else None,
            progress=JobProgress.from_domain(job.progress) if job.progress else None,
            tags=list(job.tags),
            attempt_count=job.attempt_count,
            max_attempts=job.max_attempts,
            idempotency_key=job.idempotency_key,
            timeout_seconds=job.timeout_seconds,
            created_at=job.created_at,
            run_at=job.run_at,
            started_at=job.started_at,
            finished_at=job.finished_at,
            wait_seconds=job.wait_seconds,
            cancel_reason=job.cancel_reason,
            enqueued_by=job.enqueued_by,
            kept=job,
        )

    @strawberry.field(description="What it runs.")
    def task(self) -> Task:
        return Task.named(self.kept.task)

    @strawberry.field(description="The line it stands or stood in.")
    def queue(self) -> Queue:
        return Queue.named(self.kept.queue)

    @strawberry.field(description="Its runs, oldest first.")
    async def attempts(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> AttemptConnection:
        found = await info.context.loaders.attempts.load(self.kept)
        cursors = [str(attempt.number) for attempt in found]
        rows, page = page_of(found, cursors, first=first, after=after, last=last, before=before)
        edges = [AttemptEdge(cursor=cursor, node=Attempt.from_domain(attempt)) for cursor, attempt in rows]
        return AttemptConnection(
            edges=edges, nodes=[edge.node for edge in edges], page_info=page, total_count=len(found)
        )

    @strawberry.field(description="What its runs said, oldest first.")
    async def logs(
        self,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        min_level: Annotated[
            LogLevel | None, strawberry.argument(description="Only lines of this level and above.")
        ] = LogLevel.DEBUG,
    ) -> JobLogConnection:
        wanted = min_level or LogLevel.DEBUG
        return await logs_of(
            info.context.client, self.id, first=first, after=after, last=last, before=before, min_level=wanted
        )

    @strawberry.field(description="The recorded changes of this job, oldest first, as far as they are kept.")
    async def events(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Annotated["JobEventConnection", strawberry.lazy("taskengine_api.schema.job_events")]:
        from taskengine_api.schema.job_events import events_of

        return await events_of(info.context, self.kept, first=first, after=after, last=last, before=before)

    @strawberry.field(description="Why it is not running, when it is not: null once RUNNING or finished.")
    async def waiting(self, info: Info) -> Waiting | None:
        if self.state is JobState.RUNNING or self.state.is_final:
            return None
        found = await info.context.loaders.waiting.load(self.id)
        return Waiting.from_domain(found) if found else None

    @strawberry.field(description="The schedule that enqueued it; null for none, or once that is deleted.")
    async def schedule(
        self, info: Info
    ) -> Annotated["Schedule", strawberry.lazy("taskengine_api.schema.schedules")] | None:
        from taskengine_api.schema.schedules import Schedule

        if self.kept.schedule is None:
            return None
        found = await info.context.loaders.schedules.load(self.kept.schedule)
        return Schedule.from_domain(found) if found else None

    @strawberry.field(description="The job that this one repeats (`rerunJob`); null for none, or once that is gone.")
    async def rerun_of(self, info: Info) -> "Job | None":
        if self.kept.rerun_of is None:
            return None
        found = await info.context.loaders.jobs.load(self.kept.rerun_of)
        return Job.from_domain(found) if found else None

    @strawberry.field(
        description="The jobs that have to complete before it starts, in the order given; the first 100 that are kept."
    )
    async def depends_on(self, info: Info) -> list["Job"]:
        around = await info.context.loaders.dependencies.load(self.id)
        return await _those_there(info, around.depends_on)

    @strawberry.field(description="The jobs that still wait for it to complete, oldest first; the first 100.")
    async def dependents(self, info: Info) -> list["Job"]:
        around = await info.context.loaders.dependencies.load(self.id)
        return await _those_there(info, around.dependents)

    @strawberry.field(description="The problem that its last failure belongs to; null without one, or once forgotten.")
    async def failure_group(
        self, info: Info
    ) -> Annotated["FailureGroup", strawberry.lazy("taskengine_api.schema.failures")] | None:
        from taskengine_api.schema.failures import FailureGroup

        if self.kept.failure_group is None:
            return None
        found = await info.context.loaders.failure_groups.load(self.kept.failure_group)
        return FailureGroup.from_domain(found) if found else None

    @strawberry.field(description="When retention removes the record; null until it is finished.")
    def expires_at(self, info: Info) -> datetime | None:
        if self.finished_at is None:
            return None
        return self.finished_at + timedelta(seconds=info.context.settings.kept_seconds(self.state))

    @strawberry.field(description="Seconds the current or last attempt has run.")
    async def run_seconds(self, info: Info) -> float | None:
        if self.state is not JobState.RUNNING or self.started_at is None:
            return self.kept.run_seconds
        now = await info.context.loaders.now.load(None)
        return max(0.0, (now - self.started_at).total_seconds())

    @strawberry.field(description="The worker of its current or last attempt; null once that is forgotten.")
    async def worker(self, info: Info) -> Annotated["Worker", strawberry.lazy("taskengine_api.schema.workers")] | None:
        from taskengine_api.schema.workers import Worker

        if self.kept.worker is None:
            return None
        found = await info.context.loaders.workers.load(self.kept.worker)
        return Worker.from_domain(found) if found else None

    @strawberry.field(description="Whether `cancelJob` would take it from the viewer, a running one with `terminate`.")
    def viewer_can_cancel(self, info: Info) -> bool:
        return info.context.viewer.may(Role.OPERATOR) and JobState.CANCELLED in MOVES[self.state]

    @strawberry.field(description="Whether `retryJob` would take it from the viewer.")
    def viewer_can_retry(self, info: Info) -> bool:
        return info.context.viewer.may(Role.OPERATOR) and self.state in RETRYABLE


async def _those_there(info: Info, job_ids: Sequence[str]) -> list[Job]:
    found = await info.context.loaders.jobs.load_many(job_ids)
    return [Job.from_domain(job) for job in found if job is not None]


@strawberry.type(description="A job and its place in the list.")
class JobEdge:
    """A job and its place in the list."""

    cursor: str = strawberry.field(description="Its place, for `after` and `before`.")
    node: Job = strawberry.field(description="The job.")


@strawberry.type(description="A page of jobs. Pages stay right while jobs come, go and change state.")
class JobConnection:
    """A page of jobs."""

    edges: list[JobEdge] = strawberry.field(description="The jobs with their cursors.")
    nodes: list[Job] = strawberry.field(description="The jobs.")
    page_info: PageInfo = strawberry.field(description="Where this page lies.")
    total_count: int | None = strawberry.field(
        description="All jobs that match the filter, exact; null where counting them would look at each."
    )
    scanned_count: int | None = strawberry.field(
        description="Jobs looked at, when that was enough and there may be more: go on from pageInfo.endCursor."
    )

    @classmethod
    def from_domain(cls, page: domain.JobPage) -> "JobConnection":
        """Show one of the engine's pages."""
        rows = zip(page.cursors, page.jobs, strict=True)
        edges = [JobEdge(cursor=cursor, node=Job.from_domain(job)) for cursor, job in rows]
        return cls(
            edges=edges,
            nodes=[edge.node for edge in edges],
            page_info=PageInfo(
                has_next_page=page.has_next,
                has_previous_page=page.has_previous,
                start_cursor=page.start_cursor,
                end_cursor=page.end_cursor,
            ),
            total_count=page.total,
            scanned_count=page.scanned,
        )


@strawberry.type
class JobQueries:
    """What can be asked of jobs."""

    @strawberry.field(description="One job; null when there is no record of it.")
    async def job(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The job's id.")]
    ) -> Job | None:
        found = await info.context.loaders.jobs.load(id)
        return Job.from_domain(found) if found else None

    @strawberry.field(description="Jobs by page, newest first by default.")
    async def jobs(
        self,
        info: Info,
        *,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        filter: Annotated[JobFilter | None, strawberry.argument(description="Which jobs; all by default.")] = None,
        order_by: Annotated[JobOrder, strawberry.argument(description="In which order.")] = NEWEST_FIRST,
    ) -> JobConnection:
        page = await info.context.client.list_jobs(
            filter.to_domain() if filter else None,
            first=first,
            after=after,
            last=last,
            before=before,
            order=order_by.to_domain(),
        )
        return JobConnection.from_domain(page)
