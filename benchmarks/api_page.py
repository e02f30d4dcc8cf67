"""What a page of the API costs: CPU of the process a request, beside a bare Strawberry application.

The bare one answers the same fields from objects that lie in memory, on the same server, as Strawberry does it out of
the box and with its own caches of documents. Ours asks Redis, and does all that limits, codes and counters need. All in
one run, in turns, one request at a time.
"""

import argparse
import asyncio
import json
import multiprocessing
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psutil
import strawberry
import uvicorn
from strawberry.asgi import GraphQL
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.scalars import JSON

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support.api import a_task, end, publish, run
from support.ports import free_port
from support.redis_server import RedisServer
from taskengine.client import Client
from taskengine.jobs import Job
from taskengine.settings import Settings
from taskengine_api.app import create_app
from taskengine_api.settings import ApiSettings

DOCUMENT = """
query Page($first: Int!) {
  jobs(first: $first) {
    nodes {
      id state priority args result tags attemptCount maxAttempts createdAt startedAt finishedAt waitSeconds
    }
  }
}
"""
JOBS = 50
FRESH: dict[str, str] = {}
OF_THE_LAST_SECOND = {"Cache-Control": "max-age=1"}


@strawberry.type
class BareJob:
    id: strawberry.ID
    state: str
    priority: int
    args: JSON
    result: JSON | None
    tags: list[str]
    attempt_count: int
    max_attempts: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    wait_seconds: float | None


@strawberry.type
class BarePage:
    nodes: list[BareJob]


def bare_app(redis_url: str, extensions: list[Any]) -> Any:
    jobs = [_bare(job) for job in asyncio.run(_page_of(redis_url))]

    @strawberry.type
    class Query:
        @strawberry.field
        async def jobs(self, first: int) -> BarePage:
            return BarePage(nodes=jobs[:first])

    return GraphQL(strawberry.Schema(Query, extensions=extensions))


def _bare(job: Job) -> BareJob:
    facts = {name: getattr(job, name) for name in BareJob.__annotations__}
    return BareJob(**{**facts, "state": job.state.value, "tags": list(job.tags)})


async def _page_of(redis_url: str) -> tuple[Job, ...]:
    client = Client(redis_url)
    try:
        return (await client.list_jobs(first=JOBS)).jobs
    finally:
        await client.close()


def our_app(redis_url: str) -> Any:
    return create_app(Settings(redis_url=redis_url), api=ApiSettings(graphiql=False))


APPS: dict[str, Callable[[str], Any]] = {
    "bare": lambda url: bare_app(url, []),
    "bare, documents cached": lambda url: bare_app(url, [ParserCache(), ValidationCache()]),
    "ours": our_app,
}
MEASURED = [
    ("bare", FRESH),
    ("bare, documents cached", FRESH),
    ("ours", FRESH),
    ("ours", OF_THE_LAST_SECOND),
]


def serve(name: str, redis_url: str, port: int) -> None:
    uvicorn.run(APPS[name](redis_url), port=port, log_config=None, access_log=False, loop="uvloop", http="httptools")


@contextmanager
def served(name: str, redis_url: str) -> Iterator[tuple[str, psutil.Process]]:
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(target=serve, args=(name, redis_url, port))
    process.start()
    url = f"http://127.0.0.1:{port}/graphql" if name == "ours" else f"http://127.0.0.1:{port}/"
    try:
        _wait(url)
        yield url, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.join()


def _wait(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            httpx.post(url, json={"query": "{ __typename }"}).raise_for_status()
            return
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def fill(server: RedisServer) -> None:
    """Fifty jobs that have run, with arguments and a result."""

    async def enqueue() -> None:
        client = Client(server.url)
        for number in range(JOBS):
            await client.enqueue_job("mail.send", {"to": f"person{number}@example.org", "subject": "Hello"})
        await client.close()

    def send(to: str, subject: str) -> None:
        """Send one mail."""

    with server.client() as redis:
        publish(redis, a_task("mail.send", send, queue="mail"))
        asyncio.run(enqueue())
        for _ in range(JOBS):
            end(redis, run(redis), value=json.dumps({"sent": True, "provider": "smtp"}))


def cpu_ms(http: httpx.Client, url: str, process: psutil.Process, headers: dict[str, str], requests: int) -> float:
    """CPU of the server a request, ms."""
    body = {"query": DOCUMENT, "variables": {"first": JOBS}}
    before = process.cpu_times()
    for _ in range(requests):
        answer = http.post(url, json=body, headers=headers)
        answer.raise_for_status()
    after = process.cpu_times()
    nodes = answer.json()["data"]["jobs"]["nodes"]
    assert len(nodes) == JOBS
    assert len(nodes[0]) == 12
    return (after.user + after.system - before.user - before.system) * 1000 / requests


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        server = RedisServer(Path(directory)).start()
        try:
            fill(server)
            measure(server.url, options.requests, options.rounds)
        finally:
            server.stop()


def measure(redis_url: str, requests: int, rounds: int) -> None:
    found: dict[int, list[float]] = {number: [] for number in range(len(MEASURED))}
    with (
        httpx.Client() as http,
        served("bare", redis_url) as bare,
        served("bare, documents cached", redis_url) as cached,
        served("ours", redis_url) as ours,
    ):
        running = {"bare": bare, "bare, documents cached": cached, "ours": ours}
        for turn in range(rounds + 1):
            for number, (name, headers) in enumerate(MEASURED):
                ms = cpu_ms(http, *running[name], headers, requests)
                if turn > 0:  # the first warms up
                    found[number].append(ms)
    yardstick = min(found[1])
    print(f"{JOBS} jobs of 12 fields, CPU of the process a request: {requests} requests, {rounds} rounds in turns\n")
    print(f"{'':<44}{'least, ms':>10}{'median, ms':>12}{'to cached bare':>16}")
    for number, (name, headers) in enumerate(MEASURED):
        label = name + (", an answer of the last second will do" if headers else "")
        least, median = min(found[number]), statistics.median(found[number])
        print(f"{label:<44}{least:>10.2f}{median:>12.2f}{least / yardstick:>16.2f}")


if __name__ == "__main__":
    main()
