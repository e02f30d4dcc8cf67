"""2. A call returns a handle of its job: what the task returned is there when it has ended."""

from dataclasses import dataclass
from datetime import date

import pytest
from huey.exceptions import TaskException

from support.bench import Bench
from taskengine import TaskEngine


@dataclass
class Invoice:
    number: int
    due: date


def test_a_result_is_none_until_the_job_has_ended(engine: TaskEngine, worker: Bench) -> None:
    @engine.task()
    def add(a: int, b: int) -> int:
        return a + b

    result = add(1, 2)
    assert result.get() is None
    worker.run()
    assert result.get() == 3


def test_it_is_of_the_type_that_the_task_returns(engine: TaskEngine, worker: Bench) -> None:
    @engine.task()
    def invoice(number: int) -> Invoice:
        return Invoice(number, due=date(2025, 1, 31))

    result = invoice(7)
    worker.run()
    assert result.get() == Invoice(7, date(2025, 1, 31))


def test_a_failure_is_raised(engine: TaskEngine, worker: Bench) -> None:
    @engine.task()
    def divide(a: int, b: int) -> float:
        return a / b

    result = divide(1, 0)
    worker.run()
    with pytest.raises(TaskException, match="ZeroDivisionError: division by zero"):
        result.get()
