"""Huey's locks and rate limits, its exceptions that put a job off, and ``context_task``."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import pytest
from huey.exceptions import CancelExecution, RateLimitExceeded, RetryTask, TaskLockedException
from redis import Redis

from support.bench import Bench
from support.jobs import CANCELLED, COMPLETED, FAILED, RETRYING, SCHEDULED, STORE
from taskengine import TaskEngine
from taskengine.jobs import AttemptOutcome

# Locks


def test_a_lock_is_held_inside_the_block_and_by_nobody_else(engine: TaskEngine) -> None:
    with engine.lock_task("db"):
        assert engine.is_locked("db")
        with pytest.raises(TaskLockedException, match="unable to acquire lock db"), engine.lock_task("db"):
            pass
        assert engine.is_locked("db")
    assert not engine.is_locked("db")


def test_a_locked_task_is_tried_again_as_its_retries_say(bench: Bench, engine: TaskEngine) -> None:
    @engine.task(retries=1)
    @engine.lock_task("db")
    def backup(n: int) -> int:
        return n

    backup(1)
    with engine.lock_task("db"):
        assert bench.run().state is RETRYING
    assert bench.run().result == 1
    assert not engine.is_locked("db")


def test_a_lock_has_an_end_of_its_own(engine: TaskEngine, redis: Redis) -> None:
    with engine.lock_task("db", ttl=60):
        assert 50_000 < redis.pttl(engine.job_storage.keys.lock("db")) <= 60_000


def test_who_lost_a_lock_does_not_free_the_next_holders(engine: TaskEngine) -> None:
    with engine.lock_task("db"):
        engine.shelf.free_lock("db")  # its time ran out
        engine.shelf.take_lock("db", " the next one", ttl_ms=60_000)
    assert engine.is_locked("db")


def test_a_lock_of_a_job_that_lost_its_worker_is_free_when_the_job_is_given_back(
    bench: Bench, engine: TaskEngine, redis: Redis
) -> None:
    lock = engine.lock_task("db")

    @engine.task(max_attempts=3)
    def backup() -> str:
        lock.acquire()
        return "done"

    backup()
    task = bench.claim()
    owner = f"{task.job.id} {task.job.lease} token"
    assert engine.shelf.take_lock("db", owner, ttl_ms=60_000)
    redis.zadd(engine.job_storage.keys.leases, {task.id: 1})
    assert STORE.rescue_jobs(max_losses=3, limit=1).run(redis) == 1
    assert bench.run().result == "done"


def test_locks_are_flushed_by_name_and_those_of_this_process_anyway(engine: TaskEngine) -> None:
    engine.lock_task("ours").acquire()
    engine.shelf.take_lock("theirs", " x", ttl_ms=60_000)
    engine.shelf.take_lock("left", " x", ttl_ms=60_000)
    assert engine.flush_locks("theirs") == {"ours", "theirs"}
    assert engine.is_locked("left")


# Rates


def test_a_rate_is_so_many_uses_in_a_stretch(engine: TaskEngine) -> None:
    rate = engine.rate_limit("mail", limit=2, per=3600)
    rate.acquire()
    with rate:
        assert rate.current_usage() == 2
    with pytest.raises(RateLimitExceeded):
        rate.acquire()
    rate.reset()
    assert rate.current_usage() == 0


def test_a_refused_job_comes_back_when_the_next_stretch_begins_without_an_attempt_counted(
    bench: Bench, engine: TaskEngine
) -> None:
    @engine.task()
    @engine.rate_limit("mail", limit=1, per=3600)
    def send(n: int) -> int:
        return n

    send(1)
    send(2)
    assert bench.run().state is COMPLETED
    job = bench.run()
    assert (job.state, job.attempt_count, job.run_count) == (SCHEDULED, 0, 1)
    assert job.run_at is not None
    assert job.run_at.timestamp() % 3600 == pytest.approx(0, abs=1)


def test_a_refused_job_that_is_not_to_come_back_fails(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    @engine.rate_limit("mail", limit=0, per=3600, retry=False)
    def send() -> None: ...

    send()
    job = bench.run()
    assert job.error is not None
    assert (job.state, job.error.exception) == (FAILED, "huey.exceptions.RateLimitExceeded")


# Exceptions


def raising(engine: TaskEngine, error: Exception, **options: Any) -> None:
    @engine.task(**options)
    def work() -> None:
        raise error

    work()


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (lambda: RetryTask(delay=60), 60),
        (lambda: RetryTask(eta=datetime.now() + timedelta(seconds=90)), 90),  # noqa: DTZ005 - as Huey's users write it
        (RetryTask, 7),
        (lambda: CancelExecution(retry=True), 7),
    ],
)
def test_a_task_can_put_itself_off_without_an_attempt_counted(
    bench: Bench, engine: TaskEngine, error: Callable[[], Exception], seconds: float
) -> None:
    raising(engine, error(), retries=0, retry_delay=7)
    job = bench.run()
    assert (job.state, job.attempt_count) == (SCHEDULED, 0)
    assert job.run_at is not None
    assert job.started_at is not None
    assert (job.run_at - job.started_at).total_seconds() == pytest.approx(seconds, abs=8)
    (attempt,) = engine.job_storage.run(engine.job_storage.reads.list_attempts([job]))[0]
    assert attempt.outcome is AttemptOutcome.RELEASED


def test_a_job_that_was_asked_to_stop_is_not_put_off(bench: Bench, engine: TaskEngine, redis: Redis) -> None:
    raising(engine, RetryTask(delay=60))
    task = bench.claim()
    STORE.cancel_job(task.id, terminate=True, reason="").run(redis)
    engine.execute(task)
    bench.dispatcher.flush()
    assert bench.job(task.id).state is CANCELLED


def test_cancelled_by_its_task_a_job_is_cancelled(bench: Bench, engine: TaskEngine) -> None:
    raising(engine, CancelExecution(retry=False), retries=3)
    assert bench.run().state is CANCELLED


@pytest.mark.parametrize(
    ("error", "signals"),
    [
        (RateLimitExceeded("x", 60), ["executing", "rate-limited", "retrying", "scheduled"]),
        (TaskLockedException("x"), ["executing", "locked"]),
        (RetryTask(delay=60), ["executing", "retrying", "scheduled"]),
        (CancelExecution(), ["executing", "canceled"]),
    ],
)
def test_hueys_signals_tell_of_them(bench: Bench, engine: TaskEngine, error: Exception, signals: list[str]) -> None:
    told: list[str] = []
    engine.signal()(lambda name, *_: told.append(name))
    raising(engine, error)
    bench.run()
    assert told == ["enqueued", *signals]


def test_a_job_for_later_is_told_of_as_scheduled(engine: TaskEngine) -> None:
    told: list[tuple[str, str, dict[str, Any]]] = []
    engine.signal()(lambda name, task: told.append((name, task.id, task.kwargs)))

    @engine.task()
    def work(n: int) -> None: ...

    result = work(1, delay=60)
    assert told == [("scheduled", result.id, {"n": 1})]


def test_a_task_may_check_its_own_timeout(bench: Bench, engine: TaskEngine) -> None:
    @engine.task(timeout=0.001, context=True)
    def slow(task: Any = None) -> None:
        while True:
            task.check_timeout()

    slow()
    job = bench.run()
    assert job.error is not None
    assert job.error.exception == "huey.exceptions.TaskTimeout"


# Context managers around tasks


@contextmanager
def connection() -> Iterator[str]:
    yield "connected"


def test_a_context_task_runs_inside_the_block(bench: Bench, engine: TaskEngine) -> None:
    @engine.context_task(connection(), name="inside", queue="db")
    def inside(n: int) -> int:
        return n

    inside(1)
    assert bench.run().result == 1


def test_a_context_task_may_take_what_the_block_gives_first_and_callers_do_not(
    bench: Bench, engine: TaskEngine
) -> None:
    class Connection:
        def __enter__(self) -> str:
            return "connected"

        def __exit__(self, *_: object) -> None: ...

    @engine.context_task(Connection(), as_argument=True)
    def query(connection: Any, n: int) -> str:
        return f"{connection} {n}"

    assert set(query.info.args_schema["properties"]) == {"n"}
    query(7)
    assert bench.run().result == "connected 7"
