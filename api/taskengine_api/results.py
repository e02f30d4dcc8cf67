"""Answers that are asked for over and over: kept for a moment, for who says that a moment's age will do.

A client says so with ``Cache-Control: max-age=1``. Answers are of one viewer and one schema; a mutation that this
process carries out ends them all, so whoever changes something sees it.
"""

import re
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import orjson
from strawberry.types import ExecutionResult

from taskengine_api.bodies import write_json

_MAX_AGE = re.compile(r"(?:^|[,\s])max-age=(\d{1,9})(?:$|[,\s])")


@dataclass(slots=True)
class Results:
    """The answers of one process, within so many bytes."""

    max_bytes: int = 16_777_216
    _kept: OrderedDict[object, tuple[float, bytes]] = field(default_factory=OrderedDict[object, tuple[float, bytes]])
    _bytes: int = 0
    _changes: int = 0

    def __len__(self) -> int:
        return len(self._kept)

    async def answer(
        self, key: object, seconds: float, work: Callable[[], Awaitable[ExecutionResult]]
    ) -> ExecutionResult:
        """Return what was answered to the same at most so many seconds ago, else what ``work`` returns."""
        found = self._kept.get(key)
        if found is not None and time.monotonic() - found[0] < seconds:
            return _written(found[1])
        begun, changes = time.monotonic(), self._changes
        result = await work()
        if result.errors or result.data is None:
            return result
        body = write_json(result.data)
        # As old as its beginning. What a mutation overtook, and a mutation's own answer, is not kept.
        if changes == self._changes:
            self._keep(key, begun, body)
        return _written(body, result.extensions)

    def forget(self) -> None:
        """Something changed: no answer is right any more."""
        self._changes += 1
        self._kept.clear()
        self._bytes = 0

    def _keep(self, key: object, begun: float, body: bytes) -> None:
        self._drop(key)
        self._kept[key] = (begun, body)
        self._bytes += len(body)
        while self._bytes > self.max_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: object) -> None:
        gone = self._kept.pop(key, None)
        if gone is not None:
            self._bytes -= len(gone[1])


def _written(body: bytes, extensions: dict[str, Any] | None = None) -> ExecutionResult:
    """Return an answer whose data is JSON already."""
    data: Any = orjson.Fragment(body)
    return ExecutionResult(data=data, errors=None, extensions=extensions)


def accepted_age(header: str | None) -> float:
    """Return how many seconds old an answer may be, as ``Cache-Control`` of a request says; 0 when it does not."""
    found = _MAX_AGE.search((header or "").lower())
    return float(found[1]) if found and "no-cache" not in (header or "").lower() else 0.0
