"""Metrics: how much happens and how long it takes, over a window."""

from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated

import strawberry

from taskengine import metrics as domain
from taskengine_api.context import Info
from taskengine_api.schema.enums import MetricsWindow

Window = Annotated[MetricsWindow, strawberry.argument(description="How far back to look, up to now.")]


@strawberry.type(description="What happened in one part of a window.")
class MetricsPoint:
    """What happened in one part of a window."""

    at: datetime = strawberry.field(description="When that part began.")
    enqueued: int = strawberry.field(description="Jobs enqueued.")
    completed: int = strawberry.field(description="Jobs that completed.")
    failed: int = strawberry.field(description="Jobs that failed for good.")
    wait_seconds_p95: float | None = strawberry.field(
        name="waitSecondsP95", description="What 95 % of the waits did not exceed; null when nothing started."
    )
    run_seconds_p95: float | None = strawberry.field(
        name="runSecondsP95", description="What 95 % of the runs did not exceed; null when nothing ended."
    )

    @classmethod
    def from_domain(cls, point: domain.MetricsPoint) -> "MetricsPoint":
        """Show one of the engine's points."""
        return cls(
            at=point.at,
            enqueued=point.enqueued,
            completed=point.completed,
            failed=point.failed,
            wait_seconds_p95=point.wait_seconds_p95,
            run_seconds_p95=point.run_seconds_p95,
        )


def _latency(name: str, what: str, share: int) -> float | None:
    ended = "started" if what == "waits" else "ended"
    return strawberry.field(
        name=f"{name}P{share}", description=f"What {share} % of the {what} did not exceed; null when nothing {ended}."
    )


@strawberry.type(description="Counts and latency over a window. Percentiles are off by less than a fifth.")
class Metrics:
    """Counts and latency over a window."""

    window: MetricsWindow = strawberry.field(description="The window.")
    enqueued: int = strawberry.field(description="Jobs enqueued.")
    completed: int = strawberry.field(description="Jobs that completed.")
    failed: int = strawberry.field(description="Jobs that failed for good.")
    retried: int = strawberry.field(description="Attempts that failed and are made again.")
    throughput_per_second: float = strawberry.field(description="Jobs that completed or failed, a second.")
    error_rate: float = strawberry.field(
        description="The share of attempts that failed, 0 to 1, of those that completed or failed; 0 without any."
    )
    wait_seconds_p50: float | None = _latency("waitSeconds", "waits", 50)
    wait_seconds_p95: float | None = _latency("waitSeconds", "waits", 95)
    wait_seconds_p99: float | None = _latency("waitSeconds", "waits", 99)
    run_seconds_p50: float | None = _latency("runSeconds", "runs", 50)
    run_seconds_p95: float | None = _latency("runSeconds", "runs", 95)
    run_seconds_p99: float | None = _latency("runSeconds", "runs", 99)
    series: list[MetricsPoint] = strawberry.field(
        description="The window in equal parts without gaps, oldest first: seconds of a minute, minutes of an hour,"
        " quarters of an hour of a day, two hours of a week. The last part is not over."
    )

    @classmethod
    def from_domain(cls, metrics: domain.Metrics) -> "Metrics":
        """Show what the engine counted."""
        return cls(
            window=metrics.window,
            enqueued=metrics.enqueued,
            completed=metrics.completed,
            failed=metrics.failed,
            retried=metrics.retried,
            throughput_per_second=metrics.throughput_per_second,
            error_rate=metrics.error_rate,
            wait_seconds_p50=metrics.wait_seconds_p50,
            wait_seconds_p95=metrics.wait_seconds_p95,
            wait_seconds_p99=metrics.wait_seconds_p99,
            run_seconds_p50=metrics.run_seconds_p50,
            run_seconds_p95=metrics.run_seconds_p95,
            run_seconds_p99=metrics.run_seconds_p99,
            series=[MetricsPoint.from_domain(point) for point in metrics.series],
        )


async def metrics_of(
    info: Info, window: MetricsWindow, *, queue: str | None = None, task: str | None = None
) -> Metrics:
    """Return the metrics of a queue or task, in one round trip with all others that are asked for."""
    return Metrics.from_domain(await info.context.loaders.metrics.load(domain.Subject(window, queue, task)))


@strawberry.type
class MetricsQueries:
    """What can be asked of what happened."""

    @strawberry.field(description="What happened to all jobs.")
    async def metrics(self, info: Info, window: Window = MetricsWindow.HOUR) -> Metrics:
        return await metrics_of(info, window)


@strawberry.type
class MetricsSubscription:
    """Metrics, live."""

    @strawberry.subscription(description="What happened to all jobs, now and after each change, at most once a second.")
    async def metrics_updated(self, info: Info, window: Window = MetricsWindow.MINUTE) -> AsyncGenerator[Metrics, None]:
        async for metrics in info.context.pulse.follow(window):
            yield Metrics.from_domain(metrics)
