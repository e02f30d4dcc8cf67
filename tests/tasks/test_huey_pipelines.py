"""``then``, ``error``, ``group`` and ``chord``: what follows a job is enqueued with its end, whatever dies."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from huey.api import chord, group
from huey.exceptions import ResultTimeout, TaskException
from redis import Redis

from support.bench import Bench
from support.jobs import CANCELLED, COMPLETED, FAILED, MINUTE, QUEUED, SCHEDULED, STORE
from support.jobs import outcome as ended
from taskengine import Backoff, InvalidInput, TaskEngine
from taskengine.jobs import JobError
from taskengine.task import Task
from taskengine.testing import drain


@pytest.fixture
def add(engine: TaskEngine) -> Task[..., int]:
    @engine.task()
    def add(a: int, b: int = 0) -> int:
        return a + b

    return add


@pytest.fixture
def total(engine: TaskEngine) -> Task[..., Any]:
    @engine.task()
    def total(values: list[Any], more: int = 0) -> Any:
        return sum(values) + more if all(isinstance(value, int) for value in values) else values

    return total


@pytest.fixture
def fails(engine: TaskEngine) -> Task[..., None]:
    @engine.task(max_attempts=2, backoff=Backoff(base_seconds=0, jitter=False))
    def fails() -> None:
        raise ValueError("no")

    return fails


# Pipelines


def test_each_call_gets_the_result_of_the_one_before(engine: TaskEngine, add: Task[..., int]) -> None:
    results = engine.enqueue(add.s(1, 2).then(add, 3).then(add, 4))
    assert [result.get() for result in results] == [None, None, None]
    drain(engine)
    assert results() == [3, 6, 10]


@pytest.mark.parametrize(
    ("returned", "got"), [((1, 2), {"a": 1, "b": 2}), ({"b": 2, "a": 1}, {"a": 1, "b": 2}), (7, {"a": 7}), (None, {})]
)
def test_a_tuple_is_several_arguments_a_dict_is_named_ones_and_none_is_no_argument(
    engine: TaskEngine, returned: Any, got: dict[str, int]
) -> None:
    @engine.task()
    def first() -> Any:
        return returned

    @engine.task()
    def second(a: int = -1, b: int = -1) -> None: ...

    _, result = engine.enqueue(first.s().then(second))
    drain(engine)
    assert result.job().args == got


def test_what_follows_keeps_its_own_options(bench: Bench, engine: TaskEngine, add: Task[..., int]) -> None:
    call = add.s(1).then(add, 2, priority=9, retries=3, retry_delay=7, id="second", delay=60)
    results = engine.enqueue(call)
    bench.run()
    job = list(results)[1].job()
    assert (job.id, job.state, job.priority, job.max_attempts) == ("second", SCHEDULED, 9, 4)
    assert job.backoff == Backoff(base_seconds=7, factor=1.0, cap_seconds=1e9, jitter=False)
    assert job.run_at is not None
    assert 59 < (job.run_at - job.created_at).total_seconds() < 61  # from the end of the one before


def test_what_follows_a_failure_is_never_enqueued_and_its_result_is_that_failure(
    engine: TaskEngine, add: Task[..., int], fails: Task[..., None]
) -> None:
    _, result, last = engine.enqueue(fails.s().then(add, 1).then(add, 2))
    drain(engine)
    assert [task.name for task in engine.pending()] == []
    for later in (result, last):
        with pytest.raises(TaskException, match="ValueError: no"):
            later.get(blocking=True, timeout=1)


def test_a_result_that_what_follows_cannot_take_fails_the_job_and_says_so(
    bench: Bench, engine: TaskEngine, add: Task[..., int]
) -> None:
    @engine.task(max_attempts=3)
    def words() -> str:
        return "words"

    engine.enqueue(words.s().then(add, 1))
    job = bench.run()
    assert job.error is not None
    assert (job.state, job.attempt_count) == (FAILED, 1)
    assert "add, which follows, refuses it: args.b: input should be a valid integer" in job.error.message


def test_a_worker_that_lost_its_job_enqueues_nothing_and_the_next_one_does(
    bench: Bench, engine: TaskEngine, redis: Redis, add: Task[..., int]
) -> None:
    results = engine.enqueue(add.s(1).then(add, 2))
    slow = bench.claim()
    redis.zadd(engine.job_storage.keys.leases, {slow.id: 1})
    STORE.rescue_jobs(max_losses=3, limit=1).run(redis)
    drain(engine)
    engine.execute(slow)
    bench.dispatcher.flush()
    assert results() == [1, 3]
    assert engine.result_count() == 2


def test_an_outcome_that_is_sent_twice_enqueues_what_follows_once(
    bench: Bench, engine: TaskEngine, redis: Redis, add: Task[..., int]
) -> None:
    results = engine.enqueue(add.s(1).then(add, 2))
    task = bench.claim()
    redis.client_kill_filter(_type="normal", skipme=True)
    engine.execute(task)
    bench.dispatcher.flush()
    bench.dispatcher.flush()
    drain(engine)
    assert results() == [1, 3]


def test_a_long_pipeline_is_no_deep_message(engine: TaskEngine, add: Task[..., int]) -> None:
    call = tail = add.s(0)
    for _ in range(600):
        tail.on_complete = tail = add.s(1)
    results = engine.enqueue(call)
    drain(engine)
    assert list(results)[-1].get() == 600


# Errors


def test_a_handler_gets_the_error_of_the_last_attempt(engine: TaskEngine, fails: Task[..., None]) -> None:
    seen: list[tuple[str, JobError]] = []

    @engine.task()
    def failed(where: str, error: JobError) -> None:
        seen.append((where, error))

    engine.enqueue(fails.s().error(failed, "here"))
    drain(engine)
    ((where, error),) = seen
    assert (where, error.exception, error.message, error.retryable) == ("here", "ValueError", "no", True)


def test_a_handler_follows_also_when_the_worker_was_lost_too_often(
    bench: Bench, engine: TaskEngine, redis: Redis, add: Task[..., int]
) -> None:
    seen: list[str] = []

    @engine.task()
    def failed(error: JobError) -> None:
        seen.append(error.exception)

    engine.enqueue(add.s(1).error(failed))
    task = bench.claim()
    redis.zadd(engine.job_storage.keys.leases, {task.id: 1})
    STORE.rescue_jobs(max_losses=1, limit=1).run(redis)
    drain(engine)
    assert seen == ["WorkerLost"]


def test_a_handler_that_cannot_take_the_error_is_refused_when_the_call_is_enqueued(
    engine: TaskEngine, add: Task[..., int], redis: Redis
) -> None:
    @engine.task()
    def deaf() -> None: ...

    with pytest.raises(InvalidInput, match="too many positional arguments; deaf takes"):
        engine.enqueue(add.s(1).error(deaf))
    assert engine.pending_count() == 0


# Groups and chords


def test_a_group_is_its_calls(engine: TaskEngine, add: Task[..., int]) -> None:
    results = engine.enqueue(group([add.s(1), add.s(2, 3)]))
    drain(engine)
    assert results() == [1, 5]


def test_a_chords_callback_gets_the_results_in_the_order_of_its_members(
    engine: TaskEngine, add: Task[..., int], total: Task[..., Any]
) -> None:
    outcome = engine.enqueue(chord([add.s(1, priority=1), add.s(2, priority=10)], total.s().then(add, 100)))
    assert outcome.get() is None
    with pytest.raises(ResultTimeout, match="it is not enqueued yet"):
        outcome.get(blocking=True, timeout=0.02)
    drain(engine)
    assert outcome.get() == 3
    assert outcome.results() == [1, 2]
    assert outcome.pipeline_results() == [3, 103]


def test_a_group_with_a_callback_is_a_chord(engine: TaskEngine, add: Task[..., int], total: Task[..., Any]) -> None:
    outcome = engine.enqueue(group([add.s(1), add.s(2)]).then(total, more=10))
    drain(engine)
    assert outcome() == 13


def test_chords_and_pipelines_may_be_members(
    engine: TaskEngine, add: Task[..., int], total: Task[..., Any], fails: Task[..., None]
) -> None:
    inner = chord([add.s(1), add.s(2).then(add, 3)], total.s().then(add, 4))
    outcome = engine.enqueue(chord([inner, add.s(5), fails.s().then(add, 1), chord([], total)], total))
    drain(engine)
    ten, five, error, nothing = outcome()
    assert (ten, five, error["error"]["message"], nothing) == (10, 5, "no", 0)
    assert engine.job_storage.redis.keys(engine.job_storage.keys.chord("*")) == []


def test_a_member_that_is_cancelled_is_told_to_the_callback(
    engine: TaskEngine, add: Task[..., int], total: Task[..., Any]
) -> None:
    late = add.s(2, delay=3600)
    outcome = engine.enqueue(chord([add.s(1), late], total))
    drain(engine)
    engine.revoke_by_id(late.id)
    drain(engine)
    assert [outcome()[0], outcome()[1]["error"]["exception"]] == [1, "JobCancelled"]


def test_a_member_that_expires_is_told_to_the_callback(
    engine: TaskEngine, add: Task[..., int], total: Task[..., Any]
) -> None:
    past = datetime.now(UTC) - timedelta(seconds=1)
    outcome = engine.enqueue(chord([add.s(1), add.s(2, expires=past)], total))
    drain(engine)
    assert outcome()[1]["error"]["message"] == "expired"


def test_the_last_members_end_and_the_callback_are_one_move(
    bench: Bench, engine: TaskEngine, redis: Redis, add: Task[..., int], total: Task[..., Any]
) -> None:
    """The worker dies right after its outcome reached Redis: there is nothing left that it would have had to do."""
    outcome = engine.enqueue(chord([add.s(1)], total))
    task = bench.claim()
    STORE.finish_jobs([ended(task.job, value="1")], "w", "*", 0, lease_ms=MINUTE).run(redis)
    assert outcome.callback.job().state is QUEUED
    assert outcome.callback.job().args == {"values": [1]}


def test_a_group_cannot_be_a_member(engine: TaskEngine, add: Task[..., int], total: Task[..., Any]) -> None:
    with pytest.raises(ValueError, match="cannot use `group` as a chord member"):
        engine.enqueue(chord([group([add.s(1)])], total))


def test_a_chord_of_many_members_is_done(engine: TaskEngine, add: Task[..., int], total: Task[..., Any]) -> None:
    outcome = engine.enqueue(chord([add.s(number) for number in range(1_200)], total))
    ran = drain(engine)
    assert len(ran) == 1_201
    assert outcome() == sum(range(1_200))
    assert all(job.state is COMPLETED for job in ran)


def test_what_is_no_call_is_refused(engine: TaskEngine) -> None:
    with pytest.raises(TypeError, match="expected a call of a task"):
        engine.enqueue(print)


def test_a_cancelled_job_is_followed_by_nothing(engine: TaskEngine, add: Task[..., int]) -> None:
    first, second = engine.enqueue(add.s(1, delay=60).then(add, 1))
    first.revoke()
    drain(engine)
    assert first.job().state is CANCELLED
    with pytest.raises(TaskException, match="CANCELLED: revoked"):
        second.get()
