"""5. What fails is tried again, if it may be, after a pause that grows."""

from support.bench import Bench
from taskengine import Backoff, TaskEngine, current_job

AT_ONCE = Backoff(base_seconds=0)


def test_a_task_says_how_often_it_may_be_tried(engine: TaskEngine, worker: Bench) -> None:
    @engine.task(max_attempts=3, backoff=AT_ONCE)
    def fetch() -> str:
        if current_job.attempt < 3:
            raise ConnectionError("try later")
        return "fetched"

    result = fetch()
    assert [worker.run().state for _ in range(3)] == ["RETRYING", "RETRYING", "COMPLETED"]
    assert result.get() == "fetched"


def test_without_saying_so_it_is_tried_once(engine: TaskEngine, worker: Bench) -> None:
    @engine.task()
    def fetch() -> None:
        raise ConnectionError("gone")

    fetch()
    assert worker.run().state == "FAILED"


def test_it_may_say_which_errors_are_worth_another_try(engine: TaskEngine, worker: Bench) -> None:
    @engine.task(max_attempts=3, backoff=AT_ONCE, retry_on=ConnectionError)
    def fetch(url: str) -> None:
        raise ValueError("no such scheme")

    fetch("gopher://example.org")
    assert worker.run().state == "FAILED"


def test_the_pause_doubles_from_one_second_up_to_ten_minutes() -> None:
    pauses = Backoff(jitter=False)
    assert [pauses.delay_seconds(failures, 0) for failures in (1, 2, 3, 4, 20)] == [1, 2, 4, 8, 600]


def test_chance_spreads_what_failed_together() -> None:
    assert [Backoff().delay_seconds(4, chance) for chance in (0.0, 0.5, 1.0)] == [0, 4, 8]


def test_the_record_keeps_every_attempt_with_its_error(engine: TaskEngine, worker: Bench) -> None:
    @engine.task(max_attempts=2, backoff=AT_ONCE)
    def fetch() -> None:
        raise ConnectionError("gone")

    fetch()
    worker.run()
    job = worker.run()
    assert job.error is not None
    assert (job.attempt_count, job.error.exception, job.error.message) == (2, "ConnectionError", "gone")
