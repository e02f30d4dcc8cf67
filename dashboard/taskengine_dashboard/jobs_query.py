"""Which jobs a list shows: the same choice as a page's address and as GraphQL variables. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from taskengine_dashboard.ranges import IntRange, TimeRange
from taskengine_dashboard.shapes import is_object
from taskengine_dashboard.states import STATE_NAMES, STATES

PAGE_SIZE = 25

PARAMS = (
    "state",
    "task",
    "queue",
    "tag",
    "schedule",
    "group",
    "priority",
    "created",
    "finished",
    "text",
    "args",
    "sort",
    "after",
    "before",
)
"""The names in a page's address that belong to this choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """An order of jobs. ``name`` is what stands in an address; ``states``, if any, are those it is for."""

    name: str
    label: str
    field: str
    direction: str
    states: frozenset[str] = frozenset()

    def variables(self) -> dict[str, str]:
        """Return a ``JobOrder`` of the API."""
        return {"field": self.field, "direction": self.direction}


_FINAL = frozenset(state.name for state in STATES if state.is_final)
_TIMED = frozenset({"SCHEDULED", "RETRYING"})
SORTS = (
    Sort(name="newest", label="Newest first", field="CREATED_AT", direction="DESC"),
    Sort(name="oldest", label="Oldest first", field="CREATED_AT", direction="ASC"),
    Sort(name="due", label="Due first", field="RUN_AT", direction="ASC", states=_TIMED),
    Sort(name="due-last", label="Due last", field="RUN_AT", direction="DESC", states=_TIMED),
    Sort(name="next", label="Next to run first", field="PRIORITY", direction="DESC", states=frozenset({"QUEUED"})),
    Sort(name="ended", label="Latest finish first", field="FINISHED_AT", direction="DESC", states=_FINAL),
    Sort(name="ended-first", label="Earliest finish first", field="FINISHED_AT", direction="ASC", states=_FINAL),
)
NEWEST = SORTS[0]


def sorts_for(state: str | None) -> tuple[Sort, ...]:
    """Return the orders that jobs in this state can be shown in; ``None`` is jobs in any state."""
    return tuple(sort for sort in SORTS if not sort.states or state in sort.states)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsQuery:
    """A filter and a place in the list. Hashable: viewers with the same choice share the answer."""

    state: str | None = None
    tasks: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    schedule: str | None = None
    """The id of the schedule that enqueued them."""
    group: str | None = None
    """The id of the failure group that they are in."""
    priority: IntRange | None = None
    created: TimeRange | None = None
    finished: TimeRange | None = None
    text: str = ""
    """In arguments, error or tags."""
    args: str = ""
    """JSON that their arguments contain, objects by subset."""
    sort: Sort = NEWEST
    after: str | None = None
    """Jobs behind this cursor."""
    before: str | None = None
    """Jobs before this cursor."""

    @classmethod
    def from_params(cls, params: Mapping[str, Sequence[str]]) -> Self:
        """Read a page's address; what makes no sense there is left out, as one may have typed it."""
        state = _last(params, "state")
        state = state if state in STATE_NAMES else None
        after = _last(params, "after")
        return cls(
            state=state,
            tasks=_distinct(params.get("task", ())),
            queues=_distinct(params.get("queue", ())),
            tags=_distinct(params.get("tag", ())),
            schedule=_last(params, "schedule"),
            group=_last(params, "group"),
            priority=IntRange.parse(_last(params, "priority") or ""),
            created=TimeRange.parse(_last(params, "created") or ""),
            finished=TimeRange.parse(_last(params, "finished") or ""),
            text=(_last(params, "text") or "").strip(),
            args=object_or_nothing(_last(params, "args") or ""),
            sort=_sort(_last(params, "sort"), state),
            after=after,
            before=None if after else _last(params, "before"),
        )

    def to_params(self) -> dict[str, str | list[str]]:
        """Return what stands in the address for this choice; nothing for what is not chosen."""
        params: dict[str, str | list[str] | None] = {
            "state": self.state,
            "task": list(self.tasks),
            "queue": list(self.queues),
            "tag": list(self.tags),
            "schedule": self.schedule,
            "group": self.group,
            "priority": _text(self.priority),
            "created": _text(self.created),
            "finished": _text(self.finished),
            "text": self.text,
            "args": self.args,
            "sort": "" if self.sort == NEWEST else self.sort.name,
            "after": self.after,
            "before": self.before,
        }
        return {name: value for name, value in params.items() if value}

    def filter(self, now: datetime) -> dict[str, Any]:
        """Return the ``JobFilter`` of the API for this choice, as of ``now``."""
        chosen: dict[str, Any] = {
            "states": [self.state] if self.state else [],
            "tasks": list(self.tasks),
            "queues": list(self.queues),
            "tags": list(self.tags),
            "scheduleId": self.schedule,
            "failureGroupId": self.group,
            "priority": self.priority.variables() if self.priority else None,
            "createdAt": self.created.variables(now) if self.created else None,
            "finishedAt": self.finished.variables(now) if self.finished else None,
            "text": self.text,
            "argsContain": json.loads(self.args) if self.args else None,
        }
        return {name: value for name, value in chosen.items() if value}

    def variables(self, now: datetime) -> dict[str, Any]:
        """Return a connection's arguments: which jobs, in which order, and which page of them."""
        variables: dict[str, Any] = {"filter": self.filter(now), "orderBy": self.sort.variables()}
        if self.before:
            return {**variables, "last": PAGE_SIZE, "before": self.before}
        return {**variables, "first": PAGE_SIZE, **({"after": self.after} if self.after else {})}

    def as_of(self, now: datetime) -> dict[str, Any]:
        """Return the filter for the jobs that are there now, and for none that come later."""
        chosen = self.filter(now)
        pinned = "finishedAt" if "finishedAt" in chosen else "createdAt"  # what comes later is finished later, too
        return {**chosen, pinned: {"lt": now.isoformat(), **chosen.get(pinned, {})}}

    @property
    def is_filtered(self) -> bool:
        return self.filters != JobsQuery()

    @property
    def is_counted(self) -> bool:
        """Whether the counters of states, tasks and queues know how many jobs this is about."""
        return replace(self.filters, state=None, tasks=(), queues=()) == JobsQuery()

    @property
    def is_first_page(self) -> bool:
        """Whether this is the live top of the list."""
        return not (self.after or self.before)

    @property
    def filters(self) -> Self:
        """Which jobs it is about: without an order and a place in the list."""
        return replace(self, sort=NEWEST, after=None, before=None)

    def narrowed(self, **changes: Any) -> Self:
        """Return this with some fields changed, from the top of its list, in an order that this list has."""
        changed = replace(self, **changes, after=None, before=None)
        return changed if changed.sort in sorts_for(changed.state) else replace(changed, sort=NEWEST)

    def page_after(self, cursor: str | None) -> Self:
        return replace(self, after=cursor, before=None)

    def page_before(self, cursor: str | None) -> Self:
        return replace(self, after=None, before=cursor)

    def first_page(self) -> Self:
        return replace(self, after=None, before=None)


def _last(params: Mapping[str, Sequence[str]], name: str) -> str | None:
    values = params.get(name, ())
    return values[-1] or None if values else None


def _distinct(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))


def _text(range_: IntRange | TimeRange | None) -> str | None:
    return None if range_ is None else str(range_)


def _sort(name: str | None, state: str | None) -> Sort:
    return next((sort for sort in sorts_for(state) if sort.name == name), NEWEST)


def object_or_nothing(text: str) -> str:
    """Return JSON text that is an object with something in it; ``""`` for anything else."""
    try:
        value = json.loads(text)
        return text if is_object(value) and value else ""
    except ValueError:
        return ""
