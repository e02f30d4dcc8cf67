"""``tick_schedule.lua``: a tick becomes one job, and the next tick is set with it."""

import pytest
from redis import Redis

from support.jobs import KEYS, QUEUED, STORE, get, moves, record, writes
from support.schedules import (
    HOUR,
    SCHEDULES,
    a_definition,
    a_schedule,
    due,
    get_schedule,
    jobs_of,
    make_due,
    publish,
    tick,
    tick_as_seen,
)
from taskengine.errors import QueueFull


@pytest.fixture(autouse=True)
def _schedule(redis: Redis) -> None:
    publish(redis)
    a_schedule(redis, args={"x": 1})


def test_the_tick_is_a_job_that_knows_its_schedule_and_its_time(redis: Redis) -> None:
    at = make_due(redis)
    assert tick(redis)
    (job_id,) = jobs_of(redis)
    job = get(redis, job_id)
    assert (job.state, job.task, job.args, job.schedule) == (QUEUED, "t", {"x": 1}, "s")
    assert job.run_at is not None
    assert job.run_at.timestamp() * 1000 == at
    assert moves(redis, job_id) == [("", "QUEUED")]


def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    make_due(redis)
    with writes(redis, "tick_schedule") as written:
        tick(redis)
    kinds = {key.partition(":")[0] for key in written}
    assert {"schedule", "schedules", "schedule_jobs", "job", "lane", "ready", "events"} <= kinds


def test_the_schedule_knows_its_last_job_and_its_next_tick(redis: Redis) -> None:
    at = make_due(redis)
    tick(redis, next_ms=at + HOUR)
    schedule = get_schedule(redis)
    assert [schedule.last_job_id] == jobs_of(redis)
    assert schedule.last_run_at is not None
    assert schedule.last_run_at.timestamp() * 1000 == at
    assert redis.zscore(KEYS.schedules, "s") == at + HOUR


def test_who_comes_second_changes_nothing(redis: Redis) -> None:
    make_due(redis)
    (seen,) = due(redis)
    assert tick_as_seen(redis, seen)
    with writes(redis) as written:
        assert not tick_as_seen(redis, seen)
    assert written == set()


def test_who_saw_the_schedule_before_it_was_changed_changes_nothing(redis: Redis) -> None:
    at = make_due(redis)
    (seen,) = due(redis)
    SCHEDULES.save_schedule("s", a_definition(args={"x": 2}), revision=1, enabled=True, next_ms=at).run(redis)
    with writes(redis) as written:
        assert not tick_as_seen(redis, seen)
    assert written == set()


def test_a_schedule_that_was_deleted_meanwhile_ticks_no_more(redis: Redis) -> None:
    make_due(redis)
    (seen,) = due(redis)
    SCHEDULES.delete_schedule("s").run(redis)
    with writes(redis) as written:
        assert not tick_as_seen(redis, seen)
    assert written == set()


def test_a_tick_that_is_passed_over_leaves_no_job(redis: Redis) -> None:
    at = make_due(redis)
    assert tick(redis, passed_over=True)
    assert jobs_of(redis) == []
    assert get_schedule(redis).last_run_at is None
    assert redis.zscore(KEYS.schedules, "s") == at + HOUR


def test_a_tick_stays_due_while_nothing_more_is_taken_in(redis: Redis) -> None:
    at = make_due(redis)
    redis.set(KEYS.budget, 1)
    redis.set(KEYS.full, "it is full", ex=10)
    with writes(redis) as written, pytest.raises(QueueFull, match="it is full"):
        tick(redis)
    assert written == set()
    assert redis.zscore(KEYS.schedules, "s") == at


def test_the_list_of_jobs_goes_with_the_jobs(redis: Redis) -> None:
    make_due(redis)
    tick(redis)
    (job_id,) = jobs_of(redis)
    assert record(redis, job_id)["schedule"] == "s"
    STORE.delete_job(job_id).run(redis)
    assert jobs_of(redis) == []
    assert not redis.exists(KEYS.schedule_jobs("s"))
