"""How much of its machine a worker uses: its own process, and the children that run its jobs.

What tasks start themselves is not counted: to find that, one would look at every process there is.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

_SHORTEST_SECONDS = 0.1
"""The kernel counts in ticks of 10 ms: over a shorter time there is nothing to be said."""


@dataclass(frozen=True, slots=True)
class Usage:
    """Since the look before, and now."""

    cpu_percent: float
    """Of one core: four busy children are 400."""
    memory_bytes: int
    """Resident; what forked processes share is counted in each."""


class UsageMeter:
    """Measures one worker, from one thread of it."""

    def __init__(self) -> None:
        self._own = psutil.Process()
        self._children: dict[int, psutil.Process] = {}
        self._spent = {self._own.pid: _look(self._own)[0]}
        self._at = time.monotonic()
        self._last: Usage | None = None

    def measure(self, children: Iterable[int] = ()) -> Usage | None:
        """Return what was used since the last look; sooner than after a tenth of a second, what that look saw, if any.

        ``children``: their process ids; one that has ended is left out.
        """
        if time.monotonic() - self._at < _SHORTEST_SECONDS:
            return self._last
        before, began, self._at = self._spent, self._at, time.monotonic()
        self._spent, memory, used = {}, 0, 0.0
        for process in (self._own, *self._known(children)):
            try:
                spent, resident = _look(process)
            except psutil.NoSuchProcess:
                continue
            self._spent[process.pid] = spent
            used += max(spent - before.get(process.pid, 0.0), 0.0)
            memory += resident
        self._last = Usage(round(100 * used / (self._at - began), 1), memory)
        return self._last

    def _known(self, children: Iterable[int]) -> list[psutil.Process]:
        known, self._children = self._children, {}
        for pid in children:
            try:
                self._children[pid] = known.get(pid) or psutil.Process(pid)
            except psutil.NoSuchProcess:
                continue
        return list(self._children.values())


def _look(process: psutil.Process) -> tuple[float, int]:
    """Seconds of CPU time since it began, and bytes of memory."""
    with process.oneshot():
        times = process.cpu_times()
        return times.user + times.system, process.memory_info().rss
