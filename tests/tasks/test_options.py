"""What a caller may say of a job: checked, and filled in from the task."""

from datetime import UTC, datetime
from typing import Any

import pytest

from taskengine.errors import InvalidInput
from taskengine.jobs import Options
from taskengine.options import settled

AT = datetime(2030, 1, 1, tzinfo=UTC)


def settle(options: Options | None = None, **facts: Any) -> Options:
    """Options of a caller, on a task with values of its own."""
    chosen = options or Options(**facts)
    return settled(chosen, queue="mail", priority=7, max_attempts=3, timeout=30)


def problem(**facts: Any) -> str:
    with pytest.raises(InvalidInput) as caught:
        settle(**facts)
    assert caught.value.path[0] == "options"
    return str(caught.value)


def test_what_is_not_said_is_the_tasks() -> None:
    chosen = settle()
    assert (chosen.queue, chosen.priority, chosen.max_attempts, chosen.timeout) == ("mail", 7, 3, 30)


def test_what_is_said_holds() -> None:
    said = Options(queue="bulk", priority=1, max_attempts=9, timeout=0.5, delay=60, tags=("a",), id="order-7")
    assert settle(said) == said


def test_tags_may_come_as_a_list() -> None:
    assert settle(tags=["a", "b"]).tags == ("a", "b")


@pytest.mark.parametrize("priority", [1, 10])
def test_priorities_go_from_1_to_10(priority: int) -> None:
    assert settle(priority=priority).priority == priority


@pytest.mark.parametrize("priority", [0, 11, -1, 5.0, True, "5"])
def test_other_priorities_are_refused(priority: Any) -> None:
    assert problem(priority=priority) == (
        f"options.priority: expected a whole number from 1 to 10 (10 runs first), got {priority!r}"
    )


@pytest.mark.parametrize("attempts", [0, -1, 1001, 2.5, True])
def test_attempts_are_a_whole_number_of_at_least_one(attempts: Any) -> None:
    assert problem(max_attempts=attempts) == (
        f"options.maxAttempts: expected a whole number from 1 to 1,000, got {attempts!r}"
    )


@pytest.mark.parametrize("queue", ["", "a b", "a:b", "a,b", "*", "ä", "x" * 101, "-x"])
def test_a_queue_has_a_name_that_keys_and_lists_can_hold(queue: str) -> None:
    assert problem(queue=queue).startswith("options.queue: expected 1 to 100 of the characters A-Z a-z 0-9 _ . -")


@pytest.mark.parametrize("job_id", ["", "a b", "a:b", "x" * 65, "a.b", 7])
def test_an_id_has_letters_that_keys_can_hold(job_id: Any) -> None:
    assert problem(id=job_id).startswith("options.id: expected 1 to 64 of the characters A-Z a-z 0-9 _ -")


@pytest.mark.parametrize("delay", [-1, float("nan"), float("inf"), "60", True, 1e9])
def test_a_delay_is_a_number_of_seconds_and_no_longer_than_ten_years(delay: Any) -> None:
    assert problem(delay=delay).startswith("options.delaySeconds: expected 0 to 316,224,000 seconds, got")


@pytest.mark.parametrize("timeout", [0.0001, -1, float("nan"), "30", 1e9])
def test_a_timeout_is_a_number_of_seconds_above_nothing(timeout: Any) -> None:
    assert problem(timeout=timeout).startswith("options.timeoutSeconds: expected 0.001 to 2,592,000 seconds, got")


@pytest.mark.parametrize("at", [datetime(2030, 1, 1), "2030-01-01", 1_900_000_000])  # noqa: DTZ001 - what is refused
def test_a_time_to_run_at_says_where_on_earth(at: Any) -> None:
    assert problem(run_at=at).startswith("options.runAt: expected a time with its offset from UTC, got")


def test_a_delay_and_a_time_are_one_too_many() -> None:
    assert problem(delay=1, run_at=AT) == "options.runAt: give either a delay or a time to run at, not both"


def test_there_may_be_twenty_tags() -> None:
    tags = tuple(f"tag {number}" for number in range(20))
    assert settle(tags=tags).tags == tags
    assert problem(tags=(*tags, "more")) == "options.tags: expected at most 20 tags, got 21"


@pytest.mark.parametrize("tag", ["", "x" * 101, 7, None, "caf\udce9"])
def test_a_tag_is_some_text(tag: Any) -> None:
    assert problem(tags=("fine", tag)).startswith("options.tags.1: expected 1 to 100 characters of text, got")


def test_a_name_as_tags_is_refused() -> None:
    assert problem(tags="x" * 21).startswith("options.tags")


def test_a_long_value_is_not_repeated_whole() -> None:
    assert len(problem(queue="x" * 10_000)) < 200
