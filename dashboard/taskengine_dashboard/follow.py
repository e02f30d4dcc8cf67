"""What a subscription has told lately, heard once for all viewers with the same key, while anybody looks.

A page that is drawn every two seconds cannot hold a subscription; a thread
does. It begins when a page first asks, keeps the newest events, goes on after
the last one when the API was away, and ends when nobody has looked for a
minute.

Knows nothing of GraphQL or Streamlit: a subscription is a function that takes
the cursor to go on after and gives the events, ``None`` when there is none.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Hashable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

from taskengine_dashboard.client import ApiError
from taskengine_dashboard.feed import UnreadableAnswer

Event = TypeVar("Event")
Listen = Callable[[str | None], Generator[Mapping[str, Any] | None]]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard(Generic[Event]):
    """The newest events, oldest first; since when they are heard; what is wrong, while it is."""

    events: tuple[Event, ...] = ()
    since: datetime | None = None
    problem: ApiError | None = None


class Following:
    """Subscriptions by question. One for the whole process; safe to use from many threads."""

    def __init__(
        self, *, keep: int = 500, idle_seconds: float = 60.0, pause_seconds: float = 2.0, at_once: int = 16
    ) -> None:
        self._keep = keep
        self._idle = idle_seconds
        self._pause = pause_seconds
        self._at_once = at_once
        self._ears: dict[Hashable, _Ear] = {}
        self._lock = threading.Lock()

    def heard(self, key: Hashable, listen: Listen, read: Callable[[Mapping[str, Any]], Event]) -> Heard[Event]:
        """Return what was heard so far; begin to listen if nobody does."""
        with self._lock:
            ear = self._ears.get(key)
            if ear is None or ear.is_over.is_set():
                self._make_room()
                ear = self._ears[key] = _Ear(deque(maxlen=self._keep))
                threading.Thread(target=self._follow, args=(ear, listen, read), name="follow", daemon=True).start()
            ear.looked_at = time.monotonic()
            return Heard(events=tuple(ear.events), since=ear.since, problem=ear.problem)

    def close(self) -> None:
        """Listen no more; each thread ends with the next word that it hears."""
        with self._lock:
            for ear in self._ears.values():
                ear.is_over.set()
            self._ears.clear()

    def _make_room(self) -> None:
        for key in [key for key, ear in self._ears.items() if ear.is_over.is_set()]:
            del self._ears[key]
        while len(self._ears) >= self._at_once:
            oldest = min(self._ears, key=lambda key: self._ears[key].looked_at)
            self._ears.pop(oldest).is_over.set()

    def _follow(self, ear: "_Ear", listen: Listen, read: Callable[[Mapping[str, Any]], Any]) -> None:
        """Listen until nobody looks any more, again and again when it breaks."""
        while not self._is_forgotten(ear):
            problem: ApiError | None = None
            try:
                self._listen(ear, listen, read)
            except ApiError as broken:
                problem = broken
            except Exception:  # noqa: BLE001 - an event that we cannot read is a problem to show, not a lost thread
                _log.exception("cannot read an event of the API")
                problem = UnreadableAnswer()
            with self._lock:
                ear.problem = problem
                if problem is not None and not problem.keeps_figures:
                    ear.events.clear()
            ear.is_over.wait(self._pause)

    def _listen(self, ear: "_Ear", listen: Listen, read: Callable[[Mapping[str, Any]], Any]) -> None:
        with closing(listen(ear.cursor)) as events:
            for event in events:
                with self._lock:
                    ear.problem = None
                    ear.since = ear.since or datetime.now(UTC)
                    if event is not None:
                        (told,) = event.values()
                        ear.cursor = told["cursor"]
                        ear.events.append(read(told))
                if self._is_forgotten(ear):
                    return

    def _is_forgotten(self, ear: "_Ear") -> bool:
        if time.monotonic() - ear.looked_at > self._idle:
            ear.is_over.set()
        return ear.is_over.is_set()


@dataclass(slots=True, eq=False)
class _Ear:
    """One subscription and what was heard of it."""

    events: deque[Any]
    cursor: str | None = None
    since: datetime | None = None
    problem: ApiError | None = None
    looked_at: float = field(default_factory=time.monotonic)
    is_over: threading.Event = field(default_factory=threading.Event)
