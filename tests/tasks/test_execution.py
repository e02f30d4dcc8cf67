"""One attempt at a job: what it comes to, who is told, and what is kept of an error."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from huey.exceptions import CancelExecution
from pydantic import BaseModel
from redis import Redis

from support.bench import Bench
from support.jobs import (
    CANCELLED,
    COMPLETED,
    FAILED,
    KEYS,
    QUEUED,
    RETRYING,
    RUNNING,
    SCHEDULED,
    STORE,
    attempts,
    enqueue,
    expire_leases,
    get,
    record,
)
from taskengine import Backoff, Fail, InvalidInput, JobCancelled, Options, Retry, Snooze, TaskEngine, current_job
from taskengine.errors import LeaseLost
from taskengine.jobs import AttemptOutcome, Job
from taskengine.store import Answer
from taskengine.worker.execution import MAX_ERROR_MESSAGE, MAX_TRACEBACK

AT_ONCE = Backoff(base_seconds=0)


class Mail(BaseModel):
    to: str
    copies: int = 1


class Shy(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def fails_with(bench: Bench, error: BaseException, **options: Any) -> Job:
    """Run a task that raises this; return the job afterwards."""

    @bench.engine.task(name="failing", backoff=AT_ONCE, **options)
    def failing() -> None:
        raise error

    failing()
    return bench.run()


def error_of(job: Job) -> str:
    assert job.error is not None
    return f"{job.error.exception}: {job.error.message}"


# Well


def test_what_a_task_returns_is_the_jobs_result(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def add(a: int, b: int) -> int:
        return a + b

    add(1, 2)
    job = bench.run()
    assert (job.state, job.result, job.error) == (COMPLETED, 3, None)


def test_a_task_gets_its_arguments_as_its_hints_say(bench: Bench, engine: TaskEngine) -> None:
    got: list[Any] = []

    @engine.task()
    def send(mail: Mail, *, urgent: bool = False) -> None:
        got.extend([mail, urgent])

    send({"to": "a@b"})  # pyright: ignore[reportArgumentType]
    bench.run()
    assert got == [Mail(to="a@b"), False]


def test_a_task_with_a_context_gets_hueys_instance_of_the_call(bench: Bench, engine: TaskEngine) -> None:
    @engine.task(context=True, max_attempts=3)
    def who(task: Any) -> list[Any]:
        return [task.id, task.retries, task.priority]

    result = who()
    assert bench.run().result == [result.id, 2, 5]


def test_a_task_knows_its_job_while_it_runs_and_only_then(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def who() -> str:
        return current_job.id

    result = who()
    assert bench.run().result == result.id
    assert not current_job.cancelled
    with pytest.raises(Exception, match="no current job"):
        _ = current_job.id


def test_an_attempt_leaves_its_times_and_its_worker(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def work() -> None: ...

    work()
    job = bench.run()
    assert (job.worker, job.attempt_count, job.run_count) == ("w", 1, 1)
    assert job.started_at is not None
    assert job.finished_at is not None
    assert job.created_at <= job.finished_at


# Failures


def test_a_failure_is_tried_again_while_attempts_are_left(bench: Bench) -> None:
    job = fails_with(bench, ValueError("no"), max_attempts=2)
    assert (job.state, error_of(job)) == (RETRYING, "ValueError: no")
    assert bench.run().state is FAILED


def test_one_attempt_is_all_there_is_by_default(bench: Bench) -> None:
    assert fails_with(bench, ValueError()).state is FAILED


def test_a_task_that_succeeds_at_last_is_completed(bench: Bench, engine: TaskEngine) -> None:
    @engine.task(max_attempts=3, backoff=AT_ONCE)
    def at_last() -> int:
        if current_job.attempt < 3:
            raise OSError("not yet")
        return current_job.attempt

    result = at_last()
    assert [bench.run().state for _ in range(3)] == [RETRYING, RETRYING, COMPLETED]
    job = bench.job(result.id)
    assert (job.result, job.error) == (3, None)


def test_the_pause_before_another_attempt_is_the_tasks_own(bench: Bench, engine: TaskEngine) -> None:
    @engine.task(max_attempts=5, backoff=Backoff(base_seconds=10, factor=3, cap_seconds=50, jitter=False))
    def failing() -> None:
        raise ValueError

    result = failing()
    pauses: list[float] = []
    for _ in range(3):
        bench.run()
        last = attempts(bench.redis, result.id)[-1]
        pauses.append((last.next_attempt_at - last.finished_at).total_seconds())
        STORE.retry_job(result.id, attempts=None).run(bench.redis)
    assert pauses == [10, 30, 50]


def test_by_default_chance_shortens_the_pause(bench: Bench, engine: TaskEngine) -> None:
    @engine.task(max_attempts=2, backoff=Backoff(base_seconds=1000))
    def failing() -> None:
        raise ValueError

    results = [failing() for _ in range(8)]
    due = {bench.run().run_at for _ in results}
    assert len(due) > 1


def test_an_error_of_fail_on_is_not_tried_again(bench: Bench) -> None:
    job = fails_with(bench, KeyError("x"), max_attempts=5, fail_on=LookupError)
    assert job.state is FAILED
    assert job.error is not None
    assert not job.error.retryable


def test_an_error_that_retry_on_does_not_name_is_not_tried_again(bench: Bench) -> None:
    job = fails_with(bench, ValueError(), max_attempts=5, retry_on=(OSError, LookupError))
    assert job.state is FAILED


def test_an_error_that_retry_on_names_is_tried_again(bench: Bench) -> None:
    job = fails_with(bench, ConnectionError(), max_attempts=5, retry_on=(OSError, LookupError))
    assert job.state is RETRYING
    assert job.error is not None
    assert job.error.retryable


def test_fail_on_goes_before_retry_on(bench: Bench) -> None:
    job = fails_with(bench, FileNotFoundError(), max_attempts=5, retry_on=OSError, fail_on=FileNotFoundError)
    assert job.state is FAILED


def test_arguments_that_no_longer_fit_fail_the_job_without_running_it(bench: Bench, redis: Redis) -> None:
    ran: list[int] = []

    @bench.engine.task(name="add", max_attempts=5)
    def add(a: int) -> None:
        ran.append(a)

    enqueue(redis, "old", task="add", args='{"a":"many","b":1}', max_attempts=5)
    job = bench.run()
    assert (job.state, ran) == (FAILED, [])
    assert error_of(job).startswith("taskengine.errors.InvalidInputs: args.a: input should be a valid integer")
    assert "args.b: extra inputs are not permitted" in error_of(job)


def test_a_result_that_json_cannot_say_fails_the_job_for_good(bench: Bench, engine: TaskEngine) -> None:
    @engine.task(max_attempts=5)
    def odd() -> Any:
        return object()

    odd()
    job = bench.run()
    assert job.state is FAILED
    assert error_of(job).startswith("taskengine.errors.UnusableResult: the result of task 'odd' cannot be kept")


def test_a_result_that_is_too_large_fails_the_job_with_both_numbers(redis_url: str) -> None:
    bench = Bench(redis_url, max_result_bytes=1000)

    @bench.engine.task(max_attempts=5)
    def long() -> str:
        return "é" * 500

    long()
    job = bench.run()
    bench.close()
    assert job.state is FAILED
    assert "expected at most 1,000 bytes of JSON, got 1,002" in error_of(job)


def test_a_result_that_just_fits_is_kept(redis_url: str) -> None:
    bench = Bench(redis_url, max_result_bytes=1000)

    @bench.engine.task()
    def long() -> str:
        return "x" * 998

    long()
    assert bench.run().state is COMPLETED
    bench.close()


def test_a_task_that_exits_fails_and_the_worker_goes_on(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def fine() -> int:
        return 1

    job = fails_with(bench, SystemExit(3), max_attempts=2)
    assert (job.state, error_of(job)) == (RETRYING, "SystemExit: 3")
    fine()
    assert {bench.run().state, bench.run().state} == {COMPLETED, FAILED}


def test_an_interrupt_gives_the_job_back(bench: Bench) -> None:
    job = fails_with(bench, KeyboardInterrupt())
    assert (job.state, job.attempt_count) == (QUEUED, 0)


def test_a_base_exception_of_someones_own_is_a_failure(bench: Bench) -> None:
    class Stop(BaseException): ...

    assert fails_with(bench, Stop(), max_attempts=3).state is FAILED


# Timeouts: by a signal to the main thread, as in a child process


def test_a_task_that_takes_too_long_times_out_and_is_tried_again(bench: Bench, engine: TaskEngine) -> None:
    @engine.task(timeout=0.05, max_attempts=2, retry_on=OSError)
    def endless() -> None:
        while True:
            pass

    result = endless()
    job = bench.run()
    assert job.state is RETRYING
    assert error_of(job).startswith("huey.exceptions.TaskTimeout: timeout (0.05s)")
    assert attempts(bench.redis, result.id)[0].outcome is AttemptOutcome.TIMED_OUT


def test_a_callers_timeout_goes_before_the_tasks(bench: Bench, engine: TaskEngine) -> None:
    @engine.task(timeout=600)
    def endless() -> None:
        while True:
            pass

    endless.enqueue(options=Options(timeout=0.05))
    assert bench.run().state is FAILED


# Errors that decide


def test_a_task_that_says_that_it_is_of_no_use_is_not_tried_again(bench: Bench) -> None:
    job = fails_with(bench, Fail("there is no such customer"), max_attempts=5, retry_on=Exception)
    assert (job.state, error_of(job)) == (FAILED, "taskengine.errors.Fail: there is no such customer")
    assert job.error is not None
    assert not job.error.retryable


def test_a_task_may_choose_when_to_be_tried_again_whatever_its_policy(bench: Bench) -> None:
    job = fails_with(bench, Retry("busy", after=90), max_attempts=2, retry_on=(), fail_on=Exception)
    assert (job.state, error_of(job)) == (RETRYING, "taskengine.errors.Retry: busy")
    assert job.run_at is not None
    assert job.started_at is not None
    assert 89 < (job.run_at - job.started_at).total_seconds() < 100


def test_without_a_time_the_backoff_decides(bench: Bench) -> None:
    job = fails_with(bench, Retry(), max_attempts=2, retry_on=())
    assert job.state is RETRYING
    assert job.run_at is not None
    assert job.started_at is not None
    assert (job.run_at - job.started_at).total_seconds() < 10  # at once, by the policy of `failing`


def test_a_retry_counts_as_an_attempt(bench: Bench) -> None:
    assert fails_with(bench, Retry(after=0), max_attempts=1).state is FAILED


def test_a_task_that_does_not_want_to_run_yet_is_scheduled_and_nothing_is_counted(bench: Bench) -> None:
    job = fails_with(bench, Snooze("not before nine", after=60), max_attempts=1)
    assert (job.state, job.attempt_count, job.error) == (SCHEDULED, 0, None)
    (attempt,) = attempts(bench.redis, job.id)
    assert (attempt.outcome, attempt.message) == (AttemptOutcome.RELEASED, "not before nine")


def test_it_may_name_the_time(bench: Bench) -> None:
    nine = datetime(2100, 1, 1, 9, tzinfo=UTC)
    job = fails_with(bench, Snooze(until=nine))
    assert (job.state, job.run_at) == (SCHEDULED, nine)


def test_a_snooze_may_be_repeated_for_ever(bench: Bench) -> None:
    job = fails_with(bench, Snooze(after=0), max_attempts=1)
    for _ in range(5):
        job = bench.run()
    assert (job.attempt_count, job.run_count) == (0, 6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (Snooze, "until: give either until .a time. or after .seconds."),
        (lambda: Snooze(until=datetime.now(UTC), after=1), "until: give either"),
        (lambda: Snooze(until=datetime(2100, 1, 1)), "until: expected a time with its offset from UTC"),  # noqa: DTZ001
        (lambda: Snooze(after=-1), "after: expected 0 to 316,224,000 seconds, got -1"),
        (lambda: Retry(after=float("nan")), "after: expected 0 to 316,224,000 seconds, got nan"),
        (lambda: Retry(after=1e12), "after: expected"),
    ],
)
def test_a_time_that_cannot_be_meant_is_refused(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        make()


def test_a_cancelled_task_can_neither_snooze_nor_retry(bench: Bench, engine: TaskEngine) -> None:
    @engine.task(max_attempts=5)
    def work() -> None:
        STORE.cancel_job(current_job.id, terminate=True, reason="").run(bench.redis)
        bench.beat()
        try:
            current_job.check()
        except JobCancelled:
            raise Retry(after=0) from None

    work()
    assert bench.run().state is CANCELLED


# Cancelled, lost, given back


def test_a_job_that_is_asked_to_stop_ends_at_its_next_checkpoint(bench: Bench, engine: TaskEngine) -> None:
    reached: list[int] = []

    @engine.task(max_attempts=5)
    def work() -> None:
        STORE.cancel_job(current_job.id, terminate=True, reason="enough").run(bench.redis)
        bench.beat()
        reached.append(1)
        current_job.check()
        reached.append(2)

    work()
    job = bench.run()
    assert (job.state, job.cancel_reason, reached) == (CANCELLED, "enough", [1])


def test_a_job_that_was_asked_to_stop_before_it_began_does_not_begin(bench: Bench, engine: TaskEngine) -> None:
    ran: list[int] = []

    @engine.task()
    def work() -> None:
        ran.append(1)

    @engine.pre_execute()
    def stopped_meanwhile(task: Any) -> None:
        STORE.cancel_job(task.id, terminate=True, reason="").run(bench.redis)
        bench.beat()

    work()
    assert (bench.run().state, ran) == (CANCELLED, [])


def test_a_task_that_cleans_up_and_fails_after_being_stopped_is_cancelled(bench: Bench, engine: TaskEngine) -> None:
    @engine.task(max_attempts=5)
    def work() -> None:
        STORE.cancel_job(current_job.id, terminate=True, reason="").run(bench.redis)
        bench.beat()
        try:
            current_job.check()
        except JobCancelled:
            raise RuntimeError("the clean-up failed") from None

    work()
    assert bench.run().state is CANCELLED


def test_a_task_that_pays_no_heed_and_succeeds_is_completed(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def work() -> str:
        STORE.cancel_job(current_job.id, terminate=True, reason="").run(bench.redis)
        bench.beat()
        return "done"

    work()
    job = bench.run()
    assert (job.state, job.result) == (COMPLETED, "done")


def test_hueys_way_to_cancel_from_inside_cancels(bench: Bench) -> None:
    assert fails_with(bench, CancelExecution(), max_attempts=5).state is CANCELLED


def test_an_attempt_that_lost_its_lease_stops_and_says_nothing(
    bench: Bench, engine: TaskEngine, caplog: pytest.LogCaptureFixture
) -> None:
    @engine.task()
    def work() -> None:
        expire_leases(bench.redis, KEYS, *bench.dispatcher.held())
        STORE.rescue_jobs(max_losses=9, limit=9).run(bench.redis)
        assert bench.beat() == [Answer.LEASE_LOST]
        current_job.check()

    work()
    job = bench.run()
    assert (job.state, job.worker_losses) == (QUEUED, 1)
    assert bench.dispatcher.held() == []
    assert "its lease was lost while it ran" in caplog.text


def test_an_attempt_that_does_not_notice_is_fenced(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def work() -> str:
        expire_leases(bench.redis, KEYS, *bench.dispatcher.held())
        STORE.rescue_jobs(max_losses=9, limit=9).run(bench.redis)
        return "late"

    work()
    job = bench.run()
    assert (job.state, job.result) == (QUEUED, None)


def test_an_attempt_that_lost_its_lease_is_told_so_by_its_progress(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def work() -> None:
        expire_leases(bench.redis, KEYS, *bench.dispatcher.held())
        STORE.rescue_jobs(max_losses=9, limit=9).run(bench.redis)
        with pytest.raises(LeaseLost):
            current_job.progress(1)

    work()
    assert bench.run().state is QUEUED


# Hooks


def test_hooks_are_called_around_the_task_with_what_it_came_to(bench: Bench, engine: TaskEngine) -> None:
    told: list[Any] = []

    @engine.pre_execute()
    def before(task: Any) -> None:
        told.append(("before", task.id, task.kwargs))

    @engine.post_execute()
    def after(task: Any, value: Any, exception: Any) -> None:
        told.append(("after", task.id, value, exception))

    @engine.task()
    def double(x: int) -> int:
        told.append("task")
        return 2 * x

    result = double(2)
    bench.run()
    assert told == [("before", result.id, {"x": 2}), "task", ("after", result.id, 4, None)]


def test_the_hook_after_a_failure_gets_the_exception(bench: Bench, engine: TaskEngine) -> None:
    told: list[Any] = []

    @engine.post_execute()
    def after(_task: Any, value: Any, exception: Any) -> None:
        told.append((value, exception))

    error = ValueError("no")
    fails_with(bench, error)
    assert told == [(None, error)]


def test_a_hook_before_may_cancel_the_job(bench: Bench, engine: TaskEngine) -> None:
    ran: list[int] = []

    @engine.pre_execute()
    def no_work_on_sundays(task: Any) -> None:
        raise CancelExecution

    @engine.task()
    def work() -> None:
        ran.append(1)

    work()
    assert (bench.run().state, ran) == (CANCELLED, [])


def test_a_hook_that_fails_changes_nothing(bench: Bench, engine: TaskEngine) -> None:
    @engine.pre_execute()
    def before(task: Any) -> None:
        raise ValueError("before")

    @engine.post_execute()
    def after(task: Any, value: Any, exception: Any) -> None:
        raise ValueError("after")

    @engine.task()
    def work() -> int:
        return 1

    work()
    assert bench.run().state is COMPLETED


# Signals


def told_by(bench: Bench, engine: TaskEngine) -> list[tuple[Any, ...]]:
    """Signals as they come, with the state that the record has by then."""
    told: list[tuple[Any, ...]] = []

    @engine.signal()
    def listen(name: str, task: Any, *more: Any) -> None:
        if name != "enqueued":
            told.append((name, bench.job(task.id).state, *more))

    return told


def test_signals_of_a_success_come_in_order_and_after_the_record(bench: Bench, engine: TaskEngine) -> None:
    told = told_by(bench, engine)

    @engine.task()
    def work() -> None: ...

    work()
    bench.run()
    assert told == [("executing", RUNNING), ("complete", COMPLETED)]


def test_signals_of_a_failure_that_is_tried_again(bench: Bench, engine: TaskEngine) -> None:
    told = told_by(bench, engine)
    error = ValueError("no")
    fails_with(bench, error, max_attempts=2)
    assert told == [("executing", RUNNING), ("error", RETRYING, error), ("retrying", RETRYING)]


def test_signals_of_the_last_failure(bench: Bench, engine: TaskEngine) -> None:
    told = told_by(bench, engine)
    error = ValueError("no")
    fails_with(bench, error)
    assert told == [("executing", RUNNING), ("error", FAILED, error)]


def test_signals_of_a_timeout(bench: Bench, engine: TaskEngine) -> None:
    told = told_by(bench, engine)

    @engine.task(timeout=0.02)
    def endless() -> None:
        while True:
            pass

    endless()
    bench.run()
    assert told == [("executing", RUNNING), ("timeout", FAILED)]


@pytest.mark.parametrize(
    ("error", "name", "state"),
    [
        (CancelExecution(), "canceled", CANCELLED),
        (KeyboardInterrupt(), "interrupted", QUEUED),
        (Snooze(after=60), "scheduled", SCHEDULED),
    ],
)
def test_signals_of_what_was_stopped(
    bench: Bench, engine: TaskEngine, error: BaseException, name: str, state: str
) -> None:
    told = told_by(bench, engine)
    fails_with(bench, error)
    assert told == [("executing", RUNNING), (name, state)]


def test_a_receiver_that_fails_changes_nothing(bench: Bench, engine: TaskEngine) -> None:
    @engine.signal()
    def listen(name: str, task: Any, *more: Any) -> None:
        raise ValueError("not listening")

    @engine.task()
    def work() -> None: ...

    work()
    assert bench.run().state is COMPLETED


# What is kept of an error


def test_a_builtin_error_has_its_plain_name_and_others_their_module(bench: Bench) -> None:
    assert error_of(fails_with(bench, ZeroDivisionError("by 0"))) == "ZeroDivisionError: by 0"
    bench.engine.tasks["failing"].unregister()
    job = fails_with(bench, Shy())
    assert job.error is not None
    assert job.error.exception == f"{__name__}.Shy"


def traceback_of(bench: Bench, job: Job) -> str:
    error = attempts(bench.redis, job.id)[-1].error
    assert error is not None
    assert error.traceback is not None
    return error.traceback


def test_the_traceback_begins_in_the_tasks_own_code(bench: Bench) -> None:
    lines = traceback_of(bench, fails_with(bench, ValueError("no"))).splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].startswith(f'  File "{__file__}", line ')
    assert lines[1].endswith(", in failing")
    assert lines[2] == "    raise error"
    assert lines[-1] == "ValueError: no"


def test_the_traceback_tells_the_cause_too(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def work() -> None:
        try:
            raise KeyError("cause")
        except KeyError as error:
            raise ValueError("effect") from error

    work()
    text = traceback_of(bench, bench.run())
    assert text.index("KeyError: 'cause'") < text.index("direct cause") < text.index("ValueError: effect")


def test_a_traceback_of_arguments_that_do_not_fit_is_there_too(bench: Bench, redis: Redis) -> None:
    @bench.engine.task(name="add")
    def add(a: int) -> None: ...

    enqueue(redis, "old", task="add", args="{}")
    assert "args.a: is required" in traceback_of(bench, bench.run())


def test_a_long_message_is_cut(bench: Bench) -> None:
    job = fails_with(bench, ValueError("x" * 100_000))
    assert job.error is not None
    assert job.error.message == "x" * MAX_ERROR_MESSAGE


def test_a_long_traceback_keeps_its_beginning_and_its_end(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def dig() -> None:
        source = (
            "\n".join(f"def f{n}(): f{n + 1}()" for n in range(600)) + "\ndef f600(): raise ValueError('deep')\nf0()"
        )
        exec(source, {})

    dig()
    text = traceback_of(bench, bench.run())
    assert len(text) <= MAX_TRACEBACK + 20
    assert text.startswith("Traceback (most recent call last):")
    assert "\n  ...\n" in text
    assert text.endswith("ValueError: deep\n")


def test_an_error_without_words_is_an_error_all_the_same(bench: Bench) -> None:
    job = fails_with(bench, Shy())
    assert job.state is FAILED
    assert job.error is not None
    assert job.error.message == "(its message could not be had: RuntimeError)"


def test_an_error_that_names_a_file_that_is_not_utf_8_can_be_kept(bench: Bench) -> None:
    job = fails_with(bench, FileNotFoundError("caf\udce9.txt"), max_attempts=2)
    assert (job.state, error_of(job)) == (RETRYING, r"FileNotFoundError: caf\udce9.txt")
    assert r"caf\udce9.txt" in traceback_of(bench, job)


def test_an_error_with_every_odd_character_can_be_kept(bench: Bench) -> None:
    odd = '\x00\x1b[31m " \\ \u2028 😀 {}'
    job = fails_with(bench, ValueError(odd))
    assert job.error is not None
    assert job.error.message == odd


def test_a_failure_is_logged_in_a_line(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    job = fails_with(bench, ValueError("first line\nsecond line"), max_attempts=2)
    lines = [entry.getMessage() for entry in caplog.records if entry.name == "taskengine.worker"]
    assert lines == [f"job {job.id} (failing) failed, attempt 1 of 2, to be tried again: ValueError: first line"]


def test_the_record_of_a_job_that_failed_has_no_result(bench: Bench) -> None:
    job = fails_with(bench, ValueError())
    assert "result" not in record(bench.redis, job.id)
    assert get(bench.redis, job.id).result is None
