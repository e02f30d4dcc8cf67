"""``list_failure_groups.lua``: pages of groups, those that failed last first."""

import pytest
from redis import Redis

from support.failing import FAILURES, a_failed_job
from support.jobs import KEYS, writes
from taskengine.failures import FailureGroupPage


def page(redis: Redis, *, cursor: int | None = None, limit: int = 10, backward: bool = False) -> FailureGroupPage:
    return FAILURES.list_groups(cursor=cursor, limit=limit, backward=backward).run(redis)


def names(page: FailureGroupPage) -> str:
    return "".join(group.exception for group in page.groups)


@pytest.fixture
def groups(redis: Redis) -> None:
    """Groups with exceptions a to e, e failed last."""
    for exception in "abcde":
        a_failed_job(redis, exception, exception=exception)


def test_without_failures_there_are_none(redis: Redis) -> None:
    assert page(redis) == FailureGroupPage(groups=(), has_next=False, has_previous=False, total=0)


@pytest.mark.usefixtures("groups")
def test_those_that_failed_last_come_first(redis: Redis) -> None:
    assert names(page(redis)) == "edcba"


@pytest.mark.usefixtures("groups")
def test_one_that_fails_again_comes_to_the_front(redis: Redis) -> None:
    a_failed_job(redis, "again", exception="b")
    assert names(page(redis)) == "bedca"


@pytest.mark.usefixtures("groups")
def test_pages_go_on_behind_a_cursor(redis: Redis) -> None:
    first = page(redis, limit=2)
    second = page(redis, cursor=first.groups[-1].order, limit=2)
    third = page(redis, cursor=second.groups[-1].order, limit=2)
    assert [names(found) for found in (first, second, third)] == ["ed", "cb", "a"]
    assert [found.has_next for found in (first, second, third)] == [True, True, False]
    assert [found.has_previous for found in (first, second, third)] == [False, True, True]
    assert first.total == 5


@pytest.mark.usefixtures("groups")
def test_pages_go_backward_too(redis: Redis) -> None:
    last = page(redis, limit=2, backward=True)
    before = page(redis, cursor=last.groups[0].order, limit=2, backward=True)
    begin = page(redis, cursor=before.groups[0].order, limit=2, backward=True)
    assert [names(found) for found in (begin, before, last)] == ["e", "dc", "ba"]
    assert [found.has_previous for found in (begin, before, last)] == [False, True, True]
    assert [found.has_next for found in (begin, before, last)] == [True, True, False]


@pytest.mark.usefixtures("groups")
def test_one_that_expired_meanwhile_is_left_out(redis: Redis) -> None:
    gone = page(redis).groups[0].id
    redis.delete(KEYS.failure(gone))
    assert names(page(redis)) == "dcba"
    redis.zrem(KEYS.failures, gone)


@pytest.mark.usefixtures("groups")
def test_looking_changes_nothing(redis: Redis) -> None:
    with writes(redis, "list_failure_groups") as written:
        page(redis)
    assert written == set()
