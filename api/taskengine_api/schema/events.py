"""Events: what happens to jobs, live, and replayed after a cursor."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from datetime import datetime
from enum import Enum
from typing import Annotated, cast

import strawberry
from strawberry import Private

from taskengine import events as domain
from taskengine import filters
from taskengine.client import Client
from taskengine.errors import JobNotFound
from taskengine.events import Deleted, EventsLost, Logged, Progressed, StateChanged, is_after
from taskengine_api.context import Info
from taskengine_api.log_lines import LogLines
from taskengine_api.schema.enums import JobState
from taskengine_api.schema.filters import JobFilter
from taskengine_api.schema.jobs import Job, JobProgress
from taskengine_api.schema.logs import JobLog
from taskengine_api.schema.places import Place, key_of


@strawberry.interface(description="One change, in order.")
class JobEvent:
    """One change, in order."""

    cursor: str = strawberry.field(description="Resumes the stream after this event.")
    at: datetime = strawberry.field(description="When it happened, by Redis's clock.")
    of_job: Private[str | None]

    @strawberry.field(description="The job as it is now; null when it is gone, or the event is of no one job.")
    async def job(self, info: Info) -> Job | None:
        if self.of_job is None:
            return None
        found = await info.context.loaders.jobs.load(self.of_job)
        return Job.from_domain(found) if found else None


@strawberry.type(description="A job moved; `from` is null when it was enqueued.")
class JobStateChanged(JobEvent):
    """A job moved."""

    from_: JobState | None = strawberry.field(name="from", description="The state it was in.")
    to: JobState = strawberry.field(description="The state it came to.")
    attempt: int | None = strawberry.field(description="The attempt that it happened in, if it was one.")
    message: str | None = strawberry.field(description="Why, in a few words.")


@strawberry.type(description="A running job told how far it is. Coalesced to at most 4 a second a job.")
class JobProgressed(JobEvent):
    """A running job told how far it is."""

    progress: JobProgress = strawberry.field(description="How far it is.")


@strawberry.type(description="A running job said something: one line of its log.")
class JobLogged(JobEvent):
    """A running job said something."""

    log: JobLog = strawberry.field(description="The line.")


@strawberry.type(
    description="Events after the given cursor are gone: reload with a query, then go on from this cursor."
)
class JobEventsLost(JobEvent):
    """Events after the given cursor are gone."""


EVENT_TYPES = (JobStateChanged, JobProgressed, JobLogged, JobEventsLost)


@strawberry.enum(description="Kinds of events.")
class JobEventKind(Enum):
    """Kinds of events."""

    STATE = strawberry.enum_value("STATE", description="A job moved.")
    PROGRESS = strawberry.enum_value("PROGRESS", description="A running job told how far it is.")
    LOG = strawberry.enum_value("LOG", description="A running job said something: a line of its log.")


Kinds = Annotated[
    list[JobEventKind], strawberry.argument(description="Which kinds of events. Lost events are always told.")
]
Cursor = Annotated[
    str | None,
    strawberry.argument(description="First every event after this cursor, then live. From now on when absent."),
]


async def shown(event: domain.Event, lines: LogLines) -> list[JobEvent]:
    """Show one of the engine's events: one of several lines as several, one that clients need not see as none."""
    match event:
        case StateChanged():
            changed = JobStateChanged(
                cursor=event.cursor,
                at=event.at,
                of_job=event.job_id,
                from_=event.from_state,
                to=event.to_state,
                attempt=event.attempt,
                message=event.message,
            )
            return [changed]
        case Progressed():
            progress = JobProgress.from_domain(event.progress)
            return [JobProgressed(cursor=event.cursor, at=event.at, of_job=event.job_id, progress=progress)]
        case Logged():
            said = await lines.of(event)
            cursors = [f"{event.cursor}.{line.cursor}" for line in said[:-1]] + [event.cursor]
            return [
                JobLogged(cursor=cursor, at=line.at, of_job=event.job_id, log=JobLog.from_domain(line))
                for cursor, line in zip(cursors, said, strict=False)
            ]
        case Deleted():
            return []
        case EventsLost():
            return [JobEventsLost(cursor=event.cursor, at=event.at, of_job=None)]


def _is_of(event: domain.Event, kinds: list[JobEventKind]) -> bool:
    match event:
        case StateChanged():
            return JobEventKind.STATE in kinds
        case Progressed():
            return JobEventKind.PROGRESS in kinds
        case Logged():
            return JobEventKind.LOG in kinds
        case Deleted():
            return False
        case EventsLost():
            return True


async def _matches(client: Client, event: domain.Event, wanted: filters.JobFilter) -> bool:
    """Whether an event is of a job that is asked for, in the state that the event tells of."""
    if isinstance(event, EventsLost):
        return True
    state = event.to_state if isinstance(event, StateChanged) else JobState.RUNNING
    if not wanted.matches_facts(job_id=event.job_id, state=state, queue=event.queue, task=event.task):
        return False
    if not wanted.needs_record:
        return True
    job = await client.get_job(event.job_id)
    return job is not None and wanted.matches(replace(job, state=state))


async def _told(
    events: AsyncGenerator[domain.Event, None], kinds: list[JobEventKind], after: Place | None, lines: LogLines
) -> AsyncGenerator[JobEvent, None]:
    """Yield as clients see it what comes behind a place."""
    async for event in events:
        if _is_of(event, kinds):
            for one in await shown(event, lines):
                # A place between two lines is within what the engine tells at once.
                if after is None or event.cursor != after.entry or key_of(one.cursor) > after.key:
                    yield one


def _listen(client: Client, after: str | None, job_id: str | None = None) -> AsyncGenerator[domain.Event, None]:
    # It is a generator; closing it is how the reader learns that nobody listens.
    return cast("AsyncGenerator[domain.Event, None]", client.events(after=after, job_id=job_id))


def _past(client: Client, after: str, until: str, job_id: str) -> AsyncGenerator[domain.Event, None]:
    events = client.past_events(after=after, until=until, job_id=job_id)
    return cast("AsyncGenerator[domain.Event, None]", events)


async def _end_of(client: Client, job_id: str) -> str | None:
    """Return the cursor behind which nothing of a finished job is; ``None`` while it moves.

    In this order: an event that is later than what was read of the job has a later cursor too.
    """
    job = await client.get_job(job_id)
    end = await client.newest_cursor() if job is None or job.state.is_final else None
    _heed_cancellation()
    return end


def _heed_cancellation() -> None:
    """End here if the subscriber has left: before Python 3.12 a read from Redis can lose that news on the way."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


async def follow(client: Client, job_id: str, after: str | None) -> AsyncGenerator[domain.Event, None]:
    """Yield the events of one job and end with its last one, however often it is retried on the way."""
    after = await client.newest_cursor() if after is None else after
    if await client.get_job(job_id) is None:
        raise JobNotFound(job_id)
    end = await _end_of(client, job_id)
    if end is None:
        async with aclosing(_listen(client, after, job_id)) as events:
            async for event in events:
                yield event
                if isinstance(event, EventsLost | StateChanged | Deleted):
                    after, end = event.cursor, await _end_of(client, job_id)
                    if end is not None:
                        break
    # What it did since, if it was retried meanwhile and has ended again.
    if end is not None and is_after(end, after):
        async with aclosing(_past(client, after, end, job_id)) as events:
            async for event in events:
                yield event


@strawberry.type
class JobSubscription:
    """Changes of jobs, live. Without ``after``: from now. With it: every event after that cursor, then live."""

    @strawberry.subscription(description="What happens to jobs.")
    async def job_events(
        self,
        info: Info,
        kinds: Kinds = [JobEventKind.STATE, JobEventKind.PROGRESS],  # noqa: B006 - Strawberry copies it
        filter: Annotated[JobFilter | None, strawberry.argument(description="Of which jobs; all by default.")] = None,
        after: Cursor = None,
    ) -> AsyncGenerator[JobEvent, None]:
        client, lines = info.context.client, info.context.lines
        wanted = (filter.to_domain() if filter else filters.JobFilter()).checked()
        place = None if after is None else Place.read(after)
        async with (
            aclosing(_matching(client, wanted, place)) as events,
            aclosing(_told(events, kinds, place, lines)) as told,
        ):
            async for event in told:
                yield event

    @strawberry.subscription(
        description="Events of one job; completes after its last one, or when it is deleted; at once if that is past."
    )
    async def job_updated(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="The job's id.")],
        kinds: Kinds = [JobEventKind.STATE, JobEventKind.PROGRESS, JobEventKind.LOG],  # noqa: B006 - Strawberry copies it
        after: Cursor = None,
    ) -> AsyncGenerator[JobEvent, None]:
        place = None if after is None else Place.read(after)
        async with (
            aclosing(follow(info.context.client, id, place and place.engine_cursor)) as events,
            aclosing(_told(events, kinds, place, info.context.lines)) as told,
        ):
            async for event in told:
                yield event


async def _matching(
    client: Client, wanted: filters.JobFilter, after: Place | None
) -> AsyncGenerator[domain.Event, None]:
    async with aclosing(_listen(client, after and after.engine_cursor)) as events:
        async for event in events:
            if await _matches(client, event, wanted):
                yield event
