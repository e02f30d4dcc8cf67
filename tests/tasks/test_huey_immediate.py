"""Immediate mode: calls run where they are made, in memory, without Redis."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from huey.api import chord
from huey.exceptions import CancelExecution, RateLimitExceeded, RetryTask, TaskException, TaskLockedException
from pydantic import BaseModel

from support.jobs import CANCELLED, COMPLETED, FAILED, QUEUED, SCHEDULED
from taskengine import InvalidInput, Options, TaskEngine, current_job, in_place
from taskengine.task import Task


class Receipt(BaseModel):
    total: int


@pytest.fixture
def engine() -> TaskEngine:
    """An engine whose Redis does not exist."""
    return TaskEngine("test", url="redis://127.0.0.1:1/0", immediate=True)


@pytest.fixture
def add(engine: TaskEngine) -> Task[..., int]:
    @engine.task(retries=2)
    def add(a: int, b: int = 0) -> int:
        return a + b

    return add


def test_a_call_has_run_when_it_returns(add: Task[..., int]) -> None:
    result = add(1, 2)
    assert (result.get(), result.job().state, result.is_ready()) == (3, COMPLETED, True)


def test_arguments_and_results_are_json_as_with_a_worker(engine: TaskEngine) -> None:
    seen: list[Any] = []

    @engine.task()
    def pay(receipt: Receipt, untyped: Any) -> Receipt:
        seen.extend([receipt, untyped])
        return receipt

    receipt = Receipt(total=7)
    result = pay(receipt, (1, 2)).get()
    assert seen == [receipt, [1, 2]]
    assert seen[0] is not receipt
    assert result == receipt
    with pytest.raises(InvalidInput, match=r"args\.receipt"):
        pay("no receipt", 1)  # pyright: ignore[reportArgumentType]: what the test is about


def test_an_error_is_raised_when_the_result_is_read_and_not_before(engine: TaskEngine) -> None:
    @engine.task()
    def fails() -> None:
        raise ValueError("no")

    result = fails()
    with pytest.raises(TaskException, match="ValueError: no"):
        result.get()
    assert result.job().state is FAILED


def test_attempts_follow_at_once_whatever_the_delay(engine: TaskEngine) -> None:
    attempts: list[int] = []

    @engine.task(retries=2, retry_delay=3600)
    def flaky() -> str:
        attempts.append(current_job.attempt)
        if current_job.attempt < 3:
            raise ValueError("no")
        return "done"

    assert flaky().get() == "done"
    assert attempts == [1, 2, 3]


def test_the_current_job_is_known_and_progress_is_kept(engine: TaskEngine) -> None:
    @engine.task(queue="mail")
    def work() -> str:
        current_job.progress(1, total=2, message="half")
        return f"{current_job.task} {current_job.queue}"

    result = work()
    assert result.get() == "work mail"
    progress = result.job().progress
    assert progress is not None
    assert progress.message == "half"


def test_what_is_for_later_is_kept_and_does_not_run(engine: TaskEngine, add: Task[..., int]) -> None:
    result = add(1, delay=60)
    assert (result.get(), result.job().state) == (None, SCHEDULED)
    assert [task.kwargs for task in engine.scheduled()] == [{"a": 1, "b": 0}]
    assert (engine.scheduled_count(), engine.pending_count(), engine.result_count()) == (1, 0, 0)
    result.revoke()
    assert result.job().state is CANCELLED
    assert result.restore()
    assert result.get() == 1


def test_a_job_of_a_known_id_is_not_run_again(engine: TaskEngine) -> None:
    ran: list[int] = []

    @engine.task()
    def once(n: int) -> None:
        ran.append(n)

    once.enqueue(1, options=Options(id="j1"))
    once.enqueue(2, options=Options(id="j1"))
    assert ran == [1]


def test_a_job_waits_for_those_it_depends_on(engine: TaskEngine, add: Task[..., int]) -> None:
    ahead = add(1, delay=60)
    behind = add.enqueue(2, options=Options(depends_on=(ahead.id,)))
    assert behind.job().state is SCHEDULED
    ahead.reschedule()
    assert behind.get() == 2
    first = add(1, delay=60)
    second = add.enqueue(2, options=Options(depends_on=(first.id,)))
    third = add.enqueue(3, options=Options(depends_on=(second.id,)))
    first.revoke()
    assert third.job().cancel_reason == f"it depends on {second.id}, which is CANCELLED"
    done = add(1)
    assert add.enqueue(2, options=Options(depends_on=(done.id,))).get() == 2
    with pytest.raises(InvalidInput, match="there is no job 'nobody' to wait for"):
        add.enqueue(2, options=Options(depends_on=("nobody",)))


def test_a_key_stands_for_one_job_and_what_expired_does_not_run(engine: TaskEngine, add: Task[..., int]) -> None:
    results = [add.enqueue(n, options=Options(idempotency_key="k")) for n in (1, 2)]
    assert [result.get() for result in results] == [1, 1]
    expired = add(1, expires=datetime.now(UTC) - timedelta(seconds=1))
    assert expired.job().cancel_reason == "expired"


def test_memory_holds_so_many_jobs_and_forgets_the_oldest_that_ended(
    add: Task[..., int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_place, "MAX_KEPT", 3)
    later = add(0, delay=60)
    results = [add(number) for number in range(4)]
    kept = [result.id for result in [later, *results] if add.huey.get_job(result.id)]
    assert kept == [later.id, results[2].id, results[3].id]


def test_rescheduled_it_runs_now(add: Task[..., int]) -> None:
    later = add(1, delay=60)
    assert later.reschedule(delay=30).get() is None
    assert later.reschedule().get() == 1
    assert later.reschedule().id != later.id


def test_a_revoked_task_does_not_run_until_it_is_restored(add: Task[..., int]) -> None:
    add.revoke()
    assert add(1).job().state is CANCELLED
    assert add.restore()
    assert add(1).get() == 1
    add.revoke(revoke_once=True)
    assert [add(1).job().state, add(1).job().state] == [CANCELLED, COMPLETED]
    add.revoke(revoke_until=datetime.now(UTC) - timedelta(seconds=1))
    assert add(1).get() == 1


def test_locks_rates_and_data_work_in_memory(engine: TaskEngine) -> None:
    with engine.lock_task("db"):
        assert engine.is_locked("db")
        with pytest.raises(TaskLockedException), engine.lock_task("db"):
            pass
    assert not engine.is_locked("db")
    assert engine.flush_locks("db") == set()
    rate = engine.rate_limit("mail", limit=1, per=3600)
    rate.acquire()
    with pytest.raises(RateLimitExceeded):
        rate.acquire()
    assert rate.current_usage() == 1
    rate.reset()
    rate.acquire()
    engine.put("k", [1])
    assert engine.get("k") == [1]


@pytest.mark.parametrize(("error", "state"), [(RetryTask(delay=60), SCHEDULED), (CancelExecution(), CANCELLED)])
def test_a_task_can_put_itself_off_or_cancel_itself(engine: TaskEngine, error: Exception, state: str) -> None:
    @engine.task()
    def work() -> None:
        raise error

    assert work().job().state is state


def test_a_keyboard_interrupt_reaches_who_called(engine: TaskEngine) -> None:
    @engine.task()
    def work() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert engine.in_place is not None
    assert engine.in_place.count(QUEUED) == 1


def test_signals_and_hooks_come_as_with_a_worker(engine: TaskEngine, add: Task[..., int]) -> None:
    told: list[Any] = []
    engine.signal()(lambda name, _task: told.append(name))
    engine.pre_execute()(lambda task: told.append(("before", task.kwargs)))
    engine.post_execute()(lambda _task, value, error: told.append(("after", value, error)))
    add(1, 2)
    assert told == ["enqueued", "executing", ("before", {"a": 1, "b": 2}), ("after", 3, None), "complete"]


def test_pipelines_and_chords_run_to_their_end(engine: TaskEngine, add: Task[..., int]) -> None:
    @engine.task()
    def total(values: list[Any]) -> list[Any]:
        return values

    @engine.task()
    def fails() -> None:
        raise ValueError("no")

    assert engine.enqueue(add.s(1, 2).then(add, 3).then(add, 4))() == [3, 6, 10]
    outcome = engine.enqueue(chord([add.s(1), fails.s(), chord([add.s(2).then(add, 1)], total)], total))
    one, error, three = outcome()
    assert (one, error["error"]["exception"], error["error"]["message"], three) == (1, "ValueError", "no", [3])
    add.revoke(revoke_once=True)
    revoked = engine.enqueue(chord([add.s(1), add.s(2)], total))()
    assert [revoked[0]["error"]["message"], revoked[1]] == ["its task is revoked", 2]


def test_an_error_is_handed_to_its_handler(engine: TaskEngine) -> None:
    seen: list[Any] = []

    @engine.task(retries=1)
    def fails() -> None:
        raise ValueError("no")

    @engine.task()
    def failed(where: str, error: dict[str, Any]) -> None:
        seen.append((where, error["message"]))

    engine.enqueue(fails.s().error(failed, "here"))
    assert seen == [("here", "no")]


@pytest.fixture
def switched(redis_url: str) -> Iterator[TaskEngine]:
    engine = TaskEngine("test", url=redis_url)
    yield engine
    engine.immediate = False
    engine.storage.close()


def test_immediate_mode_can_be_switched_on_and_off(switched: TaskEngine) -> None:
    @switched.task()
    def one() -> int:
        return 1

    switched.immediate = True
    assert one().get() == 1
    switched.immediate = False
    result = one()
    assert (result.get(), result.job().state) == (None, QUEUED)
    switched.immediate = True
    assert switched.get_job(result.id) is None
