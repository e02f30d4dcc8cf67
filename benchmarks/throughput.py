"""No-op jobs a second: plain ``PriorityRedisHuey`` and TaskEngine, the same task on Huey's consumer, in turns.

Huey keeps a result value; TaskEngine keeps a lease, the record of the job's life, its indexes and an event a move.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from redis import Redis

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests"))

from support.redis_server import RedisServer  # noqa: E402

CONSUMERS = {
    "huey": [sys.executable, "-m", "huey.bin.huey_consumer", "noop_huey.huey", "-n", "-q"],
    "taskengine": [sys.executable, "-m", "taskengine", "worker", "noop_taskengine:engine"],
}
WORKERS = {
    ("huey", "thread"): ["-k", "thread", "-w"],
    ("huey", "process"): ["-k", "process", "-w"],
    ("taskengine", "thread"): ["--mode", "thread", "--concurrency"],
    ("taskengine", "process"): ["--mode", "process", "--concurrency"],
}


@dataclass(frozen=True)
class Setup:
    mode: str
    concurrency: int

    def __str__(self) -> str:
        plural = "es" if self.mode == "process" else "s"
        return f"{self.concurrency} {self.mode}{plural if self.concurrency > 1 else ''}"


SETUPS = [Setup("thread", 1), Setup("thread", 10), Setup("process", 2)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        server = RedisServer(Path(directory)).start()
        try:
            compare(server, options.jobs, options.rounds)
        finally:
            server.stop()


def compare(server: RedisServer, jobs: int, rounds: int) -> None:
    print(f"{jobs:,} no-op jobs, median of {rounds} rounds in turns\n")
    print(f"{'workers':<12}{'huey/s':>10}{'taskengine/s':>14}{'ratio':>8}")
    for setup in SETUPS:
        rates: dict[str, list[float]] = {name: [] for name in CONSUMERS}
        for _ in range(rounds):
            for name in CONSUMERS:
                rates[name].append(drain(server, name, setup, jobs))
        huey, ours = (statistics.median(rates[name]) for name in CONSUMERS)
        print(f"{setup!s:<12}{huey:>10,.0f}{ours:>14,.0f}{ours / huey:>8.2f}", flush=True)


def drain(server: RedisServer, name: str, setup: Setup, jobs: int) -> float:
    """Return the rate from the first job that is done to the last."""
    with server.client() as redis:
        redis.flushall()
    env = {key: value for key, value in os.environ.items() if not key.startswith("TASKENGINE_")}
    env |= {"TASKENGINE_REDIS_URL": server.url, "PYTHONPATH": str(HERE)}
    enqueue = f"import noop_{name}; noop_{name}.enqueue({jobs})"
    subprocess.run([sys.executable, "-c", enqueue], env=env, check=True)
    command = [*CONSUMERS[name], *WORKERS[name, setup.mode], str(setup.concurrency)]
    # A group of its own: Huey's processes outlive their parent, and would take the next round's jobs.
    quiet = subprocess.DEVNULL
    consumer = subprocess.Popen(command, env=env, stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        with server.client() as redis:
            return watch(redis, name, jobs, consumer)
    finally:
        os.killpg(consumer.pid, signal.SIGKILL)
        consumer.wait()


def watch(redis: Redis, name: str, jobs: int, consumer: "subprocess.Popen[bytes]") -> float:
    begun, before = 0.0, None  # how many were done when some were first seen, for a busy machine may look late
    while (done := done_by(redis, name)) < jobs:
        if done and before is None:
            before, begun = done, time.perf_counter()
        if consumer.poll() is not None:
            raise SystemExit(f"the {name} consumer ended early")
        time.sleep(0.005)
    if before is None:
        raise SystemExit(f"all {jobs:,} jobs were done between two looks: take more")
    return (jobs - before) / (time.perf_counter() - begun)


def done_by(redis: Redis, name: str) -> int:
    if name == "huey":
        return int(redis.hlen("huey.results.noop"))  # pyright: ignore[reportArgumentType]
    return int(redis.zcard("te:{default}:lane:default:noop:COMPLETED"))  # pyright: ignore[reportArgumentType]


if __name__ == "__main__":
    main()
