"""Draining a worker: it takes no new job, and stops when its running ones are done."""

from typing import Annotated

import strawberry

from taskengine.errors import WorkerNotFound
from taskengine_api.context import Info
from taskengine_api.schema.errors import UserError, mutation
from taskengine_api.schema.nodes import Prefix
from taskengine_api.schema.steering import NO_ERRORS
from taskengine_api.schema.workers import Worker


@strawberry.input(description="The worker to drain.")
class DrainWorkerInput:
    """The worker to drain."""

    id: strawberry.ID = strawberry.field(description="The worker's id.")


@strawberry.type(description="What became of draining.")
class DrainWorkerPayload:
    """What became of draining."""

    worker: Worker | None = strawberry.field(default=None, description="The worker as it is now.")
    errors: list[UserError] = strawberry.field(default_factory=list[UserError], description=NO_ERRORS)


@strawberry.type
class DrainingMutations:
    """What can be done to workers."""

    @mutation("Takes no new job and stops when its running ones are done. Draining a draining worker is no error.")
    async def drain_worker(
        self, info: Info, input: Annotated[DrainWorkerInput, strawberry.argument(description="The worker.")]
    ) -> DrainWorkerPayload:
        prefix, _, name = input.id.partition("_")
        if prefix != Prefix.WORKER or not name:
            raise WorkerNotFound(input.id)
        worker = await info.context.client.drain_worker(name, by=info.context.viewer.name)
        return DrainWorkerPayload(worker=Worker.from_domain(worker))
