"""8. Thousands of jobs in a few round trips; all of them, or none when one is wrong."""

import pytest

from support.bench import Bench
from taskengine import InvalidInput, Options, TaskEngine


def test_many_jobs_are_enqueued_at_once(engine: TaskEngine, worker: Bench) -> None:
    @engine.task()
    def add(a: int, b: int = 10) -> int:
        return a + b

    results = add.enqueue_many([(1, 2), {"a": 3}, {"a": 4, "b": 5}])
    assert [worker.run().result for _ in results] == [3, 13, 9]


def test_options_are_those_of_all_of_them(engine: TaskEngine) -> None:
    @engine.task()
    def add(a: int, b: int) -> int:
        return a + b

    results = add.enqueue_many([(1, 2), (3, 4)], options=Options(priority=1, tags=("nightly",)))
    assert {(result.job().priority, result.job().tags) for result in results} == {(1, ("nightly",))}


def test_when_one_is_wrong_none_is_enqueued(engine: TaskEngine) -> None:
    @engine.task()
    def add(a: int, b: int) -> int:
        return a + b

    with pytest.raises(InvalidInput, match="1.args.b: is required"):
        add.enqueue_many([(1, 2), {"a": 3}])
    assert engine.storage.queue_size() == 0


def test_an_id_of_ones_own_makes_twice_as_good_as_once(engine: TaskEngine) -> None:
    @engine.task()
    def charge(order: int) -> None: ...

    for _ in range(2):  # the web server sent it again, since the first answer was lost
        charge.enqueue(7, options=Options(id="charge-order-7"))
    assert engine.storage.queue_size() == 1
