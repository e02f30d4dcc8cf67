"""A change to many jobs goes on when the process that asked for it is gone, and when a worker that steps it dies."""

import subprocess
import sys
from pathlib import Path

import pytest
from redis import Redis

from support.crowd import assert_nothing_is_left_open, enqueue_universal, states
from support.jobs import KEYS, a_bulk, list_bulks, step_bulk
from support.waiting import wait_until
from support.workers import WorkerProcess
from taskengine import bulk_client
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


STEPPER = """
import sys
from redis import Redis
from taskengine.bulk import Bulks
from taskengine.keys import Keys
redis = Redis.from_url(sys.argv[1])
while Bulks(Keys("test")).step("b1").run(redis):
    pass
"""


def test_two_processes_step_one_change_by_what_jobs_hold_and_one_is_killed_in_the_middle(
    redis: Redis, redis_url: str
) -> None:
    job_ids = enqueue_universal(redis, 6_000, note="yes")
    others = enqueue_universal(redis, 3_000, note="no")
    wanted = JobFilter(args_contain={"note": "yes"}, text="YES")
    a_bulk(redis, BulkKind.CANCEL, wanted)
    later = enqueue_universal(redis, 10, note="yes")
    first, second = (subprocess.Popen([sys.executable, "-c", STEPPER, redis_url]) for _ in range(2))
    wait_until(lambda: list_bulks(redis)[0].changed > 400, 30, "steps are taken")
    first.kill()
    first.wait()
    assert list_bulks(redis)[0].state is BulkState.RUNNING, "it was killed in the middle"
    assert second.wait(60) == 0
    (operation,) = list_bulks(redis)
    assert (operation.state, operation.changed, operation.skipped) == (BulkState.DONE, 6_000, 0)
    assert operation.matched == 6_000
    assert states(redis, job_ids) == {JobState.CANCELLED: 6_000}
    assert states(redis, others + later) == {JobState.QUEUED: 3_010}
    told = [fields["job"] for _, fields in redis.xrange(KEYS.events) if fields.get("to") == "CANCELLED"]
    assert sorted(told) == sorted(job_ids)
    assert check(redis, KEYS) == []


async def test_counting_what_has_to_be_looked_at_is_bounded_and_says_what_it_found(
    redis: Redis, redis_url: str
) -> None:
    enqueue_universal(redis, 700, note="yes")
    client = Client(redis_url, namespace=KEYS.namespace)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bulk_client, "RECORDS_COUNTED", 400)
        assert await client.cancel_jobs(JobFilter(text="yes"), dry_run=True) == (400, None)
        matched, operation = await client.cancel_jobs(JobFilter(text="yes"))
    assert operation is not None
    assert (matched, operation.matched, operation.changed) == (700, 700, 700)
    assert await client.cancel_jobs(JobFilter(), dry_run=True) == (0, None)
    await client.close()


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
