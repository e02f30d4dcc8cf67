"""SIGTERM: nothing new is begun, what runs may finish within the grace time, and the rest goes back uncounted."""

import os
import signal
from pathlib import Path
from typing import Literal

import pytest
from redis import Redis

from support.crowd import enqueue_universal, jobs, ledger_in, states, wait_for_end, wait_for_state
from support.jobs import KEYS, READS, STORE
from support.waiting import wait_until
from support.workers import WorkerProcess
from taskengine.check import check
from taskengine.jobs import AttemptOutcome, JobState

Mode = Literal["thread", "process"]
MODES: list[Mode] = ["thread", "process"]


def worker(redis_url: str, directory: Path, mode: Mode, grace_seconds: float, concurrency: int = 2) -> WorkerProcess:
    return WorkerProcess(
        "support.universal:engine",
        redis_url,
        data_dir=directory,
        namespace="test",
        mode=mode,
        concurrency=concurrency,
        grace_seconds=grace_seconds,
        lease_seconds=60,  # what comes back, was given back
    )


@pytest.mark.parametrize("mode", MODES)
def test_running_jobs_finish_and_waiting_ones_wait(redis: Redis, redis_url: str, tmp_path: Path, mode: Mode) -> None:
    ledger = ledger_in(tmp_path)
    job_ids = enqueue_universal(redis, 10, ledger=ledger, ms=500)
    with worker(redis_url, tmp_path / "worker", mode, grace_seconds=20) as stopping:
        wait_until(lambda: len(ledger.starts()) == 2, 20, "both run")
        assert stopping.stop() == 0
    assert states(redis, job_ids) == {JobState.COMPLETED: 2, JobState.QUEUED: 8}
    assert len(ledger.starts()) == len(ledger.ends()) == 2
    assert check(redis, KEYS) == []


@pytest.mark.parametrize("mode", MODES)
def test_what_does_not_finish_in_time_goes_back_and_does_not_count(
    redis: Redis, redis_url: str, tmp_path: Path, mode: Mode
) -> None:
    (job_id,) = enqueue_universal(redis, ms=60_000)
    with worker(redis_url, tmp_path / "worker", mode, grace_seconds=0.3) as stopping:
        wait_for_state(redis, job_id, JobState.RUNNING)
        assert stopping.stop() == 0
    job = jobs(redis, [job_id])[0]
    assert (job.state, job.attempt_count, job.run_count) == (JobState.QUEUED, 0, 1)
    ((attempt,),) = READS.list_attempts([job]).run(redis)
    assert attempt.outcome is AttemptOutcome.RELEASED
    assert check(redis, KEYS) == []


@pytest.mark.parametrize("mode", MODES)
def test_a_second_signal_does_not_wait(redis: Redis, redis_url: str, tmp_path: Path, mode: Mode) -> None:
    (job_id,) = enqueue_universal(redis, ms=60_000)
    with worker(redis_url, tmp_path / "worker", mode, grace_seconds=600) as stopping:
        wait_for_state(redis, job_id, JobState.RUNNING)
        os.kill(stopping.pid, signal.SIGTERM)
        wait_until(lambda: all(one.draining for one in READS.list_workers().run(redis)), 10, "the worker drains")
        assert stopping.stop() == 0
    assert states(redis, [job_id]) == {JobState.QUEUED: 1}


@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_left_of_a_worker_that_stopped(redis: Redis, redis_url: str, tmp_path: Path, mode: Mode) -> None:
    with worker(redis_url, tmp_path / "worker", mode, grace_seconds=5) as stopping:
        children = stopping.children
        assert stopping.stop() == 0
    assert READS.list_workers().run(redis) == []
    assert not any(Path(f"/proc/{child}").exists() for child in children)


@pytest.mark.parametrize("mode", MODES)
def test_a_running_job_is_cancelled_from_outside(redis: Redis, redis_url: str, tmp_path: Path, mode: Mode) -> None:
    with worker(redis_url, tmp_path / "worker", mode, grace_seconds=5):
        (job_id,) = enqueue_universal(redis, do="HANG")
        wait_for_state(redis, job_id, JobState.RUNNING)
        STORE.cancel_job(job_id, terminate=True, reason="enough").run(redis)
        wait_for_end(redis, [job_id], timeout=10)
        job = jobs(redis, [job_id])[0]
        assert (job.state, job.cancel_reason) == (JobState.CANCELLED, "enough")
        # The worker lives on.
        (next_id,) = enqueue_universal(redis)
        wait_for_state(redis, next_id, JobState.COMPLETED)


def test_a_process_worker_stops_a_job_that_asks_nothing(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    with worker(redis_url, tmp_path / "worker", "process", grace_seconds=5):
        (job_id,) = enqueue_universal(redis, ms=60_000)
        wait_for_state(redis, job_id, JobState.RUNNING)
        STORE.cancel_job(job_id, terminate=True, reason="").run(redis)
        wait_for_state(redis, job_id, JobState.CANCELLED, timeout=10)
