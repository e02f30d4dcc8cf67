"""What each feature costs: a job with it against a plain one, on the same engine and worker, in turns.

Prints a Markdown table of ratios. A rate is of jobs that wait and are then run by one worker; the CPU is that of Redis
and of the worker for them, which other programs on the machine disturb less. Whatever disturbs makes slower, so
the best round counts. Events cannot be turned off: they are part of a move. What metrics cost is told by
``metrics.py``.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from redis import Redis

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))

from support.redis_server import RedisServer  # noqa: E402
from support.schedules import a_definition  # noqa: E402
from taskengine.ids import new_id  # noqa: E402
from taskengine.jobs import Options  # noqa: E402
from taskengine.keys import Keys  # noqa: E402
from taskengine.records import row_of, with_fields  # noqa: E402
from taskengine.rules import KEEP, Kind, Rate  # noqa: E402
from taskengine.schedule_store import ScheduleStore  # noqa: E402
from taskengine.store import Store  # noqa: E402

KEYS = Keys("default")
STORE, SCHEDULES = Store(KEYS), ScheduleStore(KEYS)
BATCH = 500

OptionsOf = Callable[[int, list[str]], dict[str, Any]]
"""The options of a job by its number, and the ids of those before it."""


@dataclass(frozen=True)
class Feature:
    name: str
    options: OptionsOf = lambda _number, _before: {}
    task: str = "plain"
    setup: Callable[[Redis], object] = lambda _redis: None
    fields: Callable[[int], dict[str, str]] = lambda _number: {}


def limits(kind: Kind, name: str, **wanted: Any) -> Callable[[Redis], object]:
    chosen = {"concurrency": KEEP, "rate": KEEP, "per_key": KEEP, **wanted}
    return lambda redis: STORE.set_limits(kind, name, **chosen).run(redis)


def crowd(task: str, key: str = "", **wanted: Any) -> Callable[[Redis], object]:
    """A thousand jobs of another task ahead, of which one runs elsewhere and no other may."""

    def setup(redis: Redis) -> None:
        limits(Kind.TASK, task, **wanted)(redis)
        rows = [row_of(new_id("job"), task, "{}", queue="default", priority=10, options=Options()) for _ in range(1000)]
        for start in range(0, 1000, BATCH):
            STORE.enqueue_jobs([with_fields(row, {"key": key}) for row in rows[start : start + BATCH]]).run(redis)
        STORE.register_worker("elsewhere", "{}", {task: "{}"}).run(redis)
        (_,) = STORE.claim_jobs("elsewhere", "*", 1, lease_ms=600_000).run(redis).jobs

    return setup


FEATURES = [
    Feature("plain"),
    Feature("idempotency key", lambda number, _: {"idempotency_key": f"order-{number}"}),
    Feature("delay that is over", lambda _, __: {"delay": 0.001}),
    Feature("three tags", lambda number, _: {"tags": ("order", f"customer-{number % 100}", f"order-{number}")}),
    Feature("depends on the one before, in tens", lambda n, ids: {"depends_on": (ids[-1],)} if n % 10 else {}),
    Feature("start_before", lambda _, __: {"start_before": _tomorrow()}),
    Feature("limit of a queue, not reached", setup=limits(Kind.QUEUE, "default", concurrency=1000)),
    Feature("limit of a task, not reached", setup=limits(Kind.TASK, "plain", concurrency=1000)),
    Feature("limit of a task, always reached", setup=limits(Kind.TASK, "plain", concurrency=4)),
    Feature("a thousand ahead that a limit of their task holds", setup=crowd("log", concurrency=1)),
    Feature("a thousand ahead that their concurrency key holds", setup=crowd("keyed", key="one", per_key=1)),
    Feature("rate limit, not reached", setup=limits(Kind.TASK, "plain", rate=Rate(jobs=100_000, per_seconds=1))),
    Feature("concurrency key, not reached", task="keyed", fields=lambda number: {"key": str(number % 50)}),
    Feature("aging", setup=lambda redis: STORE.set_aging(60).run(redis)),
    Feature("progress, one word", task="progress"),
    Feature("log, one line", task="log"),
    Feature("checkpoint, one", task="checkpoint"),
    Feature("fails, into one failure group", task="failing"),
]


def _tomorrow() -> Any:
    from datetime import UTC, datetime, timedelta

    return datetime.now(UTC) + timedelta(days=1)


@dataclass
class Figures:
    """Of each round."""

    rate: list[float] = field(default_factory=list)
    redis_cpu: list[float] = field(default_factory=list)
    worker_cpu: list[float] = field(default_factory=list)
    enqueue_cpu: list[float] = field(default_factory=list)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=3_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="features whose name holds this, and the plain job")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        server = RedisServer(Path(directory)).start()
        try:
            compare(server, options.jobs, options.rounds, options.only)
            if not options.only:
                operate(server, options.jobs)
        finally:
            server.stop()


def compare(server: RedisServer, jobs: int, rounds: int, only: str) -> None:
    features = [feature for feature in FEATURES if only in feature.name or feature.name == "plain"]
    figures = {feature.name: Figures() for feature in features}
    for number in range(rounds):
        for feature in features:
            measure(server, feature, jobs, figures[feature.name])
        print(f"round {number + 1}, load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)
    plain = figures["plain"]
    print(f"{jobs:,} jobs, 4 threads, the best of {rounds} rounds in turns; load {os.getloadavg()[0]:.1f}.")
    print(f"Plain: {max(plain.rate):,.0f} jobs/s.\n")
    print("| with | rate | CPU of Redis, run | CPU of the worker | CPU of Redis, enqueue |")
    print("|---|---|---|---|---|")
    for name, its in figures.items():
        cells = [
            max(its.rate) / max(plain.rate),
            min(its.redis_cpu) / min(plain.redis_cpu),
            min(its.worker_cpu) / min(plain.worker_cpu),
            min(its.enqueue_cpu) / min(plain.enqueue_cpu),
        ]
        print(f"| {name} | " + " | ".join(f"{cell:.2f}" for cell in cells) + " |")


def measure(server: RedisServer, feature: Feature, jobs: int, figures: Figures) -> None:
    with server.client() as redis:
        redis.flushall()
        feature.setup(redis)
        rows: list[list[Any]] = []
        before: list[str] = []
        for number in range(jobs):
            options = Options(**feature.options(number, before))
            job_id = new_id("job")
            row = row_of(job_id, feature.task, f'{{"n":{number}}}', queue="default", priority=5, options=options)
            rows.append(with_fields(row, added) if (added := feature.fields(number)) else row)
            before.append(job_id)
        begun = redis_cpu(redis)
        for start in range(0, jobs, BATCH):
            STORE.enqueue_jobs(rows[start : start + BATCH]).run(redis)
        figures.enqueue_cpu.append(redis_cpu(redis) - begun)
        run(server, redis, jobs, figures)


def run(server: RedisServer, redis: Redis, jobs: int, figures: Figures) -> None:
    env = {key: value for key, value in os.environ.items() if not key.startswith("TASKENGINE_")}
    env |= {"TASKENGINE_REDIS_URL": server.url, "PYTHONPATH": f"{HERE}{os.pathsep}{env.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-m", "taskengine", "worker", "feature_tasks:engine", "--concurrency", "4"]
    worker = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process = psutil.Process(worker.pid)
        while not (begun_with := done(redis)):  # what it does until then is its start
            if worker.poll() is not None:
                raise SystemExit("the worker ended early")
            time.sleep(0.005)
        begun, cpu, its_cpu = time.perf_counter(), redis_cpu(redis), worker_cpu(process)
        while (now_done := done(redis)) < jobs:
            time.sleep(0.005)
        counted = now_done - begun_with
        figures.rate.append(counted / (time.perf_counter() - begun))
        figures.redis_cpu.append((redis_cpu(redis) - cpu) / counted)
        figures.worker_cpu.append((worker_cpu(process) - its_cpu) / counted)
    finally:
        worker.kill()
        worker.wait()


def operate(server: RedisServer, jobs: int) -> None:
    """What has no job of a worker's: a schedule's job against a plain enqueue, an operator's action against ours."""
    with server.client() as redis:
        args = "{}"

        def rows(count: int, **fields: str) -> list[list[Any]]:
            made = [
                row_of(new_id("job"), "plain", args, queue="default", priority=5, options=Options())
                for _ in range(count)
            ]
            return [with_fields(row, fields) if fields else row for row in made]

        def cost(calls: list[Any]) -> float:
            begun = redis_cpu(redis)
            for call in calls:
                call.run(redis)
            return redis_cpu(redis) - begun

        redis.flushall()
        definition = a_definition(task="plain")
        SCHEDULES.save_schedule("s", definition, revision=None, enabled=True, next_ms=None).run(redis)
        plain = cost([STORE.enqueue_jobs([row]) for row in rows(jobs)])
        scheduled = cost([SCHEDULES.run_schedule("s", row) for row in rows(jobs, schedule="s")])
        ids = [str(key).removeprefix(KEYS.job("")) for key in redis.scan_iter(match="*job:*", count=1000)][: 2 * jobs]
        half = len(ids) // 2
        unsigned = cost([STORE.change_priority(one, 7) for one in ids[:half]])
        signed = cost([STORE.change_priority(one, 7, by="ops@example.org") for one in ids[half : 2 * half]])
    print("\n| one at a time | CPU of Redis |")
    print("|---|---|")
    print(f"| a schedule's job, to a plain enqueue | {scheduled / plain:.2f} |")
    print(f"| a change that is written down for the audit, to one that is not | {signed / unsigned:.2f} |")


def done(redis: Redis) -> int:
    return sum(int(redis.zcard(KEYS.finished(state))) for state in ("COMPLETED", "FAILED"))  # pyright: ignore[reportArgumentType]


def redis_cpu(redis: Redis) -> float:
    info: dict[str, Any] = redis.info("cpu")  # pyright: ignore[reportAssignmentType]
    return float(info["used_cpu_user"]) + float(info["used_cpu_sys"])


def worker_cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


if __name__ == "__main__":
    main()
