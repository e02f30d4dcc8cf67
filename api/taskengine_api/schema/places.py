"""Places in the stream of events, as clients hold them.

The engine tells of several lines of a log at once, clients get each line as an
event of its own: the cursor of all but the last of them is ``<entry>.<line>``.
"""

from dataclasses import dataclass
from math import inf
from typing import Self

from taskengine.events import before, check_cursor
from taskengine.jobs import check_log_cursor

Key = tuple[tuple[float, float], tuple[float, float]]
"""Orders places: by entry, then by line. That of an entry is behind all its lines."""


@dataclass(frozen=True, slots=True)
class Place:
    """A place behind one event."""

    entry: str
    line: str | None = None

    @classmethod
    def read(cls, cursor: str, argument: str = "after") -> Self:
        """Read a cursor; raise ``InvalidInput`` naming the argument if no event had it."""
        entry, dot, line = cursor.partition(".")
        check_cursor(entry, (argument,))
        return cls(entry, check_log_cursor(line, path=(argument,)) if dot else None)

    @property
    def engine_cursor(self) -> str:
        """Where the engine is to go on, so that nothing behind this place is missed."""
        return self.entry if self.line is None else before(self.entry)

    @property
    def key(self) -> Key:
        """What places are ordered by."""
        return _order(self.entry), (inf, inf) if self.line is None else _order(self.line)


def key_of(cursor: str) -> Key:
    """Return what the cursor of one of our own events is ordered by."""
    entry, _, line = cursor.partition(".")
    return Place(entry, line or None).key


def _order(stream_id: str) -> tuple[float, float]:
    ms, _, number = stream_id.partition("-")
    return int(ms), int(number)
