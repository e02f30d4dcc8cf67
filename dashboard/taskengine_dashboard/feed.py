"""The newest answer to each question, shared by all who may see it, without making any of them wait.

A page that waits for the network greys out while it does. So a page asks the
feed: an answer younger than ``fresh_seconds`` is returned as it is; else one
thread asks the API, and the page waits for it at most ``patience_seconds``
before it takes the last answer instead. However many viewers look at a page,
each question is on its way once. When the API is away the last good answer
stays, with its time, and the problem beside it.

Streamlit's own cache refreshes in the background only after it has handed out
the old value, which makes every figure one refresh older than it need be.

Knows nothing of GraphQL or Streamlit: a question is a key and a function.
"""

import logging
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar, cast

from taskengine_dashboard.client import ApiError

Answer = TypeVar("Answer")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reading(Generic[Answer]):
    """The last good answer and when it came (``None``: there was none yet), and what went wrong since."""

    value: Answer | None = None
    at: datetime | None = None
    problem: ApiError | None = None


@dataclass(slots=True)
class _Entry:
    reading: Reading[Any] = field(default_factory=Reading)
    asked_at: float = float("-inf")
    used_at: float = 0.0
    on_its_way: Future[None] | None = None
    outdated: bool = True
    """Nothing is known yet, or something was changed: worth waiting for the next answer."""


class Feed:
    """Answers by question. One for the whole process; safe to use from many threads."""

    def __init__(
        self,
        *,
        fresh_seconds: float = 0.9,
        patience_seconds: float = 0.15,
        longest_wait_seconds: float = 6.0,
        keep: int = 256,
        threads: int = 4,
    ) -> None:
        self._fresh = fresh_seconds
        self._patience = patience_seconds
        self._longest_wait = longest_wait_seconds
        self._keep = keep
        self._entries: dict[Hashable, _Entry] = {}
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="feed")

    def read(self, key: Hashable, fetch: Callable[[], Answer]) -> Reading[Answer]:
        """Return the newest answer that is there without waiting long; the first one is waited for."""
        with self._lock:
            entry = self._entries.setdefault(key, _Entry())
            entry.used_at = time.monotonic()
            if entry.on_its_way is None and time.monotonic() - entry.asked_at >= self._fresh:
                self._ask(entry, fetch)
            future, patience = entry.on_its_way, self._longest_wait if entry.outdated else self._patience
            self._drop_unused()
        if future is not None:
            wait([future], timeout=patience)
        return cast("Reading[Answer]", entry.reading)

    def expire(self) -> None:
        """Something was changed: whoever reads next waits for an answer that was asked for after this."""
        with self._lock:
            for entry in self._entries.values():
                entry.asked_at, entry.on_its_way, entry.outdated = float("-inf"), None, True

    def close(self) -> None:
        """End the threads without waiting for answers."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _ask(self, entry: _Entry, fetch: Callable[[], Any]) -> None:
        entry.asked_at = time.monotonic()
        mine: Future[None] = Future()
        entry.on_its_way = mine
        self._threads.submit(self._fetch, entry, mine, fetch)

    def _fetch(self, entry: _Entry, mine: Future[None], fetch: Callable[[], Any]) -> None:
        try:
            reading = Reading(fetch(), datetime.now(UTC))
        except ApiError as problem:
            last = entry.reading
            keeps = problem.keeps_figures
            reading = Reading(last.value if keeps else None, last.at if keeps else None, problem)
        except Exception:  # noqa: BLE001 - an answer that we cannot read is a problem to show, not a lost thread
            _log.exception("cannot read an answer of the API")
            reading = Reading(entry.reading.value, entry.reading.at, UnreadableAnswer())
        with self._lock:
            if entry.on_its_way is mine:  # else it was asked before a change, and may not know of it
                entry.reading, entry.on_its_way, entry.outdated = reading, None, False
        mine.set_result(None)

    def _drop_unused(self) -> None:
        while len(self._entries) > self._keep:
            del self._entries[min(self._entries, key=lambda key: self._entries[key].used_at)]


class UnreadableAnswer(ApiError):
    """The API answered in a shape that this version of the dashboard does not know."""

    title = "The API's answer cannot be read"

    def __str__(self) -> str:
        return "The API answers in a shape that this dashboard does not know; are both of the same version?"
