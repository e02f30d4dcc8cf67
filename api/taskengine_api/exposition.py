"""What there is and what ever happened, as Prometheus reads it: pure, from one look at the engine.

Series are bounded: of queues and tasks the first 200 pairs by name have labels of their own, and the others are added
up under ``(other)``.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import TypeVar

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from taskengine.jobs import StateCounts, WorkerInfo
from taskengine.metrics import Histogram, bucket_bounds, bucket_of
from taskengine.monitor_client import Observation
from taskengine.reads import Lanes
from taskengine.totals import Totals

MOST_LANES = 200
OTHER = "(other)"
LIMITS_MS = tuple(2**power for power in range(25))
"""Upper ends of the buckets that Prometheus gets: from 1 ms, each twice the one before, to 4.7 hours."""

T = TypeVar("T")
Lane = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Exposition:
    """All metrics of a scrape: those of the process, and those of the engine if Redis answered."""

    process: CollectorRegistry
    seen: Observation | None

    def collect(self) -> Iterator[Metric]:
        """Yield each family once."""
        yield from self.process.collect()
        yield GaugeMetricFamily("taskengine_redis_up", "1 if Redis answered.", value=float(self.seen is not None))
        if self.seen is not None:
            yield from families(self.seen)


def families(seen: Observation) -> Iterator[Metric]:
    """Yield what one look at the engine has told."""
    kept = _kept(seen)
    yield _jobs(seen.lanes, kept)
    yield _oldest_waits(seen.lanes, seen.at)
    yield from _workers(seen.workers)
    yield GaugeMetricFamily("taskengine_redis_memory_bytes", "Memory that Redis uses.", value=seen.redis_memory_bytes)
    if seen.redis_memory_limit_bytes is not None:
        limit = "Memory that Redis may use; absent without a limit."
        yield GaugeMetricFamily("taskengine_redis_memory_limit_bytes", limit, value=seen.redis_memory_limit_bytes)
    yield from _totals(seen.totals, kept)


def _kept(seen: Observation) -> frozenset[Lane]:
    """The pairs of queue and task with labels of their own: always the same, so that no counter goes back."""
    lanes = {(queue, task) for queue, task, _, _ in seen.lanes} | {(one.queue, one.task) for one in seen.totals}
    return frozenset(sorted(lanes)[:MOST_LANES])


def _grouped(rows: Iterable[tuple[Lane, T]], kept: frozenset[Lane]) -> Mapping[Lane, list[T]]:
    found: dict[Lane, list[T]] = {}
    for lane, row in rows:
        found.setdefault(lane if lane in kept else (OTHER, OTHER), []).append(row)
    return found


def _jobs(lanes: Lanes, kept: frozenset[Lane]) -> Metric:
    family = GaugeMetricFamily("taskengine_jobs", "Jobs that there are.", labels=["queue", "task", "state"])
    grouped = _grouped((((queue, task), counts) for queue, task, counts, _ in lanes), kept)
    for (queue, task), rows in grouped.items():
        for state in fields(StateCounts):
            family.add_metric([queue, task, state.name], sum(getattr(row, state.name) for row in rows))
    return family


def _oldest_waits(lanes: Lanes, now: datetime) -> Metric:
    family = GaugeMetricFamily(
        "taskengine_oldest_wait_seconds",
        "How long the ready job of a queue that waits longest has waited; 0 when none waits.",
        labels=["queue"],
    )
    now_ms = now.timestamp() * 1000
    waits: dict[str, float] = {}
    for queue, _, _, since_ms in lanes:
        wait = (now_ms - since_ms) / 1000 if since_ms >= 0 else 0.0
        waits[queue] = max(waits.get(queue, 0.0), wait)
    for number, queue in enumerate(sorted(waits)):
        if number < MOST_LANES:
            family.add_metric([queue], waits[queue])
    return family


def _workers(workers: Sequence[WorkerInfo]) -> Iterator[Metric]:
    online = [worker for worker in workers if worker.online]
    states = {
        "online": sum(not worker.draining for worker in online),
        "draining": sum(worker.draining for worker in online),
        "offline": len(workers) - len(online),
    }
    family = GaugeMetricFamily("taskengine_workers", "Workers: here, leaving, and lately gone.", labels=["state"])
    for state, count in states.items():
        family.add_metric([state], count)
    yield family
    slots = sum(worker.concurrency for worker in online if not worker.draining)
    yield GaugeMetricFamily("taskengine_worker_slots", "Jobs that workers could run at once.", value=slots)
    running = sum(len(worker.running) for worker in online)
    yield GaugeMetricFamily("taskengine_worker_jobs", "Jobs that workers hold.", value=running)


def _totals(totals: Sequence[Totals], kept: frozenset[Lane]) -> Iterator[Metric]:
    labels = ["queue", "task"]
    enqueued = CounterMetricFamily("taskengine_jobs_enqueued", "Jobs that were enqueued.", labels=labels)
    cancelled = CounterMetricFamily("taskengine_jobs_cancelled", "Jobs that were cancelled.", labels=labels)
    attempts = CounterMetricFamily("taskengine_attempts", "Attempts that ended.", labels=[*labels, "outcome"])
    waits = HistogramMetricFamily(
        "taskengine_wait_seconds", "From ready to started. The sum is an estimate, by buckets.", labels=labels
    )
    runs = HistogramMetricFamily(
        "taskengine_run_seconds", "From started to ended. The sum is an estimate, by buckets.", labels=labels
    )
    for lane, rows in _grouped((((one.queue, one.task), one) for one in totals), kept).items():
        enqueued.add_metric(lane, sum(row.enqueued for row in rows))
        cancelled.add_metric(lane, sum(row.cancelled for row in rows))
        for outcome in ("completed", "failed", "retried"):
            attempts.add_metric([*lane, outcome], sum(getattr(row, outcome).total() for row in rows))
        waits.add_metric(lane, *_histogram([row.waits for row in rows]))
        runs.add_metric(lane, *_histogram([row.runs for row in rows]))
    yield from (enqueued, cancelled, attempts, waits, runs)


def _histogram(parts: Sequence[Histogram]) -> tuple[list[tuple[str, float]], float]:
    """Return what does not exceed each limit, as Prometheus wants it, and about how many seconds it is in all."""
    last = len(LIMITS_MS)
    counts = [0] * (last + 1)
    seconds = 0.0
    for part in parts:
        for bucket, count in part.items():
            lowest, highest = bucket_bounds(bucket)
            seconds += count * (lowest + highest) / 2000
            place = next((number for number, limit in enumerate(LIMITS_MS) if bucket < bucket_of(limit)), last)
            counts[place] += count
    below, buckets = 0, list[tuple[str, float]]()
    for limit, count in zip([*LIMITS_MS, None], counts, strict=True):
        below += count
        buckets.append(("+Inf" if limit is None else f"{limit / 1000:g}", max(below, 0)))
    return buckets, max(seconds, 0.0)
