"""3. Ten before one; equal ones in the order in which they came."""

from support.bench import Bench
from taskengine import Options, TaskEngine


def test_the_first_come_are_served_first(engine: TaskEngine, worker: Bench) -> None:
    @engine.task()
    def note(what: str) -> str:
        return what

    note("first")
    note("second")
    assert [worker.run().result, worker.run().result] == ["first", "second"]


def test_a_job_of_a_higher_priority_goes_before(engine: TaskEngine, worker: Bench) -> None:
    @engine.task()
    def note(what: str) -> str:
        return what

    note("normal")  # 5
    note.enqueue("urgent", options=Options(priority=10))
    assert [worker.run().result, worker.run().result] == ["urgent", "normal"]


def test_a_task_may_have_a_priority_of_its_own(engine: TaskEngine, worker: Bench) -> None:
    @engine.task(priority=1)
    def tidy() -> str:
        return "tidied"

    @engine.task(priority=9)
    def page() -> str:
        return "paged"

    tidy()
    page()
    assert [worker.run().result, worker.run().result] == ["paged", "tidied"]
