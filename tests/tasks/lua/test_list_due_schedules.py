"""``list_due_schedules.lua``: what a worker has to tick, by Redis's clock."""

from redis import Redis

from support.jobs import KEYS, now_ms, writes
from support.schedules import SCHEDULES, a_schedule, due, make_due, publish


def test_one_whose_tick_has_come_is_due(redis: Redis) -> None:
    publish(redis)
    a_schedule(redis)
    at = make_due(redis)
    with writes(redis) as written:
        (one,) = due(redis)
    assert written == set()
    assert (one.schedule.name, one.due_ms) == ("s", at)
    assert one.task is not None
    assert one.task.queue == "q"


def test_one_whose_tick_is_to_come_is_not(redis: Redis) -> None:
    a_schedule(redis)
    assert due(redis) == []


def test_one_that_is_disabled_is_not(redis: Redis) -> None:
    a_schedule(redis, enabled=False)
    assert due(redis) == []


def test_one_whose_task_nobody_published_has_none(redis: Redis) -> None:
    a_schedule(redis)
    make_due(redis)
    assert due(redis)[0].task is None


def test_the_longest_due_come_first_and_in_pages(redis: Redis) -> None:
    for number in range(5):
        a_schedule(redis, f"s{number}")
        make_due(redis, f"s{number}", ago_ms=number * 1000)
    before = now_ms(redis)
    now, page = SCHEDULES.list_due_schedules(offset=1, limit=2).run(redis)
    assert [one.schedule.name for one in page] == ["s3", "s2"]
    assert before <= now <= now_ms(redis)


def test_an_entry_without_a_record_is_passed_over(redis: Redis) -> None:
    redis.zadd(KEYS.schedules, {"gone": 1})
    assert due(redis) == []
    redis.delete(KEYS.schedules)
