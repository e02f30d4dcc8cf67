"""Which jobs a list shows: the same choice as a page's address and as GraphQL variables. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from taskengine_dashboard.states import STATE_NAMES

PAGE_SIZE = 25

PARAMS = ("state", "task", "queue", "after", "before")
"""The names in a page's address that belong to this choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobsQuery:
    """A filter and a place in the list. Hashable: viewers with the same choice share the answer."""

    state: str | None = None
    tasks: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()
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
            after=after,
            before=None if after else _last(params, "before"),
        )

    def to_params(self) -> dict[str, str | list[str]]:
        """Return what stands in the address for this choice; nothing for what is not chosen."""
        params: dict[str, str | list[str] | None] = {
            "state": self.state,
            "task": list(self.tasks),
            "queue": list(self.queues),
            "after": self.after,
            "before": self.before,
        }
        return {name: value for name, value in params.items() if value}

    def variables(self) -> dict[str, Any]:
        """Return the variables of ``operations.JOBS``."""
        chosen = {"states": [self.state] if self.state else [], "tasks": list(self.tasks), "queues": list(self.queues)}
        variables: dict[str, Any] = {"filter": {name: value for name, value in chosen.items() if value}}
        if self.before:
            return {**variables, "last": PAGE_SIZE, "before": self.before}
        return {**variables, "first": PAGE_SIZE, **({"after": self.after} if self.after else {})}

    @property
    def is_filtered(self) -> bool:
        return bool(self.state or self.tasks or self.queues)

    @property
    def is_first_page(self) -> bool:
        """Whether this is the live top of the list, where new jobs appear."""
        return not (self.after or self.before)

    def narrowed(self, *, state: str | None, tasks: Sequence[str], queues: Sequence[str]) -> Self:
        """Return another filter, from the top of its list."""
        return replace(self, state=state, tasks=tuple(tasks), queues=tuple(queues), after=None, before=None)

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
