"""Raising into a task where it stands: into its own code, at most once, and never into ours."""

import asyncio
import signal
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

import pytest
from huey.exceptions import TaskTimeout

from support.waiting import wait_until
from taskengine.errors import JobCancelled, LeaseLost
from taskengine.worker import interrupts
from taskengine.worker.interrupts import LoopGate, SignalGate, ThreadGate

STOP = JobCancelled("j1")


def in_thread(call: Callable[[ThreadGate], object]) -> tuple[ThreadGate, "Future[object]"]:
    """Begin a call in a thread of its own, with the gate of that thread."""
    gates: Future[ThreadGate] = Future()

    def begin() -> object:
        gate = ThreadGate()
        gates.set_result(gate)
        return call(gate)

    threads = ThreadPoolExecutor(1)
    result = threads.submit(begin)
    threads.shutdown(wait=False)
    return gates.result(5), result


def for_ever() -> None:
    while True:
        sum(range(100))


def test_a_thread_that_asks_nothing_is_interrupted_where_it_stands() -> None:
    gate, result = in_thread(lambda gate: gate.run(for_ever))
    wait_until(lambda: gate._open)
    gate.fire(STOP)
    with pytest.raises(JobCancelled, match="job 'j1' was asked to stop"):
        result.result(5)


@pytest.mark.parametrize("reason", [STOP, LeaseLost("j1"), TaskTimeout("timeout (5s)")])
def test_what_arrives_is_like_the_reason(reason: BaseException) -> None:
    gate, result = in_thread(lambda gate: gate.run(for_ever))
    wait_until(lambda: gate._open)
    gate.fire(reason)
    error = result.exception(5)
    assert isinstance(error, type(reason))
    assert (str(error), type(error).__qualname__, type(error).__module__, vars(error)) == (
        str(reason),
        type(reason).__qualname__,
        type(reason).__module__,
        vars(reason),
    )


def test_it_comes_only_once() -> None:
    caught: list[BaseException] = []
    on = threading.Event()

    def stubborn() -> None:
        while not on.is_set():
            try:
                for_ever() if not caught else time.sleep(0.001)
            except JobCancelled as error:
                caught.append(error)

    gate, result = in_thread(lambda gate: gate.run(stubborn))
    wait_until(lambda: gate._open)
    gate.fire(STOP)
    wait_until(lambda: caught)
    gate.fire(STOP)
    gate.fire(LeaseLost("j1"))
    on.set()
    assert result.result(5) is None
    assert (len(caught), gate.told) == (1, True)


def test_a_thread_that_is_in_our_code_is_not_interrupted() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def calls_us(gate: ThreadGate) -> str:
        def task() -> str:
            gate.shield()
            inside.set()
            while not go_on.is_set():
                pass
            gate.unshield()
            return "done"

        return gate.run(task)

    gate, result = in_thread(calls_us)
    assert inside.wait(5)
    gate.fire(STOP)
    go_on.set()
    assert result.result(5) == "done"
    assert not gate.told


def test_nothing_arrives_after_the_task_has_ended() -> None:
    gate, result = in_thread(lambda gate: gate.run(lambda: "done"))
    assert result.result(5) == "done"
    gate.fire(STOP)
    assert not gate._fired


def test_whenever_it_comes_the_task_is_interrupted_or_done_and_nothing_comes_later() -> None:
    """Fired at every moment around the task's end, some thousand times."""
    ours_interrupted: list[BaseException] = []

    def work(length: int) -> None:
        for _ in range(length):
            pass

    def rounds() -> tuple[int, int]:
        stopped = done = 0
        for number in range(5_000):
            gate = ThreadGate()
            gates.append(gate)
            try:
                # Now and then so long that it must be hit, however the threads are scheduled.
                gate.run(lambda length=number % 200 if number % 50 else 50_000: work(length))
                done += 1
            except JobCancelled:
                stopped += 1
            try:
                work(100)  # stands for our own code
            except BaseException as error:  # noqa: BLE001 - that there is any is what must not be
                ours_interrupted.append(error)
        return stopped, done

    gates: list[ThreadGate] = []
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(1) as threads:
            result = threads.submit(rounds)
            while not result.done():
                if gates:
                    gates[-1].fire(STOP)
            stopped, done = result.result()
    finally:
        sys.setswitchinterval(interval)
    assert ours_interrupted == []
    assert stopped + done == 5_000
    assert min(stopped, done) > 0


class Finalized:
    """Python drops what is raised into its finalizer, which takes until something is."""

    def __init__(self, begins: Callable[[], object]) -> None:
        self._begins = begins

    def __del__(self) -> None:
        self._begins()
        for_ever()


def test_what_a_finalizer_swallowed_comes_again() -> None:
    began = threading.Event()

    def task() -> None:
        Finalized(began.set)
        for_ever()

    gate, result = in_thread(lambda gate: gate.run(task))
    assert began.wait(5)
    gate.fire(STOP)
    wait_until(lambda: not gate._fired)
    assert not gate.told
    gate.fire(STOP)
    with pytest.raises(JobCancelled):
        result.result(5)


def test_a_signal_that_a_finalizer_swallowed_comes_again() -> None:
    gate = SignalGate()
    rung: list[int] = []

    def ring(number: int, _frame: object) -> None:
        rung.append(number)
        gate.fire(STOP)

    def task() -> None:
        Finalized(lambda: signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01))
        for_ever()

    before = signal.signal(signal.SIGALRM, ring)
    try:
        with pytest.raises(JobCancelled):
            gate.run(task)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(rung) >= 2


def test_what_others_drop_is_told_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[BaseException | None] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda unraisable: told.append(unraisable.exc_value))
    monkeypatch.setattr(interrupts, "_open_gates", cache(interrupts._open_gates.__wrapped__))
    error = ValueError("of a finalizer")

    def fail() -> None:
        raise error

    SignalGate().run(lambda: Finalized(fail) and None)
    assert told == [error]


def test_a_signal_interrupts_a_call_that_blocks() -> None:
    gate = SignalGate()
    before = signal.signal(signal.SIGALRM, lambda *_: gate.fire(STOP))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        begun = time.monotonic()
        with pytest.raises(JobCancelled):
            gate.run(lambda: time.sleep(30))
        assert time.monotonic() - begun < 10
    finally:
        signal.signal(signal.SIGALRM, before)


def test_a_signal_raises_nothing_into_our_code_or_elsewhere() -> None:
    gate = SignalGate()
    gate.fire(STOP)  # the task has not begun

    def task() -> str:
        gate.shield()
        gate.fire(STOP)
        gate.unshield()
        threading.Thread(target=gate.fire, args=(STOP,)).start()
        return "done"

    assert gate.run(task) == "done"
    gate.fire(STOP)  # it has ended


async def test_a_coroutine_is_cancelled_and_the_reason_is_known() -> None:
    gate = LoopGate(asyncio.get_running_loop())
    task = asyncio.ensure_future(asyncio.sleep(30))
    gate.attach(task)
    gate.fire(STOP)
    with pytest.raises(asyncio.CancelledError):
        await task
    assert gate.reason is STOP


async def test_a_coroutine_that_is_to_stop_before_it_began_is_cancelled_when_it_does() -> None:
    gate = LoopGate(asyncio.get_running_loop())
    gate.fire(STOP)
    await asyncio.sleep(0)
    task = asyncio.ensure_future(asyncio.sleep(30))
    gate.attach(task)
    with pytest.raises(asyncio.CancelledError):
        await task
