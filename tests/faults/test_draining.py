"""A worker is drained from afar: it takes nothing new, ends its jobs however long they take, and leaves with 0."""

import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Literal

import pytest
from redis import Redis

from support.crowd import enqueue_universal, ledger_in, states, wait_for_state
from support.jobs import KEYS, READS
from support.waiting import wait_until
from support.workers import TESTS, WorkerProcess
from taskengine.check import check
from taskengine.client import Client
from taskengine.errors import InvalidInput, WorkerNotFound
from taskengine.jobs import JobState, WorkerInfo

MODES: list[Literal["thread", "process"]] = ["thread", "process"]


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Client]:
    client = Client(redis_url, namespace="test")
    yield client
    await client.close()


def a_worker(
    redis_url: str,
    directory: Path,
    mode: Literal["thread", "process"],
    grace_seconds: float = 0.2,
    target: str = "support.universal:engine",
    path: tuple[Path, ...] = (TESTS,),
) -> WorkerProcess:
    return WorkerProcess(
        target,
        redis_url,
        data_dir=directory,
        namespace="test",
        mode=mode,
        concurrency=2,
        grace_seconds=grace_seconds,
        lease_seconds=60,
        path=path,
    )


def the_worker(redis: Redis) -> WorkerInfo:
    (worker,) = READS.list_workers().run(redis)
    return worker


@pytest.mark.parametrize("mode", MODES)
async def test_what_runs_ends_and_the_rest_waits(
    redis: Redis, redis_url: str, client: Client, tmp_path: Path, mode: Literal["thread", "process"]
) -> None:
    ledger = ledger_in(tmp_path)
    with a_worker(redis_url, tmp_path / "worker", mode) as draining:
        job_ids = enqueue_universal(redis, 6, ledger=ledger, ms=2_500)  # longer than the grace time of a signal
        wait_until(lambda: len(ledger.starts()) == 2, 20, "both run")
        asked = await client.drain_worker(the_worker(redis).name, by="ops@example.org")
        assert (asked.draining, asked.online) == (True, True)
        assert the_worker(redis).draining
        assert draining.wait(30) == 0
        assert "asked to drain by ops@example.org" in draining.log.read_text()
    assert states(redis, job_ids) == {JobState.COMPLETED: 2, JobState.QUEUED: 4}
    assert len(ledger.starts()) == len(ledger.ends()) == 2
    assert READS.list_workers().run(redis) == []
    assert not redis.exists(KEYS.draining)
    assert check(redis, KEYS) == []


async def test_one_that_does_nothing_leaves_within_seconds(
    redis: Redis, redis_url: str, client: Client, tmp_path: Path
) -> None:
    with a_worker(redis_url, tmp_path / "worker", "thread") as draining:
        name = the_worker(redis).name
        await client.drain_worker(name)
        assert draining.wait(15) == 0
    with pytest.raises(WorkerNotFound):
        await client.drain_worker(name)


async def test_what_no_worker_can_be_called_is_refused(client: Client) -> None:
    with pytest.raises(InvalidInput, match="name: expected 1 to 100 of the characters"):
        await client.drain_worker("no worker")


@pytest.mark.parametrize("mode", MODES)
async def test_a_signal_to_one_that_drains_gives_it_the_grace_time(
    redis: Redis, redis_url: str, client: Client, tmp_path: Path, mode: Literal["thread", "process"]
) -> None:
    with a_worker(redis_url, tmp_path / "worker", mode) as draining:
        (job_id,) = enqueue_universal(redis, ms=60_000)
        wait_for_state(redis, job_id, JobState.RUNNING)
        await client.drain_worker(the_worker(redis).name)
        wait_until(lambda: "asked to drain" in draining.log.read_text(), 10, "it has heard")
        assert draining.stop() == 0
    assert states(redis, [job_id]) == {JobState.QUEUED: 1}


HASTY = """
import logging, os, signal
from support.universal import engine

class Hasty(logging.Handler):
    def emit(self, record):
        if "asked to drain" in record.getMessage():
            os.kill(os.getpid(), signal.SIGTERM)

logging.getLogger("taskengine.worker").addHandler(Hasty())
"""


@pytest.mark.parametrize("mode", MODES)
async def test_a_signal_that_comes_as_it_begins_to_drain_is_not_lost(
    redis: Redis, redis_url: str, client: Client, tmp_path: Path, mode: Literal["thread", "process"]
) -> None:
    (tmp_path / "hasty.py").write_text(HASTY, encoding="utf-8")
    with a_worker(redis_url, tmp_path / "worker", mode, target="hasty:engine", path=(TESTS, tmp_path)) as draining:
        (job_id,) = enqueue_universal(redis, ms=60_000)
        wait_for_state(redis, job_id, JobState.RUNNING)
        await client.drain_worker(the_worker(redis).name)
        assert draining.wait() == 0
    assert states(redis, [job_id]) == {JobState.QUEUED: 1}


async def test_it_hears_once_redis_is_heard_again(redis: Redis, redis_url: str, client: Client, tmp_path: Path) -> None:
    with a_worker(redis_url, tmp_path / "worker", "thread") as draining:
        name = the_worker(redis).name
        os.kill(draining.pid, signal.SIGSTOP)
        await client.drain_worker(name)
        redis.client_kill_filter(_type="normal", skipme=True)  # the answer to its next heartbeat never arrives
        os.kill(draining.pid, signal.SIGCONT)
        assert draining.wait(15) == 0


@pytest.mark.parametrize("mode", MODES)
async def test_a_worker_tells_what_it_uses(
    redis: Redis, redis_url: str, tmp_path: Path, mode: Literal["thread", "process"]
) -> None:
    with a_worker(redis_url, tmp_path / "worker", mode):
        wait_until(lambda: the_worker(redis).memory_bytes is not None, 10, "its heart beats")
        worker = the_worker(redis)
        assert worker.memory_bytes is not None
        assert worker.memory_bytes > 10_000_000 * (1 if mode == "thread" else 3)
        assert worker.cpu_percent is not None
        assert 0 <= worker.cpu_percent < 10_000
