"""Ranges as they stand in an address: of priorities (``7-10``, ``7-``, ``-3``, ``5``) and of times. Pure.

Times are a span back from now (``15m``, ``1h``, ``24h``, ``7d``), which stays true when the link is opened later, or
two instants with ``..`` between them, either of which may be left out: ``2026-11-24T12:00:00Z..``.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Self

_UNITS = {"m": 60, "h": 3_600, "d": 86_400}
_SPAN = re.compile(r"([1-9]\d{0,4})([mhd])")
_STEPS = 60
"""A span back from now moves in so many steps of its length: else no two questions about it would be the same."""


@dataclass(frozen=True, slots=True)
class IntRange:
    """Whole numbers from ``low`` to ``high``, both of them too; ``None`` is no bound."""

    low: int | None = None
    high: int | None = None

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read a range of an address; ``None`` when it makes no sense."""
        match = re.fullmatch(r"(\d{0,4})(?:(-)(\d{0,4}))?", text)
        if match is None or not (match[1] or match[3]):
            return None
        low = int(match[1]) if match[1] else None
        high = int(match[3]) if match[3] else None
        return cls(low, high) if match[2] else cls(low, low)

    def __str__(self) -> str:
        low, high = ("" if bound is None else str(bound) for bound in (self.low, self.high))
        return low if low == high else f"{low}-{high}"

    def variables(self) -> dict[str, int]:
        """Return an ``IntRange`` of the API."""
        return {name: bound for name, bound in (("gte", self.low), ("lte", self.high)) if bound is not None}


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Instants from ``start`` up to but not at ``end``; or the last ``span``, as seen from whenever one looks."""

    start: datetime | None = None
    end: datetime | None = None
    span: str | None = None

    @classmethod
    def last(cls, span: str) -> Self:
        """Return the time from ``span`` (``1h``) before now on."""
        if _SPAN.fullmatch(span) is None:
            raise ValueError(f"expected a span such as 15m, 1h or 7d, got {span!r}")
        return cls(span=span)

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """Read a range of an address; ``None`` when it makes no sense."""
        if _SPAN.fullmatch(text):
            return cls(span=text)
        first, dots, second = text.partition("..")
        if not dots or not (first or second):
            return None
        try:
            start, end = (_instant(bound) if bound else None for bound in (first, second))
        except ValueError:
            return None
        return cls(start, end)

    def __str__(self) -> str:
        if self.span:
            return self.span
        return "..".join(_text(bound) if bound else "" for bound in (self.start, self.end))

    def variables(self, now: datetime) -> Mapping[str, Any]:
        """Return a ``DateTimeRange`` of the API, as of ``now``."""
        start = self.start
        if self.span:
            length = _seconds(self.span)
            step = max(length // _STEPS, 1)
            start = datetime.fromtimestamp((now - timedelta(seconds=length)).timestamp() // step * step, UTC)
        bounds = {"gte": start, "lt": self.end}
        return {name: bound.isoformat() for name, bound in bounds.items() if bound is not None}


def _seconds(span: str) -> int:
    return int(span[:-1]) * _UNITS[span[-1]]


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
