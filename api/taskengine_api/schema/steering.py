"""Steering one job: cancel it, retry it, delete its record."""

from datetime import datetime
from typing import Annotated

import strawberry

from taskengine_api.context import Info
from taskengine_api.schema.errors import UserError, mutation
from taskengine_api.schema.jobs import Job

NO_ERRORS = "Why nothing has changed; empty when it has."


@strawberry.input(description="The job to cancel.")
class CancelJobInput:
    """The job to cancel."""

    id: strawberry.ID = strawberry.field(description="The job's id.")
    terminate: bool = strawberry.field(default=False, description="Also stop it when RUNNING.")
    reason: str | None = strawberry.field(
        default=None, description="Why, for whoever looks at it: at most 500 characters."
    )


@strawberry.type(description="What became of cancelling.")
class CancelJobPayload:
    """What became of cancelling."""

    job: Job | None = strawberry.field(
        default=None,
        description="The job as it is now: a running one is still RUNNING until its worker has stopped it.",
    )
    errors: list[UserError] = strawberry.field(default_factory=list[UserError], description=NO_ERRORS)


@strawberry.input(description="The job to run again.")
class RetryJobInput:
    """The job to run again."""

    id: strawberry.ID = strawberry.field(description="The job's id.")
    attempts: int | None = strawberry.field(
        default=None, description="Attempts to add; as many as it was enqueued with by default."
    )


@strawberry.type(description="What became of retrying.")
class RetryJobPayload:
    """What became of retrying."""

    job: Job | None = strawberry.field(default=None, description="The job as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list[UserError], description=NO_ERRORS)


@strawberry.input(description="The job whose record to remove.")
class DeleteJobInput:
    """The job whose record to remove."""

    id: strawberry.ID = strawberry.field(description="The job's id.")


@strawberry.type(description="What became of deleting.")
class DeleteJobPayload:
    """What became of deleting."""

    deleted_id: strawberry.ID | None = strawberry.field(default=None, description="Id of the job that is gone.")
    errors: list[UserError] = strawberry.field(default_factory=list[UserError], description=NO_ERRORS)


@strawberry.input(description="The job to give another time.")
class RescheduleJobInput:
    """The job to give another time."""

    id: strawberry.ID = strawberry.field(description="The job's id.")
    run_at: datetime | None = strawberry.field(
        default=None, description="When it may start at the earliest; now, when absent."
    )


@strawberry.type(description="What became of rescheduling.")
class RescheduleJobPayload:
    """What became of rescheduling."""

    job: Job | None = strawberry.field(default=None, description="The job as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list[UserError], description=NO_ERRORS)


@strawberry.input(description="The job to give another priority.")
class ChangeJobPriorityInput:
    """The job to give another priority."""

    id: strawberry.ID = strawberry.field(description="The job's id.")
    priority: int = strawberry.field(description="1 (last) to 10 (first).")


@strawberry.type(description="What became of changing the priority.")
class ChangeJobPriorityPayload:
    """What became of changing the priority."""

    job: Job | None = strawberry.field(default=None, description="The job as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list[UserError], description=NO_ERRORS)


@strawberry.type
class SteeringMutations:
    """What can be done to one job."""

    @mutation("Cancels a job. Cancelling a CANCELLED job is no error.")
    async def cancel_job(
        self, info: Info, input: Annotated[CancelJobInput, strawberry.argument(description="The job to cancel.")]
    ) -> CancelJobPayload:
        job = await info.context.client.cancel_job(
            input.id, terminate=input.terminate, reason=input.reason, by=info.context.viewer.name
        )
        return CancelJobPayload(job=Job.from_domain(job))

    @mutation("FAILED, CANCELLED or RETRYING: runs again now, as the same job, its earlier attempts kept.")
    async def retry_job(
        self, info: Info, input: Annotated[RetryJobInput, strawberry.argument(description="The job to run again.")]
    ) -> RetryJobPayload:
        job = await info.context.client.retry_job(input.id, attempts=input.attempts, by=info.context.viewer.name)
        return RetryJobPayload(job=Job.from_domain(job))

    @mutation("Gives a job that waits another time: SCHEDULED or QUEUED, or the next attempt of a RETRYING one.")
    async def reschedule_job(
        self,
        info: Info,
        input: Annotated[RescheduleJobInput, strawberry.argument(description="The job, and its time.")],
    ) -> RescheduleJobPayload:
        job = await info.context.client.reschedule_job(input.id, input.run_at, by=info.context.viewer.name)
        return RescheduleJobPayload(job=Job.from_domain(job))

    @mutation("Gives a job that waits another priority.")
    async def change_job_priority(
        self,
        info: Info,
        input: Annotated[ChangeJobPriorityInput, strawberry.argument(description="The job, and its priority.")],
    ) -> ChangeJobPriorityPayload:
        job = await info.context.client.change_job_priority(input.id, input.priority, by=info.context.viewer.name)
        return ChangeJobPriorityPayload(job=Job.from_domain(job))

    @mutation("Removes the record of a job that is not RUNNING.")
    async def delete_job(
        self,
        info: Info,
        input: Annotated[DeleteJobInput, strawberry.argument(description="The job whose record to remove.")],
    ) -> DeleteJobPayload:
        await info.context.client.delete_job(input.id, by=info.context.viewer.name)
        return DeleteJobPayload(deleted_id=input.id)
