"""The events of one job by page: what is kept of what happened to it."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import strawberry

from taskengine import jobs as domain
from taskengine.errors import InvalidInput
from taskengine.event_pages import EventPage
from taskengine.jobs import check_positive_int
from taskengine_api.context import Context
from taskengine_api.paging import DEFAULT_PAGE, MAX_PAGE, PageInfo
from taskengine_api.schema.events import JobEvent, shown
from taskengine_api.schema.places import Place, key_of


@strawberry.type(description="An event and its place in the stream.")
class JobEventEdge:
    """An event and its place in the stream."""

    cursor: str = strawberry.field(description="Its place, for `after` and `before`, and to subscribe after.")
    node: JobEvent = strawberry.field(description="The event.")


@strawberry.type(
    description="A page of what happened to a job, oldest first. The newest 100,000 events of all jobs are kept, and a"
    " page looks at 2,000 of them: one with fewer events than asked for may say that there are more, to be found from"
    " its cursors on. Where the first events of the job are gone, they begin with a `JobEventsLost`."
)
class JobEventConnection:
    """A page of what happened to a job, oldest first."""

    edges: list[JobEventEdge] = strawberry.field(description="The events with their cursors.")
    nodes: list[JobEvent] = strawberry.field(description="The events.")
    page_info: PageInfo = strawberry.field(description="Where this page lies.")


async def events_of(
    context: Context, job: domain.Job, *, first: int | None, after: str | None, last: int | None, before: str | None
) -> JobEventConnection:
    """Return a page of a job's events."""
    backward = last is not None or before is not None
    if backward and (first is not None or after is not None):
        raise InvalidInput(("last",), "give either first and after, or last and before")
    asked, name = (last, "last") if backward else (first, "first")
    size = check_positive_int(DEFAULT_PAGE if asked is None else asked, (name,), at_most=MAX_PAGE)
    start = None if after is None else Place.read(after)
    end = None if before is None else Place.read(before, "before")
    # The event that a place is in may have no part on this page.
    limit = size + 1 if start or end else size
    found = await context.client.list_job_events(
        job, limit=limit, after=start and start.engine_cursor, until=end and end.entry, backward=backward
    )
    # At once, so that the lines of all of them are read together.
    told = await asyncio.gather(*(shown(event, context.lines) for event in found.events))
    nodes = [
        node
        for one in told
        for node in one
        if (start is None or key_of(node.cursor) > start.key) and (end is None or key_of(node.cursor) < end.key)
    ]
    page = nodes[-size:] if backward else nodes[:size]
    edges = [JobEventEdge(cursor=node.cursor, node=node) for node in page]
    info = _page_info(found, [edge.cursor for edge in edges], backward=backward)
    if len(page) < len(nodes):
        # One event of several lines is several here: what did not fit is on the next page.
        info = replace(info, has_previous_page=True) if backward else replace(info, has_next_page=True)
        info = replace(info, start_cursor=page[0].cursor, end_cursor=page[-1].cursor)
    return JobEventConnection(edges=edges, nodes=page, page_info=info)


def _page_info(found: EventPage, cursors: Sequence[str], *, backward: bool) -> PageInfo:
    """Return where a page lies: from its first event to its last, and to where the look ended without one."""
    start, end = found.start, found.end
    if cursors:
        # The look's other end may be an event that the page goes on from, which is not on it.
        looked_past = found.events and (start if backward else end) != found.events[0 if backward else -1].cursor
        start = start if backward and looked_past else cursors[0]
        end = end if looked_past and not backward else cursors[-1]
    return PageInfo(
        has_next_page=found.has_next, has_previous_page=found.has_previous, start_cursor=start, end_cursor=end
    )
