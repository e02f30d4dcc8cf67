"""A change to many jobs goes on when the process that asked for it is gone, and when a worker that steps it dies."""

from pathlib import Path

from redis import Redis

from support.crowd import assert_nothing_is_left_open, enqueue_universal, states
from support.jobs import KEYS, a_bulk, list_bulks, step_bulk
from support.waiting import wait_until
from support.workers import WorkerProcess
from taskengine.bulk import BulkKind, BulkState
from taskengine.check import check
from taskengine.client import Client
from taskengine.filters import JobFilter
from taskengine.jobs import JobState


def worker(redis_url: str, directory: Path) -> WorkerProcess:
    # It serves another queue: it steps, and does not run the jobs away.
    return WorkerProcess("support.universal:engine", redis_url, data_dir=directory, namespace="test", queues=["none"])


def test_a_worker_goes_on_with_what_another_process_asked_for(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    job_ids = enqueue_universal(redis, 3_000)
    a_bulk(redis, BulkKind.CANCEL, matched=3_000)
    step_bulk(redis)
    with worker(redis_url, tmp_path / "first") as first:
        wait_until(lambda: list_bulks(redis)[0].changed > 200, 20, "the worker takes steps")
        first.kill()
    with worker(redis_url, tmp_path / "second"):
        wait_until(lambda: list_bulks(redis)[0].state is BulkState.DONE, 30, "the other worker goes on to the end")
    assert list_bulks(redis)[0].changed == 3_000
    assert states(redis, job_ids) == {JobState.CANCELLED: 3_000}
    assert_nothing_is_left_open(redis)


async def test_the_client_does_small_ones_at_once_and_counts_first(redis: Redis, redis_url: str) -> None:
    enqueue_universal(redis, 300)
    client = Client(redis_url, namespace=KEYS.namespace)
    wanted = JobFilter(tasks=("universal",))
    assert await client.cancel_jobs(wanted, dry_run=True) == (300, None)
    assert (await client.count_jobs()).queued == 300
    matched, operation = await client.cancel_jobs(wanted, by="ops@", reason="not today")
    assert operation is not None
    assert (matched, operation.state, operation.changed, operation.requested_by) == (300, BulkState.DONE, 300, "ops@")
    assert await client.list_bulk_operations() == [operation]
    _, operation = await client.retry_jobs(wanted)
    assert operation is not None
    assert operation.changed == 300
    assert (await client.count_jobs()).queued == 300
    await client.delete_jobs(wanted)
    assert (await client.count_jobs()).total == 0
    assert check(redis, KEYS) == []
    await client.close()
