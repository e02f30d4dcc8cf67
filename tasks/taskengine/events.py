"""What happens to jobs, live: the event stream read once a process, handed to any number of subscribers.

A subscriber that gives a cursor gets every event after it, then what comes;
one that falls too far behind is told where to go on. Knows nothing of who listens.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any, cast

from redis import asyncio as aioredis
from redis.exceptions import RedisError, ResponseError

from taskengine.errors import InvalidInput, RedisUnavailable, TaskEngineError
from taskengine.jobs import JobState, Progress
from taskengine.keys import Keys
from taskengine.records import instant, read_progress, text
from taskengine.scripts import ours

BACKLOG = 1_000
"""A subscriber that has not taken so many events is too slow."""
KEPT = 100_000
"""The stream's cap, as in ``lua/fragments/moves.lua``."""
_PAGE = 500
_BLOCK_MS = 1_000
_PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class StateChanged:
    """A job moved; from ``None`` when it was enqueued."""

    cursor: str
    at: datetime
    job_id: str
    task: str
    queue: str
    from_state: JobState | None
    to_state: JobState
    attempt: int | None
    message: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Progressed:
    """A running job told how far it is."""

    cursor: str
    at: datetime
    job_id: str
    task: str
    queue: str
    progress: Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """A running job said something: ``count`` lines, from ``first`` to ``last`` in its log."""

    cursor: str
    at: datetime
    job_id: str
    task: str
    queue: str
    first: str
    last: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """Somebody deleted a job that had not ended. Records of jobs that had go without a word."""

    cursor: str
    at: datetime
    job_id: str
    task: str
    queue: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsLost:
    """Events after the given cursor are gone: reload, then go on from this cursor."""

    cursor: str
    at: datetime


Event = StateChanged | Progressed | Logged | Deleted | EventsLost


class SlowSubscriber(TaskEngineError):
    """The subscriber fell too far behind and was let go; ``cursor`` is where it can go on."""

    def __init__(self, cursor: str) -> None:
        super().__init__(cursor)
        self.cursor = cursor

    def __str__(self) -> str:
        return f"more than {BACKLOG} events wait for this subscriber; go on after {self.cursor!r}"


class EventFeed:
    """One reader of the stream, started with the first subscriber and stopped with the last."""

    def __init__(self, redis: aioredis.Redis, keys: Keys) -> None:
        self._redis = redis
        self._keys = keys
        self._subscribers: set[_Subscriber] = set()
        self._of_job: dict[str | None, set[_Subscriber]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._cursor = ""
        self._starting = asyncio.Lock()

    async def subscribe(self, after: str | None = None, *, job_id: str | None = None) -> AsyncIterator[Event]:
        """Yield events after a cursor, or from now on: of a job, or all. Who waits for a job's is left alone by others.

        Raises ``SlowSubscriber``, ``RedisUnavailable``.
        """
        if after is not None:
            check_cursor(after)
        subscriber = _Subscriber(job_id)
        live_from = await self._join(subscriber)
        seen = live_from if after is None else after
        try:
            if after is not None:
                async for event in self.past(after, live_from, job_id=job_id):
                    seen = event.cursor
                    yield event
            while True:
                event = await subscriber.next()
                # A cursor may be ahead of the reader. When events were lost, it goes on from an earlier one.
                if isinstance(event, EventsLost) or is_after(event.cursor, seen):
                    seen = event.cursor
                    yield event
        finally:
            await self._leave(subscriber)

    async def close(self) -> None:
        """Stop reading; subscribers are not told."""
        reader, self._reader = self._reader, None
        while reader is not None and not reader.done():
            # More than once: before Python 3.12 asyncio.wait_for, on which redis-py sends, can lose a cancellation.
            reader.cancel()
            await asyncio.wait({reader}, timeout=0.05)
        if reader is not None and not reader.cancelled():
            reader.exception()  # its subscribers were told

    async def _join(self, subscriber: "_Subscriber") -> str:
        async with self._starting:
            if self._reader is None or self._reader.done():
                self._cursor = await self.newest()
                self._reader = asyncio.create_task(self._read(), name="taskengine-events")
            self._subscribers.add(subscriber)
            self._of_job.setdefault(subscriber.job_id, set()).add(subscriber)
            return self._cursor

    async def _leave(self, subscriber: "_Subscriber") -> None:
        self._subscribers.discard(subscriber)
        others = self._of_job.get(subscriber.job_id, set())
        others.discard(subscriber)
        if not others:
            self._of_job.pop(subscriber.job_id, None)
        if not self._subscribers:
            await self.close()

    async def newest(self) -> str:
        """Return the cursor of the newest event: behind it is only what is still to come."""
        try:
            newest: Any = await self._redis.xrevrange(self._keys.events, count=1)
        except RedisError as error:
            raise ours(error) from None
        return text(newest[0][0]) if newest else "0-0"

    async def _read(self) -> None:
        """Hand on what comes. When Redis is away, wait and go on after the last cursor: nothing is missed.

        A Redis that came back, or one that is quiet, is asked whether the cursor still means something there.
        """
        doubt = False
        try:
            while True:
                try:
                    if doubt and (lost := await gap(self._redis, self._keys, self._cursor)) is not None:
                        self._hand_on(lost)
                    reply: Any = await self._redis.xread(
                        {self._keys.events: self._cursor}, count=_PAGE, block=_BLOCK_MS
                    )
                    doubt = not reply
                except (RedisError, RedisUnavailable):
                    doubt = True
                    await asyncio.sleep(_PAUSE_SECONDS)
                    continue
                if self._reader is not asyncio.current_task():
                    return  # closed, see there
                for entry_id, fields in _entries(reply):
                    self._hand_on(read_event(text(entry_id), fields))
        except Exception as error:
            for subscriber in self._subscribers:
                subscriber.fail(error)
            raise

    def _hand_on(self, event: Event) -> None:
        self._cursor = event.cursor
        if isinstance(event, EventsLost):
            concerned = [self._subscribers]
        else:
            concerned = [self._of_job.get(None, ()), self._of_job.get(event.job_id, ())]
        for subscriber in chain.from_iterable(concerned):
            subscriber.put(event)

    async def past(self, after: str, until: str, *, job_id: str | None = None) -> AsyncIterator[Event]:
        """Yield what there is between two cursors, the second included: of a job, or of all."""
        lost = await gap(self._redis, self._keys, after)
        if lost is not None:
            yield lost
        cursor = after
        while is_after(until, cursor):
            try:
                page: Any = await self._redis.xrange(self._keys.events, f"({cursor}", until, count=_PAGE)
            except RedisError as error:
                raise ours(error) from None
            for entry_id, fields in page:
                cursor = text(entry_id)
                event = read_event(cursor, fields)
                if job_id is None or isinstance(event, EventsLost) or event.job_id == job_id:
                    yield event
            if len(page) < _PAGE:
                return


async def gap(redis: aioredis.Redis, keys: Keys, after: str) -> EventsLost | None:
    """Tell whether events after the cursor are gone: trimmed away, or Redis lost its memory."""
    try:
        info: Any = await redis.xinfo_stream(keys.events)
        first = info["first-entry"]
    except ResponseError:  # there is no stream
        return None if after == "0-0" else EventsLost(cursor="0-0", at=_at(after))
    except RedisError as error:
        raise ours(error) from None
    newest = text(info["last-generated-id"])
    if is_after(after, newest):
        return EventsLost(cursor=newest, at=_at(newest))
    # Trimming starts at the cap and never goes below it, so a shorter stream has lost nothing.
    if first is not None and info["length"] >= KEPT and is_after(edge := before(text(first[0])), after):
        return EventsLost(cursor=edge, at=_at(text(first[0])))
    return None


class _Subscriber:
    __slots__ = ("_events", "_last", "_overflow", "job_id")

    def __init__(self, job_id: str | None) -> None:
        self.job_id = job_id
        self._events: asyncio.Queue[Event | Exception] = asyncio.Queue()
        self._overflow = False
        self._last = "0-0"

    def put(self, event: Event) -> None:
        # After the first event that did not fit none is taken, so that nothing is missing in between.
        self._overflow = self._overflow or self._events.qsize() >= BACKLOG
        if not self._overflow:
            self._events.put_nowait(event)

    async def next(self) -> Event:
        if self._overflow and self._events.empty():
            raise SlowSubscriber(self._last)
        event = await self._events.get()
        if isinstance(event, Exception):
            raise event
        self._last = event.cursor
        return event

    def fail(self, error: Exception) -> None:
        self._events.put_nowait(error)


def _entries(reply: Any) -> list[tuple[Any, Any]]:
    """The entries of one stream, as RESP2 (a list) or RESP3 (a map) gives them."""
    if not reply:
        return []
    if isinstance(reply, dict):
        by_stream = cast("dict[Any, list[list[tuple[Any, Any]]]]", reply)
        return [entry for batches in by_stream.values() for batch in batches for entry in batch]
    return [entry for _, entries in reply for entry in entries]


def read_event(cursor: str, fields: dict[Any, Any]) -> Event:
    """Read an entry of the stream."""
    data = {text(name): text(value) for name, value in fields.items()}
    if data["kind"] == "PROGRESS":
        return Progressed(
            cursor=cursor,
            at=_at(cursor),
            job_id=data["job"],
            task=data["task"],
            queue=data["queue"],
            progress=read_progress(json.loads(data["data"])),
        )
    if data["kind"] == "DELETED":
        return Deleted(cursor=cursor, at=_at(cursor), job_id=data["job"], task=data["task"], queue=data["queue"])
    if data["kind"] == "LOG":
        return Logged(
            cursor=cursor,
            at=_at(cursor),
            job_id=data["job"],
            task=data["task"],
            queue=data["queue"],
            first=data["first"],
            last=data["last"],
            count=int(data["count"]),
        )
    return StateChanged(
        cursor=cursor,
        at=_at(cursor),
        job_id=data["job"],
        task=data["task"],
        queue=data["queue"],
        from_state=JobState(data["from"]) if data["from"] else None,
        to_state=JobState(data["to"]),
        attempt=int(data["attempt"]) or None,
        message=data["message"] or None,
    )


def check_cursor(cursor: str, path: tuple[str, ...] = ("after",)) -> None:
    """Raise ``InvalidInput`` if no event can have that cursor."""
    parts = cursor.split("-") if len(cursor) <= 41 and cursor.isascii() else []
    if len(parts) != 2 or not all(part.isdecimal() and int(part) < 2**64 for part in parts):
        raise InvalidInput(path, f"expected a cursor that an event had, got {cursor[:40]!r}")


def _order(cursor: str) -> tuple[int, int]:
    ms, _, number = cursor.partition("-")
    return int(ms), int(number or 0)


def is_after(cursor: str, other: str) -> bool:
    """Whether an event with this cursor came later than one with the other."""
    return _order(cursor) > _order(other)


def before(cursor: str) -> str:
    """Return the cursor after which this one is the next that there can be."""
    ms, number = _order(cursor)
    return f"{ms}-{number - 1}" if number else f"{ms - 1}-{2**64 - 1}"


def _at(cursor: str) -> datetime:
    return instant(_order(cursor)[0])
