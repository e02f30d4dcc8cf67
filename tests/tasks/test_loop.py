"""``async def`` tasks: on the process's one event loop, with everything that other tasks have."""

import asyncio
import threading
from typing import Any

import pytest
from huey.exceptions import TaskTimeout

from support.bench import Bench
from support.jobs import CANCELLED, COMPLETED, FAILED, RETRYING, STORE, attempts
from support.waiting import wait_until
from taskengine import Backoff, JobCancelled, TaskEngine, current_job
from taskengine.jobs import AttemptOutcome
from taskengine.worker import loop as loops
from taskengine.worker.loop import loop


def test_what_a_coroutine_returns_is_the_jobs_result(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    async def add(a: int, b: int) -> int:
        await asyncio.sleep(0)
        return a + b

    add(1, 2)
    job = bench.run()
    assert (job.state, job.result) == (COMPLETED, 3)


def test_its_arguments_and_its_result_are_checked_as_those_of_others(bench: Bench, engine: TaskEngine) -> None:
    @engine.task(max_attempts=3)
    async def odd(a: int) -> Any:
        return object()

    odd("1")  # pyright: ignore[reportArgumentType]
    job = bench.run()
    assert (job.state, job.args) == (FAILED, {"a": 1})


def test_what_it_raises_fails_the_job_with_a_traceback_of_its_own_code(bench: Bench, engine: TaskEngine) -> None:
    @engine.task(max_attempts=2, backoff=Backoff(base_seconds=0))
    async def fail() -> None:
        await asyncio.sleep(0)
        raise ValueError("no")

    fail()
    job = bench.run()
    assert job.state is RETRYING
    error = attempts(bench.redis, job.id)[0].error
    assert error is not None
    assert error.traceback is not None
    assert error.traceback.splitlines()[1].endswith(", in fail")


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_what_would_end_a_loop_ends_only_the_job(bench: Bench, engine: TaskEngine, error: BaseException) -> None:
    @engine.task()
    async def leave() -> None:
        raise error

    @engine.task()
    async def fine() -> int:
        return 1

    leave()
    assert bench.run().state is not COMPLETED
    fine.enqueue()
    assert COMPLETED in {bench.run().state, bench.run().state if isinstance(error, KeyboardInterrupt) else COMPLETED}


def test_a_task_that_it_leaves_behind_and_that_exits_does_not_end_the_loop(bench: Bench, engine: TaskEngine) -> None:
    async def leave() -> None:
        raise SystemExit(3)

    left: list[Any] = []

    @engine.task()
    async def work() -> None:
        left.append(asyncio.create_task(leave()))

    work()
    assert bench.run().state is COMPLETED
    wait_until(left[0].done)
    assert isinstance(left.pop().exception(), SystemExit)
    assert asyncio.run_coroutine_threadsafe(asyncio.sleep(0, "runs"), loop()).result(5) == "runs"


def test_the_job_is_known_inside_and_in_what_it_starts(bench: Bench, engine: TaskEngine) -> None:
    async def child() -> str:
        return current_job.id

    @engine.task()
    async def who() -> list[str]:
        spawned = asyncio.create_task(child())
        in_thread = await asyncio.to_thread(lambda: current_job.id)
        return [current_job.id, await spawned, in_thread]

    result = who()
    assert bench.run().result == [result.id] * 3


def test_two_at_once_know_each_its_own_job(bench: Bench, engine: TaskEngine) -> None:
    met = 0
    both = asyncio.Event()

    @engine.task()
    async def who() -> str:
        nonlocal met
        met += 1
        if met == 2:
            both.set()
        await both.wait()
        return current_job.id

    ids = [who().id, who().id]
    tasks = [bench.claim(), bench.claim()]
    threads = [threading.Thread(target=engine.execute, args=(task,)) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    bench.dispatcher.flush()
    assert [bench.job(job_id).result for job_id in ids] == ids


def test_there_is_one_loop_and_it_is_not_the_callers(bench: Bench, engine: TaskEngine) -> None:
    seen: list[Any] = []

    @engine.task()
    async def work() -> None:
        seen.append((asyncio.get_running_loop(), threading.current_thread().name))

    work()
    work()
    bench.run()
    bench.run()
    assert seen == [(loop(), "taskengine-loop")] * 2


def test_progress_logs_and_checkpoints_work_inside(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    async def work() -> Any:
        current_job.progress(1, total=2)
        current_job.log.info("half")
        current_job.checkpoint({"at": 1})
        return current_job.checkpointed

    work()
    job = bench.run()
    assert job.result == {"at": 1}
    assert job.progress is not None


def test_one_that_takes_too_long_is_cancelled_and_times_out(bench: Bench, engine: TaskEngine) -> None:
    cleaned: list[int] = []

    @engine.task(timeout=0.05, max_attempts=2)
    async def endless() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.append(1)

    endless()
    job = bench.run()
    (attempt,) = attempts(bench.redis, job.id)
    assert (job.state, attempt.outcome, cleaned) == (RETRYING, AttemptOutcome.TIMED_OUT, [1])
    assert attempt.error is not None
    assert attempt.error.message == "timeout (0.05s)"
    assert "in endless" in (attempt.error.traceback or "")


def test_one_that_is_cancelled_from_outside_ends_where_it_awaits(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    async def work() -> None:
        STORE.cancel_job(current_job.id, terminate=True, reason="enough").run(bench.redis)
        bench.beat()
        bench.dispatcher.tend()
        await asyncio.sleep(60)

    work()
    job = bench.run()
    assert (job.state, job.cancel_reason) == (CANCELLED, "enough")


def test_one_that_pays_no_heed_and_succeeds_is_completed(bench: Bench, engine: TaskEngine) -> None:
    @engine.task(timeout=0.05)
    async def work() -> str:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return "done all the same"
        return "never"

    work()
    assert bench.run().result == "done all the same"


def test_a_checkpoint_raises_the_reason_itself(bench: Bench, engine: TaskEngine) -> None:
    caught: list[BaseException] = []

    @engine.task(timeout=0.05)
    async def work() -> None:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            try:
                current_job.check()
            except TaskTimeout as error:
                caught.append(error)
                raise

    work()
    assert (bench.run().state, len(caught)) == (FAILED, 1)


def test_its_own_cancellation_is_a_failure_and_not_ours(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    async def work() -> None:
        raise asyncio.CancelledError

    work()
    job = bench.run()
    assert job.state is FAILED
    assert job.error is not None
    assert job.error.exception == "asyncio.exceptions.CancelledError"


def test_a_forked_child_gets_a_loop_of_its_own() -> None:
    of_the_parent = loop()
    loops._forget_loop()  # what a fork does in the child
    try:
        assert loop() is not of_the_parent
        assert asyncio.run_coroutine_threadsafe(asyncio.sleep(0, "runs"), loop()).result(5) == "runs"
    finally:
        loop().call_soon_threadsafe(loop().stop)
        loops._loop = of_the_parent


def test_cancelling_before_it_begins_is_cancelling(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    async def work() -> None:
        raise JobCancelled(current_job.id)

    work()
    assert bench.run().state is CANCELLED
