"""What metrics cost: CPU of Redis a job with and without them, memory a task, and the time of a read.

``Without`` is the same scripts with nothing counted. Everything that Redis does for a job is in the CPU: commands,
scripts and the network.
"""

import argparse
import hashlib
import json
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path

from redis import Redis

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))

from support.jobs import KEYS, MINUTE, STORE, WORKER, outcome, register, row, take  # noqa: E402
from support.redis_server import RedisServer  # noqa: E402
from support.time_slots import metrics  # noqa: E402
from taskengine import scripts  # noqa: E402
from taskengine.metrics import MetricsWindow  # noqa: E402
from taskengine.scripts import Script  # noqa: E402

CALLS = re.compile(r"^ *(?:tally|write_tally|untally_start)\(.*\n", re.MULTILINE)
DEFINITIONS = re.compile(
    r"^local function (?:tally|write_tally|untally_start|begin_slot)\(.*?^end\n", re.MULTILINE | re.DOTALL
)
WHAT = ["E", "X", *(f"{kind}{bucket}" for kind in "WC" for bucket in range(8, 22)), "F12", "R12"]
"""What a busy task counts in a slot."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=4_000)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--tasks", type=int, default=50)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        server = RedisServer(Path(directory)).start()
        try:
            with server.client() as redis:
                compare(redis, options.jobs, options.rounds)
                weigh(redis, options.tasks)
        finally:
            server.stop()


def compare(redis: Redis, jobs: int, rounds: int) -> None:
    print(f"CPU of Redis a job, µs: {jobs:,} jobs, the least of {rounds} rounds in turns\n")
    print(f"{'jobs a script':<16}{'without':>10}{'with':>10}{'ratio':>8}")
    for batch in (30, 1):
        found: dict[bool, list[float]] = {False: [], True: []}
        for _ in range(rounds):
            for counting, times in found.items():
                with loaded(counting):
                    times.append(run(redis, jobs, batch))
        without, counted = min(found[False]), min(found[True])
        print(f"{batch:<16}{without:>10.1f}{counted:>10.1f}{counted / without:>8.2f}", flush=True)


@contextmanager
def loaded(counting: bool) -> Iterator[None]:
    """Scripts with or without what they count."""
    original = scripts.script

    @cache
    def silent(name: str) -> Script:
        whole = original(name)
        text = CALLS.sub("", DEFINITIONS.sub("", whole.text))
        return replace(whole, text=text, sha=hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())

    if not counting:
        scripts.script = silent  # pyright: ignore[reportAttributeAccessIssue]
    try:
        yield
    finally:
        scripts.script = original


def run(redis: Redis, jobs: int, batch: int) -> float:
    """Enqueue and run jobs, so many a script; return µs of Redis's CPU a job."""
    redis.flushall()
    register(redis)
    begun = cpu_seconds(redis)
    for first in range(0, jobs, batch):
        rows = [row(f"job_{number:026d}") for number in range(first, min(first + batch, jobs))]
        STORE.enqueue_jobs(rows).run(redis)
    claimed = take(redis, batch).jobs
    while claimed:
        ended = [outcome(job, value="1") for job in claimed]
        claimed = STORE.finish_jobs(ended, WORKER, "*", batch, lease_ms=MINUTE).run(redis).jobs
    return (cpu_seconds(redis) - begun) / jobs * 1e6


def cpu_seconds(redis: Redis) -> float:
    info = redis.info("cpu")
    return info["used_cpu_user"] + info["used_cpu_sys"]


def weigh(redis: Redis, tasks: int) -> None:
    """Fill every slot of every window as busy tasks do, then weigh and read them."""
    redis.flushall()
    before = redis.info("memory")["used_memory"]
    fields = [f"q{task % 5}:t{task}:{what}" for task in range(tasks) for what in WHAT]
    for window in MetricsWindow:
        for slot in range(window.slots):
            fill(redis, window, slot, fields)
    bytes_a_task = (redis.info("memory")["used_memory"] - before) / tasks
    print(f"\n{tasks} tasks busy all week, {len(WHAT)} counters each in a slot: {bytes_a_task / 1024:,.0f} KiB a task")
    print(f"\n{'window':<10}{'of all, ms':>12}{'of a task, ms':>16}")
    for window in MetricsWindow:
        print(f"{window:<10}{timed(redis, window, None):>12.2f}{timed(redis, window, 't7'):>16.2f}")


def fill(redis: Redis, window: MetricsWindow, slot: int, fields: list[str]) -> None:
    """One closed slot, packed as ``fragments/metrics.lua`` packs it."""
    start = (int(redis.time()[0]) // window.slot_seconds - slot) * window.slot_seconds
    sums: dict[str, dict[str, int]] = {}
    for number, field in enumerate(fields):
        queue, task, what = field.split(":")
        for group in (f"{queue}:{task}", f"{queue}:*", f"*:{task}", "*:*"):
            sum_of = sums.setdefault(group, {})
            sum_of[what] = sum_of.get(what, 0) + 17 * (number % 50 + 1)
    packed = {group: json.dumps(counts, separators=(",", ":")) for group, counts in sums.items()}
    redis.hset(KEYS.metrics(window.slot_seconds, start), mapping=packed)


def timed(redis: Redis, window: MetricsWindow, task: str | None) -> float:
    def once() -> float:
        begun = time.perf_counter()
        metrics(redis, window, task=task)
        return (time.perf_counter() - begun) * 1000

    return statistics.median(once() for _ in range(30))


if __name__ == "__main__":
    main()
