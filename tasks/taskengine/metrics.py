"""How much happens and how long it takes: counts, rates and percentiles over the last minute, hour, day or week.

Counted inside the scripts that make the moves (``lua/fragments/metrics.lua``), by queue and task:

    E       enqueued                        W<b>  started, after a wait in bucket b
    C<b>    completed, after a run in b     F<b>  failed for good       R<b>  failed, and tries again
    X       cancelled

One counter carries both the count and the duration, so a job costs three ``HINCRBY``: when it is enqueued,
claimed and finished. A script sums up what it did and writes once, so a batch of equal jobs costs no more than one.

**Buckets** are four to each doubling of milliseconds: a percentile is off by less than 19 % of itself. A job that
runs a week is in bucket 117, so there are at most about 480 different counters a queue and task in a slot; a real
task has a dozen or two.

**Slots.** Moves write to one open slot, of a second. The first move of a later second closes it: packs it into one
JSON object a queue and task (and one for each queue, each task and all together, so that every question is one look
a slot), and adds it to the open slot of a minute; that one in turn to one of 15 minutes, and that to one of 2 hours.
So no one has to tend the clock, a window is at most 96 packed slots, and what is still open is added when one reads.
Each slot expires when its window has passed: memory is bounded by queues, tasks and buckets, not by jobs (some
200 KB a task that is busy all week). Of a Redis whose clock is set back, nothing is lost.

Knows nothing of connections: ``read_metrics`` builds the call.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from math import log2
from typing import Any

from taskengine.keys import Keys
from taskengine.records import instant, text
from taskengine.scripts import Call, call

ANY = "*"
_PER_DOUBLING = 4
"""As in ``lua/fragments/metrics.lua``."""


class MetricsWindow(StrEnum):
    """How far back one looks. The present slot, which is not over, is the last."""

    MINUTE = "MINUTE"
    """60 slots of a second."""
    HOUR = "HOUR"
    """60 slots of a minute."""
    DAY = "DAY"
    """96 slots of 15 minutes."""
    WEEK = "WEEK"
    """84 slots of 2 hours."""

    @property
    def slot_seconds(self) -> int:
        """The length of a slot."""
        return _SLOTS[self][0]

    @property
    def slots(self) -> int:
        """How many slots there are."""
        return _SLOTS[self][1]


_SLOTS = {
    MetricsWindow.MINUTE: (1, 60),
    MetricsWindow.HOUR: (60, 60),
    MetricsWindow.DAY: (900, 96),
    MetricsWindow.WEEK: (7200, 84),
}

Counts = Mapping[str, int]
"""How often each thing happened, by its letter and bucket."""
Histogram = Mapping[int, int]
"""How many durations are in each bucket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsPoint:
    """What happened in one slot."""

    at: datetime
    """When the slot began."""
    enqueued: int
    completed: int
    failed: int
    retried: int
    cancelled: int
    wait_seconds_p95: float | None
    run_seconds_p95: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """Counts and latency over a window. Durations are ``None`` when nothing started or ended in it."""

    window: MetricsWindow
    enqueued: int
    completed: int
    failed: int
    """Jobs that failed for good."""
    retried: int
    """Attempts that failed and are made again."""
    cancelled: int
    throughput_per_second: float
    """Jobs that completed or failed, a second."""
    error_rate: float
    """The share of attempts that failed, of those that completed or failed; 0 when there were none."""
    wait_seconds_p50: float | None
    wait_seconds_p95: float | None
    wait_seconds_p99: float | None
    run_seconds_p50: float | None
    run_seconds_p95: float | None
    run_seconds_p99: float | None
    series: tuple[MetricsPoint, ...]
    """One point a slot, oldest first, without gaps."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What metrics are asked of: a queue, a task, a task in a queue, or with neither, of all jobs."""

    window: MetricsWindow
    queue: str | None = None
    task: str | None = None


def read_metrics(keys: Keys, window: MetricsWindow, *, task: str | None, queue: str | None) -> Call[Metrics]:
    """What was counted over a window, of a task, of a queue, of a task in a queue, or of all."""

    def decode(reply: Sequence[Any]) -> Metrics:
        now_ms, first, closed, still_open = reply
        slots = [Counter[str](json.loads(text(packed)) if packed else {}) for packed in closed]
        for second, counts in still_open:
            slots[(int(second) - int(first)) // window.slot_seconds].update(json.loads(text(counts)))
        return summary(window, slots, first_second=int(first), now_ms=int(now_ms))

    return call(
        "read_metrics",
        keys.prefix,
        decode,
        seconds=window.slot_seconds,
        slots=window.slots,
        queue=queue or ANY,
        task=task or ANY,
    )


def summary(window: MetricsWindow, slots: Sequence[Counts], *, first_second: int, now_ms: int) -> Metrics:
    """Say what the slots of a window come to."""
    total = Counter[str]()
    for slot in slots:
        total.update(slot)
    completed, failed, retried = (_count(total, what) for what in "CFR")
    attempts = completed + failed + retried
    waits, runs = _histogram(total, "W"), _histogram(total, "CFR")
    return Metrics(
        window=window,
        enqueued=_count(total, "E"),
        completed=completed,
        failed=failed,
        retried=retried,
        cancelled=_count(total, "X"),
        throughput_per_second=(completed + failed) / max(now_ms / 1000 - first_second, 1.0),
        error_rate=(failed + retried) / attempts if attempts else 0.0,
        wait_seconds_p50=_percentile_seconds(waits, 0.50),
        wait_seconds_p95=_percentile_seconds(waits, 0.95),
        wait_seconds_p99=_percentile_seconds(waits, 0.99),
        run_seconds_p50=_percentile_seconds(runs, 0.50),
        run_seconds_p95=_percentile_seconds(runs, 0.95),
        run_seconds_p99=_percentile_seconds(runs, 0.99),
        series=tuple(_point(slot, first_second + number * window.slot_seconds) for number, slot in enumerate(slots)),
    )


def bucket_of(ms: float) -> int:
    """Return the bucket of a duration: 0 for less than a millisecond, then four to each doubling."""
    return 0 if ms < 1 else int(log2(ms) * _PER_DOUBLING + 1e-9) + 1


def bucket_bounds(bucket: int) -> tuple[float, float]:
    """Return from and up to how many ms a bucket goes."""
    if bucket == 0:
        return 0.0, 1.0
    return 2 ** ((bucket - 1) / _PER_DOUBLING), 2 ** (bucket / _PER_DOUBLING)


def percentile(histogram: Histogram, share: float) -> float | None:
    """Return the duration, ms, that ``share`` (0 to 1) of them do not exceed; ``None`` when there are none.

    Between two durations it is a mean weighted by nearness, which is what numpy does by default.
    """
    size = sum(histogram.values())
    if not size:
        return None
    place = (size - 1) * share
    below = int(place)
    lower, upper = _ranked(histogram, below), _ranked(histogram, min(below + 1, size - 1))
    return lower + (upper - lower) * (place - below)


def _ranked(histogram: Histogram, rank: int) -> float:
    """The duration of that rank, from 0, as if those of a bucket were spread evenly over it."""
    before = 0
    for bucket in sorted(histogram):
        count = histogram[bucket]
        if rank < before + count:
            lowest, highest = bucket_bounds(bucket)
            return lowest + (highest - lowest) * (rank - before + 0.5) / count
        before += count
    raise IndexError(rank)


def _percentile_seconds(histogram: Histogram, share: float) -> float | None:
    ms = percentile(histogram, share)
    return None if ms is None else ms / 1000


def _count(counts: Counts, what: str) -> int:
    return sum(count for name, count in counts.items() if name[0] == what)


def _histogram(counts: Counts, kinds: str) -> dict[int, int]:
    """Durations of some kinds. A start that was taken back in a later slot than it was counted in leaves -1 there."""
    found = Counter[int]()
    for name, count in counts.items():
        if name[0] in kinds and len(name) > 1:
            found[int(name[1:])] += count
    return {bucket: count for bucket, count in found.items() if count > 0}


def _point(slot: Counts, second: int) -> MetricsPoint:
    return MetricsPoint(
        at=instant(second * 1000),
        enqueued=_count(slot, "E"),
        completed=_count(slot, "C"),
        failed=_count(slot, "F"),
        retried=_count(slot, "R"),
        cancelled=_count(slot, "X"),
        wait_seconds_p95=_percentile_seconds(_histogram(slot, "W"), 0.95),
        run_seconds_p95=_percentile_seconds(_histogram(slot, "CFR"), 0.95),
    )
