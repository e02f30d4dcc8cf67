"""Tasks: the functions that workers can run, and how each is enqueued."""

from typing import Annotated, Any, cast

import strawberry
from strawberry import Private

from taskengine.jobs import TaskInfo
from taskengine.rules import Kind
from taskengine_api.context import Info
from taskengine_api.scalars import Json
from taskengine_api.schema.counts import StateCounts
from taskengine_api.schema.enums import MetricsWindow
from taskengine_api.schema.metrics import Metrics, Window, metrics_of
from taskengine_api.schema.nodes import Node, Prefix, id_of
from taskengine_api.schema.queues import Queue
from taskengine_api.schema.rules import RateLimitRule
from taskengine_api.typed_tasks import UNTYPED


@strawberry.type(description="A Python function that workers can run.")
class Task(Node):
    """A task by its name. What workers published of it is read when it is asked for.

    A task that no worker publishes any more, but that has jobs, shows the engine's defaults.
    """

    name: str = strawberry.field(description="What it is called.")
    known: Private[TaskInfo | None]

    @classmethod
    def named(cls, name: str, known: TaskInfo | None = None) -> "Task":
        """Show the task of that name."""
        return cls(id=id_of(Prefix.TASK, name), name=name, known=known)

    @strawberry.field(description="The function's docstring.")
    async def description(self, info: Info) -> str | None:
        return (await self._facts(info)).description

    @strawberry.field(description="JSON Schema (draft 2020-12) of the arguments.")
    async def args_schema(self, info: Info) -> Json:
        return cast(Json, (await self._facts(info)).args_schema)

    @strawberry.field(description="The typed mutation that enqueues it; `enqueueJob` where there is none.")
    def enqueue_field(self, info: Info) -> str:
        schema: Any = info.schema
        return schema.field_of.get(self.name, UNTYPED)

    @strawberry.field(description="Where its jobs go unless said otherwise.")
    async def queue(self, info: Info) -> Queue:
        return Queue.named((await self._facts(info)).queue)

    @strawberry.field(description="Priority of its jobs unless said otherwise, 1 (last) to 10 (first).")
    async def priority(self, info: Info) -> int:
        return (await self._facts(info)).priority

    @strawberry.field(description="How often a job is tried unless said otherwise.")
    async def max_attempts(self, info: Info) -> int:
        return (await self._facts(info)).max_attempts

    @strawberry.field(description="How long an attempt may run unless said otherwise; null is as long as it takes.")
    async def timeout_seconds(self, info: Info) -> float | None:
        return (await self._facts(info)).timeout_seconds

    @strawberry.field(description="Whether nothing more of it starts until someone resumes it.")
    async def paused(self, info: Info) -> bool:
        return (await info.context.loaders.rules.load(None)).pause_of(Kind.TASK, self.name) is not None

    @strawberry.field(description="How many of its jobs may run at once, over all workers; null is any number.")
    async def concurrency_limit(self, info: Info) -> int | None:
        return (await info.context.loaders.rules.load(None)).limits_of(Kind.TASK, self.name).concurrency

    @strawberry.field(description="How many of its jobs may start in a time, over all workers; null is any number.")
    async def rate_limit(self, info: Info) -> RateLimitRule | None:
        rules = await info.context.loaders.rules.load(None)
        return RateLimitRule.from_domain(rules.limits_of(Kind.TASK, self.name).rate)

    @strawberry.field(description="What happened to its jobs.")
    async def metrics(self, info: Info, window: Window = MetricsWindow.HOUR) -> Metrics:
        return await metrics_of(info, window, task=self.name)

    @strawberry.field(description="Its jobs in each state.")
    async def counts(self, info: Info) -> StateCounts:
        return StateCounts.from_domain((await self._facts(info)).counts)

    async def _facts(self, info: Info) -> TaskInfo:
        found = self.known or await info.context.loaders.tasks.load(self.name)
        return found or TaskInfo(name=self.name, args_schema={})


@strawberry.type
class TaskQueries:
    """What can be asked of tasks."""

    @strawberry.field(description="The tasks that workers have published, by name.")
    async def tasks(self, info: Info) -> list[Task]:
        return [Task.named(task.name, task) for task in await info.context.client.list_tasks()]

    @strawberry.field(description="One task; null when no worker has published it.")
    async def task(
        self, info: Info, name: Annotated[str, strawberry.argument(description="What it is called.")]
    ) -> Task | None:
        found = await info.context.loaders.tasks.load(name)
        return Task.named(name, found) if found else None
