"""What each caller may spend in a minute, over all processes: a bucket in Redis that fills up again evenly.

A process takes a hundredth of a minute's points at a time and spends them itself, so that most requests ask Redis
nothing. What may be spent too much or too little by that is a hundredth a process.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from taskengine.client import Client
from taskengine.errors import RedisUnavailable

_REMEMBERED = 1_000
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """What an operation cost, and what is left."""

    cost: int
    limit: int
    remaining: int
    reset_at: datetime
    retry_seconds: float = 0.0
    """Above 0 when the points were not there: until they are."""

    def shown(self) -> dict[str, object]:
        """Return it as ``extensions.cost``."""
        return {
            "requested": self.cost,
            "limit": self.limit,
            "remaining": self.remaining,
            "resetAt": self.reset_at.isoformat(),
        }


@dataclass(slots=True)
class _Held:
    """What this process has taken for a caller and not yet spent, and what Redis said then."""

    points: int = 0
    left: int = 0
    reset_at: datetime = _LONG_AGO


class Budgets:
    """The budgets of those who ask one process."""

    def __init__(self, client: Client, *, per_minute: int) -> None:
        self._client = client
        self._per_minute = per_minute
        self._chunk = max(1, per_minute // 100)
        self._held: OrderedDict[str, _Held] = OrderedDict()

    async def spend(self, caller: str, points: int) -> Balance:
        """Take points if they are there. While Redis is away nothing is counted: there is nothing to be had."""
        held = self._of(caller)
        if held.points >= points:
            held.points -= points
            return self._balance(held, points)
        try:
            return await self._take(caller, held, points)
        except RedisUnavailable:
            return self._balance(held, points)

    async def _take(self, caller: str, held: _Held, points: int) -> Balance:
        mine, held.points = held.points, 0  # taken before others run, who would spend them twice
        retry_seconds = 0.0
        try:
            for more in (self._chunk, 0):
                wanted = points - mine + more
                budget = await self._client.spend_budget(caller, wanted, per_minute=self._per_minute)
                held.left = budget.left
                held.reset_at = datetime.now(UTC) + timedelta(seconds=budget.reset_seconds)
                if budget.granted:
                    mine = more
                    return self._balance(held, points, also=more)
                retry_seconds = budget.retry_seconds
            return self._balance(held, points, also=mine, retry_seconds=retry_seconds)
        finally:
            held.points += mine

    def _balance(self, held: _Held, points: int, *, also: int = 0, retry_seconds: float = 0.0) -> Balance:
        return Balance(
            cost=points,
            limit=self._per_minute,
            remaining=held.left + held.points + also,
            reset_at=max(held.reset_at, datetime.now(UTC)),
            retry_seconds=retry_seconds,
        )

    def _of(self, caller: str) -> _Held:
        held = self._held.setdefault(caller, _Held())
        self._held.move_to_end(caller)
        while len(self._held) > _REMEMBERED:
            self._held.popitem(last=False)
        return held
