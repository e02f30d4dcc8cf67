"""When runs of jobs began and ended, told by the jobs themselves and timed by Redis's clock, as limits are.

What a job tells lies inside what its lease holds: the start is told after the claim, the end before the outcome. So
runs that overlap here overlapped there.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from redis import Redis

_KEY = "stopwatch"
_NOTE = """
local time = redis.call("TIME")
redis.call("RPUSH", KEYS[1], string.format("%d%06d", time[1], time[2]) .. " " .. ARGV[1])
redis.call("EXPIRE", KEYS[1], 3600)
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a job, in µs since the epoch."""

    job_id: str
    key: str
    pid: int
    began: int
    ended: int | None
    """``None`` when it never told."""


@dataclass(frozen=True, slots=True)
class Stopwatch:
    """A list in Redis."""

    redis: Redis

    @contextmanager
    def run(self, job_id: str, key: str = "") -> Iterator[None]:
        """Note that a run begins, and that it ends."""
        self._note(f"start {job_id} {os.getpid()} {key}")
        try:
            yield
        finally:
            self._note(f"end {job_id} {os.getpid()} {key}")

    def runs(self) -> list[Run]:
        """All runs that began."""
        runs: list[Run] = []
        open_runs: dict[tuple[str, int], int] = {}
        for line in self.redis.lrange(_KEY, 0, -1):
            at, what, job_id, pid, key = str(line).split(" ", 4)
            if what == "start":
                open_runs[job_id, int(pid)] = len(runs)
                runs.append(Run(job_id, key, int(pid), int(at), None))
            else:
                number = open_runs.pop((job_id, int(pid)))
                runs[number] = Run(job_id, key, int(pid), runs[number].began, int(at))
        return runs

    def now(self) -> int:
        """Redis's clock, µs."""
        seconds, microseconds = self.redis.time()
        return seconds * 1_000_000 + microseconds

    def _note(self, line: str) -> None:
        self.redis.eval(_NOTE, 1, _KEY, line)


def most_at_once(runs: list[Run], died: dict[int, int]) -> int:
    """The most runs at one moment. ``died``: when processes were killed, µs, by their id: so long did their runs go."""
    moments: list[tuple[int, int]] = []
    for run in runs:
        ended = run.ended if run.ended is not None else died[run.pid]
        moments += [(run.began, 1), (max(ended, run.began), -1)]
    most = now = 0
    for _, change in sorted(moments):
        now += change
        most = max(most, now)
    return most
