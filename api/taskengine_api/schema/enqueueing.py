"""Enqueueing: by name and JSON, or by the typed field that each task has."""

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, cast

import strawberry
from graphql import GraphQLResolveInfo
from strawberry.utils.str_converters import to_camel_case

from taskengine.enqueue_client import Enqueued, NewJob, check_batch
from taskengine.errors import InvalidInput
from taskengine.jobs import Options
from taskengine.retries import Backoff
from taskengine_api.context import Context, Info
from taskengine_api.roles import Role
from taskengine_api.scalars import Json
from taskengine_api.schema.errors import UserError, errors_of, mutation, or_errors
from taskengine_api.schema.jobs import Job
from taskengine_api.typed_tasks import TranslatePath


@strawberry.input(
    description="How long a job waits after an attempt that failed: `baseSeconds` after the first, `factor` times that"
    " after each further one, at most `capSeconds`."
)
class BackoffInput:
    """How long to wait between attempts."""

    base_seconds: float = strawberry.field(default=1.0, description="After the first failure.")
    factor: float = strawberry.field(default=2.0, description="By how much the wait grows each time: 1 is not at all.")
    cap_seconds: float = strawberry.field(default=600.0, description="The longest wait: up to 1,000,000,000.")
    jitter: bool = strawberry.field(
        default=True,
        description="Anything from 0 to that wait instead, so that what failed together does not come back together.",
    )

    def to_domain(self) -> Backoff:
        """Return the engine's backoff; raise ``InvalidInput`` with the names that the caller knows."""
        try:
            return Backoff(**vars(self))
        except InvalidInput as refused:
            path = ("options", "backoff", to_camel_case(refused.path[-1]))
            raise InvalidInput(path, refused.message, refused.constraint) from None


@strawberry.input(description="How a job is enqueued: common to every way of it. What is absent is the task's own.")
class EnqueueOptions:
    """How a job is enqueued."""

    queue: str | None = strawberry.field(default=None, description="The line that it stands in.")
    priority: int | None = strawberry.field(default=None, description="1 (last) to 10 (first).")
    run_at: datetime | None = strawberry.field(default=None, description="When it may start at the earliest.")
    delay_seconds: float | None = strawberry.field(
        default=None, description="How long it waits before it may start. Not together with `runAt`."
    )
    start_before: datetime | None = strawberry.field(
        default=None, description="Not started by then: CANCELLED with cancelReason `expired`."
    )
    max_attempts: int | None = strawberry.field(default=None, description="How many attempts it gets, 1 to 1000.")
    timeout_seconds: float | None = strawberry.field(default=None, description="How long an attempt may run.")
    backoff: BackoffInput | None = strawberry.field(
        default=None, description="How long it waits between attempts, instead of all that its task says of that."
    )
    tags: list[str] | None = strawberry.field(default=None, description="Words to find it by: at most 20.")
    idempotency_key: str | None = strawberry.field(
        default=None,
        description="Same task and key: the first job is returned, for as long as its record is kept."
        " At most 200 printable characters.",
    )
    depends_on: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="Starts when these have COMPLETED; CANCELLED when one of them fails or is cancelled for good.",
    )

    def to_domain(self) -> Options:
        """Return the engine's options."""
        return Options(
            queue=self.queue,
            priority=self.priority,
            run_at=self.run_at,
            start_before=self.start_before,
            delay=self.delay_seconds,
            max_attempts=self.max_attempts,
            timeout=self.timeout_seconds,
            backoff=self.backoff.to_domain() if self.backoff else None,
            tags=tuple(self.tags or ()),
            idempotency_key=self.idempotency_key,
            depends_on=tuple(self.depends_on or ()),
        )


@strawberry.input(description="A job to be, by the name of its task.")
class EnqueueJobInput:
    """A job to be."""

    task: str = strawberry.field(description="What it runs.")
    args: Json = strawberry.field(description="The arguments: an object, by parameter name.")
    options: EnqueueOptions | None = strawberry.field(default=None, description="How it is enqueued.")

    def to_domain(self) -> NewJob:
        """Return the engine's job to be; raise ``InvalidInput``."""
        options = self.options or EnqueueOptions()
        return NewJob(task=self.task, args=cast("Mapping[str, Any]", self.args), options=options.to_domain())

    def to_one_of_many(self) -> NewJob | InvalidInput:
        """Return the engine's job to be, or what is wrong with it, which is not to keep the others out."""
        try:
            return self.to_domain()
        except InvalidInput as refused:
            return refused


@strawberry.type(description="What became of enqueueing one job.")
class EnqueueJobPayload:
    """What became of enqueueing one job."""

    job: Job | None = strawberry.field(default=None, description="The job; null when it was refused.")
    deduplicated: bool = strawberry.field(
        default=False, description="Whether the idempotency key matched an earlier job, which is this one."
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list[UserError], description="Why it was refused; empty when it was not."
    )


@strawberry.input(description="Jobs to be.")
class EnqueueJobsInput:
    """Jobs to be."""

    jobs: list[EnqueueJobInput] = strawberry.field(description="Up to 1000 jobs.")
    atomic: bool = strawberry.field(
        default=False, description="All or nothing: where one is refused, none is enqueued."
    )


@strawberry.type(description="What became of enqueueing many jobs.")
class EnqueueJobsPayload:
    """What became of enqueueing many jobs."""

    results: list[EnqueueJobPayload] = strawberry.field(
        default_factory=list[EnqueueJobPayload],
        description="What became of each, in input order; empty when none was enqueued."
        " The path of an error begins with `jobs` and the place in the list.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list[UserError], description="Why none was enqueued; empty when some may have been."
    )


@strawberry.input(description="The job to repeat.")
class RerunJobInput:
    """The job to repeat."""

    id: strawberry.ID = strawberry.field(description="The job's id.")
    args: Json | None = strawberry.field(
        default=None,
        description="Instead of the first job's. A secret that is shown as `********` stays what it was there.",
    )
    options: EnqueueOptions | None = strawberry.field(
        default=None,
        description="How it is enqueued; queue, priority, attempts, timeout, backoff and tags are the first job's"
        " otherwise.",
    )


@strawberry.type(description="What became of repeating.")
class RerunJobPayload:
    """What became of repeating."""

    job: Job | None = strawberry.field(default=None, description="The new job; null when it was refused.")
    errors: list[UserError] = strawberry.field(
        default_factory=list[UserError], description="Why it was refused; empty when it was not."
    )


async def enqueue(context: Context, task: str, args: Mapping[str, Any], options: Options) -> EnqueueJobPayload:
    """Enqueue one job; raise what the engine raises."""
    job = NewJob(task=task, args=args, options=options)
    return _enqueued(await context.client.enqueue(job, by=context.viewer.name))


def _enqueued(one: Enqueued) -> EnqueueJobPayload:
    return EnqueueJobPayload(job=Job.from_domain(one.job), deduplicated=one.deduplicated)


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


_BY_WIRE_NAME = {
    to_camel_case(field.name): field.name
    for kind in (EnqueueOptions, BackoffInput)
    for field in dataclasses.fields(kind)
}


def _options_from(given: Mapping[str, Any]) -> Options:
    said = _by_our_names(given)
    if said.get("backoff") is not None:
        said["backoff"] = BackoffInput(**_by_our_names(said["backoff"]))
    return EnqueueOptions(**said).to_domain()


def _by_our_names(given: Mapping[str, Any]) -> dict[str, Any]:
    return {_BY_WIRE_NAME[name]: value for name, value in given.items()}


@strawberry.type
class EnqueueMutations:
    """Ways to enqueue that need no task's own types."""

    @mutation("By name and JSON; the `enqueue<Task>` fields are its typed form.")
    async def enqueue_job(
        self, info: Info, input: Annotated[EnqueueJobInput, strawberry.argument(description="The job to be.")]
    ) -> EnqueueJobPayload:
        return _enqueued(await info.context.client.enqueue(input.to_domain(), by=info.context.viewer.name))

    @mutation("A new job with the same task and, unless changed, the same arguments.")
    async def rerun_job(
        self,
        info: Info,
        input: Annotated[RerunJobInput, strawberry.argument(description="The job to repeat, and what to change.")],
    ) -> RerunJobPayload:
        args = cast("Mapping[str, Any] | None", input.args)
        options = input.options.to_domain() if input.options else None
        job = await info.context.client.rerun_job(input.id, args, options, by=info.context.viewer.name)
        return RerunJobPayload(job=Job.from_domain(job))

    @mutation("Results in input order.")
    async def enqueue_jobs(
        self, info: Info, input: Annotated[EnqueueJobsInput, strawberry.argument(description="The jobs to be.")]
    ) -> EnqueueJobsPayload:
        client, by = info.context.client, info.context.viewer.name
        check_batch(input.jobs)
        jobs = [job.to_one_of_many() for job in input.jobs]
        if input.atomic:
            return EnqueueJobsPayload(results=[_enqueued(one) for one in await client.enqueue_all(jobs, by=by)])
        answers = await client.enqueue_each(jobs, by=by)
        results = [await _result(info.context, place, answer) for place, answer in enumerate(answers)]
        return EnqueueJobsPayload(results=results)


async def _result(context: Context, place: int, answer: Enqueued | InvalidInput) -> EnqueueJobPayload:
    if isinstance(answer, Enqueued):
        return _enqueued(answer)
    errors = await errors_of(answer, context, lambda path: ("jobs", str(place), *path))
    return EnqueueJobPayload(errors=errors)
