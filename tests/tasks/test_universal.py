"""The universal task does as it is told: what the tests of faults rest on."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.clients import a_client, reaches, run_job
from support.ledger import Ledger
from support.universal import universal
from support.workers import WorkerProcess
from taskengine.jobs import JobState


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger")


@pytest.fixture
def worker(redis_url: str, tmp_path: Path) -> Iterator[WorkerProcess]:
    with WorkerProcess("support.universal:engine", redis_url, data_dir=tmp_path / "worker", mode="process") as worker:
        yield worker


@pytest.mark.usefixtures("worker")
async def test_ok_returns_the_value_and_leaves_two_lines(redis_url: str, ledger: Ledger) -> None:
    job = await run_job(redis_url, "universal", {"value": {"a": [1, None]}, "ledger": str(ledger.path)})
    assert (job.state, job.result) == (JobState.COMPLETED, {"a": [1, None]})
    assert [(entry.event, entry.job_id, entry.attempt) for entry in ledger.entries()] == [
        ("start", job.id, 1),
        ("end", job.id, 1),
    ]


@pytest.mark.usefixtures("worker")
async def test_fail_raises_what_it_is_told_until_attempts_end(redis_url: str) -> None:
    job = await run_job(redis_url, "universal", {"do": "FAIL", "error": "OSError", "message": "no disk"})
    assert (job.state, job.attempt_count) == (JobState.FAILED, 3)
    assert job.error is not None
    assert (job.error.exception, job.error.message) == ("OSError", "no disk")


@pytest.mark.usefixtures("worker")
async def test_a_key_error_is_never_tried_again(redis_url: str) -> None:
    job = await run_job(redis_url, "universal", {"do": "FAIL", "error": "KeyError"})
    assert (job.state, job.attempt_count) == (JobState.FAILED, 1)


@pytest.mark.usefixtures("worker")
async def test_fail_once_gets_through_the_second_time(redis_url: str) -> None:
    job = await run_job(redis_url, "universal", {"do": "FAIL_ONCE", "value": 7})
    assert (job.state, job.attempt_count, job.result) == (JobState.COMPLETED, 2, 7)


@pytest.mark.usefixtures("worker")
async def test_kill_once_leaves_a_start_without_an_end(redis_url: str, ledger: Ledger) -> None:
    job = await run_job(redis_url, "universal", {"do": "KILL_ONCE", "ledger": str(ledger.path)})
    assert job.state is JobState.COMPLETED
    assert len({entry.pid for entry in ledger.starts(job.id)}) == 2
    assert ledger.started_more_than_once() == {job.id}
    assert ledger.ended_more_than_once() == set()
    assert ledger.never_ended({job.id, "another"}) == {"another"}


@pytest.mark.usefixtures("worker")
async def test_kill_kills_until_the_job_is_given_up(redis_url: str, ledger: Ledger) -> None:
    job = await run_job(redis_url, "universal", {"do": "KILL", "ledger": str(ledger.path)})
    assert (job.state, job.worker_losses) == (JobState.FAILED, 3)
    assert (len(ledger.starts(job.id)), len(ledger.ends(job.id))) == (3, 0)


@pytest.mark.usefixtures("worker")
async def test_hang_holds_until_it_is_cancelled(redis_url: str) -> None:
    async with a_client(redis_url) as client:
        job = await client.enqueue_job("universal", {"do": "HANG"})
        await reaches(client, job.id, JobState.RUNNING)
        await client.cancel_job(job.id, terminate=True)
        await reaches(client, job.id, JobState.CANCELLED)


@pytest.mark.usefixtures("worker")
async def test_unusable_is_a_result_that_cannot_be_kept(redis_url: str) -> None:
    job = await run_job(redis_url, "universal", {"do": "UNUSABLE"})
    assert job.state is JobState.FAILED
    assert job.error is not None
    assert job.error.exception.endswith("UnusableResult")


@pytest.mark.usefixtures("worker")
async def test_steps_are_its_progress(redis_url: str) -> None:
    job = await run_job(redis_url, "universal", {"ms": 30, "steps": 3})
    assert job.progress is not None
    assert (job.progress.current, job.progress.total, job.progress.message) == (3, 3, "step 3")


def test_hog_lets_no_other_thread_run_meanwhile() -> None:
    longest_gap, stop = [0.0], threading.Event()

    def tick() -> None:
        last = time.perf_counter()
        while not stop.wait(0.001):
            now = time.perf_counter()
            longest_gap[0], last = max(longest_gap[0], now - last), now

    thread = threading.Thread(target=tick)
    thread.start()
    universal.call_local("HOG", ms=300)
    stop.set()
    thread.join()
    assert longest_gap[0] > 0.1


def test_kill_once_without_a_ledger_is_refused() -> None:
    with pytest.raises(ValueError, match="KILL_ONCE needs a ledger"):
        universal.call_local("KILL_ONCE", ledger=None)
