"""Aging: a job of low priority runs although urgent ones never end; without it, it does not."""

import time
from collections.abc import AsyncIterator, Iterator
from itertools import count

import pytest
from redis import Redis

from support.jobs import KEYS, QUEUED, READS, RUNNING, STORE, enqueue, finish, get, register, take
from support.waiting import wait_until
from taskengine import Settings
from taskengine.check import check
from taskengine.client import Client
from taskengine.errors import InvalidInput
from taskengine.storage import JobStorage
from taskengine.worker.sweep import sweep

AGING_SECONDS = 0.02
ROUNDS = 200


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Client]:
    client = Client(redis_url, namespace="test")
    yield client
    await client.close()


@pytest.fixture
def storage(redis_url: str) -> Iterator[JobStorage]:
    storage = JobStorage("test", url=redis_url, settings=Settings())
    yield storage
    storage.close()


def arrival(redis: Redis, job_id: str) -> int:
    return int(redis.hget(KEYS.job(job_id), "created"))


def flood(redis: Redis, rounds: Iterator[int]) -> list[str]:
    """As many urgent jobs come as are taken, ten always wait, until the low one is taken; returns who was, in order."""
    register(redis)
    enqueue(redis, "low", priority=1)
    enqueue(redis, *(f"ten{number}" for number in range(10)), priority=10)
    taken: list[str] = []
    for number in rounds:
        enqueue(redis, f"further{number}", priority=10)
        (job,) = take(redis).jobs
        taken.append(job.id)
        finish(redis, job)
        if job.id == "low":
            break
    return taken


def test_under_a_flood_of_tens_a_one_never_runs(redis: Redis) -> None:
    assert "low" not in flood(redis, iter(range(ROUNDS)))
    assert get(redis, "low").state is QUEUED


def test_with_aging_it_runs_after_nine_times_as_long_and_the_tens_before_it_in_order(redis: Redis) -> None:
    STORE.set_aging(AGING_SECONDS).run(redis)
    until = time.monotonic() + 30
    taken = flood(redis, (number for number in count() if time.monotonic() < until or pytest.fail("it starves")))
    assert taken[-1] == "low"
    # Exactly those tens went before it that came less than nine steps after it.
    others = [job_id for job_id in taken if job_id != "low"]
    assert all(arrival(redis, job_id) - arrival(redis, "low") <= 9 * AGING_SECONDS * 1e6 for job_id in others)
    later = READS.get_jobs([f"further{number}" for number in range(len(taken))]).run(redis)
    waiting = [job.order for job in later if job is not None and job.state is QUEUED]
    assert all(order - arrival(redis, "low") >= 9 * AGING_SECONDS * 1e6 for order in waiting)
    assert check(redis, KEYS) == []


async def test_it_is_switched_on_while_jobs_wait_and_off_again(redis: Redis, client: Client) -> None:
    enqueue(redis, "low", priority=1)
    wait_until(lambda: redis.time()[0] * 1e6 + redis.time()[1] - arrival(redis, "low") > 20_000, 10, "20 ms are over")
    enqueue(redis, "high", priority=10)
    register(redis)
    assert await client.set_aging(0.001)
    assert (await client.list_rules()).aging_seconds == 0.001
    waiting = await client.explain_job("low")
    assert waiting is not None
    assert waiting.jobs_ahead == 0
    assert await client.set_aging(None)
    waiting = await client.explain_job("low")
    assert waiting is not None
    assert waiting.jobs_ahead == 1
    assert check(redis, KEYS) == []


async def test_whoever_asks_for_no_time_is_told_what_was_expected(redis: Redis, client: Client) -> None:
    with pytest.raises(
        InvalidInput, match="seconds: expected 0.001 to 31,622,400 seconds, or None for no aging, got 0"
    ):
        await client.set_aging(0)
    assert (await client.list_rules()).aging_seconds is None


async def test_any_worker_gives_the_places_that_the_caller_left(
    redis: Redis, client: Client, storage: JobStorage
) -> None:
    for start in range(0, 1_500, 500):
        enqueue(redis, *(f"j{number}" for number in range(start, start + 500)))
    await client.set_aging(60)
    assert redis.exists(KEYS.rescoring)
    assert check(redis, KEYS) == []
    sweep(storage, Settings())
    assert not redis.exists(KEYS.rescoring)
    assert check(redis, KEYS) == []


async def test_a_change_that_was_cut_off_loses_nothing(redis: Redis, client: Client, storage: JobStorage) -> None:
    enqueue(redis, *(f"j{number}" for number in range(50)), priority=3)
    STORE.set_aging(60).run(redis)  # whoever asked died here
    STORE.rescore_jobs(limit=20).run(redis)
    register(redis)
    assert len(take(redis, 10).jobs) == 10
    sweep(storage, Settings())
    assert not redis.exists(KEYS.rescoring)
    assert len(take(redis, 50).jobs) == 40
    states = {job.state for job in READS.get_jobs([f"j{number}" for number in range(50)]).run(redis) if job}
    assert states == {RUNNING}
    assert check(redis, KEYS) == []
