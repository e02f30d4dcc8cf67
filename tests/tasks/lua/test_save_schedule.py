"""``save_schedule.lua``: a schedule is made, or changed while it is still as the caller read it."""

import pytest
from redis import Redis

from support.jobs import KEYS, now_ms, writes
from support.schedules import HOUR, SCHEDULES, a_definition, a_schedule, get_schedule, make_due
from taskengine.errors import ScheduleNotFound
from taskengine.schedule_store import Saved
from taskengine.schedules import Definition


def save(redis: Redis, definition: Definition, revision: int | None, *, enabled: bool = True) -> Saved:
    call = SCHEDULES.save_schedule("s", definition, revision=revision, enabled=enabled, next_ms=HOUR)
    return call.run(redis)


def test_a_new_schedule_is_there_with_its_next_tick(redis: Redis) -> None:
    with writes(redis, "save_schedule") as written:
        a_schedule(redis, args={"x": [1]}, cron="30 2 * * *", timezone="Europe/Berlin")
    schedule = get_schedule(redis)
    assert written == {"schedule:s", "schedules"}
    assert (schedule.args, schedule.cron, schedule.timezone) == ({"x": [1]}, "30 2 * * *", "Europe/Berlin")
    assert schedule.next_run_at is not None
    assert redis.zscore(KEYS.schedules, "s") == schedule.next_run_at.timestamp() * 1000 > now_ms(redis)


def test_one_that_is_not_enabled_has_no_next_tick(redis: Redis) -> None:
    assert a_schedule(redis, enabled=False).next_run_at is None
    assert redis.zscore(KEYS.schedules, "s") == float("inf")


def test_another_of_the_same_name_is_refused(redis: Redis) -> None:
    a_schedule(redis)
    with writes(redis) as written:
        assert save(redis, a_definition(every_seconds=60), None) is Saved.NOT_AS_READ
    assert written == set()


def test_the_same_call_sent_twice_is_no_error(redis: Redis) -> None:
    a_schedule(redis)
    with writes(redis) as written:
        assert save(redis, a_definition(), None) is Saved.YES
    assert written == set()


def test_a_change_raises_the_revision(redis: Redis) -> None:
    revision = a_schedule(redis).revision
    assert save(redis, a_definition(every_seconds=60), revision) is Saved.YES
    assert get_schedule(redis).every_seconds == 60
    assert get_schedule(redis).revision == revision + 1


def test_a_change_of_what_was_changed_meanwhile_is_refused(redis: Redis) -> None:
    revision = a_schedule(redis).revision
    save(redis, a_definition(every_seconds=60), revision)
    assert save(redis, a_definition(every_seconds=90), revision) is Saved.NOT_AS_READ
    assert get_schedule(redis).every_seconds == 60


def test_a_change_forgets_what_was_due(redis: Redis) -> None:
    a_schedule(redis)
    make_due(redis, ago_ms=1000)
    save(redis, a_definition(), 1)
    assert redis.zscore(KEYS.schedules, "s") == HOUR


def test_what_is_gone_cannot_be_changed(redis: Redis) -> None:
    with pytest.raises(ScheduleNotFound, match="there is no schedule 's'"):
        save(redis, a_definition(), 1)


def test_there_are_at_most_a_thousand(redis: Redis) -> None:
    redis.zadd(KEYS.schedules, {f"s{number}": 1 for number in range(1000)})
    assert save(redis, a_definition(), None) is Saved.TOO_MANY
    redis.delete(KEYS.schedules)
