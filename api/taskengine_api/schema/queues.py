"""Queues: how deep each one is, and who serves it."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry
from strawberry import Private

from taskengine.jobs import QueueInfo
from taskengine.jobs import StateCounts as Counts
from taskengine.rules import Kind, Pause
from taskengine_api.context import Info
from taskengine_api.schema.counts import StateCounts
from taskengine_api.schema.enums import MetricsWindow
from taskengine_api.schema.metrics import Metrics, Window, metrics_of
from taskengine_api.schema.nodes import Node, Prefix, id_of
from taskengine_api.schema.rules import RateLimitRule

if TYPE_CHECKING:
    from taskengine_api.schema.workers import Worker


@strawberry.type(description="A line of jobs that workers take from.")
class Queue(Node):
    """A line of jobs that workers take from. What is not known yet is read when it is asked for."""

    name: str = strawberry.field(description="What it is called.")
    known: Private[QueueInfo | None]

    @classmethod
    def named(cls, name: str, known: QueueInfo | None = None) -> "Queue":
        """Show the queue of that name."""
        return cls(id=id_of(Prefix.QUEUE, name), name=name, known=known)

    @strawberry.field(description="Whether nothing more of it starts until someone resumes it.")
    async def paused(self, info: Info) -> bool:
        return await self._pause(info) is not None

    @strawberry.field(description="Since when it is paused; null while it is not.")
    async def paused_at(self, info: Info) -> datetime | None:
        pause = await self._pause(info)
        return pause and pause.at

    @strawberry.field(description="Who paused it; null while it is not paused, or nobody said.")
    async def paused_by(self, info: Info) -> str | None:
        pause = await self._pause(info)
        return pause and pause.by

    @strawberry.field(description="Why it is paused; null while it is not, or nobody said.")
    async def pause_reason(self, info: Info) -> str | None:
        pause = await self._pause(info)
        return pause and pause.reason

    @strawberry.field(description="How many of its jobs may run at once, over all workers; null is any number.")
    async def concurrency_limit(self, info: Info) -> int | None:
        return (await info.context.loaders.rules.load(None)).limits_of(Kind.QUEUE, self.name).concurrency

    @strawberry.field(description="How many of its jobs may start in a time, over all workers; null is any number.")
    async def rate_limit(self, info: Info) -> RateLimitRule | None:
        rules = await info.context.loaders.rules.load(None)
        return RateLimitRule.from_domain(rules.limits_of(Kind.QUEUE, self.name).rate)

    @strawberry.field(description="What happened to its jobs.")
    async def metrics(self, info: Info, window: Window = MetricsWindow.HOUR) -> Metrics:
        return await metrics_of(info, window, queue=self.name)

    @strawberry.field(description="Its jobs in each state.")
    async def counts(self, info: Info) -> StateCounts:
        return StateCounts.from_domain((await self._facts(info)).counts)

    @strawberry.field(description="How long the oldest ready job has waited; null when none waits.")
    async def oldest_wait_seconds(self, info: Info) -> float | None:
        since = (await self._facts(info)).oldest_ready_at
        if since is None:
            return None
        now = await info.context.loaders.now.load(None)
        return max(0.0, (now - since).total_seconds())

    @strawberry.field(description="The workers that take jobs from it, those lately gone included.")
    async def workers(self, info: Info) -> list[Annotated["Worker", strawberry.lazy("taskengine_api.schema.workers")]]:
        from taskengine_api.schema.workers import Worker

        found = await info.context.loaders.all_workers.load(None)
        return [Worker.from_domain(worker) for worker in found if {self.name, "*"} & {*worker.queues}]

    async def _pause(self, info: Info) -> Pause | None:
        return (await info.context.loaders.rules.load(None)).pause_of(Kind.QUEUE, self.name)

    async def _facts(self, info: Info) -> QueueInfo:
        found = self.known or await info.context.loaders.queues.load(self.name)
        return found or QueueInfo(name=self.name, counts=Counts())


@strawberry.type
class QueueQueries:
    """What can be asked of queues."""

    @strawberry.field(description="The queues that have jobs or that a task names, by name.")
    async def queues(self, info: Info) -> list[Queue]:
        return [Queue.named(queue.name, queue) for queue in await info.context.client.list_queues()]

    @strawberry.field(description="One queue; null when it has no jobs and no task names it.")
    async def queue(
        self, info: Info, name: Annotated[str, strawberry.argument(description="What it is called.")]
    ) -> Queue | None:
        found = await info.context.loaders.queues.load(name)
        return Queue.named(name, found) if found else None
