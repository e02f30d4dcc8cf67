"""What a caller holds of a job it enqueued."""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from huey.exceptions import ResultTimeout, TaskException

from support.bench import Bench
from support.jobs import COMPLETED, QUEUED, STORE
from taskengine import JobNotFound, Options, TaskEngine
from taskengine.results import Result


@dataclass
class Receipt:
    at: datetime
    copies: int = 1


def test_a_result_that_is_not_there_yet_is_none(engine: TaskEngine) -> None:
    @engine.task()
    def add(a: int, b: int) -> int:
        return a + b

    result = add(1, 2)
    assert result.get() is None
    assert not result.is_ready()
    assert result.job().state is QUEUED


def test_a_result_is_what_the_task_returned(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def add(a: int, b: int) -> int:
        return a + b

    result = add(1, 2)
    bench.run()
    assert result.is_ready()
    assert result.get() == 3


def test_reading_a_result_does_not_remove_it(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def one() -> int:
        return 1

    result = one()
    bench.run()
    assert [result(), result.get(), engine.result(result.id)] == [1, 1, 1]


def test_a_result_has_the_type_that_the_task_says(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def send() -> Receipt:
        return Receipt(datetime(2025, 1, 31, tzinfo=UTC))

    result = send()
    bench.run()
    assert result.get() == Receipt(datetime(2025, 1, 31, tzinfo=UTC), 1)


def test_by_id_alone_a_result_is_as_json_has_it(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def send() -> Receipt:
        return Receipt(datetime(2025, 1, 31, tzinfo=UTC))

    result = send()
    bench.run()
    assert engine.result(result.id) == {"at": "2025-01-31T00:00:00Z", "copies": 1}


def test_a_caller_may_wait_for_the_result(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def one() -> int:
        return 1

    result = one()
    worker = threading.Thread(target=bench.run)
    worker.start()
    assert result.get(blocking=True, timeout=10) == 1
    worker.join()


def test_waiting_has_an_end(engine: TaskEngine) -> None:
    @engine.task()
    def one() -> int:
        return 1

    result = one()
    with pytest.raises(ResultTimeout, match=rf"job {result.id} has not ended after 0.02 s; it is QUEUED"):
        result.get(blocking=True, timeout=0.02)


def test_a_failure_is_raised_with_its_error(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def failing() -> None:
        raise ValueError("no")

    result = failing()
    bench.run()
    with pytest.raises(TaskException, match="ValueError: no") as caught:
        result.get()
    assert caught.value.metadata["task_id"] == result.id


def test_a_failure_that_is_tried_again_is_no_result_yet(bench: Bench, engine: TaskEngine) -> None:
    @engine.task(max_attempts=2)
    def failing() -> None:
        raise ValueError("no")

    result = failing()
    bench.run()
    assert result.get() is None


def test_a_cancelled_job_is_raised_with_its_reason(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def one() -> int:
        return 1

    result = one()
    STORE.cancel_job(result.id, terminate=False, reason="not needed").run(bench.redis)
    with pytest.raises(TaskException, match="CANCELLED: not needed"):
        result.get()


def test_a_job_that_is_gone_is_said_so(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def one() -> int:
        return 1

    result = one()
    STORE.delete_job(result.id).run(bench.redis)
    with pytest.raises(JobNotFound, match=result.id):
        result.get()


def test_a_handle_can_be_made_anew_from_the_id(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def one() -> int:
        return 1

    one.enqueue(options=Options(id="order-7"))
    bench.run()
    again: Result[Any] = Result(engine, "order-7")
    assert (again.job().state, again.get()) == (COMPLETED, 1)


def test_its_text_names_the_job(engine: TaskEngine) -> None:
    assert repr(Result[Any](engine, "order-7")) == "<Result of job order-7>"
