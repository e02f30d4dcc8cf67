"""Watching the whole from outside: whether it could work now, and all that a monitoring system counts, in one look."""

from abc import ABC
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from redis import asyncio as aioredis
from redis.exceptions import NoScriptError, RedisError

from taskengine.jobs import WorkerInfo
from taskengine.keys import Keys
from taskengine.reads import Lanes, Reads
from taskengine.scripts import Call, ours, script
from taskengine.totals import Totals, read_totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Everything that is counted, at one instant or nearly so."""

    at: datetime
    """By Redis's clock, which the times in ``lanes`` are of, too."""
    lanes: Lanes
    totals: Sequence[Totals]
    workers: Sequence[WorkerInfo]
    redis_memory_bytes: int
    redis_memory_limit_bytes: int | None


class MonitorClient(ABC):
    """What ``Client`` can tell to a monitoring system."""

    _keys: Keys
    _reads: Reads
    _redis: aioredis.Redis

    async def load_scripts(self) -> int:
        """Make sure that Redis has every script; return how many it lacked. Raises ``RedisUnavailable``."""
        try:
            wanted = [script(name) for name in _script_names()]
            there: Any = await self._redis.script_exists(*(one.sha for one in wanted))
            missing = [one for one, has in zip(wanted, there, strict=True) if not has]
            for one in missing:
                await self._redis.script_load(one.text)
        except RedisError as error:
            raise ours(error) from None
        return len(missing)

    async def observe(self) -> Observation:
        """Return all that is counted, in one round trip. Raises ``RedisUnavailable``."""
        calls: list[Call[Any]] = [self._reads.count_jobs(), read_totals(self._keys), self._reads.list_workers()]
        try:
            try:
                *answers, memory, clock = await self._look(calls)
            except NoScriptError:
                await self.load_scripts()
                *answers, memory, clock = await self._look(calls)
        except RedisError as error:
            raise ours(error) from None
        lanes, totals, workers = (one.decode(answer) for one, answer in zip(calls, answers, strict=True))
        return Observation(
            at=datetime.fromtimestamp(clock[0] + clock[1] / 1e6, tz=UTC),
            lanes=lanes,
            totals=totals,
            workers=workers,
            redis_memory_bytes=int(memory["used_memory"]),
            redis_memory_limit_bytes=int(memory["maxmemory"]) or None,
        )

    async def _look(self, calls: Sequence[Call[Any]]) -> list[Any]:
        pipeline = self._redis.pipeline(transaction=False)
        for one in calls:
            pipeline.evalsha(one.script.sha, 1, one.prefix, *one.argv)  # pyright: ignore[reportUnusedCoroutine]
        pipeline.info("memory")  # pyright: ignore[reportUnusedCoroutine]
        pipeline.time()  # pyright: ignore[reportUnusedCoroutine]
        return await pipeline.execute()


def _script_names() -> list[str]:
    folder = files("taskengine") / "lua"
    return sorted(path.name.removesuffix(".lua") for path in folder.iterdir() if path.name.endswith(".lua"))
