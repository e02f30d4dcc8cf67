"""What a resolver has at hand: the client, the settings, and loaders that gather reads into one round trip.

A connection has one ``Context``; each operation gets its own copy with fresh
loaders, so that a WebSocket open for hours never shows yesterday's rows.
"""

import copy
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import strawberry
from strawberry.dataloader import DataLoader
from strawberry.extensions import SchemaExtension
from strawberry.types.graphql import OperationType

from taskengine.client import Client
from taskengine.failures import FailureGroup
from taskengine.jobs import Attempt, Dependencies, Job, QueueInfo, TaskInfo, WorkerInfo
from taskengine.metrics import Metrics, Subject
from taskengine.rules import Rules
from taskengine.schedules import Schedule
from taskengine.settings import Settings
from taskengine.waiting import Waiting
from taskengine_api.budgets import Balance, Budgets
from taskengine_api.log_lines import LogLines
from taskengine_api.meters import Meters
from taskengine_api.pulse import Pulse
from taskengine_api.results import Results
from taskengine_api.roles import Viewer

T = TypeVar("T")


class Loaders:
    """Reads of one operation, gathered. ``keep`` what was read: right within a query, wrong beyond it."""

    def __init__(self, client: Client, *, keep: bool) -> None:
        self.jobs: DataLoader[str, Job | None] = DataLoader(client.get_jobs, cache=keep)
        self.attempts: DataLoader[Job, list[Attempt]] = DataLoader(
            client.list_attempts, cache=keep, cache_key_fn=lambda job: job.id
        )
        self.waiting: DataLoader[str, Waiting | None] = DataLoader(client.explain_jobs, cache=keep, max_batch_size=100)
        self.dependencies: DataLoader[str, Dependencies] = DataLoader(
            client.list_dependencies, cache=keep, max_batch_size=100
        )
        self.failure_groups: DataLoader[str, FailureGroup | None] = DataLoader(client.get_failure_groups, cache=keep)
        self.schedules: DataLoader[str, Schedule | None] = DataLoader(client.get_schedules, cache=keep)
        self.metrics: DataLoader[Subject, Metrics] = DataLoader(client.list_metrics, cache=keep)
        self.rules: DataLoader[None, Rules] = DataLoader(_once(client.list_rules), cache=keep)
        self.queues: DataLoader[str, QueueInfo | None] = DataLoader(_by_name(client.list_queues), cache=keep)
        self.tasks: DataLoader[str, TaskInfo | None] = DataLoader(_by_name(client.list_tasks), cache=keep)
        self.workers: DataLoader[str, WorkerInfo | None] = DataLoader(_by_name(client.list_workers), cache=keep)
        self.all_workers: DataLoader[None, list[WorkerInfo]] = DataLoader(_once(client.list_workers), cache=keep)
        self.all_queues: DataLoader[None, list[QueueInfo]] = DataLoader(_once(client.list_queues), cache=keep)
        self.now: DataLoader[None, datetime] = DataLoader(_once(_clock_of(client)), cache=keep)


@dataclass(slots=True, kw_only=True)
class Context:
    """What resolvers see as ``info.context``."""

    client: Client
    settings: Settings
    pulse: Pulse
    lines: LogLines
    meters: Meters = field(default_factory=Meters)
    results: Results = field(default_factory=Results)
    budgets: Budgets
    balance: Balance = field(init=False)
    """What this operation cost, and what is left."""
    viewer: Viewer = field(init=False)
    """Unknown until someone was let in: who asks for it before fails."""
    _loaders: Loaders | None = field(init=False, default=None)

    @property
    def loaders(self) -> Loaders:
        """Reads of this operation; of a stream, those that go on while it does, which keep nothing."""
        if self._loaders is None:
            self._loaders = Loaders(self.client, keep=False)
        return self._loaders

    def seen_by(self, viewer: Viewer) -> "Context":
        """Return a copy for one viewer: of a connection, or of a request."""
        own = copy.copy(self)
        own.viewer = viewer
        return own

    def having_paid(self, balance: Balance) -> "Context":
        """Return a copy for one operation that was paid for."""
        own = copy.copy(self)
        own.balance = balance
        return own

    def for_operation(self, operation: OperationType) -> "Context":
        """Return a copy with loaders of its own. Only a query may look at one moment throughout."""
        own = copy.copy(self)
        own._loaders = Loaders(self.client, keep=operation is OperationType.QUERY)
        return own


Info = strawberry.Info[Context, None]


class ContextPerOperation(SchemaExtension):
    """Gives each operation its own loaders, on every transport."""

    def on_execute(self) -> Iterator[None]:
        execution = self.execution_context
        execution.context = execution.context.for_operation(execution.operation_type)
        try:
            yield
        finally:
            if execution.operation_type is OperationType.MUTATION:
                execution.context.results.forget()


def _by_name(read: Callable[[], Awaitable[Sequence[Any]]]) -> Callable[[list[str]], Awaitable[list[Any]]]:
    async def load(names: list[str]) -> list[Any]:
        found = {one.name: one for one in await read()}
        return [found.get(name) for name in names]

    return load


def _once(read: Callable[[], Awaitable[T]]) -> Callable[[list[None]], Awaitable[list[T]]]:
    async def load(keys: list[None]) -> list[T]:
        value = await read()
        return [value for _ in keys]

    return load


def _clock_of(client: Client) -> Callable[[], Awaitable[datetime]]:
    async def now() -> datetime:
        return (await client.ping()).now

    return now
