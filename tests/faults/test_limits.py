"""Limits are exact over several worker processes of which one is killed: told by the jobs, by Redis's clock."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from redis import Redis

from support.crowd import assert_nothing_is_left_open, jobs, states, wait_for_end
from support.jobs import STORE, attempts, row
from support.stopwatch import Run, Stopwatch, most_at_once
from support.waiting import wait_until
from support.workers import TESTS, WorkerProcess
from taskengine.ids import new_id
from taskengine.jobs import AttemptOutcome, JobState
from taskengine.records import dumps
from taskengine.rules import KEEP, Kind, Rate

WORKERS = 4


@pytest.fixture
def stopwatch(redis: Redis) -> Stopwatch:
    return Stopwatch(redis)


@contextmanager
def workers(redis_url: str, directory: Path) -> Iterator[list[WorkerProcess]]:
    """Four processes of four threads each: more than any limit here lets run."""
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                WorkerProcess(
                    "limited:engine",
                    redis_url,
                    data_dir=directory / str(number),
                    concurrency=4,
                    path=(TESTS, TESTS / "faults"),
                    namespace="test",
                    lease_seconds=1.5,
                )
            )
            for number in range(WORKERS)
        ]


def enqueue(redis: Redis, task: str, calls: list[dict[str, object]]) -> list[str]:
    rows = [row(new_id("job"), task=task, queue="default", args=dumps(call)) for call in calls]
    STORE.enqueue_jobs(rows).run(redis)
    return [str(one[0]) for one in rows]


def kill_one_that_runs(some: list[WorkerProcess], stopwatch: Stopwatch) -> dict[int, int]:
    """Kill a worker in the middle of a job; tell when, by its process id."""

    def busy() -> WorkerProcess | None:
        runs = stopwatch.runs()
        if sum(run.ended is not None for run in runs) < 10:
            return None
        running = {run.pid for run in runs if run.ended is None}
        return next((worker for worker in some if worker.pid in running), None)

    victim = wait_until(busy, 60, "ten jobs are done and a worker runs one")
    pid = victim.pid
    victim.kill()
    return {pid: stopwatch.now()}


def assert_one_was_cut_off(runs: list[Run], died: dict[int, int]) -> None:
    """Else the kill proved nothing."""
    cut_off = [run for run in runs if run.ended is None]
    assert cut_off
    assert {run.pid for run in cut_off} == died.keys()


@pytest.mark.parametrize(("kind", "name"), [(Kind.QUEUE, "default"), (Kind.TASK, "hold")])
def test_fifty_jobs_under_a_limit_of_three_never_run_more_than_three_at_once_and_all_are_done(
    redis: Redis, redis_url: str, tmp_path: Path, stopwatch: Stopwatch, kind: Kind, name: str
) -> None:
    STORE.set_limits(kind, name, concurrency=3, rate=KEEP).run(redis)
    with workers(redis_url, tmp_path) as some:
        job_ids = enqueue(redis, "hold", [{"ms": 100}] * 50)
        died = kill_one_that_runs(some, stopwatch)
        wait_for_end(redis, job_ids, timeout=100)
        assert states(redis, job_ids) == {JobState.COMPLETED: 50}
        assert_nothing_is_left_open(redis)
    assert most_at_once(stopwatch.runs(), died) == 3
    assert_one_was_cut_off(stopwatch.runs(), died)


def test_of_a_concurrency_key_never_more_run_at_once_than_it_allows(
    redis: Redis, redis_url: str, tmp_path: Path, stopwatch: Stopwatch
) -> None:
    with workers(redis_url, tmp_path) as some:
        job_ids = enqueue(redis, "hold_key", [{"ms": 100, "key": f"k{number % 3}"} for number in range(48)])
        died = kill_one_that_runs(some, stopwatch)
        wait_for_end(redis, job_ids, timeout=100)
        assert states(redis, job_ids) == {JobState.COMPLETED: 48}
        assert_nothing_is_left_open(redis)
    runs = stopwatch.runs()
    most = {key: most_at_once([run for run in runs if run.key == key], died) for key in ("k0", "k1", "k2")}
    assert most == {"k0": 2, "k1": 2, "k2": 2}
    assert_one_was_cut_off(runs, died)


def test_in_no_window_do_more_start_than_the_bucket_allows(
    redis: Redis, redis_url: str, tmp_path: Path, stopwatch: Stopwatch
) -> None:
    rate = Rate(jobs=4, per_seconds=0.5)
    STORE.set_limits(Kind.TASK, "hold", concurrency=KEEP, rate=rate).run(redis)
    with workers(redis_url, tmp_path) as some:
        job_ids = enqueue(redis, "hold", [{"ms": 100}] * 50)
        died = kill_one_that_runs(some, stopwatch)
        wait_for_end(redis, job_ids, timeout=100)
        assert states(redis, job_ids) == {JobState.COMPLETED: 50}
        assert_nothing_is_left_open(redis)
    assert_one_was_cut_off(stopwatch.runs(), died)
    starts = starts_of(redis, job_ids)
    assert len(starts) > 50, "the run that was cut off took a token, too"
    # A bucket begins full and fills at its rate, so this holds for the time between any two starts.
    for first, begun in enumerate(starts):
        for last in range(first, len(starts)):
            allowed = rate.jobs + (starts[last] - begun) / 1000 * rate.jobs / rate.per_seconds
            assert last - first + 1 <= allowed + 1e-6


def starts_of(redis: Redis, job_ids: list[str]) -> list[int]:
    """When attempts were started, in ms by Redis's clock, in order."""
    started = [
        attempt.started_at
        for job in jobs(redis, job_ids)
        for attempt in attempts(redis, job.id)
        if attempt.outcome is not AttemptOutcome.RELEASED
    ]
    return sorted(round(at.timestamp() * 1000) for at in started if at is not None)
