"""How much happened and how long it took, over a window."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from taskengine_dashboard.model.json_values import Json, moment

METRICS = """
fragment Metrics on Metrics {
  enqueued completed failed retried throughputPerSecond errorRate
  waitSecondsP50 waitSecondsP95 waitSecondsP99
  runSecondsP50 runSecondsP95 runSecondsP99
  series { at enqueued completed failed waitSecondsP95 runSecondsP95 }
}
"""
"""All that ``Metrics`` reads: ``metrics(window: $window) { ...Metrics }``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Percentiles:
    """Durations in seconds; ``None`` when there were none."""

    p50: float | None
    p95: float | None
    p99: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What happened in one part of a window, from ``at`` on."""

    at: datetime
    enqueued: int
    completed: int
    failed: int
    wait_p95: float | None
    run_p95: float | None

    @property
    def finished(self) -> int:
        """Jobs that came to an end by running."""
        return self.completed + self.failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Counts, rates and durations over a window, and its parts, oldest first. The last part is not over."""

    enqueued: int
    completed: int
    failed: int
    retried: int
    per_second: float
    """Jobs that completed or failed for good."""
    error_rate: float
    """0 to 1: the share of attempts that failed."""
    wait: Percentiles
    run: Percentiles
    series: tuple[Point, ...]

    @classmethod
    def read(cls, metrics: Json) -> Self:
        return cls(
            enqueued=metrics["enqueued"],
            completed=metrics["completed"],
            failed=metrics["failed"],
            retried=metrics["retried"],
            per_second=metrics["throughputPerSecond"],
            error_rate=metrics["errorRate"],
            wait=_percentiles(metrics, "waitSeconds"),
            run=_percentiles(metrics, "runSeconds"),
            series=tuple(
                Point(
                    at=moment(point["at"]),
                    enqueued=point["enqueued"],
                    completed=point["completed"],
                    failed=point["failed"],
                    wait_p95=point["waitSecondsP95"],
                    run_p95=point["runSecondsP95"],
                )
                for point in metrics["series"]
            ),
        )

    @property
    def finished(self) -> int:
        """Jobs that came to an end by running."""
        return self.completed + self.failed

    @property
    def success_rate(self) -> float | None:
        """0 to 1: the share of finished jobs that completed; ``None`` without any."""
        return self.completed / self.finished if self.finished else None

    @property
    def over(self) -> Sequence[Point]:
        """The parts that are over: what has just begun is less than the others and would look like a fall."""
        return self.series[:-1]


def _percentiles(metrics: Json, what: str) -> Percentiles:
    return Percentiles(p50=metrics[f"{what}P50"], p95=metrics[f"{what}P95"], p99=metrics[f"{what}P99"])
