"""``list_schedules.lua``: schedules by name, or all."""

from redis import Redis

from support.jobs import writes
from support.schedules import SCHEDULES, a_schedule


def names(redis: Redis, *wanted: str) -> list[str]:
    return [schedule.name for schedule in SCHEDULES.list_schedules(wanted).run(redis)]


def test_all_are_listed_by_name(redis: Redis) -> None:
    for name, seconds in (("b", 60), ("a", 3600), ("c", 1)):
        a_schedule(redis, name, every_seconds=seconds)
    with writes(redis) as written:
        assert names(redis) == ["a", "b", "c"]
    assert written == set()


def test_those_that_are_disabled_are_too(redis: Redis) -> None:
    a_schedule(redis, enabled=False)
    assert names(redis) == ["s"]


def test_some_are_found_by_name(redis: Redis) -> None:
    a_schedule(redis, "a")
    a_schedule(redis, "b")
    assert names(redis, "b", "gone") == ["b"]


def test_where_there_are_none_none_are_listed(redis: Redis) -> None:
    assert names(redis) == []
