"""What happened to one job, by page: a bounded look at the stream of all jobs between the job's creation and its end.

The stream has a cap, and a page looks at so many entries at most; both are told, never hidden.
"""

from dataclasses import dataclass
from typing import Any

from redis import asyncio as aioredis
from redis.exceptions import RedisError

from taskengine.events import Event, gap, is_after, read_event
from taskengine.jobs import Job
from taskengine.keys import Keys
from taskengine.records import ms_of, text
from taskengine.scripts import ours

LOOKED_AT = 2_000
"""Entries of all jobs that one page of a job's events looks at."""
_SLACK_MS = 20
"""Jobs of one batch get instants of creation that run ahead of the clock by some µs each."""
_ENDING_MS = 1_000
"""Before Redis 7 an entry's id is a little later than the instant that its script goes by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPage:
    """Events of one job, oldest first, as far as the look went."""

    events: tuple[Event, ...]
    """Begins with ``EventsLost`` where the first events of the job are gone."""
    has_next: bool
    """There is more to look at: there may be more events of the job in it."""
    has_previous: bool
    start: str | None
    end: str | None
    """Where to go on to either side: the first and last event, or how far the look went without finding more."""


async def read_event_page(
    redis: aioredis.Redis, keys: Keys, job: Job, *, limit: int, after: str | None, until: str | None, backward: bool
) -> EventPage:
    """Return events later than ``after`` and not later than ``until``: the first ones, or ``backward`` the last."""
    begin, lower, upper = _range(job, after, until)
    try:
        if backward:
            entries: Any = await redis.xrevrange(keys.events, upper, lower, count=LOOKED_AT)
        else:
            entries = await redis.xrange(keys.events, lower, upper, count=LOOKED_AT)
    except RedisError as error:
        raise ours(error) from None
    found = [read_event(text(entry_id), fields) for entry_id, fields in entries if text(fields["job"]) == job.id]
    events, reached = found[:limit], None
    if len(found) <= limit and len(entries) == LOOKED_AT:
        reached = text(entries[-1][0])
    more = len(found) > limit or reached is not None
    at_its_beginning = not more if backward else after is None
    lost = await gap(redis, keys, begin) if at_its_beginning else None
    if backward:
        events.reverse()
    if lost is not None:
        events.insert(0, lost)
    return EventPage(
        events=tuple(events),
        has_next=until is not None if backward else more,
        has_previous=more if backward else after is not None,
        start=reached if backward and reached else events[0].cursor if events else reached,
        end=reached if reached and not backward else events[-1].cursor if events else reached,
    )


def _range(job: Job, after: str | None, until: str | None) -> tuple[str, str, str]:
    """Return a cursor before the job's first event, and the ends of the look as Redis takes them."""
    begin = f"{max(ms_of(job.created_at) - _SLACK_MS, 0)}-0"
    end = None if job.finished_at is None else f"{ms_of(job.finished_at) + _ENDING_MS}-0"
    if until is not None:
        end = until if end is None or is_after(end, until) else end
    lower = begin if after is None or is_after(begin, after) else f"({after}"
    return begin, lower, "+" if end is None else end
