"""``delete_schedule.lua``: a schedule is removed, unless the code of a worker declares it."""

import pytest
from redis import Redis

from support.jobs import KEYS, STORE, find, writes
from support.schedules import SCHEDULES, a_schedule, declare, find_schedule, jobs_of, make_due, publish, tick
from taskengine.errors import ScheduleDeclared, ScheduleNotFound


def delete(redis: Redis) -> int:
    return SCHEDULES.delete_schedule("s").run(redis)


def test_it_is_gone(redis: Redis) -> None:
    a_schedule(redis)
    with writes(redis, "delete_schedule") as written:
        assert delete(redis) == 1
    assert written == {"schedule:s", "schedules"}
    assert find_schedule(redis) is None
    assert redis.zcard(KEYS.schedules) == 0


def test_its_jobs_stay(redis: Redis) -> None:
    publish(redis)
    a_schedule(redis)
    make_due(redis)
    tick(redis)
    delete(redis)
    (job_id,) = jobs_of(redis)
    job = find(redis, job_id)
    assert job is not None
    assert job.schedule == "s"


def test_one_that_is_not_there_cannot_be_deleted(redis: Redis) -> None:
    with pytest.raises(ScheduleNotFound):
        delete(redis)


def test_one_that_code_declares_cannot_be_deleted(redis: Redis) -> None:
    publish(redis)
    declare(redis, "s")
    with writes(redis) as written, pytest.raises(ScheduleDeclared, match="disable it, or remove it from the code"):
        delete(redis)
    assert written == set()


def test_one_that_no_code_declares_any_more_can(redis: Redis) -> None:
    publish(redis, worker="old")
    declare(redis, "s", worker="old")
    publish(redis, worker="new")
    STORE.forget_workers("old").run(redis)
    declare(redis, worker="new")
    assert delete(redis) == 1


def test_one_whose_workers_are_all_away_can(redis: Redis) -> None:
    publish(redis)
    declare(redis, "s")
    STORE.forget_workers("w").run(redis)
    assert delete(redis) == 1
