"""Reads that are wanted at the same moment go to Redis together."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.client import Pipeline
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from support.redis_server import RedisServer
from taskengine.gathering import Gathering

TEXT = "return ARGV[1]"


@pytest.fixture
async def connection(redis_url: str) -> AsyncGenerator[AsyncRedis]:
    async with AsyncRedis.from_url(redis_url, decode_responses=True) as connection:
        yield connection


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Each round trip: a command, or a pipeline."""
    made: list[str] = []
    for kind, method in ((AsyncRedis, "execute_command"), (Pipeline, "execute")):
        real = getattr(kind, method)

        def counted(self: Any, *args: Any, _real: Any = real, _kind: Any = kind, **options: Any) -> Any:
            made.append(_kind.__name__)
            return _real(self, *args, **options)

        monkeypatch.setattr(kind, method, counted)
    return made


async def test_what_is_wanted_at_once_is_one_round_trip(connection: AsyncRedis, trips: list[str]) -> None:
    gathering = Gathering(connection)
    answers = await asyncio.gather(*(gathering.eval(TEXT, 0, str(number)) for number in range(50)))
    assert answers == [str(number) for number in range(50)]
    assert trips == ["Pipeline"]


async def test_one_alone_is_one_command(connection: AsyncRedis, trips: list[str]) -> None:
    assert await Gathering(connection).eval(TEXT, 0, "a") == "a"
    assert trips == ["Redis"]


async def test_commands_of_different_kinds_go_together(connection: AsyncRedis, trips: list[str]) -> None:
    entry = await connection.xadd("s", {"a": "b"})
    trips.clear()
    gathering = Gathering(connection)
    first, last, info = await asyncio.gather(
        gathering.xrange("s", "-", "+", count=1), gathering.xrevrange("s", "+", "-"), gathering.xinfo_stream("s")
    )
    assert first == last == [(entry, {"a": "b"})]
    assert info["length"] == 1
    assert trips == ["Pipeline"]
    await connection.delete("s")


async def test_an_error_is_told_to_who_asked_for_it_alone(connection: AsyncRedis) -> None:
    gathering = Gathering(connection)
    wrong, right = await asyncio.gather(
        gathering.eval("return redis.error_reply('NO')", 0), gathering.eval(TEXT, 0, "a"), return_exceptions=True
    )
    assert isinstance(wrong, ResponseError)
    assert right == "a"


@pytest.mark.parametrize("number", [1, 3])
async def test_without_redis_each_of_them_hears_of_it(durable_redis: RedisServer, number: int) -> None:
    async with AsyncRedis.from_url(durable_redis.url) as connection:
        durable_redis.kill()
        gathering = Gathering(connection)
        told = await asyncio.gather(*(gathering.eval(TEXT, 0, "a") for _ in range(number)), return_exceptions=True)
    assert all(isinstance(one, RedisConnectionError) for one in told)


async def test_who_leaves_takes_no_answer_from_the_others(connection: AsyncRedis) -> None:
    gathering = Gathering(connection)
    leaving, staying = (asyncio.ensure_future(gathering.eval(TEXT, 0, name)) for name in "ab")
    leaving.cancel()
    assert await staying == "b"
    assert leaving.cancelled()


async def test_the_next_moment_is_another_round_trip(connection: AsyncRedis, trips: list[str]) -> None:
    gathering = Gathering(connection)
    assert [await gathering.eval(TEXT, 0, name) for name in "ab"] == ["a", "b"]
    assert trips == ["Redis", "Redis"]
