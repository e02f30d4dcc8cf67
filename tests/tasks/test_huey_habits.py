"""What Huey's users do by habit: found by running Huey's own tests on this engine."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from huey.api import chord
from huey.exceptions import CancelExecution, RetryTask, TaskException

from support.bench import Bench
from support.jobs import CANCELLED, COMPLETED, FAILED, KEYS, QUEUED, RETRYING, SCHEDULED
from support.waiting import wait_until
from support.workers import WorkerProcess
from taskengine import Backoff, TaskEngine
from taskengine.task import Task
from taskengine.testing import drain

GROWS = """
from huey import crontab
from taskengine import TaskEngine

engine = TaskEngine("default")

@engine.task()
def grow() -> None:
    def grown() -> str:
        return "grown"
    engine.periodic_task(crontab(minute="0", hour="3"))(grown)
"""


@pytest.fixture
def add(engine: TaskEngine) -> Task[..., int]:
    @engine.task(retries=3)
    def add(a: int, b: int = 0) -> int:
        return a + b

    return add


# Calls


@pytest.mark.parametrize("one", [7, 0, [7], (7,)])
def test_one_argument_of_a_call_for_later_needs_no_tuple(add: Task[..., int], one: Any) -> None:
    given = one[0] if isinstance(one, (list, tuple)) else one
    assert add.schedule(one, delay=60).job().args["a"] == given


def test_a_text_is_one_argument_and_not_its_letters(engine: TaskEngine) -> None:
    @engine.task()
    def greet(name: str) -> str:
        return name

    assert greet.schedule("ab", delay=60).job().args == {"name": "ab"}


@pytest.mark.parametrize("delay", [-1, -0.5, timedelta(seconds=-1)])
def test_a_delay_that_has_passed_means_at_once(add: Task[..., int], delay: Any) -> None:
    assert add(1, delay=delay).job().state is QUEUED
    assert add.schedule((1,), delay=delay).job().state is QUEUED


def test_a_timeout_of_nought_takes_the_tasks_own_away(engine: TaskEngine, bench: Bench) -> None:
    seen: list[Any] = []

    @engine.task(context=True, timeout=1)
    def looks(task: Any = None) -> None:
        seen.append(task.timeout)

    looks(timeout=0)
    looks(timeout=None)
    bench.run()
    bench.run()
    assert seen == [0, 1]


def test_what_is_set_on_a_call_before_it_is_enqueued_counts(engine: TaskEngine, add: Task[..., int]) -> None:
    task: Any = add.s(1)
    task.retries, task.priority, task.timeout = 1, 9, 5
    task.retry_delay = 30
    task.expires = datetime.now(UTC) + timedelta(hours=1)
    job = engine.enqueue(task).job()
    assert (job.max_attempts, job.priority, job.timeout_seconds) == (2, 9, 5)
    assert job.backoff is not None
    assert job.backoff.base_seconds == 30
    assert job.start_before == pytest.approx(task.expires, abs=timedelta(milliseconds=2))


def test_a_time_set_on_a_call_is_utc_as_huey_keeps_it_and_none_means_at_once(
    engine: TaskEngine, add: Task[..., int]
) -> None:
    hour = timedelta(hours=1)
    later, delayed, now = add.s(1), add.s(2, delay=60), add.s(3, eta=datetime.now(UTC) + hour)
    assert not engine.ready_to_run(delayed)
    later.eta, delayed.eta, now.eta = datetime.now(UTC).replace(tzinfo=None) + hour, None, None
    job = engine.enqueue(later).job()
    assert job.state is SCHEDULED
    assert job.run_at == pytest.approx(datetime.now(UTC) + hour, abs=timedelta(seconds=10))
    assert engine.enqueue(delayed).job().state is QUEUED
    assert engine.enqueue(now).job().state is QUEUED


def test_what_is_set_on_calls_of_pipelines_and_chords_counts_too(
    engine: TaskEngine, bench: Bench, add: Task[..., int]
) -> None:
    pipe: Any = add.s(1).then(add, 1)
    pipe.on_complete.priority = 8
    first, second = engine.enqueue(pipe)
    bench.run()
    assert (first.job().state, second.job().priority) == (COMPLETED, 8)
    member: Any = add.s(1)
    member.priority = 2
    engine.enqueue(chord([member], add.s()))
    assert {job.priority for job in engine.pending()} == {8, 2}


def test_an_instance_says_when_its_call_expires(engine: TaskEngine, add: Task[..., int]) -> None:
    at = datetime.now(UTC) + timedelta(hours=1)
    add(1, expires=at)
    (task,) = engine.pending()
    assert task.expires_resolved is not None
    assert task.expires_resolved.replace(tzinfo=UTC) == pytest.approx(at, abs=timedelta(milliseconds=2))


# Retries


def test_an_instance_that_waits_to_be_tried_again_says_how_often_it_still_is(engine: TaskEngine, bench: Bench) -> None:
    seen: list[Any] = []

    @engine.task(retries=2, retry_delay=60, context=True)
    def fails(task: Any = None) -> None:
        seen.append(task.retries)
        raise ValueError("no")

    fails(retry_delay=30, retry_backoff=2)
    assert [(task.retries, task.retry_delay, task.retry_backoff) for task in engine.pending()] == [(2, 30, 2)]
    assert bench.run().state is RETRYING
    assert [task.retries for task in engine.scheduled()] == [1]
    assert seen == [2]


@pytest.mark.parametrize(
    "error",
    [RetryTask(eta="2030-01-01T00:00:00"), RetryTask(delay="5"), RetryTask(delay=timedelta(seconds=5))],  # pyright: ignore[reportArgumentType]: what the test is about
)
def test_a_task_that_asks_for_no_real_time_has_failed_and_says_why(
    engine: TaskEngine, bench: Bench, error: Exception
) -> None:
    @engine.task(retries=2)
    def waits() -> None:
        raise error

    waits()
    job = bench.run()
    assert (job.state, job.error and job.error.exception) == (FAILED, "taskengine.errors.InvalidInput")
    assert job.error is not None
    assert "expected" in job.error.message
    assert bench.dispatcher.held() == []


def test_retries_that_only_the_call_asks_for_are_at_once_as_with_huey(engine: TaskEngine) -> None:
    @engine.task()
    def fails() -> None:
        raise ValueError("no")

    asked, set_since = fails.s(retries=2), fails.s()
    set_since.retries = 2
    results = [engine.enqueue(asked), engine.enqueue(set_since), fails(retries=2)]
    drain(engine)
    assert [result.job().attempt_count for result in results] == [3, 3, 3]


def test_a_task_that_states_its_backoff_keeps_it_for_retries_that_the_call_asks_for(
    engine: TaskEngine, bench: Bench
) -> None:
    @engine.task(backoff=Backoff(base_seconds=60, jitter=False))
    def fails() -> None:
        raise ValueError("no")

    fails(retries=2)
    job = bench.run()
    assert job.state is RETRYING
    assert job.run_at is not None
    assert job.run_at - job.created_at >= timedelta(seconds=60)


def test_a_task_that_puts_itself_off_without_a_time_comes_back_at_once(engine: TaskEngine) -> None:
    runs: list[int] = []

    @engine.task()
    def waits() -> int:
        runs.append(1)
        if len(runs) < 3:
            raise RetryTask("not yet")
        return 7

    result = waits()
    drain(engine)
    assert (result.get(), result.job().attempt_count) == (7, 1)


# Results


def test_a_failure_is_read_with_its_traceback(engine: TaskEngine) -> None:
    @engine.task()
    def fails() -> None:
        raise ValueError("no such customer")

    result = fails()
    drain(engine)
    with pytest.raises(TaskException) as failure:
        result.get()
    assert failure.value.metadata["retries"] == 0
    assert "in fails" in failure.value.metadata["traceback"]
    assert "ValueError: no such customer" in failure.value.metadata["traceback"]


def test_a_cancelled_call_has_no_traceback(engine: TaskEngine) -> None:
    @engine.task()
    def gives_up() -> None:
        raise CancelExecution

    result = gives_up()
    drain(engine)
    with pytest.raises(TaskException) as failure:
        result.get()
    assert failure.value.metadata["traceback"] == ""


def test_in_immediate_mode_a_failure_has_its_traceback_too() -> None:
    engine = TaskEngine("test", url="redis://127.0.0.1:1/0", immediate=True)

    @engine.task()
    def fails() -> None:
        raise ValueError("no such customer")

    with pytest.raises(TaskException) as failure:
        fails().get()
    assert "in fails" in failure.value.metadata["traceback"]


# Signals


def test_who_listens_to_the_start_of_a_job_is_told_its_arguments(engine: TaskEngine, add: Task[..., int]) -> None:
    told: list[Any] = []

    @engine.signal("executing")
    def starts(signal: str, task: Any) -> None:
        told.append((signal, task.kwargs))

    add(1, 2)
    drain(engine)
    assert told == [("executing", {"a": 1, "b": 2})]


@pytest.mark.parametrize(("delay", "last"), [(0, "enqueued"), (60, "scheduled")])
def test_a_retry_is_told_of_as_what_it_waits_for(engine: TaskEngine, bench: Bench, delay: int, last: str) -> None:
    told: list[str] = []
    engine.signal()(lambda name, *_: told.append(name))

    @engine.task(retries=1, retry_delay=delay)
    def fails() -> None:
        raise ValueError("no")

    fails()
    bench.run()
    assert told == ["enqueued", "executing", "error", "retrying", last]


@pytest.mark.parametrize(("delay", "last"), [(0, "enqueued"), (60, "scheduled")])
def test_so_is_a_job_that_puts_itself_off(engine: TaskEngine, bench: Bench, delay: int, last: str) -> None:
    told: list[str] = []
    engine.signal()(lambda name, *_: told.append(name))

    @engine.task()
    def waits() -> None:
        raise RetryTask(delay=delay)

    waits()
    bench.run()
    assert told == ["enqueued", "executing", "retrying", last]


def test_an_instance_is_the_same_call_however_it_was_come_by(engine: TaskEngine, add: Task[..., int]) -> None:
    call = add.s(1, delay=60)
    engine.enqueue(call)
    assert engine.scheduled() == [call]
    assert {call, *engine.scheduled()} == {call}
    assert add.s(1) != add.s(1)
    assert add.s(1, id="a") != "a"


# Revoking what is yet to come


def test_a_call_of_a_pipeline_can_be_revoked_before_it_is_enqueued(engine: TaskEngine, add: Task[..., int]) -> None:
    first, second, third = engine.enqueue(add.s(1).then(add, 1).then(add, 1))
    second.revoke()
    assert second.is_revoked()
    assert not first.is_revoked()
    drain(engine)
    assert (first.job().state, second.job().state, second.job().cancel_reason) == (COMPLETED, CANCELLED, "revoked")
    assert engine.get_job(third.id) is None
    assert engine.job_storage.redis.hlen(KEYS.revoked) == 0


def test_what_follows_a_chord_can_be_revoked_before_it_is_enqueued(engine: TaskEngine, add: Task[..., int]) -> None:
    @engine.task()
    def total(values: list[int]) -> int:
        return sum(values)

    result = engine.enqueue(chord([add.s(1), add.s(2)], total))
    result.callback.revoke()
    drain(engine)
    assert result.callback.job().state is CANCELLED


def test_a_chord_is_told_of_a_member_whose_later_call_was_revoked_ahead(
    engine: TaskEngine, add: Task[..., int]
) -> None:
    @engine.task()
    def look(values: list[Any]) -> list[Any]:
        return values

    member: Any = add.s(1).then(add, 1)
    later = member.on_complete.id
    result = engine.enqueue(chord([member, add.s(2)], look))
    engine.revoke_by_id(later)
    drain(engine)
    refused, two = result.callback.get()
    assert (refused["error"]["message"], two) == ("revoked", 2)


def test_a_call_revoked_ahead_can_be_restored(engine: TaskEngine, add: Task[..., int]) -> None:
    _, second = engine.enqueue(add.s(1).then(add, 1))
    second.revoke()
    assert second.restore()
    assert not second.is_revoked()
    assert not second.restore()
    drain(engine)
    assert second.get() == 2


def test_a_call_revoked_until_a_time_that_has_passed_runs(engine: TaskEngine, add: Task[..., int]) -> None:
    _, second = engine.enqueue(add.s(1).then(add, 1))
    engine.revoke(second.id, revoke_until=datetime.now(UTC) - timedelta(seconds=1))
    assert not second.is_revoked()
    drain(engine)
    assert second.get() == 2


def test_marks_of_calls_that_never_came_are_dropped_when_their_time_is_over(engine: TaskEngine) -> None:
    engine.revoke_by_id("never-1", revoke_until=datetime.now(UTC) - timedelta(seconds=1))
    engine.revoke_by_id("never-2")
    assert list(engine.job_storage.redis.hgetall(KEYS.revoked)) == ["id:never-2"]


def test_a_call_can_be_revoked_before_it_is_made_also_in_immediate_mode(
    engine: TaskEngine, add: Task[..., int]
) -> None:
    here = TaskEngine("test", url="redis://127.0.0.1:1/0", immediate=True)
    add_here = here.task()(add)
    for one, task in ((engine, add), (here, add_here)):
        call = task.s(1)
        one.revoke(call)
        assert one.is_revoked(call)
        result = one.enqueue(call)
        drain(engine)
        assert result.job().state is CANCELLED
        assert not one.shelf.is_call_revoked(call.id)


# Tasks declared while a worker runs


def test_a_periodic_task_that_a_task_declares_is_known_to_the_running_worker(tmp_path: Path, redis_url: str) -> None:
    (tmp_path / "grows.py").write_text(GROWS)
    engine = TaskEngine("default", url=redis_url)

    @engine.task()
    def grow() -> None:
        raise AssertionError("it runs in the worker")

    @engine.task()
    def grown() -> str:
        raise AssertionError("it runs in the worker")

    schedules = engine.job_storage.schedules.list_schedules()
    with WorkerProcess("grows:engine", redis_url, data_dir=tmp_path, path=(tmp_path,)):
        assert engine.job_storage.run(schedules) == []
        grow()
        wait_until(lambda: engine.job_storage.run(schedules), 30, "the schedule is there")
        assert grown().get(blocking=True, timeout=30) == "grown"
    engine.job_storage.close()
