"""What runs next: 10 before 1, equal ones in order of arrival, and a place is kept."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from support.jobs import (
    STORE,
    a_running_job,
    an_orphan,
    claim,
    enqueue,
    finish,
    register,
    row,
    take,
)
from taskengine.store import Ending


def next_ids(redis: Redis, count: int) -> list[str]:
    register(redis, "t", "u")
    return [job.id for job in take(redis, count).jobs]


def test_ten_urgent_jobs_behind_two_thousand_others_are_the_next_ten(redis: Redis) -> None:
    for batch in range(4):
        STORE.enqueue_jobs([row(f"low-{batch}-{n}", priority=1) for n in range(500)]).run(redis)
    urgent = [f"high-{n}" for n in range(10)]
    enqueue(redis, *urgent, priority=10)
    assert next_ids(redis, 10) == urgent
    assert next_ids(redis, 1) == ["low-0-0"]


@pytest.mark.parametrize("priority", range(1, 11))
def test_within_a_priority_the_first_come_are_served_first(redis: Redis, priority: int) -> None:
    enqueue(redis, *"abcde", priority=priority)
    assert next_ids(redis, 5) == list("abcde")


def test_every_priority_goes_before_the_next_lower(redis: Redis) -> None:
    for priority in (3, 10, 1, 7, 5, 2, 9, 4, 8, 6):
        enqueue(redis, f"p{priority}", priority=priority)
    assert next_ids(redis, 10) == [f"p{priority}" for priority in range(10, 0, -1)]


def test_a_retried_job_keeps_its_place(redis: Redis) -> None:
    job = a_running_job(redis, "first")
    enqueue(redis, "second")
    finish(redis, job, Ending.FAILED, retry_ms=0)
    assert next_ids(redis, 2) == ["first", "second"]


def test_a_job_that_an_operator_retries_keeps_its_place(redis: Redis) -> None:
    job = a_running_job(redis, "first")
    enqueue(redis, "second")
    finish(redis, job, Ending.FAILED)
    STORE.retry_job("first", attempts=None).run(redis)
    assert next_ids(redis, 2) == ["first", "second"]


def test_a_released_job_keeps_its_place(redis: Redis) -> None:
    job = a_running_job(redis, "first")
    enqueue(redis, "second")
    finish(redis, job, Ending.RELEASED)
    assert next_ids(redis, 2) == ["first", "second"]


def test_a_rescued_job_keeps_its_place(redis: Redis) -> None:
    an_orphan(redis, "first")
    enqueue(redis, "second")
    STORE.rescue_jobs(max_losses=3, limit=1).run(redis)
    assert next_ids(redis, 2) == ["first", "second"]


def test_a_retried_job_stays_behind_a_higher_priority(redis: Redis) -> None:
    job = a_running_job(redis, "low", priority=1)
    enqueue(redis, "high", priority=2)
    finish(redis, job, Ending.RELEASED)
    assert next_ids(redis, 2) == ["high", "low"]


def test_a_scheduled_job_takes_its_place_when_it_is_due(redis: Redis) -> None:
    enqueue(redis, "later", delay=0.001)
    enqueue(redis, "here already")
    register(redis, "t", "u")
    claimed: list[str] = []
    while len(claimed) < 2:
        claimed += [job.id for job in take(redis).jobs]
    assert claimed == ["here already", "later"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(1, 10), st.sampled_from(["q1", "q2"]), st.sampled_from(["t", "u"])),
        min_size=1,
        max_size=20,
    ),
    st.integers(1, 7),
)
def test_any_jobs_are_claimed_best_first_over_all_queues_and_tasks(
    redis: Redis, made: list[tuple[int, str, str]], at_once: int
) -> None:
    redis.flushall()
    for number, (priority, queue, task) in enumerate(made):
        enqueue(redis, f"{number}", priority=priority, queue=queue, task=task)
    expected = [str(number) for number, _ in sorted(enumerate(made), key=lambda entry: (-entry[1][0], entry[0]))]
    claimed: list[str] = []
    while batch := next_ids(redis, at_once):
        claimed += batch
    assert claimed == expected


def test_a_backoff_that_is_over_does_not_overtake_a_higher_priority(redis: Redis) -> None:
    enqueue(redis, "low", priority=1)
    finish(redis, claim(redis), Ending.FAILED, retry_ms=0)
    enqueue(redis, "high", priority=2)
    assert next_ids(redis, 2) == ["high", "low"]


def test_a_job_cancelled_before_its_time_arrives_when_it_is_retried(redis: Redis) -> None:
    enqueue(redis, "cancelled", delay=60)
    STORE.cancel_job("cancelled", terminate=False, reason="").run(redis)
    enqueue(redis, "meanwhile")
    STORE.retry_job("cancelled", attempts=None).run(redis)
    assert next_ids(redis, 2) == ["meanwhile", "cancelled"]
