"""What a move or a look costs with few jobs in Redis and with many: medians, and their ratio."""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from redis import Redis

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support.redis_server import RedisServer
from taskengine.filters import NEWEST_FIRST, OLDEST_FIRST, JobFilter, JobOrder, JobOrderField
from taskengine.ids import new_id
from taskengine.jobs import JobState, Options
from taskengine.keys import Keys
from taskengine.listing import Look, Place, Stretch
from taskengine.reads import Reads
from taskengine.records import row_of
from taskengine.store import Ending, Outcome, Store

KEYS = Keys("default")
STORE, READS = Store(KEYS), Reads(KEYS, lease_ms=10_000)
TASKS, QUEUES = 20, 4
MINUTE = 60_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=1_000)
    parser.add_argument("--many", type=int, default=200_000)
    parser.add_argument("--times", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        server = RedisServer(Path(directory)).start()
        try:
            with server.client() as redis:
                few = measure(redis, options.few, options.times)
                redis.flushall()
                many = measure(redis, options.many, options.times)
        finally:
            server.stop()
    print(f"{'median, µs':<28}{options.few:>10,}{options.many:>12,}{'ratio':>8}")
    for name in few:
        print(f"{name:<28}{few[name]:>10.0f}{many[name]:>12.0f}{many[name] / few[name]:>8.2f}")


def measure(redis: Redis, jobs: int, times: int) -> dict[str, float]:
    fill(redis, jobs)
    everything = JobFilter()
    middle = page(redis, everything, OLDEST_FIRST, limit=1).rows[0][1].score + jobs // 2
    looks: dict[str, Callable[[], object]] = {
        "enqueue": lambda: STORE.enqueue_jobs([row(0)]).run(redis),
        "claim and finish": lambda: claim_and_finish(redis),
        "counts": lambda: READS.count_jobs().run(redis),
        "first page of all": lambda: page(redis, everything),
        "a deep page of all": lambda: page(redis, everything, behind=Place(middle)),
    }
    wanted = {
        "of one state": (JobFilter(states=(JobState.COMPLETED,)), NEWEST_FIRST),
        "of a task and state": (JobFilter(states=(JobState.QUEUED,), tasks=("task-3",)), NEWEST_FIRST),
        "of a tag": (JobFilter(tags=("tag-1",)), NEWEST_FIRST),
        "by finish": (everything, JobOrder(JobOrderField.FINISHED_AT)),
        "by priority": (everything, JobOrder(JobOrderField.PRIORITY)),
        "of a text that is nowhere": (JobFilter(text="nowhere"), NEWEST_FIRST),
    }
    looks |= {f"a page {name}": partial(page, redis, *one) for name, one in wanted.items()}
    return {name: median_us(look, times) for name, look in looks.items()}


def fill(redis: Redis, jobs: int) -> None:
    """Half of the jobs queued, half completed."""
    STORE.register_worker("w", "{}", {f"task-{n}": "{}" for n in range(TASKS)}).run(redis)
    for start in range(0, jobs, 500):
        STORE.enqueue_jobs([row(n) for n in range(start, min(start + 500, jobs))]).run(redis)
    for _ in range(jobs // 2 // 100):
        claim_and_finish(redis, 100)


def page(
    redis: Redis, wanted: JobFilter, order: JobOrder = NEWEST_FIRST, *, limit: int = 50, behind: Place | None = None
) -> Stretch:
    return READS.list_jobs(Look.for_(wanted, order), behind=behind, limit=limit).run(redis)


def row(n: int) -> list[str | bytes | int | float]:
    task, queue = f"task-{n % TASKS}", f"queue-{n % QUEUES}"
    return row_of(new_id("job"), task, '{"n":1}', queue=queue, priority=5, options=Options(tags=(f"tag-{n % 100}",)))


def claim_and_finish(redis: Redis, count: int = 1) -> None:
    claim = STORE.claim_jobs("w", "*", count, lease_ms=MINUTE).run(redis).jobs
    outcomes = [Outcome(job_id=job.id, lease=job.lease, ending=Ending.COMPLETED, value="1") for job in claim]
    STORE.finish_jobs(outcomes, "w", "*", 0, lease_ms=MINUTE).run(redis)


def median_us(look: Callable[[], object], times: int) -> float:
    durations: list[float] = []
    for _ in range(times):
        begun = time.perf_counter()
        look()
        durations.append(time.perf_counter() - begun)
    return statistics.median(durations) * 1e6


if __name__ == "__main__":
    main()
