"""How a filter is read: from which indexes, in which order, and where a page ends.

An index knows a part of a filter; what none knows of it is looked up in the records, of a bounded number of them:
``RECORDS`` a script, ``RECORDS_A_PAGE`` a page. Pure: builds what ``lua/fragments/sources.lua`` reads.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Self, cast

from taskengine.errors import InvalidInput
from taskengine.filters import ORDERABLE, JobFilter, JobOrder, JobOrderField, Search
from taskengine.jobs import FINAL_STATES, Job, JobPage, JobState, order_of
from taskengine.records import dumps, read_job, text

RECORDS = 200
"""Records that one script looks at, at the most: it blocks Redis for some milliseconds."""
SEARCHED_BYTES = 256 * 1024
"""And so many bytes of arguments and errors, roughly."""
RECORDS_A_PAGE = 1_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LETTERS = {JobOrderField.RUN_AT: "r", JobOrderField.FINISHED_AT: "f", JobOrderField.PRIORITY: "p"}
"""What a cursor of an order begins with; one by creation is a hexadecimal number."""
_CURSOR = re.compile(r"([rfp])(-?[0-9]{1,16})\.([A-Za-z0-9_\-]{1,64})")

_KNOWS: Mapping[str, frozenset[str]] = {
    "ids": frozenset({"ids"}),
    "failed": frozenset({"failure_group", "created"}),
    "schedule": frozenset({"schedule", "created"}),
    "tags": frozenset({"tags", "created"}),
    "lanes": frozenset({"states", "queues", "tasks", "created"}),
    "finished": frozenset({"states", "finished"}),
    "waiting": frozenset({"states"}),
    "ready": frozenset({"states", "queues", "tasks", "priority"}),
}
"""What each source of ``lua/fragments/sources.lua`` knows of a filter."""
_BY_ORDER = {JobOrderField.RUN_AT: "waiting", JobOrderField.FINISHED_AT: "finished", JobOrderField.PRIORITY: "ready"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job stands in an order: by score in the index, then by id where several may have one."""

    score: int
    job_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """From where a filter is read."""

    wanted: JobFilter
    order: JobOrder
    sources: tuple[str, ...]
    """In the same order all of them: the smallest is taken."""
    whole: tuple[str, ...]
    """Those that know all of the filter."""
    count_by: str
    """Which counts exactly what it finds; ``""`` for none."""

    @classmethod
    def for_(cls, wanted: JobFilter, order: JobOrder) -> Self:
        """Return from where a filter, checked, is read in this order; raise ``InvalidInput`` if that cannot be."""
        wanted = _settled(wanted.ordered_by(order))
        asked, by_creation = _asked(wanted), order.field is JobOrderField.CREATED_AT
        by_fields = [
            ("failed", wanted.failure_group is not None),
            ("schedule", wanted.schedule is not None),
            ("tags", bool(wanted.tags)),
        ]
        if wanted.ids:
            sources = ("ids",)
        elif by_creation:
            sources = (*(name for name, given in by_fields if given), "lanes")
        else:
            sources = (_BY_ORDER[order.field],)
        whole = tuple(name for name in sources if asked <= _knows(name, wanted, order))
        return cls(wanted=wanted, order=order, sources=sources, whole=whole, count_by=_count_by(wanted, order, asked))

    def slots(self, *, count: bool = True) -> dict[str, str]:
        """Return what a script needs to know of it."""
        return {
            "filter": filter_json(self.wanted),
            "order": self.order.field.value,
            "sources": ",".join(self.sources),
            "whole": f",{','.join(self.whole)},",
            "count_by": self.count_by if count else "",
        }

    def down(self, *, backward: bool) -> bool:
        """Whether the greatest score comes first. Of those that are ready, the least runs first."""
        descending = self.order.descending != (self.order.field is JobOrderField.PRIORITY)
        return descending != backward

    def cursor(self, place: Place) -> str:
        """Return the opaque text of a place."""
        if self.order.field is JobOrderField.CREATED_AT:
            return format(place.score, "x")
        return f"{_LETTERS[self.order.field]}{place.score}.{place.job_id}"

    def place(self, cursor: str | None, path: str) -> Place | None:
        """Read a cursor back; raise ``InvalidInput`` naming ``path`` if it is not one of a page in this order."""
        if cursor is None:
            return None
        if self.order.field is JobOrderField.CREATED_AT:
            return Place(order_of(cursor, path=(path,)))
        read = _CURSOR.fullmatch(cursor)
        if read is None or read[1] != _LETTERS[self.order.field]:
            problem = f"expected a cursor of a page ordered by {self.order.field}, got {cursor[:40]!r}"
            raise InvalidInput((path,), problem)
        return Place(int(read[2]), read[3])


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """What one script found of a page."""

    rows: tuple[tuple[Job, Place], ...]
    total: int | None
    more: bool
    some_before: bool
    looked: int
    """Records that it looked at beyond the index."""
    stopped: Place | None
    """Where it looked last, when it might have found more and looked at enough."""

    @classmethod
    def read(cls, reply: Sequence[Any]) -> Self:
        """Read what ``list_jobs.lua`` returns."""
        total, more, some_before, looked, score, job_id, rows = reply
        found = [(read_job(text(row[0]), row[2]), Place(int(row[1]), text(row[0]))) for row in rows]
        return cls(
            rows=tuple((job, place) for job, place in found if job is not None),
            total=None if int(total) < 0 else int(total),
            more=bool(more),
            some_before=bool(some_before),
            looked=int(looked),
            stopped=Place(int(score), text(job_id)) if score else None,
        )

    def and_then(self, later: Self) -> Self:
        """Return the two as one, the other one being what lies behind where this one stopped."""
        return replace(
            later,
            rows=self.rows + later.rows,
            total=self.total,
            some_before=self.some_before,
            looked=self.looked + later.looked,
        )


def page_of(look: Look, found: Stretch, *, backward: bool) -> JobPage:
    """Return the page that scripts found."""
    rows = found.rows[::-1] if backward else found.rows
    cursors = tuple(look.cursor(place) for _, place in rows)
    start, end = (cursors[0], cursors[-1]) if cursors else (None, None)
    if found.stopped is not None:
        stopped = look.cursor(found.stopped)
        start, end = (stopped, end or stopped) if backward else (start or stopped, stopped)
    return JobPage(
        jobs=tuple(job for job, _ in rows),
        cursors=cursors,
        start_cursor=start,
        end_cursor=end,
        has_next=found.some_before if backward else found.more,
        has_previous=found.more if backward else found.some_before,
        total=found.total,
        scanned=None if found.stopped is None else found.looked,
    )


def filter_json(wanted: JobFilter) -> str:
    """Return a filter as the scripts read it: only what is asked for, created in µs and finished in ms."""
    asks_for_empty = False

    def tree(value: Any) -> list[Any]:
        nonlocal asks_for_empty
        if isinstance(value, Mapping):
            fields = cast("Mapping[str, Any]", value)
            asks_for_empty |= not fields
            return ["o", {name: tree(inner) for name, inner in fields.items()}]
        if isinstance(value, (list, tuple)):
            elements = cast("Sequence[Any]", value)
            asks_for_empty |= not elements
            return ["l", [tree(inner) for inner in elements]]
        return ["n"] if value is None else ["s", value]

    low, high = wanted.priority or (None, None)
    search = None if wanted.text is None else Search.of(wanted.text)
    facts: dict[str, Any] = {
        "ids": wanted.ids,
        "states": wanted.states,
        "queues": wanted.queues,
        "tasks": wanted.tasks,
        "tags": wanted.tags,
        "schedule": wanted.schedule,
        "failure_group": wanted.failure_group,
        "priority_low": low,
        "priority_high": high,
        "created_from": _us(wanted.created_from),
        "created_before": _us(wanted.created_before),
        "finished_from": _ms(wanted.finished_from),
        "finished_before": _ms(wanted.finished_before),
        "text": search and {"needle": search.needle, "variants": search.variants},
        "args_contain": tree(wanted.args_contain) if wanted.args_contain else None,
    }
    facts["asks_for_empty"] = asks_for_empty or None
    return dumps({name: fact for name, fact in facts.items() if fact is not None and fact != ()})


def _settled(wanted: JobFilter) -> JobFilter:
    """Say what is implied: only some states have finish times, only FAILED jobs are in a group."""
    if wanted.finished_from or wanted.finished_before:
        finals = tuple(state for state in JobState if state in FINAL_STATES and state in (wanted.states or JobState))
        wanted = replace(wanted, states=finals or wanted.states)
    if wanted.failure_group is not None and JobState.FAILED in (wanted.states or JobState):
        wanted = replace(wanted, states=(JobState.FAILED,))
    return wanted


def _asked(wanted: JobFilter) -> frozenset[str]:
    given = {
        "ids": wanted.ids,
        "states": wanted.states,
        "queues": wanted.queues,
        "tasks": wanted.tasks,
        "tags": wanted.tags,
        "schedule": wanted.schedule is not None,
        "failure_group": wanted.failure_group is not None,
        "priority": wanted.priority is not None,
        "created": wanted.created_from or wanted.created_before,
        "finished": wanted.finished_from or wanted.finished_before,
        "text": wanted.text is not None,
        "args_contain": wanted.args_contain,
    }
    return frozenset(name for name, value in given.items() if value)


def _knows(source: str, wanted: JobFilter, order: JobOrder) -> frozenset[str]:
    """What a source knows of a filter, in an order that it has."""
    known = _KNOWS[source]
    some = source == "waiting" and set(wanted.states) != set(ORDERABLE[JobOrderField.RUN_AT])
    # Ids are sorted by what an order needs: a job without it is left out, so an implied state needs no second look.
    implied = source == "ids" and wanted.states == ORDERABLE[order.field]
    implied |= source == "failed" and wanted.states == (JobState.FAILED,)
    return known - {"states"} if some else known | {"states"} if implied else known


def _count_by(wanted: JobFilter, order: JobOrder, asked: frozenset[str]) -> str:
    """The source that counts what a filter finds: any, since the order does not matter, but what it leaves out does."""
    if order.field is JobOrderField.RUN_AT:
        able = {"ids", "waiting"}
    else:
        able = {"ids", "failed", "schedule", "lanes"}
        able |= {"tags"} if len(wanted.tags) == 1 else set()
        able |= {"finished"} if wanted.states and FINAL_STATES.issuperset(wanted.states) else set()
        able |= {"ready"} if wanted.states == (JobState.QUEUED,) else set()
    needs = {"ids": wanted.ids, "failed": wanted.failure_group, "schedule": wanted.schedule, "tags": wanted.tags}
    return next(
        (name for name in _KNOWS if name in able and needs.get(name, True) and asked <= _knows(name, wanted, order)),
        "",
    )


def _us(at: datetime | None) -> int | None:
    return None if at is None else (at - _EPOCH) // _MICROSECOND


def _ms(at: datetime | None) -> int | None:
    """The first ms that is not before it: finish times are kept in ms."""
    return None if at is None else -((_EPOCH - at) // timedelta(milliseconds=1))
