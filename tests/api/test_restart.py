"""Across a restart of the API itself nothing is missed and nothing told twice."""

import asyncio
import signal
from pathlib import Path
from typing import Any

from redis import Redis

from support.api import Socket, a_socket, a_task, publish, run, say
from support.ports import free_port
from support.served import an_api, answers
from support.waiting import until
from taskengine.client import Client
from taskengine.enqueue_client import NewJob
from taskengine.settings import Settings
from taskengine_api.schema.places import key_of

ALL = """
subscription ($after: String) {
  jobEvents(kinds: [STATE, LOG], after: $after) { cursor job { id } ... on JobLogged { log { message } } }
}
"""


def universal() -> None:
    """Do nothing."""


async def test_who_comes_back_after_a_restart_goes_on_where_they_were(
    redis: Redis, redis_url: str, tmp_path: Path
) -> None:
    publish(redis, a_task("universal", universal))
    client = Client(redis_url, settings=Settings(redis_url=redis_url))
    taken: list[str] = []
    after = await client.newest_cursor()
    port = free_port()
    with an_api(redis_url, tmp_path, port) as process:
        await until(lambda: asyncio.to_thread(answers, port), 60, "the API answers")
        async with a_socket(f"127.0.0.1:{port}") as socket:
            await socket.subscribe(ALL, after=after)
            await client.enqueue_jobs([NewJob(task="universal", args={}) for _ in range(5)])
            say(redis, run(redis), *(("INFO", f"{number}") for number in range(4)))
            # Killed between two lines that came as one.
            after = await _take(socket, 8, taken, after)
        process.send_signal(signal.SIGKILL)
    # While nobody serves, more happens.
    await client.enqueue_jobs([NewJob(task="universal", args={}) for _ in range(5)])
    say(redis, run(redis), ("INFO", "after"))
    stored = [(entry_id, fields) async for entry_id, fields in _stream(client)]
    with an_api(redis_url, tmp_path, port):
        await until(lambda: asyncio.to_thread(answers, port), 60, "the API answers again")
        async with a_socket(f"127.0.0.1:{port}") as socket:
            await socket.subscribe(ALL, after=after)
            await _take(socket, _expected(stored) - len(taken), taken, after)
    await client.close()
    assert len(taken) == len(set(taken)) == _expected(stored)
    assert taken == sorted(taken, key=key_of)


async def _take(socket: Socket, count: int, taken: list[str], after: str) -> str:
    for _ in range(count):
        after = (await socket.next())["jobEvents"]["cursor"]
        taken.append(after)
    return after


async def _stream(client: Client) -> Any:
    for entry_id, fields in await client._redis.xrange(client._keys.events):
        yield entry_id, fields


def _expected(stored: list[Any]) -> int:
    """An event a move, and one a line."""
    return sum(int(fields["count"]) if fields["kind"] == "LOG" else 1 for _, fields in stored)
