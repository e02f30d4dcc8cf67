"""Redis killed with SIGKILL and started again in the middle of 500 jobs: workers and clients go on by themselves."""

from pathlib import Path

import pytest

from support.crowd import assert_nothing_is_left_open, enqueue_universal, ledger_in, states, wait_for_end
from support.jobs import KEYS
from support.redis_server import RedisServer
from support.waiting import until, wait_until
from support.workers import WorkerProcess
from taskengine.client import Client
from taskengine.errors import RedisUnavailable
from taskengine.jobs import JobState

JOBS = 500


@pytest.mark.parametrize("mode", ["thread", "process"])
def test_every_accepted_job_ends(durable_redis: RedisServer, tmp_path: Path, mode: str) -> None:
    ledger = ledger_in(tmp_path)
    with durable_redis.client() as redis:
        job_ids = enqueue_universal(redis, JOBS, ledger=ledger, ms=10)
    with WorkerProcess(
        "support.universal:engine",
        durable_redis.url,
        data_dir=tmp_path / "worker",
        namespace="test",
        lease_seconds=2,
        concurrency=4,
        mode=mode,  # pyright: ignore[reportArgumentType]
    ):
        wait_until(lambda: len(ledger.ends()) > JOBS // 4, 60, "a quarter has ended")
        durable_redis.kill()
        durable_redis.restart()
        with durable_redis.client() as redis:
            wait_for_end(redis, job_ids)
            assert states(redis, job_ids) == {JobState.COMPLETED: JOBS}
            assert_nothing_is_left_open(redis)
    assert ledger.never_ended(set(job_ids)) == set()


async def test_a_client_says_that_redis_is_away_and_recovers(durable_redis: RedisServer) -> None:
    client = Client(durable_redis.url, namespace=KEYS.namespace)
    assert (await client.count_jobs()).total == 0
    durable_redis.kill()
    with pytest.raises(RedisUnavailable, match="Redis does not answer"):
        await client.count_jobs()
    durable_redis.restart()

    async def counts() -> bool:
        return (await client.count_jobs()).total == 0

    await until(counts)
    await client.close()
