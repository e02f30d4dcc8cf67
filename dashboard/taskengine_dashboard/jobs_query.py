"""Which jobs a list shows: the same choice as a page's address and as GraphQL variables. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from taskengine_dashboard.ranges import IntRange, TimeRange
from taskengine_dashboard.shapes import is_object
from taskengine_dashboard.states import STATE_NAMES

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
    "after",
    "before",
)
"""The names in a page's address that belong to this choice."""


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
    after: str | None = None
    """Jobs older than this cursor."""
    before: str | None = None
    """Jobs newer than this cursor."""

    @classmethod
    def from_params(cls, params: Mapping[str, Sequence[str]]) -> Self:
        """Read a page's address; what makes no sense there is left out, as one may have typed it."""
        state = _last(params, "state")
        after = _last(params, "after")
        return cls(
            state=state if state in STATE_NAMES else None,
            tasks=_distinct(params.get("task", ())),
            queues=_distinct(params.get("queue", ())),
            tags=_distinct(params.get("tag", ())),
            schedule=_last(params, "schedule"),
            group=_last(params, "group"),
            priority=IntRange.parse(_last(params, "priority") or ""),
            created=TimeRange.parse(_last(params, "created") or ""),
            finished=TimeRange.parse(_last(params, "finished") or ""),
            text=(_last(params, "text") or "").strip(),
            args=_object_or_nothing(_last(params, "args") or ""),
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
        """Return a connection's arguments: which jobs, and which page of them."""
        variables: dict[str, Any] = {"filter": self.filter(now)}
        if self.before:
            return {**variables, "last": PAGE_SIZE, "before": self.before}
        return {**variables, "first": PAGE_SIZE, **({"after": self.after} if self.after else {})}

    @property
    def is_filtered(self) -> bool:
        return self.newest() != JobsQuery()

    @property
    def is_counted(self) -> bool:
        """Whether the counters of states, tasks and queues know how many jobs this is about."""
        return replace(self.newest(), state=None, tasks=(), queues=()) == JobsQuery()

    @property
    def is_first_page(self) -> bool:
        """Whether this is the live top of the list, where new jobs appear."""
        return not (self.after or self.before)

    def narrowed(self, **filters: Any) -> Self:
        """Return this with some fields of its filter changed, from the top of its list."""
        return replace(self, **filters, after=None, before=None)

    def older_than(self, cursor: str | None) -> Self:
        return replace(self, after=cursor, before=None)

    def newer_than(self, cursor: str | None) -> Self:
        return replace(self, after=None, before=cursor)

    def newest(self) -> Self:
        return replace(self, after=None, before=None)


def _last(params: Mapping[str, Sequence[str]], name: str) -> str | None:
    values = params.get(name, ())
    return values[-1] or None if values else None


def _distinct(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))


def _text(range_: IntRange | TimeRange | None) -> str | None:
    return None if range_ is None else str(range_)


def _object_or_nothing(text: str) -> str:
    try:
        return text if is_object(json.loads(text)) else ""
    except ValueError:
        return ""
