"""An attempt that lost its lease changes nothing, however late it comes back."""

import os
import signal
from pathlib import Path

from redis import Redis

from support.crowd import assert_nothing_is_left_open, enqueue_universal, jobs, ledger_in, wait_for_end
from support.waiting import wait_until
from support.workers import WorkerProcess
from taskengine.jobs import JobState


def worker(redis_url: str, directory: Path) -> WorkerProcess:
    return WorkerProcess(
        "support.universal:engine", redis_url, data_dir=directory, namespace="test", lease_seconds=1, concurrency=1
    )


def test_a_worker_that_was_frozen_past_its_lease_does_not_overwrite_the_next(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    ledger = ledger_in(tmp_path)
    with worker(redis_url, tmp_path / "frozen") as frozen:
        (job_id,) = enqueue_universal(redis, ledger=ledger, ms=300, value="once")
        wait_until(ledger.starts, 10, "the first run started")
        os.kill(frozen.pid, signal.SIGSTOP)
        try:
            with worker(redis_url, tmp_path / "second"):
                wait_for_end(redis, [job_id])
                second = jobs(redis, [job_id])[0]
        finally:
            os.kill(frozen.pid, signal.SIGCONT)
        wait_until(lambda: len(ledger.ends()) == 2, 10, "the frozen run went on to its end")
        wait_until(lambda: "refused" in frozen.log.read_text(), 10, "its outcome was refused")

    assert second.state is JobState.COMPLETED
    assert jobs(redis, [job_id])[0] == second
    assert_nothing_is_left_open(redis)
