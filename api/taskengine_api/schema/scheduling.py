"""Scheduling: make, change, delete a schedule, or run its job once, now."""

from collections.abc import Mapping
from typing import Annotated, Any, cast

import strawberry

from taskengine.errors import ScheduleNotFound
from taskengine_api.context import Info
from taskengine_api.scalars import Json
from taskengine_api.schema.enqueueing import EnqueueOptions
from taskengine_api.schema.errors import UserError, mutation
from taskengine_api.schema.jobs import Job
from taskengine_api.schema.nodes import Prefix
from taskengine_api.schema.schedules import Schedule
from taskengine_api.schema.steering import NO_ERRORS


@strawberry.input(description="A schedule to be. Either `cron` or `everySeconds`.")
class CreateScheduleInput:
    """A schedule to be."""

    name: str = strawberry.field(description="What it is called, unique among schedules.")
    task: str = strawberry.field(description="What it enqueues.")
    args: Json = strawberry.field(description="The arguments of its jobs: an object, by parameter name.")
    cron: str | None = strawberry.field(
        default=None, description="Five fields: minute, hour, day of the month, month, day of the week."
    )
    every_seconds: float | None = strawberry.field(
        default=None, description="An interval of 1 or more, counted from 1970 in UTC: 3600 is on the hour."
    )
    timezone: str = strawberry.field(default="UTC", description="The zone that `cron` goes by, e.g. `Europe/Berlin`.")
    options: EnqueueOptions | None = strawberry.field(
        default=None,
        description="How its jobs are enqueued: queue, priority, attempts, timeout and tags; the rest is one job's.",
    )


@strawberry.type(description="What became of making a schedule.")
class CreateSchedulePayload:
    """What became of making a schedule."""

    schedule: Schedule | None = strawberry.field(default=None, description="The schedule; null when it was refused.")
    errors: list[UserError] = strawberry.field(default_factory=list[UserError], description=NO_ERRORS)


@strawberry.input(description="What to change of a schedule. What is absent or null stays.")
class UpdateScheduleInput:
    """What to change of a schedule."""

    id: strawberry.ID = strawberry.field(description="The schedule's id.")
    enabled: bool | None = strawberry.field(default=None, description="Whether it enqueues anything.")
    cron: str | None = strawberry.field(default=None, description="Its cron rule, in place of what it had.")
    every_seconds: float | None = strawberry.field(default=None, description="Its interval, in place of what it had.")
    timezone: str | None = strawberry.field(default=None, description="The zone that `cron` goes by.")
    args: Json | None = strawberry.field(
        default=None, description="The arguments of its jobs, in place of those it had."
    )


@strawberry.type(description="What became of changing a schedule.")
class UpdateSchedulePayload:
    """What became of changing a schedule."""

    schedule: Schedule | None = strawberry.field(default=None, description="The schedule as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list[UserError], description=NO_ERRORS)


@strawberry.input(description="The schedule to delete.")
class DeleteScheduleInput:
    """The schedule to delete."""

    id: strawberry.ID = strawberry.field(description="The schedule's id.")


@strawberry.type(description="What became of deleting a schedule.")
class DeleteSchedulePayload:
    """What became of deleting a schedule."""

    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="Id of the schedule that is gone.")
    errors: list[UserError] = strawberry.field(default_factory=list[UserError], description=NO_ERRORS)


@strawberry.input(description="The schedule whose job to enqueue.")
class RunScheduleInput:
    """The schedule whose job to enqueue."""

    id: strawberry.ID = strawberry.field(description="The schedule's id.")


@strawberry.type(description="What became of running a schedule.")
class RunSchedulePayload:
    """What became of running a schedule."""

    job: Job | None = strawberry.field(default=None, description="The job; null when there is none.")
    errors: list[UserError] = strawberry.field(default_factory=list[UserError], description=NO_ERRORS)


def name_of(schedule_id: str) -> str:
    """Return the name of the schedule that an id shows; raise ``ScheduleNotFound`` for one that no schedule has."""
    prefix, _, name = schedule_id.partition("_")
    if prefix != Prefix.SCHEDULE or not name:
        raise ScheduleNotFound(schedule_id)
    return name


@strawberry.type
class SchedulingMutations:
    """What can be done to schedules."""

    @mutation("Has a task enqueued at set times.")
    async def create_schedule(
        self, info: Info, input: Annotated[CreateScheduleInput, strawberry.argument(description="The schedule to be.")]
    ) -> CreateSchedulePayload:
        schedule = await info.context.client.create_schedule(
            input.name,
            input.task,
            cast("Mapping[str, Any]", input.args),
            cron=input.cron,
            every_seconds=input.every_seconds,
            timezone=input.timezone,
            options=input.options.to_domain() if input.options else None,
            by=info.context.viewer.name,
        )
        return CreateSchedulePayload(schedule=Schedule.from_domain(schedule))

    @mutation("Changes a schedule. What was due and is not yet enqueued is forgotten.")
    async def update_schedule(
        self, info: Info, input: Annotated[UpdateScheduleInput, strawberry.argument(description="What to change.")]
    ) -> UpdateSchedulePayload:
        schedule = await info.context.client.update_schedule(
            name_of(input.id),
            enabled=input.enabled,
            cron=input.cron,
            every_seconds=input.every_seconds,
            timezone=input.timezone,
            args=cast("Mapping[str, Any] | None", input.args),
            by=info.context.viewer.name,
        )
        return UpdateSchedulePayload(schedule=Schedule.from_domain(schedule))

    @mutation("Removes a schedule; its jobs stay. One that code declares can only be disabled.")
    async def delete_schedule(
        self, info: Info, input: Annotated[DeleteScheduleInput, strawberry.argument(description="The schedule.")]
    ) -> DeleteSchedulePayload:
        await info.context.client.delete_schedule(name_of(input.id), by=info.context.viewer.name)
        return DeleteSchedulePayload(deleted_id=input.id)

    @mutation("Enqueues it once, now, whether it is enabled or not.")
    async def run_schedule(
        self, info: Info, input: Annotated[RunScheduleInput, strawberry.argument(description="The schedule.")]
    ) -> RunSchedulePayload:
        job = await info.context.client.run_schedule(name_of(input.id), by=info.context.viewer.name)
        return RunSchedulePayload(job=Job.from_domain(job))
