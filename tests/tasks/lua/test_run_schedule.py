"""``run_schedule.lua``: a schedule's job is enqueued now, and its ticks stay as they are."""

import pytest
from redis import Redis

from support.jobs import KEYS, get, writes
from support.schedules import SCHEDULES, a_schedule, get_schedule, jobs_of
from taskengine.errors import QueueFull, ScheduleNotFound
from taskengine.jobs import TaskInfo
from taskengine.scripts import Value


def row(redis: Redis) -> list[Value]:
    return get_schedule(redis).row("s", TaskInfo(name="t", args_schema={}, queue="q"), tick_ms=None)


def test_it_enqueues_a_job_of_the_schedule(redis: Redis) -> None:
    a_schedule(redis, args={"x": 1})
    with writes(redis, "run_schedule"):
        SCHEDULES.run_schedule("s", row(redis)).run(redis)
    (job_id,) = jobs_of(redis)
    assert (get(redis, job_id).args, get(redis, job_id).schedule) == ({"x": 1}, "s")
    assert get_schedule(redis).last_job_id == job_id


def test_its_ticks_stay_as_they_are(redis: Redis) -> None:
    before = a_schedule(redis)
    SCHEDULES.run_schedule("s", row(redis)).run(redis)
    after = get_schedule(redis)
    assert (after.next_run_at, after.last_run_at) == (before.next_run_at, None)


def test_who_read_the_schedule_before_it_was_changed_enqueues_nothing(redis: Redis) -> None:
    before = a_schedule(redis)
    once = row(redis)
    assert not SCHEDULES.run_schedule("s", once, revision=before.revision + 1).run(redis)
    assert jobs_of(redis) == []
    assert SCHEDULES.run_schedule("s", once, revision=before.revision).run(redis)
    redis.hincrby(KEYS.schedule("s"), "revision", 1)
    assert SCHEDULES.run_schedule("s", once, revision=before.revision).run(redis), "the same call, sent again"
    assert len(jobs_of(redis)) == 1


def test_the_same_call_sent_twice_is_one_job(redis: Redis) -> None:
    a_schedule(redis)
    once = row(redis)
    SCHEDULES.run_schedule("s", once).run(redis)
    SCHEDULES.run_schedule("s", once).run(redis)
    assert len(jobs_of(redis)) == 1


def test_one_that_is_disabled_can_be_run_too(redis: Redis) -> None:
    a_schedule(redis, enabled=False)
    SCHEDULES.run_schedule("s", row(redis)).run(redis)
    assert len(jobs_of(redis)) == 1
    assert not get_schedule(redis).enabled


def test_one_that_is_not_there_cannot(redis: Redis) -> None:
    a_schedule(redis)
    once = row(redis)
    SCHEDULES.delete_schedule("s").run(redis)
    with pytest.raises(ScheduleNotFound):
        SCHEDULES.run_schedule("s", once).run(redis)


def test_nothing_is_enqueued_while_nothing_more_is_taken_in(redis: Redis) -> None:
    a_schedule(redis)
    redis.set(KEYS.budget, 1)
    redis.set(KEYS.full, "it is full", ex=10)
    with pytest.raises(QueueFull):
        SCHEDULES.run_schedule("s", row(redis)).run(redis)
    assert jobs_of(redis) == []
