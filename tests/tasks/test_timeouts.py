"""When an attempt has had its time: in this process, in a thread, and as another process tells of it."""

import json
import signal
import threading
import time
from collections.abc import Callable

import pytest
from huey.exceptions import TaskTimeout

from support.bench import Bench
from support.jobs import COMPLETED, FAILED, KEYS, RETRYING, attempts, finish_all
from taskengine import Backoff, TaskEngine, current_job
from taskengine.jobs import AttemptOutcome, Job
from taskengine.worker.board import Board
from taskengine.worker.dispatch import Dispatcher
from taskengine.worker.execution import overrun
from taskengine.worker.processes import Slot
from taskengine.worker.timeouts import DEAF_SECONDS, Deadline, alarm, timed_out

AT_ONCE = Backoff(base_seconds=0)


def run_in_thread(bench: Bench, engine: TaskEngine) -> Job:
    """Run the next job as a worker in thread mode does, with its dispatcher tended meanwhile."""
    task = bench.claim()
    thread = threading.Thread(target=engine.execute, args=(task,))
    thread.start()
    while thread.is_alive():
        bench.dispatcher.tend()
        thread.join(0.01)
    bench.dispatcher.flush()
    return bench.job(task.id)


# In a thread


def test_a_task_in_a_thread_is_interrupted_when_its_time_is_over(bench: Bench, engine: TaskEngine) -> None:
    @engine.task(timeout=0.1, max_attempts=2, backoff=AT_ONCE)
    def endless() -> None:
        while True:
            sum(range(100))

    endless()
    job = run_in_thread(bench, engine)
    (attempt,) = attempts(bench.redis, job.id)
    assert (job.state, attempt.outcome) == (RETRYING, AttemptOutcome.TIMED_OUT)
    assert attempt.error is not None
    assert (attempt.error.exception, attempt.error.message) == ("huey.exceptions.TaskTimeout", "timeout (0.1s)")
    assert "in endless" in (attempt.error.traceback or "")


class Finalized:
    """Python drops what is raised into its finalizer, which here takes until something is."""

    def __init__(self, begun: threading.Event) -> None:
        self._begun = begun

    def __del__(self) -> None:
        self._begun.set()
        while True:
            sum(range(100))


@pytest.mark.parametrize("run", [run_in_thread, lambda bench, _: bench.run()], ids=["thread", "main thread"])
def test_a_timeout_that_comes_into_a_finalizer_comes_again(
    bench: Bench, engine: TaskEngine, run: Callable[[Bench, TaskEngine], Job]
) -> None:
    finalizing = threading.Event()

    @engine.task(timeout=0.1)
    def endless() -> None:
        Finalized(finalizing)
        while True:
            sum(range(100))

    endless()
    job = run(bench, engine)
    (attempt,) = attempts(bench.redis, job.id)
    assert (finalizing.is_set(), job.state, attempt.outcome) == (True, FAILED, AttemptOutcome.TIMED_OUT)


def test_a_call_with_a_timeout_of_nothing_has_no_limit(bench: Bench, engine: TaskEngine) -> None:
    @engine.task(timeout=0.02)
    def slow() -> None:
        time.sleep(0.1)

    slow(timeout=0)
    job = run_in_thread(bench, engine)
    assert (job.state, job.timeout_seconds) == (COMPLETED, None)
    slow()
    assert run_in_thread(bench, engine).state is FAILED


def test_a_task_with_a_timeout_of_nothing_has_none(engine: TaskEngine) -> None:
    @engine.task(timeout=0)
    def slow() -> None: ...

    assert slow.info.timeout_seconds is None


def test_one_that_swallows_it_hears_again_at_its_next_checkpoint(bench: Bench, engine: TaskEngine) -> None:
    swallowed: list[BaseException] = []

    @engine.task(timeout=0.05)
    def stubborn() -> None:
        try:
            while True:
                sum(range(100))
        except TaskTimeout as error:
            swallowed.append(error)
        current_job.progress(1)
        swallowed.append(AssertionError("it went on"))

    stubborn()
    assert run_in_thread(bench, engine).state is FAILED
    assert [type(error).__name__ for error in swallowed] == ["TaskTimeout"]


def test_one_that_is_in_our_code_hears_when_it_leaves_it(
    bench: Bench, engine: TaskEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[str] = []
    save = Dispatcher.save_checkpoint

    def slowly(self: Dispatcher, *args: object) -> object:
        until = time.monotonic() + 0.3
        while time.monotonic() < until:
            sum(range(100))
        answer = save(self, *args)  # pyright: ignore[reportArgumentType]
        left.append("saved")
        return answer

    monkeypatch.setattr(Dispatcher, "save_checkpoint", slowly)

    @engine.task(timeout=0.05)
    def work() -> None:
        current_job.checkpoint(1)
        left.append("it went on")

    result = work()
    assert run_in_thread(bench, engine).state is FAILED
    assert left == ["saved"]
    assert bench.redis.get(KEYS.checkpoint(result.id)) == "1"


def test_one_that_ends_in_time_is_left_alone(bench: Bench, engine: TaskEngine) -> None:
    @engine.task(timeout=60)
    def quick() -> int:
        return 1

    quick()
    assert run_in_thread(bench, engine).state is COMPLETED


# In the main thread


def test_an_alarm_that_did_not_ring_is_put_away() -> None:
    rung: list[int] = []
    before = signal.getsignal(signal.SIGALRM)
    with alarm(60, lambda: rung.append(1)):
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    assert (signal.getitimer(signal.ITIMER_REAL)[0], signal.getsignal(signal.SIGALRM), rung) == (0, before, [])


def test_an_alarm_rings_while_a_call_blocks() -> None:
    rung = threading.Event()
    with alarm(0.05, rung.set):
        assert rung.wait(10)


def test_the_words_say_how_long_it_had() -> None:
    assert str(timed_out(0.5)) == "timeout (0.5s)"
    assert str(timed_out(30.0)) == "timeout (30s)"


# As the parent sees it


def deadline(at: float, *, lease: str = "7") -> Deadline:
    return Deadline("j1", lease, 5.0, at, 7_000)


def test_a_child_writes_by_when_it_is_to_have_ended(bench: Bench, engine: TaskEngine) -> None:
    slot = Slot(1)
    seen: list[list[Deadline]] = []
    bench.dispatcher._board = slot.held_board

    @engine.task(timeout=60)
    def work() -> None:
        seen.append(slot.deadlines())

    result = work()
    bench.run()
    ((found,),) = seen
    assert (found.job_id, found.seconds, found.retry_ms is not None) == (result.id, 60.0, True)
    assert 0 < found.at - time.monotonic() < 61
    assert (slot.held(), slot.deadlines()) == ([], [])


def test_a_child_is_deaf_some_seconds_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    slot = Slot(1)
    late, early = deadline(100.0), deadline(200.0, lease="8")
    slot.held_board.write({"held": [["j1", "7"], ["j1", "8"]], "deadlines": [late.as_list(), early.as_list()]})
    assert slot.overdue(100.0 + DEAF_SECONDS - 0.1) == []
    assert slot.overdue(100.0 + DEAF_SECONDS + 0.1) == [(("j1", "7"), late)]


def test_what_it_no_longer_holds_is_not_overdue() -> None:
    slot = Slot(1)
    slot.held_board.write({"held": [], "deadlines": [deadline(0.0).as_list()]})
    assert slot.overdue(time.monotonic()) == []


def test_nothing_is_overdue_on_an_empty_board() -> None:
    assert Slot(1).overdue(time.monotonic()) == []
    assert isinstance(Slot(1).held_board, Board)


def test_a_parent_tells_that_a_child_overran_with_the_tasks_retry_policy(bench: Bench, engine: TaskEngine) -> None:
    @engine.task(max_attempts=2, timeout=60, backoff=Backoff(base_seconds=7, jitter=False))
    def work() -> None:
        (late,) = slot.deadlines()
        outcome = overrun(late)
        assert outcome.retry_ms == 7_000
        assert json.loads(outcome.value)["message"] == "timeout (60s); it did not stop, so its process was killed"
        finish_all(bench.redis, [outcome])

    slot = Slot(1)
    bench.dispatcher._board = slot.held_board
    result = work()
    assert bench.run().state is RETRYING, "what the child has to say itself is too late"
    assert attempts(bench.redis, result.id)[0].outcome is AttemptOutcome.TIMED_OUT


def test_a_task_that_does_not_retry_timeouts_does_not_do_so_either(bench: Bench, engine: TaskEngine) -> None:
    seen: list[Deadline] = []

    @engine.task(max_attempts=2, timeout=60, fail_on=TaskTimeout)
    def work() -> None:
        seen.extend(slot.deadlines())

    slot = Slot(1)
    bench.dispatcher._board = slot.held_board
    work()
    bench.run()
    assert [overrun(late).retry_ms for late in seen] == [None]
