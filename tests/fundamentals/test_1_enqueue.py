"""1. Calling a task puts a job into Redis; a worker runs it, in another process, on whatever machine."""

import pytest

from support.bench import Bench
from taskengine import InvalidInput, InvalidTask, TaskEngine


def test_a_decorator_makes_a_function_a_task(engine: TaskEngine) -> None:
    @engine.task()
    def greet(name: str) -> str:
        return f"Hello {name}"

    assert greet.call_local("Ann") == "Hello Ann"  # still the plain function


def test_calling_it_enqueues_a_job_and_runs_nothing(engine: TaskEngine) -> None:
    greeted: list[str] = []

    @engine.task()
    def greet(name: str) -> None:
        greeted.append(name)

    greet("Ann")
    assert greeted == []


def test_a_worker_runs_it(engine: TaskEngine, worker: Bench) -> None:
    greeted: list[str] = []

    @engine.task()
    def greet(name: str) -> None:
        greeted.append(name)

    greet("Ann")
    worker.run()
    assert greeted == ["Ann"]


def test_the_job_has_a_record_of_its_life(engine: TaskEngine, worker: Bench) -> None:
    @engine.task()
    def greet(name: str) -> None: ...

    result = greet("Ann")
    assert (result.job().state, result.job().args) == ("QUEUED", {"name": "Ann"})
    worker.run()
    assert result.job().state == "COMPLETED"


def test_arguments_are_checked_against_the_hints_before_anything_is_enqueued(engine: TaskEngine) -> None:
    @engine.task()
    def greet(name: str) -> None: ...

    with pytest.raises(InvalidInput, match="args.name: input should be a valid string, got 7"):
        greet(7)  # pyright: ignore[reportArgumentType]


def test_what_cannot_be_kept_as_json_is_refused_where_the_task_is_defined(engine: TaskEngine) -> None:
    with pytest.raises(InvalidTask, match="parameter 'file'"):

        @engine.task()
        def read(file: memoryview) -> None: ...
