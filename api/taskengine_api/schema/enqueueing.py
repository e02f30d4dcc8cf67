"""Enqueueing: by name and JSON, or by the typed field that each task has."""

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, cast

import strawberry
from graphql import GraphQLResolveInfo
from strawberry.utils.str_converters import to_camel_case

from taskengine.jobs import Options
from taskengine_api.context import Context, Info
from taskengine_api.roles import Role
from taskengine_api.scalars import Json
from taskengine_api.schema.errors import UserError, mutation, or_errors
from taskengine_api.schema.jobs import Job
from taskengine_api.typed_tasks import TranslatePath


@strawberry.input(description="How a job is enqueued: common to every way of it. What is absent is the task's own.")
class EnqueueOptions:
    """How a job is enqueued."""

    queue: str | None = strawberry.field(default=None, description="The line that it stands in.")
    priority: int | None = strawberry.field(default=None, description="1 (last) to 10 (first).")
    run_at: datetime | None = strawberry.field(default=None, description="When it may start at the earliest.")
    delay_seconds: float | None = strawberry.field(
        default=None, description="How long it waits before it may start. Not together with `runAt`."
    )
    max_attempts: int | None = strawberry.field(default=None, description="How many attempts it gets, 1 to 1000.")
    timeout_seconds: float | None = strawberry.field(default=None, description="How long an attempt may run.")
    tags: list[str] | None = strawberry.field(default=None, description="Words to find it by: at most 20.")

    def to_domain(self) -> Options:
        """Return the engine's options."""
        return Options(
            queue=self.queue,
            priority=self.priority,
            run_at=self.run_at,
            delay=self.delay_seconds,
            max_attempts=self.max_attempts,
            timeout=self.timeout_seconds,
            tags=tuple(self.tags or ()),
        )


@strawberry.input(description="A job to be, by the name of its task.")
class EnqueueJobInput:
    """A job to be."""

    task: str = strawberry.field(description="What it runs.")
    args: Json = strawberry.field(description="The arguments: an object, by parameter name.")
    options: EnqueueOptions | None = strawberry.field(default=None, description="How it is enqueued.")


@strawberry.type(description="What became of enqueueing one job.")
class EnqueueJobPayload:
    """What became of enqueueing one job."""

    job: Job | None = strawberry.field(default=None, description="The job; null when it was refused.")
    errors: list[UserError] = strawberry.field(
        default_factory=list[UserError], description="Why it was refused; empty when it was not."
    )


async def enqueue(context: Context, task: str, args: Mapping[str, Any], options: Options) -> EnqueueJobPayload:
    """Enqueue one job; raise what the engine raises."""
    job = await context.client.enqueue_job(task, args, options)
    return EnqueueJobPayload(job=Job.from_domain(job))


async def enqueue_typed(
    info: GraphQLResolveInfo[Any],
    task: str,
    args: Mapping[str, Any],
    options: Mapping[str, Any] | None,
    translate: TranslatePath,
) -> EnqueueJobPayload:
    """Enqueue for one of the typed fields, which GraphQL itself calls."""
    context: Context = info.context

    async def work() -> EnqueueJobPayload:
        context.viewer.check(Role.OPERATOR)
        return await enqueue(context, task, args, _options_from(options or {}))

    return await or_errors(EnqueueJobPayload, work(), context, translate)


_BY_WIRE_NAME = {to_camel_case(field.name): field.name for field in dataclasses.fields(EnqueueOptions)}


def _options_from(given: Mapping[str, Any]) -> Options:
    return EnqueueOptions(**{_BY_WIRE_NAME[name]: value for name, value in given.items()}).to_domain()


@strawberry.type
class EnqueueMutations:
    """Ways to enqueue that need no task's own types."""

    @mutation("By name and JSON; the `enqueue<Task>` fields are its typed form.")
    async def enqueue_job(
        self, info: Info, input: Annotated[EnqueueJobInput, strawberry.argument(description="The job to be.")]
    ) -> EnqueueJobPayload:
        options = input.options or EnqueueOptions()
        return await enqueue(info.context, input.task, cast("Mapping[str, Any]", input.args), options.to_domain())
