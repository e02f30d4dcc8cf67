"""What happened to one job: found among what happened to all, by page, and honest about what is gone."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from redis import Redis

from support.jobs import KEYS, QUEUED, a_job, a_running_job, enqueue, finish, get
from taskengine import Client, InvalidInput, event_pages
from taskengine import events as events_module
from taskengine.event_pages import EventPage
from taskengine.events import EventsLost, StateChanged


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Client]:
    client = Client(redis_url, namespace="test")
    yield client
    await client.close()


async def page(client: Client, redis: Redis, job_id: str = "j1", **asked: Any) -> EventPage:
    return await client.list_job_events(get(redis, job_id), **asked)


def states(found: EventPage) -> list[str]:
    return [event.to_state for event in found.events if isinstance(event, StateChanged)]


def others(redis: Redis, count: int, name: str = "other") -> None:
    enqueue(redis, *(f"{name}{number}" for number in range(count)), priority=1)


async def test_events_of_others_are_left_out(client: Client, redis: Redis) -> None:
    others(redis, 3, "before")
    job = a_running_job(redis)
    others(redis, 3, "between")
    finish(redis, job)
    others(redis, 3, "after")
    found = await page(client, redis)
    assert states(found) == ["QUEUED", "RUNNING", "COMPLETED"]
    assert (found.has_next, found.has_previous) == (False, False)


async def test_pages_go_on_behind_the_last_event(client: Client, redis: Redis) -> None:
    finish(redis, a_running_job(redis))
    first = await page(client, redis, limit=2)
    assert (states(first), first.has_next, first.end) == (["QUEUED", "RUNNING"], True, first.events[-1].cursor)
    second = await page(client, redis, limit=2, after=first.end)
    assert (states(second), second.has_next, second.has_previous) == (["COMPLETED"], False, True)


async def test_pages_go_back_from_the_end(client: Client, redis: Redis) -> None:
    finish(redis, a_running_job(redis))
    last = await page(client, redis, limit=2, backward=True)
    assert (states(last), last.has_previous, last.has_next) == (["RUNNING", "COMPLETED"], True, False)
    everything = await page(client, redis, until=last.start, backward=True)
    assert (states(everything), everything.has_previous) == (["QUEUED", "RUNNING"], False)


async def test_a_look_that_ends_early_says_where_to_go_on(
    client: Client, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_pages, "LOOKED_AT", 5)
    job = a_running_job(redis)
    others(redis, 7)
    finish(redis, job)
    first = await page(client, redis)
    assert (states(first), first.has_next) == (["QUEUED", "RUNNING"], True)
    second = await page(client, redis, after=first.end)
    assert (states(second), second.has_next) == (["COMPLETED"], True)
    third = await page(client, redis, after=second.end)
    assert (states(third), third.has_next) == ([], False)
    back = await page(client, redis, backward=True)
    assert (states(back), back.has_previous) == (["COMPLETED"], True)
    back = await page(client, redis, until=back.start, backward=True)
    back = await page(client, redis, until=back.start, backward=True)
    assert (states(back), back.has_previous) == (["QUEUED", "RUNNING"], False)


async def test_a_look_that_finds_nothing_goes_on_too(
    client: Client, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_pages, "LOOKED_AT", 3)
    job = a_running_job(redis)
    others(redis, 7)
    finish(redis, job)
    found: list[str] = []
    after, more = None, True
    while more:
        one = await page(client, redis, after=after)
        found += states(one)
        after, more = one.end or after, one.has_next
    assert found == ["QUEUED", "RUNNING", "COMPLETED"]


@pytest.mark.parametrize("backward", [False, True])
async def test_what_is_gone_is_told(
    client: Client, redis: Redis, monkeypatch: pytest.MonkeyPatch, *, backward: bool
) -> None:
    monkeypatch.setattr(events_module, "KEPT", 3)
    job = a_running_job(redis)
    others(redis, 2)
    finish(redis, job)
    ((cursor, _),) = redis.xrange(KEYS.events, count=1)
    redis.xdel(KEYS.events, cursor)
    redis.xtrim(KEYS.events, maxlen=3, approximate=False)
    found = await page(client, redis, backward=backward)
    assert isinstance(found.events[0], EventsLost)
    assert states(found) == ["COMPLETED"]


async def test_a_cursor_that_no_event_had_is_refused(client: Client, redis: Redis) -> None:
    a_job(redis, QUEUED)
    for asked in ({"after": "x"}, {"until": "1-18446744073709551616"}):
        with pytest.raises(InvalidInput):
            await page(client, redis, **asked)
