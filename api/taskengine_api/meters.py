"""What this process of the API counts of its own work, for Prometheus. Knows nothing of jobs.

Every label has few values: kinds of operations, codes of errors.
"""

import time
from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from strawberry.extensions import SchemaExtension
from strawberry.types.graphql import OperationType

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Meters:
    """The counters of one application. Two in one process have each their own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.operations = Counter(
            "taskengine_api_operations",
            "Operations that this process has answered, or that have ended: over HTTP, sockets and streams.",
            ["type"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "taskengine_api_operation_seconds",
            "How long queries and mutations took.",
            ["type"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.points = Counter(
            "taskengine_api_points",
            "What operations cost, as extensions.cost tells it.",
            ["type"],
            registry=self.registry,
        )
        self.errors = Counter(
            "taskengine_api_errors",
            "Top-level errors that this process has answered with, by extensions.code.",
            ["code"],
            registry=self.registry,
        )
        self.subscriptions = Gauge(
            "taskengine_api_subscriptions", "Subscriptions that are open now.", registry=self.registry
        )
        ProcessCollector(registry=self.registry)

    def count_error(self, code: object) -> None:
        """Count one error that a client is told of."""
        self.errors.labels(str(code)).inc()


class Metered(SchemaExtension):
    """Counts each operation, on every transport. Goes on the outside of the others."""

    _kind: OperationType | None = None
    """What runs; ``None`` as long as nothing does."""

    def on_operation(self) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self._count(time.perf_counter() - started)

    def on_execute(self) -> Iterator[None]:
        self._kind = self.execution_context.operation_type
        if self._kind is OperationType.SUBSCRIPTION:
            self._meters.subscriptions.inc()
        yield

    @property
    def _meters(self) -> Meters:
        context: Any = self.execution_context.context
        return context.meters

    def _count(self, seconds: float) -> None:
        self._meters.operations.labels("refused" if self._kind is None else self._kind.value).inc()
        if self._kind is OperationType.SUBSCRIPTION:
            self._meters.subscriptions.dec()
        elif self._kind is not None:
            self._meters.seconds.labels(self._kind.value).observe(seconds)
