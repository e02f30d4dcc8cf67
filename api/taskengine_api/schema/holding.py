"""Holding back: pause and limit a queue or a task, for all workers, from the next claim on."""

from typing import Annotated

import strawberry

from taskengine.rules import KEEP, Kind
from taskengine_api.context import Info
from taskengine_api.roles import Role
from taskengine_api.schema.errors import UserError, mutation
from taskengine_api.schema.queues import Queue
from taskengine_api.schema.rules import RateLimitRuleInput, concurrency_of, rate_of
from taskengine_api.schema.steering import NO_ERRORS
from taskengine_api.schema.tasks import Task

LIFTS = "Null lifts it; absent leaves it."


@strawberry.input(description="The queue to pause.")
class PauseQueueInput:
    """The queue to pause."""

    queue: str = strawberry.field(description="What it is called.")
    reason: str | None = strawberry.field(
        default=None, description="Why, for whoever looks at it: at most 500 characters."
    )


@strawberry.type(description="What became of pausing.")
class PauseQueuePayload:
    """What became of pausing."""

    queue: Queue | None = strawberry.field(default=None, description="The queue as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list[UserError], description=NO_ERRORS)


@strawberry.input(description="The queue to let go on.")
class ResumeQueueInput:
    """The queue to let go on."""

    queue: str = strawberry.field(description="What it is called.")


@strawberry.type(description="What became of resuming.")
class ResumeQueuePayload:
    """What became of resuming."""

    queue: Queue | None = strawberry.field(default=None, description="The queue as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list[UserError], description=NO_ERRORS)


@strawberry.input(description="The limits of a queue. Null lifts a limit; an absent field leaves it.")
class UpdateQueueInput:
    """The limits of a queue."""

    queue: str = strawberry.field(description="What it is called.")
    concurrency_limit: int | None = strawberry.field(
        default=strawberry.UNSET, description=f"How many of its jobs may run at once, 1 to 100,000. {LIFTS}"
    )
    rate_limit: RateLimitRuleInput | None = strawberry.field(
        default=strawberry.UNSET, description=f"How many of its jobs may start in a time. {LIFTS}"
    )


@strawberry.type(description="What became of changing a queue.")
class UpdateQueuePayload:
    """What became of changing a queue."""

    queue: Queue | None = strawberry.field(default=None, description="The queue as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list[UserError], description=NO_ERRORS)


@strawberry.input(description="The pause and the limits of a task. Null lifts a limit; an absent field leaves it.")
class UpdateTaskInput:
    """The pause and the limits of a task."""

    task: str = strawberry.field(description="What it is called.")
    paused: bool | None = strawberry.field(
        default=None, description="Whether nothing more of it starts. Absent or null leaves it."
    )
    concurrency_limit: int | None = strawberry.field(
        default=strawberry.UNSET, description=f"How many of its jobs may run at once, 1 to 100,000. {LIFTS}"
    )
    rate_limit: RateLimitRuleInput | None = strawberry.field(
        default=strawberry.UNSET, description=f"How many of its jobs may start in a time. {LIFTS}"
    )


@strawberry.type(description="What became of changing a task.")
class UpdateTaskPayload:
    """What became of changing a task."""

    task: Task | None = strawberry.field(default=None, description="The task as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list[UserError], description=NO_ERRORS)


@strawberry.type
class HoldingMutations:
    """What holds queues and tasks back."""

    @mutation("Starts nothing more of a queue; what runs goes on. Pausing a paused queue is no error.")
    async def pause_queue(
        self, info: Info, input: Annotated[PauseQueueInput, strawberry.argument(description="The queue, and why.")]
    ) -> PauseQueuePayload:
        await info.context.client.pause(Kind.QUEUE, input.queue, by=info.context.viewer.name, reason=input.reason)
        return PauseQueuePayload(queue=Queue.named(input.queue))

    @mutation("Lets a queue go on. Resuming a queue that is not paused is no error.")
    async def resume_queue(
        self, info: Info, input: Annotated[ResumeQueueInput, strawberry.argument(description="The queue.")]
    ) -> ResumeQueuePayload:
        await info.context.client.resume(Kind.QUEUE, input.queue, by=info.context.viewer.name)
        return ResumeQueuePayload(queue=Queue.named(input.queue))

    @mutation("Limits a queue over all workers, from the next start on.", needs=Role.ADMIN)
    async def update_queue(
        self, info: Info, input: Annotated[UpdateQueueInput, strawberry.argument(description="The queue, its limits.")]
    ) -> UpdateQueuePayload:
        await info.context.client.set_limits(
            Kind.QUEUE,
            input.queue,
            concurrency=concurrency_of(input.concurrency_limit),
            rate=rate_of(input.rate_limit),
            by=info.context.viewer.name,
        )
        return UpdateQueuePayload(queue=Queue.named(input.queue))

    @mutation("Pauses, resumes or limits a task over all workers, from the next start on. Limits need ADMIN.")
    async def update_task(
        self,
        info: Info,
        input: Annotated[UpdateTaskInput, strawberry.argument(description="The task, and what holds it back.")],
    ) -> UpdateTaskPayload:
        client, by = info.context.client, info.context.viewer.name
        concurrency, rate = concurrency_of(input.concurrency_limit), rate_of(input.rate_limit)
        limited = [name for name, value in (("concurrencyLimit", concurrency), ("rateLimit", rate)) if value != KEEP]
        for name in limited:
            info.context.viewer.check(Role.ADMIN, name)
        await client.check_task(input.task)
        if limited:
            await client.set_limits(Kind.TASK, input.task, concurrency=concurrency, rate=rate, by=by)
        if input.paused:
            await client.pause(Kind.TASK, input.task, by=by)
        elif input.paused is False:
            await client.resume(Kind.TASK, input.task, by=by)
        return UpdateTaskPayload(task=Task.named(input.task))
