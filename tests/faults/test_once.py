"""What is to happen once happens once, also when many processes do it at the same time and some are killed.

A key's job is enqueued, the last of many runs, what is past its number is removed.
"""

import json
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from redis import Redis

from support.crowd import assert_nothing_is_left_open, states, wait_for_end
from support.jobs import KEYS, READS, STORE, enqueue, row
from support.stopwatch import Stopwatch
from support.waiting import wait_until
from support.workers import TESTS, WorkerProcess, worker_env
from taskengine.check import check
from taskengine.ids import new_id
from taskengine.jobs import JobState
from taskengine.reads import total_of
from taskengine.records import dumps

PROCESSES, IDEMPOTENCY_KEYS = 5, 600
ENQUEUE = """
import json, sys
from pathlib import Path
from redis import Redis
from support.jobs import STORE, row
from taskengine.ids import new_id

redis = Redis.from_url(sys.argv[1], decode_responses=True)
redis.incr("te:{test}:counter:ready")
redis.blpop("wake", 60)
found = {}
for number in range(int(sys.argv[2])):
    key = f"order-{number}"
    ((found[key], _),) = STORE.enqueue_jobs([row(new_id("job"), idempotency_key=key)]).run(redis)
Path(sys.argv[3]).write_text(json.dumps(found))
"""


def a_worker(redis_url: str, directory: Path, **settings: Any) -> WorkerProcess:
    return WorkerProcess(
        "limited:engine",
        redis_url,
        data_dir=directory,
        concurrency=4,
        path=(TESTS, TESTS / "faults"),
        namespace="test",
        lease_seconds=1.0,
        **settings,
    )


def test_processes_that_enqueue_the_same_keys_at_once_get_one_job_each_though_one_is_killed(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    env = worker_env(redis_url, data_dir=tmp_path)
    files = [tmp_path / f"{number}.json" for number in range(PROCESSES)]
    command = [sys.executable, "-c", ENQUEUE, redis_url, str(IDEMPOTENCY_KEYS)]
    with ExitStack() as stack:
        some = [stack.enter_context(subprocess.Popen([*command, str(file)], env=env)) for file in files]
        wait_until(lambda: redis.get(KEYS.counter("ready")) == str(PROCESSES), 60, "all stand ready")
        redis.rpush("wake", *range(PROCESSES))
        wait_until(lambda: redis.exists(KEYS.idempotency("t", "order-30")), 30, "they are at it", every=0.002)
        some[0].send_signal(signal.SIGKILL)
        for process in some[1:]:
            assert process.wait(60) == 0
    assert not files[0].exists(), "it was killed in the middle"
    first, *others = [json.loads(file.read_text()) for file in files[1:]]
    assert others == [first] * (PROCESSES - 2)
    assert len(set(first.values())) == IDEMPOTENCY_KEYS
    assert total_of(READS.count_jobs().run(redis)).total == IDEMPOTENCY_KEYS
    assert check(redis, KEYS) == []


def test_the_last_of_many_runs_once_after_all_of_them_though_workers_are_killed(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    stopwatch = Stopwatch(redis)
    many = [new_id("job") for _ in range(60)]
    enqueue(redis, *many, task="hold", queue="default", args=dumps({"ms": 100}))
    (last,) = [new_id("job")]
    enqueue(redis, last, task="hold", queue="default", args=dumps({"ms": 1}), depends_on=tuple(many))
    for done in (12, 36):
        with a_worker(redis_url, tmp_path / str(done)) as worker:
            wait_until(
                lambda done=done: sum(run.ended is not None for run in stopwatch.runs()) >= done, 60, f"{done} are done"
            )
            worker.kill()
    with a_worker(redis_url, tmp_path / "last"):
        wait_for_end(redis, [*many, last], timeout=60)
        assert_nothing_is_left_open(redis)
    assert states(redis, [*many, last]) == {JobState.COMPLETED: 61}
    runs = stopwatch.runs()
    assert any(run.ended is None for run in runs), "a kill cut nothing off"
    (of_the_last,) = [run for run in runs if run.job_id == last]
    assert {run.job_id for run in runs if run.ended is not None and run.ended < of_the_last.began} == set(many)


def test_retention_that_is_killed_in_the_middle_leaves_no_half_removed_job(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    rows = [row(new_id("job"), task="hold", queue="default", args=dumps({"ms": 0})) for _ in range(1_500)]
    for start in range(0, len(rows), 500):
        STORE.enqueue_jobs(rows[start : start + 500]).run(redis)
    # The first lets finished jobs pile up; the others begin by removing them, and are killed while they do.
    with a_worker(redis_url, tmp_path / "first"):
        wait_until(lambda: finished(redis) == 1_500, 120, "all are done")
    for number in range(3):
        before = finished(redis)
        with a_worker(redis_url, tmp_path / str(number), keep_completed_jobs=10) as worker:
            wait_until(lambda before=before: finished(redis) < before, 30, "it removes some", every=0.001)
            worker.kill()
        assert check(redis, KEYS) == []
        if finished(redis) <= 10:
            break
    with a_worker(redis_url, tmp_path / "last", keep_completed_jobs=10):
        wait_until(lambda: finished(redis) == 10, 30, "ten are kept")
    assert len(redis.keys(KEYS.job("*"))) == 10
    assert check(redis, KEYS) == []


def finished(redis: Redis) -> int:
    return redis.zcard(KEYS.finished(JobState.COMPLETED))
