"""``engine.lock_task`` and ``engine.rate_limit``: Huey's two guards, made exact.

A lock has an owner: who lost it does not free the next holder's, and one that
a job took is free again when its worker died, without waiting for a time to
live. Uses are counted in one move by Redis's clock.
"""

import secrets
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import TYPE_CHECKING, ParamSpec, Self, TypeVar

from huey.exceptions import RateLimitExceeded, TaskLockedException

from taskengine.worker.context import current_claim

if TYPE_CHECKING:
    from taskengine.engine import TaskEngine

P = ParamSpec("P")
R = TypeVar("R")

_JOB_SECONDS = 31 * 86_400.0
"""A job's lock ends with its attempt; this is for a record that is never looked at again."""
_OTHER_SECONDS = 86_400.0
"""Nobody can tell whether who is no job still lives: such a lock ends after a day unless ``ttl`` says otherwise."""


class TaskLock:
    """A lock by name. A context manager, and a decorator that holds it around each call."""

    def __init__(self, engine: "TaskEngine", name: str, ttl: float | None = None) -> None:
        """``ttl`` in seconds."""
        self._engine = engine
        self._name = name
        self._ttl = ttl
        self._owners: list[str] = []
        engine.lock_names.add(name)

    def is_locked(self) -> bool:
        """Whether somebody holds it."""
        return self._engine.shelf.is_locked(self._name)

    locked = is_locked

    def acquire(self) -> bool:
        """Take it, or raise ``TaskLockedException``."""
        claim = current_claim()
        seconds = self._ttl or (_OTHER_SECONDS if claim is None else _JOB_SECONDS)
        who = "" if claim is None else f"{claim.id} {claim.lease}"
        owner = f"{who} {secrets.token_hex(8)}"
        if not self._engine.shelf.take_lock(self._name, owner, ttl_ms=max(round(seconds * 1000), 1)):
            raise TaskLockedException(f"unable to acquire lock {self._name}")
        self._owners.append(owner)
        return True

    def clear(self) -> bool:
        """Free it, whoever holds it; tell whether it was held."""
        return self._engine.shelf.free_lock(self._name)

    release = clear

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._engine.shelf.free_lock(self._name, self._owners.pop())

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Hold it around each call."""

        @wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            with TaskLock(self._engine, self._name, self._ttl):
                return function(*args, **kwargs)

        return guarded


class RateLimit:
    """So many uses in each stretch of ``per`` seconds, over all machines."""

    def __init__(self, engine: "TaskEngine", name: str, limit: int, per: float, *, retry: bool = True) -> None:
        """``retry``: a job that is refused tries again when the next stretch begins, without an attempt counted."""
        self._engine = engine
        self._name = name
        self._limit = limit
        self._per_ms = max(round(per * 1000), 1)
        self._retry = retry

    def acquire(self) -> None:
        """Use it once, or raise ``RateLimitExceeded``."""
        allowed, seconds = self._engine.shelf.count_use(self._name, limit=self._limit, per_ms=self._per_ms)
        if not allowed:
            raise RateLimitExceeded(self._name, seconds, retry=self._retry)

    def current_usage(self) -> int:
        """How often it was used in the present stretch."""
        return self._engine.shelf.uses(self._name)

    def reset(self) -> None:
        """Begin the present stretch anew."""
        self._engine.shelf.forget_uses(self._name)

    def __enter__(self) -> Self:
        self.acquire()
        return self

    def __exit__(self, *_: object) -> None:
        """A use is not given back."""

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """Use it once for each call."""

        @wraps(function)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            with self:
                return function(*args, **kwargs)

        return guarded
