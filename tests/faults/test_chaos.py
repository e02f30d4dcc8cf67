"""Everything dies again and again while jobs come: nothing that was accepted is lost, nothing that is done is undone.

``make chaos SECONDS=600`` does it for long; each run of the tests does it for some seconds. A run prints its seed, and
CHAOS_SEED repeats its order of blows, though not the instants.
"""

import os
import random
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from threading import Event
from typing import Any

import psutil
from redis import Redis
from redis.exceptions import RedisError

from support.crowd import assert_nothing_is_left_open, jobs, ledger_in, states, wait_for_end
from support.jobs import KEYS, READS, STORE, row
from support.ledger import Ledger
from support.redis_server import RedisServer
from support.waiting import wait_until
from support.workers import WorkerProcess
from taskengine.errors import RedisUnavailable
from taskengine.ids import new_id
from taskengine.jobs import JobState
from taskengine.records import dumps, with_fields
from taskengine.rules import KEEP, Kind

SECONDS = float(os.environ.get("CHAOS_SECONDS", "10"))
LEASE_SECONDS = 1
SETTINGS: dict[str, Any] = {"namespace": "test", "lease_seconds": LEASE_SECONDS, "max_worker_losses": 1000}
"""The guard against jobs that kill their workers is off: here it is not the jobs that do."""

Final = tuple[JobState, object, object]


def test_whatever_dies_each_accepted_job_is_done_and_stays_done(durable_redis: RedisServer, tmp_path: Path) -> None:
    seed = int(os.environ.get("CHAOS_SEED", random.randrange(10**6)))
    print(f"CHAOS_SEED={seed}, {SECONDS:.0f} s")
    ledger, over = ledger_in(tmp_path), Event()
    with durable_redis.client() as redis:
        STORE.set_limits(Kind.TASK, "universal", concurrency=10, rate=KEEP, per_key=2).run(redis)
    with ExitStack() as stack:
        workers = [
            stack.enter_context(
                WorkerProcess(
                    "support.universal:engine", durable_redis.url, data_dir=tmp_path / name, mode=mode, **SETTINGS
                )  # pyright: ignore[reportArgumentType]
            )
            for name, mode in (("a", "thread"), ("b", "thread"), ("c", "process"))
        ]
        pool = stack.enter_context(ThreadPoolExecutor(2))
        stack.callback(over.set)
        accepted: list[str] = []
        feeder = pool.submit(feed, durable_redis, ledger, accepted, over)
        witness = pool.submit(watch, durable_redis, accepted, over)
        blows = strike(random.Random(seed), durable_redis, workers, time.monotonic() + SECONDS)
        over.set()
        feeder.result(60)
        seen = witness.result(60)
        with durable_redis.client() as redis:
            wait_for_end(redis, accepted, 120)
            assert states(redis, accepted) == {JobState.COMPLETED: len(accepted)}
            assert {job.id: final(job) for job in jobs(redis, list(seen))} == seen
            assert_nothing_is_left_open(redis)
    assert ledger.never_ended(set(accepted)) == set()
    print(f"{len(accepted):,} jobs, {len(seen):,} of them seen at their end meanwhile; {dict(sorted(blows.items()))}")


def feed(server: RedisServer, ledger: Ledger, accepted: list[str], over: Event) -> None:
    """Enqueue batches of every kind; send one whose answer is lost again, as every client does."""
    number = 0
    while not over.is_set():
        batch = [new_id("job") for _ in range(20)]
        rows = [a_row(job_id, number + place, batch[:place], ledger) for place, job_id in enumerate(batch)]
        attempt(server, lambda redis, rows=rows: STORE.enqueue_jobs(rows).run(redis))
        accepted += batch
        number += len(batch)
        while not over.wait(0.02) and len(accepted) - ended(server) > 400:
            pass  # no faster than they are done


def a_row(job_id: str, number: int, before: list[str], ledger: Ledger) -> list[Any]:
    """Short, failing once, later, one after another, with keys of both sorts."""
    args = {"do": "FAIL_ONCE" if number % 7 == 0 else "OK", "ms": 10 * (number % 5), "ledger": str(ledger.path)}
    options: dict[str, Any] = {"priority": number % 10 + 1}
    if number % 5 == 0:
        options["delay"] = 0.2
    if number % 11 == 0:
        options["idempotency_key"] = job_id
    if number % 4 == 3 and len(before) > 1:
        options["depends_on"] = tuple(before[-2:])
    one = row(job_id, task="universal", queue="default", args=dumps(args), **options)
    return with_fields(one, {"key": f"k{number % 9}"}) if number % 2 else one


def watch(server: RedisServer, accepted: list[str], over: Event) -> dict[str, Final]:
    """Return what jobs that had ended said of themselves when they were first seen so; they must say so for ever."""
    seen: dict[str, Final] = {}
    while not over.wait(0.05):
        open_ones = [job_id for job_id in accepted if job_id not in seen][:500]
        found = attempt(server, lambda redis, ids=open_ones: READS.get_jobs(ids).run(redis)) if open_ones else []
        seen |= {job.id: final(job) for job in found if job is not None and job.state.is_final}
    return seen


def final(job: Any) -> Final:
    return job.state, job.finished_at, job.result


def ended(server: RedisServer) -> int:
    lane = KEYS.lane("default", "universal", JobState.COMPLETED)
    return attempt(server, lambda redis: redis.zcard(lane))


def held_by(server: RedisServer, pid: int) -> set[str]:
    """Return the jobs that a worker process runs, by what their records say."""

    def look(redis: Redis) -> set[str]:
        running = redis.zrange(KEYS.lane("default", "universal", JobState.RUNNING), 0, -1)
        return {str(job_id) for job_id in running if f"-{pid}-" in str(redis.hget(KEYS.job(str(job_id)), "worker"))}

    return attempt(server, look)


def attempt(server: RedisServer, act: Callable[[Redis], Any]) -> Any:
    """Do something with Redis, and again until it answers."""

    def tried() -> tuple[Any] | None:
        try:
            with server.client() as redis:
                return (act(redis),)
        except (RedisError, RedisUnavailable):
            return None

    return wait_until(tried, 60, "Redis answers")[0]


def strike(chance: random.Random, server: RedisServer, workers: list[WorkerProcess], until: float) -> dict[str, int]:
    """Do harm until then, and let every part live again; return how often which."""

    def kill_worker() -> None:
        worker = chance.choice(workers)
        worker.kill()
        worker.start()

    def stop_worker() -> None:
        worker = chance.choice(workers)
        worker.stop()
        worker.start()

    def kill_child() -> None:
        for child in workers[-1].children[:1]:
            os.kill(child, signal.SIGKILL)

    def freeze_worker() -> None:
        """Past its leases: others take its jobs, and what it says when it wakes comes too late."""
        frozen = psutil.Process(workers[0].pid)
        frozen.suspend()
        held = held_by(server, frozen.pid)
        wait_until(lambda: held.isdisjoint(held_by(server, frozen.pid)), 30, "others have what it held")
        frozen.resume()

    def kill_redis() -> None:
        server.kill()
        server.restart()

    def cut_connections() -> None:
        with server.client() as redis:
            redis.client_kill_filter(_type="normal", skipme=True)

    harms = [kill_worker, stop_worker, kill_child, freeze_worker, kill_redis, cut_connections, cut_connections]
    done: dict[str, int] = {}
    while time.monotonic() < until:
        harm = chance.choice(harms)
        harm()
        done[harm.__name__] = done.get(harm.__name__, 0) + 1
        enough = ended(server) + chance.randint(1, 60)
        wait_until(lambda enough=enough: ended(server) >= enough, 60, "some more jobs have ended")
    return done
