"""Reads that are wanted at the same moment go to Redis together: fifty objects that each read something cost one trip.

Knows nothing of what is read. For reads alone: they may wait for each other's answers, a change may not.
"""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from redis import asyncio as aioredis


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One command, and who waits for its answer."""

    command: str
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    answer: "asyncio.Future[Any]"


class Gathering:
    """Has the commands of a Redis connection that only look, and sends those of one moment as one pipeline."""

    def __init__(self, redis: aioredis.Redis) -> None:
        self._redis = redis
        self._wanted: list[_Wanted] = []
        self._sending: set[asyncio.Task[None]] = set()

    def evalsha(self, *arguments: Any) -> Awaitable[Any]:
        """Run a script that only looks."""
        return self._want("evalsha", arguments)

    def eval(self, *arguments: Any) -> Awaitable[Any]:
        """Run a script that only looks, by its text."""
        return self._want("eval", arguments)

    def xrange(self, *arguments: Any, **options: Any) -> Awaitable[Any]:
        """Return entries of a stream, the first ones."""
        return self._want("xrange", arguments, options)

    def xrevrange(self, *arguments: Any, **options: Any) -> Awaitable[Any]:
        """Return entries of a stream, the last ones."""
        return self._want("xrevrange", arguments, options)

    def xinfo_stream(self, *arguments: Any) -> Awaitable[Any]:
        """Return what a stream is like."""
        return self._want("xinfo_stream", arguments)

    def _want(
        self, command: str, arguments: tuple[Any, ...], options: dict[str, Any] | None = None
    ) -> "asyncio.Future[Any]":
        loop = asyncio.get_running_loop()
        wanted = _Wanted(command, arguments, options or {}, loop.create_future())
        self._wanted.append(wanted)
        if len(self._wanted) == 1:
            # After everyone who can run now, and may want something too.
            loop.call_soon(self._send)
        return wanted.answer

    def _send(self) -> None:
        wanted, self._wanted = self._wanted, []
        sending = asyncio.ensure_future(self._answer(wanted))
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)

    async def _answer(self, wanted: list[_Wanted]) -> None:
        try:
            answers = await self._ask([one for one in wanted if not one.answer.done()])
        except BaseException as error:
            for one in wanted:
                _give(one, error)
            if not isinstance(error, Exception):
                raise
        else:
            for one, answer in answers:
                _give(one, answer)

    async def _ask(self, wanted: list[_Wanted]) -> list[tuple[_Wanted, Any]]:
        if len(wanted) == 1:
            (one,) = wanted
            return [(one, await getattr(self._redis, one.command)(*one.arguments, **one.options))]
        pipeline = self._redis.pipeline(transaction=False)
        for one in wanted:
            getattr(pipeline, one.command)(*one.arguments, **one.options)
        answers: list[Any] = await pipeline.execute(raise_on_error=False) if wanted else []
        return list(zip(wanted, answers, strict=True))


def _give(wanted: _Wanted, answer: Any) -> None:
    """Hand over an answer, unless whoever waited for it left."""
    if wanted.answer.done():
        return
    if isinstance(answer, asyncio.CancelledError):
        wanted.answer.cancel()
    elif isinstance(answer, BaseException):
        wanted.answer.set_exception(answer)
    else:
        wanted.answer.set_result(answer)
