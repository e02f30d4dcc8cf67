"""Real workers whose jobs take too long, are cancelled while they run, or die on their way."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from redis import Redis

from support.crowd import assert_nothing_is_left_open, jobs, ledger_in, states, wait_for_end, wait_for_state
from support.jobs import KEYS, READS, STORE, attempts, now_ms, row
from support.waiting import wait_until
from support.workers import WorkerProcess
from taskengine import Client
from taskengine.check import check
from taskengine.ids import new_id
from taskengine.jobs import AttemptOutcome, Job, JobState, LogLevel, LogLine
from taskengine.records import dumps

Mode = Literal["thread", "process"]
MODES: list[Mode] = ["thread", "process"]


def worker(redis_url: str, directory: Path, mode: Mode, **options: Any) -> WorkerProcess:
    return WorkerProcess(
        "support.running:engine",
        redis_url,
        data_dir=directory,
        namespace="test",
        mode=mode,
        **({"concurrency": 2, "lease_seconds": 60, "grace_seconds": 5} | options),
    )


@pytest.fixture(params=MODES)
def running(request: pytest.FixtureRequest, redis_url: str, tmp_path: Path) -> Iterator[WorkerProcess]:
    """A worker of each mode in turn."""
    with worker(redis_url, tmp_path / "worker", request.param) as running:
        yield running


@pytest.fixture
def processes(redis_url: str, tmp_path: Path) -> Iterator[WorkerProcess]:
    """A worker with two children."""
    with worker(redis_url, tmp_path / "worker", "process") as running:
        yield running


def enqueue(redis: Redis, task: str, *, timeout: float | None = None, max_attempts: int = 1, **args: object) -> str:
    job_id = new_id("job")
    options = {"queue": "default", "args": dumps(args), "max_attempts": max_attempts, "timeout": timeout}
    STORE.enqueue_jobs([row(job_id, task=task, **options)]).run(redis)
    return job_id


def job(redis: Redis, job_id: str) -> Job:
    return jobs(redis, [job_id])[0]


def outcomes(redis: Redis, job_id: str) -> list[AttemptOutcome]:
    return [attempt.outcome for attempt in attempts(redis, job_id)]


def lines(redis: Redis, job_id: str) -> tuple[LogLine, ...]:
    page = READS.list_logs(job_id, min_level=LogLevel.DEBUG, after="", before="", limit=1000, backward=False)
    return page.run(redis).lines


def assert_it_works_on(redis: Redis) -> None:
    done = [enqueue(redis, "universal", value=number) for number in range(4)]
    wait_for_end(redis, done, timeout=20)
    assert states(redis, done) == {JobState.COMPLETED: 4}
    assert check(redis, KEYS) == []


# Timeouts


@pytest.mark.usefixtures("running")
def test_python_code_that_asks_nothing_times_out_and_is_tried_again(redis: Redis) -> None:
    job_id = enqueue(redis, "busy", timeout=0.3, max_attempts=2)
    wait_for_end(redis, [job_id], timeout=20)
    assert outcomes(redis, job_id) == [AttemptOutcome.TIMED_OUT] * 2
    first = attempts(redis, job_id)[0]
    assert (first.finished_at - first.started_at).total_seconds() < 3
    assert_it_works_on(redis)


@pytest.mark.usefixtures("running")
def test_a_coroutine_times_out_and_can_clean_up(redis: Redis, tmp_path: Path) -> None:
    ledger = ledger_in(tmp_path)
    job_id = enqueue(redis, "coroutine", timeout=0.3, ms=60_000, ledger=str(ledger.path))
    wait_for_end(redis, [job_id], timeout=20)
    assert outcomes(redis, job_id) == [AttemptOutcome.TIMED_OUT]
    assert len(ledger.ends(job_id)) == 1
    assert_it_works_on(redis)


@pytest.mark.usefixtures("processes")
def test_a_call_that_blocks_times_out_in_a_process(redis: Redis) -> None:
    job_id = enqueue(redis, "universal", timeout=0.3, ms=60_000)
    wait_for_end(redis, [job_id], timeout=20)
    assert outcomes(redis, job_id) == [AttemptOutcome.TIMED_OUT]


@pytest.mark.parametrize(("task", "args"), [("universal", {"do": "HOG", "ms": 60_000}), ("stubborn", {})])
def test_what_no_exception_stops_is_killed_and_its_worker_lives_on(
    redis: Redis, processes: WorkerProcess, task: str, args: dict[str, Any]
) -> None:
    before = processes.children
    job_id = enqueue(redis, task, timeout=0.3, max_attempts=2, **args)
    wait_for_end(redis, [job_id], timeout=40)
    ended = job(redis, job_id)
    assert outcomes(redis, job_id) == [AttemptOutcome.TIMED_OUT] * 2
    assert (ended.state, ended.attempt_count, ended.worker_losses) == (JobState.FAILED, 2, 0)
    assert ended.error is not None
    assert "it did not stop, so its process was killed" in ended.error.message
    wait_until(lambda: len(set(processes.children) - set(before)) >= 1, 20, "a new child took its place")
    assert_it_works_on(redis)


# Cancelling


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("task", ["busy", "coroutine"])
def test_a_running_job_that_asks_nothing_is_cancelled_within_about_a_second(redis: Redis, task: str) -> None:
    job_id = enqueue(redis, task, **({"ms": 60_000} if task == "coroutine" else {}))
    wait_for_state(redis, job_id, JobState.RUNNING)
    asked_at = now_ms(redis)
    STORE.cancel_job(job_id, terminate=True, reason="enough").run(redis)
    wait_for_state(redis, job_id, JobState.CANCELLED, timeout=15)
    finished_at = job(redis, job_id).finished_at
    assert finished_at is not None
    assert finished_at.timestamp() * 1000 - asked_at < 3_000  # one, and what a busy machine adds
    assert_it_works_on(redis)


@pytest.mark.usefixtures("processes")
def test_a_job_that_no_exception_stops_is_cancelled_by_killing_its_process(redis: Redis) -> None:
    job_id = enqueue(redis, "stubborn", max_attempts=3)
    wait_for_state(redis, job_id, JobState.RUNNING)
    STORE.cancel_job(job_id, terminate=True, reason="enough").run(redis)
    wait_for_end(redis, [job_id], timeout=20)
    ended = job(redis, job_id)
    assert (ended.state, ended.cancel_reason, ended.worker_losses) == (JobState.CANCELLED, "enough", 0)
    assert_it_works_on(redis)


# Coroutines


@pytest.mark.usefixtures("redis")
def test_many_coroutines_run_at_once_beside_other_tasks(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    with worker(redis_url, tmp_path / "worker", "thread", concurrency=40):
        slow = [enqueue(redis, "coroutine", ms=1_500) for _ in range(30)]
        wait_until(lambda: states(redis, slow)[JobState.RUNNING] == 30, 15, "all run at once")
        plain = [enqueue(redis, "universal", ms=10) for _ in range(5)]
        wait_for_end(redis, plain, timeout=20)
        wait_for_end(redis, slow, timeout=20)
    assert [one.result for one in jobs(redis, slow)] == slow
    assert_nothing_is_left_open(redis)


@pytest.mark.parametrize("mode", MODES)
def test_a_worker_that_stops_lets_coroutines_finish(redis: Redis, redis_url: str, tmp_path: Path, mode: Mode) -> None:
    with worker(redis_url, tmp_path / "worker", mode, grace_seconds=20) as stopping:
        job_id = enqueue(redis, "coroutine", ms=1_000)
        wait_for_state(redis, job_id, JobState.RUNNING)
        assert stopping.stop() == 0
    assert job(redis, job_id).state is JobState.COMPLETED


@pytest.mark.parametrize("mode", MODES)
def test_those_that_take_too_long_clean_up_and_go_back_uncounted(
    redis: Redis, redis_url: str, tmp_path: Path, mode: Mode
) -> None:
    ledger = ledger_in(tmp_path)
    with worker(redis_url, tmp_path / "worker", mode, grace_seconds=0.3) as stopping:
        job_id = enqueue(redis, "coroutine", ms=60_000, ledger=str(ledger.path))
        wait_for_state(redis, job_id, JobState.RUNNING)
        assert stopping.stop() == 0
    given_back = job(redis, job_id)
    assert (given_back.state, given_back.attempt_count) == (JobState.QUEUED, 0)
    assert outcomes(redis, job_id) == [AttemptOutcome.RELEASED]
    assert len(ledger.ends(job_id)) == 1
    assert check(redis, KEYS) == []


# Going on


@pytest.mark.parametrize("mode", MODES)
def test_a_killed_job_goes_on_where_it_was_and_what_it_said_is_kept(
    redis: Redis, redis_url: str, tmp_path: Path, mode: Mode
) -> None:
    ledger = ledger_in(tmp_path)
    with worker(redis_url, tmp_path / "first", mode, lease_seconds=1):
        job_id = enqueue(redis, "walk", steps=10, kill_after=6, ledger=str(ledger.path))
        # In thread mode the worker itself is gone, and another one goes on.
        wait_until(lambda: job(redis, job_id).run_count == 1 and len(ledger.starts(job_id)) == 1, 20)
        with worker(redis_url, tmp_path / "second", mode, lease_seconds=1):
            wait_for_end(redis, [job_id], timeout=30)
    ended = job(redis, job_id)
    assert (ended.state, ended.worker_losses, ended.attempt_count) == (JobState.COMPLETED, 1, 1)
    assert ended.result == [6, 7, 8, 9]
    assert [(line.fields["number"], line.attempt) for line in lines(redis, job_id)] == [
        *((number, 1) for number in range(6)),
        *((number, 2) for number in range(6, 10)),
    ]
    assert redis.keys(KEYS.checkpoint("*")) == []
    assert check(redis, KEYS) == []


async def test_the_standard_logging_of_a_task_is_kept_and_can_be_read_by_a_client(
    redis: Redis, redis_url: str, processes: WorkerProcess
) -> None:
    job_id = enqueue(redis, "stubborn")
    wait_for_state(redis, job_id, JobState.RUNNING)
    STORE.cancel_job(job_id, terminate=True, reason="").run(redis)
    client = Client(redis_url, namespace="test")
    async with asyncio.timeout(20):
        while not (page := await client.list_logs(job_id, min_level=LogLevel.WARNING)).lines:
            await asyncio.sleep(0.05)
    await client.close()
    (line,) = page.lines
    assert (line.message, line.logger, line.level, line.attempt) == ("not now", "shop", LogLevel.WARNING, 1)
