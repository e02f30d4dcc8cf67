"""All that was ever counted: sums that only grow, of which someone else makes rates. Prometheus does.

The metrics of ``metrics.py`` look back over a window. Here the same counters are added up for ever: when the slot of a
second closes, it goes to the totals too. They begin anew after a week in which nothing happens, and when there are more
than 20,000 of them, so that queues which come and go take no more memory than that.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from taskengine.keys import Keys
from taskengine.metrics import Histogram
from taskengine.records import text
from taskengine.scripts import Call, call


@dataclass(slots=True)
class Totals:
    """What ever happened to the jobs of one task in one queue."""

    queue: str
    task: str
    enqueued: int = 0
    cancelled: int = 0
    waits: Counter[int] = field(default_factory=Counter[int])
    """How many starts came after a wait of each bucket (``metrics.bucket_bounds``)."""
    completed: Counter[int] = field(default_factory=Counter[int])
    """How many attempts ended well after a run of each bucket."""
    failed: Counter[int] = field(default_factory=Counter[int])
    """How many failed for good."""
    retried: Counter[int] = field(default_factory=Counter[int])
    """How many failed and are made again."""

    @property
    def runs(self) -> Histogram:
        """Attempts of any outcome, by how long they ran."""
        return self.completed + self.failed + self.retried

    def add(self, what: str, count: int) -> None:
        """Add one counter, named as in ``metrics.py``."""
        kind, bucket = what[0], what[1:]
        if kind == "E":
            self.enqueued += count
        elif kind == "X":
            self.cancelled += count
        else:
            histograms = {"W": self.waits, "C": self.completed, "F": self.failed, "R": self.retried}
            histograms[kind][int(bucket)] += count


def read_totals(keys: Keys) -> Call[list[Totals]]:
    """What was ever counted, of each task in each queue, by their names."""

    def decode(reply: Sequence[Sequence[Any]]) -> list[Totals]:
        found: dict[tuple[str, str], Totals] = {}
        for flat in reply:
            for name, count in zip(flat[::2], flat[1::2], strict=True):
                queue, task, what = text(name).split(":")
                found.setdefault((queue, task), Totals(queue, task)).add(what, int(count))
        return [found[lane] for lane in sorted(found)]

    return call("read_totals", keys.prefix, decode)
