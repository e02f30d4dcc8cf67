"""Jobs by state, in numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from taskengine_dashboard.model.json_values import Json
from taskengine_dashboard.states import STATE_NAMES


@dataclass(frozen=True, slots=True)
class Counts:
    """Number of jobs by state."""

    by_state: Mapping[str, int] = field(default_factory=dict[str, int])

    @classmethod
    def read(cls, counts: Json) -> Self:
        return cls({name: int(counts[name.lower()]) for name in STATE_NAMES})

    @classmethod
    def sum(cls, many: Iterable["Counts"]) -> Self:
        every = list(many)
        return cls({name: sum(counts.of(name) for counts in every) for name in STATE_NAMES})

    def of(self, state: str) -> int:
        return self.by_state.get(state, 0)

    @property
    def total(self) -> int:
        return sum(self.by_state.values())
