"""What happens to jobs, live: each event once, from a cursor on, whoever is slow and whatever dies."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from itertools import pairwise
from typing import Any

import pytest
from redis import Redis

from support.jobs import (
    KEYS,
    STORE,
    a_running_job,
    enqueue,
    finish,
    now_ms,
    register,
    take,
)
from support.redis_server import RedisServer
from support.waiting import until
from taskengine import Client, InvalidInput
from taskengine import events as events_module
from taskengine.errors import RedisUnavailable
from taskengine.events import Event, EventsLost, Progressed, SlowSubscriber, StateChanged
from taskengine.jobs import JobState
from taskengine.store import Ending


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Client]:
    client = Client(redis_url, namespace="test")
    yield client
    await client.close()


@pytest.fixture
async def durable(durable_redis: RedisServer) -> AsyncIterator[Client]:
    """A client of a Redis that can be killed and loses nothing that it acknowledged."""
    with durable_redis.client() as redis:
        redis.config_set("appendfsync", "always")
    client = Client(durable_redis.url, namespace="test")
    yield client
    await client.close()


async def next_of(events: AsyncIterator[Event], count: int) -> list[Event]:
    async with asyncio.timeout(15):
        return [await anext(events) for _ in range(count)]


def ids(events: list[Event]) -> list[str]:
    return [event.job_id for event in events if not isinstance(event, EventsLost)]


async def told_before(client: Client, cursor: str) -> list[Event]:
    """The events up to a cursor."""
    entries: Any = await client._redis.xrange(KEYS.events, max=cursor)
    return [events_module.read_event(entry_id, fields) for entry_id, fields in entries]


async def listening(client: Client, count: int = 1) -> None:
    """Wait until so many subscribers are there."""

    async def joined() -> bool:
        return len(client._feed._subscribers) == count

    await until(joined)


async def collect(client: Client, count: int, after: str | None = None) -> list[Event]:
    async with aclosing(client.events(after=after)) as events:
        return await next_of(events, count)


# What is told


async def test_a_move_is_told_with_all_that_belongs_to_it(client: Client, redis: Redis) -> None:
    before = now_ms(redis)
    finish(redis, a_running_job(redis), Ending.FAILED)
    queued, running, failed = await collect(client, 3, after="0-0")
    assert isinstance(failed, StateChanged)
    assert (failed.job_id, failed.task, failed.queue) == ("j1", "t", "q")
    assert (failed.from_state, failed.to_state) == (JobState.RUNNING, JobState.FAILED)
    assert (failed.attempt, failed.message) == (1, "ValueError: as told")
    assert before <= failed.at.timestamp() * 1000 <= now_ms(redis)
    assert isinstance(queued, StateChanged)
    assert (queued.from_state, queued.attempt, queued.message) == (None, None, None)
    assert isinstance(running, StateChanged)


async def test_progress_is_told(client: Client, redis: Redis) -> None:
    job = a_running_job(redis)
    STORE.report_progress([(job.id, job.lease, '{"current":1,"total":4,"message":"one"}')]).run(redis)
    told = (await collect(client, 3, after="0-0"))[-1]
    assert isinstance(told, Progressed)
    assert (told.job_id, told.task, told.queue) == ("j1", "t", "q")
    assert (told.progress.current, told.progress.total, told.progress.message) == (1, 4, "one")


# From when


async def test_without_a_cursor_it_begins_now(client: Client, redis: Redis) -> None:
    enqueue(redis, "before")
    listener = asyncio.create_task(collect(client, 1))
    await listening(client)
    enqueue(redis, "after")
    assert ids(await listener) == ["after"]


async def test_after_a_cursor_come_those_that_were_missed_then_live_ones(client: Client, redis: Redis) -> None:
    enqueue(redis, "a", "b", "c")
    (first,) = await collect(client, 1, after="0-0")
    listener = asyncio.create_task(collect(client, 4, after=first.cursor))
    await listening(client)
    enqueue(redis, "d", "e")
    assert ids(await listener) == ["b", "c", "d", "e"]


async def test_the_newest_cursor_is_a_place_to_begin(client: Client, redis: Redis) -> None:
    assert await client.newest_cursor() == "0-0"
    enqueue(redis, "before")
    cursor = await client.newest_cursor()
    enqueue(redis, "after")
    assert ids(await collect(client, 1, after=cursor)) == ["after"]


async def test_every_event_has_a_later_cursor(client: Client, redis: Redis) -> None:
    enqueue(redis, *"abcdef")
    cursors = [event.cursor for event in await collect(client, 6, after="0-0")]
    assert all(events_module.is_after(later, earlier) for earlier, later in pairwise(cursors))


async def test_whoever_reconnects_after_each_event_sees_each_once(client: Client, redis: Redis) -> None:
    names = [f"j{number}" for number in range(20)]
    seen: list[str] = []
    cursor = "0-0"
    for name in names:
        enqueue(redis, name)
        (event,) = await collect(client, 1, after=cursor)
        cursor = event.cursor
        seen += ids([event])
    assert seen == names


async def test_more_than_a_page_can_be_missed(client: Client, redis: Redis) -> None:
    names = [f"j{number}" for number in range(1201)]
    enqueue(redis, *names)
    assert ids(await collect(client, 1201, after="0-0")) == names


async def test_nothing_is_lost_or_doubled_while_jobs_keep_coming(client: Client, redis: Redis) -> None:
    names = [f"j{number}" for number in range(600)]

    async def produce() -> None:
        for start in range(0, 600, 10):
            await asyncio.to_thread(enqueue, redis, *names[start : start + 10])

    async def follow() -> list[str]:
        """Reconnect after every 37th event."""
        seen: list[str] = []
        cursor = "0-0"
        while len(seen) < 600:
            got = await collect(client, min(37, 600 - len(seen)), after=cursor)
            cursor = got[-1].cursor
            seen += ids(got)
        return seen

    seen, _ = await asyncio.gather(follow(), produce())
    assert seen == names


async def test_a_cursor_ahead_of_the_reader_skips_what_was_before_it(client: Client, redis: Redis) -> None:
    live = asyncio.create_task(collect(client, 3))
    await listening(client)
    client._feed._cursor = "0-0"  # as if the reader were far behind
    enqueue(redis, "a", "b")
    cursor = await client.newest_cursor()
    later = asyncio.create_task(collect(client, 1, after=cursor))
    enqueue(redis, "c")
    assert ids(await later) == ["c"]
    assert ids(await live)[0] == "a"


@pytest.mark.parametrize("cursor", ["", "x", "1", "1-", "-1", "1-x", "1-1-1", " 1-1", "9" * 50 + "-1"])
async def test_what_is_no_cursor_is_refused(client: Client, cursor: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await anext(client.events(after=cursor))
    assert caught.value.path == ("after",)


# Many subscribers


async def test_every_subscriber_gets_every_event(client: Client, redis: Redis) -> None:
    listeners = [asyncio.create_task(collect(client, 2)) for _ in range(5)]
    await listening(client, 5)
    enqueue(redis, "a", "b")
    assert [ids(await listener) for listener in listeners] == [["a", "b"]] * 5


async def test_however_many_listen_one_reads(client: Client, redis: Redis) -> None:
    before = redis.info("clients")["blocked_clients"]
    listeners = [asyncio.create_task(collect(client, 1)) for _ in range(20)]
    await listening(client, 20)

    async def blocked() -> bool:
        return redis.info("clients")["blocked_clients"] == before + 1

    await until(blocked)
    enqueue(redis, "a")
    await asyncio.gather(*listeners)


async def test_the_reader_ends_with_the_last_subscriber(client: Client, redis: Redis) -> None:
    listener = asyncio.create_task(collect(client, 1))
    await listening(client)
    reader = client._feed._reader
    enqueue(redis, "a")
    await listener
    assert client._feed._reader is None
    assert reader is not None
    assert reader.done()


async def test_a_new_subscriber_after_the_last_one_left_begins_now(client: Client, redis: Redis) -> None:
    enqueue(redis, "a")
    await collect(client, 1, after="0-0")
    enqueue(redis, "b")
    listener = asyncio.create_task(collect(client, 1))
    await listening(client)
    enqueue(redis, "c")
    assert ids(await listener) == ["c"]


async def test_one_that_leaves_does_not_disturb_the_others(client: Client, redis: Redis) -> None:
    stays = asyncio.create_task(collect(client, 2))
    leaves = asyncio.create_task(collect(client, 99))
    await listening(client, 2)
    enqueue(redis, "a")
    leaves.cancel()
    await listening(client, 1)
    enqueue(redis, "b")
    assert ids(await stays) == ["a", "b"]


# Slow subscribers


@pytest.fixture
def _a_backlog_of_ten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(events_module, "BACKLOG", 10)


async def overflowed(client: Client) -> None:
    """Wait until the one subscriber has missed an event."""

    async def missed() -> bool:
        (subscriber,) = client._feed._subscribers
        return subscriber._overflow

    await until(missed)


async def until_let_go(events: AsyncIterator[Event]) -> tuple[list[Event], SlowSubscriber]:
    """What a subscriber still gets, and what it is told then."""
    got: list[Event] = []
    try:
        async with asyncio.timeout(15):
            async for event in events:
                got.append(event)
                await asyncio.sleep(0)
    except SlowSubscriber as end:
        return got, end
    raise AssertionError("the events ended")


@pytest.mark.usefixtures("_a_backlog_of_ten")
async def test_one_that_falls_too_far_behind_is_let_go_and_can_go_on_without_loss(client: Client, redis: Redis) -> None:
    names = [f"j{number}" for number in range(30)]
    async with aclosing(client.events()) as events:
        first = asyncio.ensure_future(anext(events))
        await listening(client)
        enqueue(redis, *names)
        got = [await first]
        await overflowed(client)
        more, end = await until_let_go(events)
    got += more
    assert str(end) == f"more than 10 events wait for this subscriber; go on after {got[-1].cursor!r}"
    rest = await collect(client, len(names) - len(got), after=end.cursor)
    assert ids(got) + ids(rest) == names


@pytest.mark.usefixtures("_a_backlog_of_ten")
async def test_what_a_slow_one_gets_before_it_is_let_go_has_no_hole(client: Client, redis: Redis) -> None:
    names = [f"j{number}" for number in range(40)]
    async with aclosing(client.events()) as events:
        first = asyncio.ensure_future(anext(events))
        await listening(client)
        enqueue(redis, *names[:20])
        got = [await first]
        await overflowed(client)
        got.append(await anext(events))  # there is room for one again
        enqueue(redis, *names[20:])
        more, end = await until_let_go(events)
    got += more
    assert ids(got) == names[: len(got)]
    assert end.cursor == got[-1].cursor


@pytest.mark.usefixtures("_a_backlog_of_ten")
async def test_a_slow_one_does_not_slow_the_others(client: Client, redis: Redis) -> None:
    slow = client.events()
    pending = asyncio.ensure_future(anext(slow))
    quick = asyncio.create_task(collect(client, 50))
    await listening(client, 2)
    for number in range(50):
        await asyncio.to_thread(enqueue, redis, f"j{number}")
    assert len(await quick) == 50
    await pending
    await slow.aclose()  # pyright: ignore[reportAttributeAccessIssue]


# Events that are gone


def trim(redis: Redis, keep: int) -> None:
    redis.xtrim(KEYS.events, maxlen=keep, approximate=False)


async def test_whoever_asks_for_events_that_were_trimmed_is_told_and_goes_on(
    client: Client, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueue(redis, *"abcdef")
    (first,) = await collect(client, 1, after="0-0")
    trim(redis, 3)
    monkeypatch.setattr(events_module, "KEPT", 3)
    lost, *rest = await collect(client, 4, after=first.cursor)
    assert isinstance(lost, EventsLost)
    assert ids(rest) == ["d", "e", "f"]
    assert ids(await collect(client, 3, after=lost.cursor)) == ["d", "e", "f"]


async def test_nothing_is_lost_for_whoever_has_seen_what_was_trimmed(
    client: Client, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueue(redis, *"abcdef")
    told = await collect(client, 6, after="0-0")
    trim(redis, 3)
    monkeypatch.setattr(events_module, "KEPT", 3)
    assert ids(await collect(client, 2, after=told[3].cursor)) == ["e", "f"]


async def test_a_cursor_that_redis_has_not_reached_is_told_and_goes_on(client: Client, redis: Redis) -> None:
    enqueue(redis, "a")
    newest = await client.newest_cursor()
    listener = asyncio.create_task(collect(client, 2, after="9999999999999-0"))
    await listening(client)
    await asyncio.sleep(0)
    enqueue(redis, "b")
    lost, event = await listener
    assert isinstance(lost, EventsLost)
    assert not events_module.is_after(newest, lost.cursor)
    assert ids([event]) == ["b"]


async def test_a_cursor_where_there_is_no_stream_at_all_is_told(client: Client, redis: Redis) -> None:
    listener = asyncio.create_task(collect(client, 2, after="1700000000000-0"))
    await listening(client)
    enqueue(redis, "a")
    lost, event = await listener
    assert isinstance(lost, EventsLost)
    assert lost.cursor == "0-0"
    assert ids([event]) == ["a"]


async def test_the_beginning_of_an_empty_stream_has_lost_nothing(client: Client, redis: Redis) -> None:
    listener = asyncio.create_task(collect(client, 1, after="0-0"))
    await listening(client)
    enqueue(redis, "a")
    assert ids(await listener) == ["a"]


# Redis dies under a subscriber


async def test_a_subscriber_outlives_a_redis_that_comes_back(durable: Client, durable_redis: RedisServer) -> None:
    listener = asyncio.create_task(collect(durable, 4))
    await listening(durable)
    with durable_redis.client() as redis:
        enqueue(redis, "a", "b")
    await seen_by(durable, 2)
    await asyncio.to_thread(durable_redis.kill)
    await asyncio.to_thread(durable_redis.restart)
    with durable_redis.client() as redis:
        enqueue(redis, "c", "d")
    assert ids(await listener) == ["a", "b", "c", "d"]


async def seen_by(client: Client, count: int) -> None:
    """Wait until the reader is behind so many events."""

    async def read() -> bool:
        return client._feed._cursor != "0-0" and len(await told_before(client, client._feed._cursor)) == count

    await until(read)


@pytest.mark.parametrize("after", [None, "0-0"])
async def test_a_subscriber_is_told_when_redis_lost_its_memory(client: Client, redis: Redis, after: str | None) -> None:
    listener = asyncio.create_task(collect(client, 3, after=after))
    await listening(client)
    enqueue(redis, "a")
    await seen_by(client, 1)
    redis.flushall()
    first, lost, last = await listener_gets(listener, client, redis)
    assert isinstance(lost, EventsLost)
    assert lost.cursor == "0-0"
    assert ids([first, last]) == ["a", "b"]


async def listener_gets(listener: asyncio.Task[list[Event]], client: Client, redis: Redis) -> list[Event]:
    """Once the reader has noticed that its place is gone, have something new happen."""

    async def noticed() -> bool:
        return client._feed._cursor == "0-0"

    await until(noticed)
    enqueue(redis, "b")
    return await listener


async def test_whoever_begins_while_redis_is_away_is_told(durable: Client, durable_redis: RedisServer) -> None:
    await asyncio.to_thread(durable_redis.kill)
    for after in (None, "0-0"):
        with pytest.raises(RedisUnavailable):
            await anext(durable.events(after=after))


async def test_all_moves_of_a_job_are_told_in_their_order(client: Client, redis: Redis) -> None:
    register(redis)
    enqueue(redis, "j1", max_attempts=2)
    for ending in (Ending.FAILED, Ending.RELEASED, Ending.COMPLETED):
        finish(redis, take(redis).jobs[0], ending, retry_ms=0 if ending is Ending.FAILED else None)
    told = [event.to_state for event in await collect(client, 8, after="0-0") if isinstance(event, StateChanged)]
    assert told == ["QUEUED", "RUNNING", "RETRYING", "QUEUED", "RUNNING", "QUEUED", "RUNNING", "COMPLETED"]


# Many


async def test_who_listens_to_one_job_is_left_alone_by_others(client: Client, redis: Redis) -> None:
    async with aclosing(client.events(job_id="mine")) as mine, aclosing(client.events()) as everything:
        heard = [asyncio.ensure_future(anext(mine)), asyncio.ensure_future(next_of(everything, 6))]
        await listening(client, 2)
        enqueue(redis, *(f"other{number}" for number in range(5)), "mine")
        (first, every) = await asyncio.gather(*heard)
        assert ids([first]) == ["mine"]
        assert len(ids(every)) == 6
        (subscriber,) = client._feed._of_job["mine"]
        assert subscriber._events.empty()
    assert client._feed._of_job == {}


async def test_of_one_job_what_is_past_is_told_too(client: Client, redis: Redis) -> None:
    enqueue(redis, "other", "mine")
    async with aclosing(client.events(after="0-0", job_id="mine")) as events:
        assert ids(await next_of(events, 1)) == ["mine"]


async def test_more_may_come_at_once_than_there_are_connections(client: Client, redis: Redis) -> None:
    enqueue(redis, "j1")
    found = await asyncio.gather(*(client.get_job("j1") for _ in range(300)))
    assert {job.id for job in found if job is not None} == {"j1"}
