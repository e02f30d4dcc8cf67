"""Live events to many: subscriptions on one process of the API, each of one job that reports progress once a second.

Tells the share of events that came, how long from the report in Redis to the client (one clock: all run on this
machine), and CPU and memory of the API. The clients take part of the same machine, so read the latency with its load in
mind.
"""

import argparse
import asyncio
import json
import multiprocessing
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import websockets
import websockets.sync.client
from redis import Redis

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support.api import STORE, a_task, publish
from support.ports import free_port
from support.redis_server import RedisServer
from taskengine.client import Client
from taskengine.enqueue_client import NewJob
from taskengine.records import ClaimedJob, dumps
from taskengine.settings import Settings
from taskengine_api.serve import main as serve_api

SUBSCRIBE = """
subscription ($job: ID!) {
  jobUpdated(id: $job, kinds: [PROGRESS]) {
    __typename cursor at
    ... on JobProgressed { progress { current total message } }
  }
}
"""
WORKER = "hand-1-abcd"


@dataclass
class Watched:
    """What the subscribers have seen."""

    ready: int = 0
    latencies_ms: list[float] = field(default_factory=list[float])
    failed: list[str] = field(default_factory=list[str])


def api(redis_url: str, port: int) -> None:
    serve_api(Settings(redis_url=redis_url, api_port=port))


async def watch(port: int, jobs: list[str], seen: Watched) -> None:
    """One connection that subscribes to each of these jobs."""
    protocol: Any = ["graphql-transport-ws"]
    url = f"ws://127.0.0.1:{port}/graphql"
    async with websockets.connect(url, subprotocols=protocol, compression=None, open_timeout=60) as socket:
        await socket.send(json.dumps({"type": "connection_init"}))
        await socket.recv()
        for job in jobs:
            payload = {"query": SUBSCRIBE, "variables": {"job": job}}
            await socket.send(json.dumps({"type": "subscribe", "id": job, "payload": payload}))
        seen.ready += len(jobs)
        async for raw in socket:
            message = json.loads(raw)
            if message["type"] != "next" or "errors" in message["payload"]:
                seen.failed.append(str(raw))
                continue
            event = message["payload"]["data"]["jobUpdated"]
            seen.latencies_ms.append(time.time() * 1000 - int(event["cursor"].partition("-")[0]))


def report(redis_url: str, jobs: list[ClaimedJob], seconds: int) -> None:
    """Each job's progress once a second, spread over the second. A process of its own."""
    with Redis.from_url(redis_url, decode_responses=True) as redis:
        parts = 50
        begun = time.monotonic()
        for tick in range(seconds * parts):
            rows = [
                (job.id, job.lease, dumps({"current": tick, "total": 100, "message": "at it", "updated_at": 0}))
                for job in jobs[tick % parts :: parts]
            ]
            STORE.report_progress(rows).run(redis)
            time.sleep(max(0.0, begun + (tick + 1) / parts - time.monotonic()))


async def enqueue(redis_url: str, count: int) -> None:
    client = Client(redis_url)
    for first in range(0, count, 500):
        await client.enqueue_jobs([NewJob(task="work", args={}) for _ in range(min(500, count - first))])
    await client.close()


def start_jobs(server: RedisServer, count: int) -> list[ClaimedJob]:
    def work() -> None:
        """Work."""

    with server.client() as redis:
        publish(redis, a_task("work", work))
        asyncio.run(enqueue(server.url, count))
        claimed: list[ClaimedJob] = []
        while len(claimed) < count:
            claimed += STORE.claim_jobs(WORKER, "*", 50, lease_ms=3_600_000).run(redis).jobs
    return claimed


async def measure(redis_url: str, port: int, api_process: psutil.Process, jobs: list[ClaimedJob], options: Any) -> None:
    seen = Watched()
    per = options.per_connection
    watchers = [
        asyncio.create_task(watch(port, [job.id for job in jobs[first : first + per]], seen))
        for first in range(0, len(jobs), per)
    ]
    while seen.ready < len(jobs):
        for done in (watcher for watcher in watchers if watcher.done()):
            done.result()
        await asyncio.sleep(0.1)
    await asyncio.sleep(3)  # until each of them listens
    before = api_process.cpu_times()
    reporter = multiprocessing.get_context("spawn").Process(target=report, args=(redis_url, jobs, options.seconds))
    begun = time.monotonic()
    reporter.start()
    while reporter.is_alive():
        await asyncio.sleep(0.1)
    took = time.monotonic() - begun
    await asyncio.sleep(3)
    after = api_process.cpu_times()
    for watcher in watchers:
        watcher.cancel()
    await asyncio.gather(*watchers, return_exceptions=True)
    cpu = after.user + after.system - before.user - before.system
    tell(seen, len(jobs) * options.seconds, cpu, took, api_process.memory_info().rss, options)


def tell(seen: Watched, sent: int, cpu: float, took: float, rss: int, options: Any) -> None:
    came = sorted(seen.latencies_ms)
    points = statistics.quantiles(came, n=100)
    print(f"{options.subscriptions} subscriptions, {options.per_connection} a connection, one event a second each")
    print(f"reported      {sent:,} events in {took:.1f} s")
    print(f"delivered     {len(came):,} ({len(came) / sent:.2%}); refused or ended early: {seen.failed[:1] or 'none'}")
    print(f"latency, ms   p50 {points[49]:.1f}, p99 {points[98]:.1f}, most {came[-1]:.1f}")
    print(f"CPU           {cpu / took:.0%} of a core, {cpu / len(came) * 1000:.2f} ms an event")
    print(f"memory        {rss / 2**20:.0f} MiB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscriptions", type=int, default=1_000)
    parser.add_argument("--per-connection", type=int, default=20, help="each connection may have 50")
    parser.add_argument("--seconds", type=int, default=20)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        server = RedisServer(Path(directory)).start()
        port = free_port()
        process = multiprocessing.get_context("spawn").Process(target=api, args=(server.url, port))
        try:
            jobs = start_jobs(server, options.subscriptions)
            process.start()
            wait_for(port)
            asyncio.run(measure(server.url, port, psutil.Process(process.pid), jobs, options))
        finally:
            process.terminate()
            process.join()
            server.stop()


def wait_for(port: int) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            with websockets.sync.client.connect(
                f"ws://127.0.0.1:{port}/graphql", subprotocols=["graphql-transport-ws"]
            ):  # type: ignore[list-item]
                return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


if __name__ == "__main__":
    main()
