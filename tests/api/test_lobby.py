"""WebSockets that nobody has let in yet have a limit; those that were let in, or are gone, do not count."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis
from websockets.exceptions import InvalidStatus

from support.api import QUICK, Socket, a_socket, bearer, running_api, serving
from support.ports import free_port
from support.served import an_api, answers
from support.waiting import until, wait_until
from taskengine_api.errors import RequestRefused
from taskengine_api.lobby import Lobby
from taskengine_api.settings import OpenLoopback

SMALL = "{ counts { queued } }"
KEY = "a key that nobody guesses".replace(" ", "-")


@asynccontextmanager
async def served(redis_url: str, *, of_one: int, in_total: int = 1_000) -> AsyncGenerator[str]:
    """A real server, of an API with such limits."""
    settings = replace(
        QUICK, key=KEY, open_loopback=OpenLoopback.OFF, max_new_sockets=in_total, max_new_sockets_per_address=of_one
    )
    async with running_api(redis_url, api=settings) as api, serving(api.app) as address:
        yield address


async def opened(stack: AsyncExitStack, address: str, count: int, **options: Any) -> list[Socket]:
    """So many sockets that say nothing."""
    return [await stack.enter_async_context(a_socket(address, init=False, **options)) for _ in range(count)]


async def refused(address: str, **options: Any) -> InvalidStatus:
    with pytest.raises(InvalidStatus) as refusal:
        async with a_socket(address, init=False, **options):
            pass
    return refusal.value


def lets_in(address: str, **options: Any) -> Callable[[], Awaitable[bool]]:
    async def is_let_in() -> bool:
        try:
            async with a_socket(address, additional_headers=bearer(KEY), **options) as socket:
                await socket.subscribe(SMALL)
                return bool(await socket.next())
        except InvalidStatus:
            return False

    return is_let_in


async def test_one_more_than_may_wait_is_refused_before_it_is_a_socket(redis_url: str, catalogue: None) -> None:
    async with served(redis_url, of_one=3) as address, AsyncExitStack() as stack:
        await opened(stack, address, 3)
        response = (await refused(address)).response
    assert response.status_code == 429
    assert response.headers["Retry-After"] == "5"
    assert response.body == (
        b'{"errors":[{"message":"3 WebSockets of 127.0.0.1 have not sent connection_init yet, which is the limit: '
        b'come again","extensions":{"code":"RATE_LIMITED"}}]}'
    )


async def test_who_was_let_in_counts_no_more(redis_url: str, catalogue: None) -> None:
    async with served(redis_url, of_one=2) as address, AsyncExitStack() as stack:
        for _ in range(5):
            await stack.enter_async_context(a_socket(address, additional_headers=bearer(KEY)))
        await opened(stack, address, 2)
        assert (await refused(address)).response.status_code == 429


async def test_a_place_is_free_once_who_waited_is_let_in(redis_url: str, catalogue: None) -> None:
    async with served(redis_url, of_one=1) as address, AsyncExitStack() as stack:
        (first,) = await opened(stack, address, 1)
        assert not await lets_in(address)()
        await first.send({"type": "connection_init", "payload": {"authorization": f"Bearer {KEY}"}})
        assert (await first.receive())["type"] == "connection_ack"
        assert await lets_in(address)()
        await first.subscribe(SMALL)
        assert await first.next()


@pytest.mark.parametrize("ending", ["leave", "break off", "no key", "nonsense"])
async def test_or_is_gone(redis_url: str, catalogue: None, ending: str) -> None:
    async with served(redis_url, of_one=1) as address, AsyncExitStack() as stack:
        (first,) = await opened(stack, address, 1)
        if ending == "leave":
            await first.connection.close()
        elif ending == "break off":
            first.connection.transport.abort()
        else:
            await first.send({"type": "connection_init"} if ending == "no key" else "{")
            assert (await first.closed())[0] in {4403, 4400}
        await until(lets_in(address), 30, "another is let in")


async def test_or_has_said_nothing_for_too_long(redis_url: str, catalogue: None) -> None:
    async with served(redis_url, of_one=1) as address, AsyncExitStack() as stack:
        (first,) = await opened(stack, address, 1)
        assert (await first.closed())[0] == 4408
        await until(lets_in(address), 30, "another is let in")


async def test_what_is_no_socket_of_ours_takes_no_place(redis_url: str, catalogue: None) -> None:
    async with served(redis_url, of_one=1) as address:
        for _ in range(3):
            assert (await refused(address, origin="https://elsewhere.example")).response.status_code == 403
        assert await lets_in(address)()


async def test_the_flood_of_one_address_keeps_no_other_out(redis_url: str, catalogue: None) -> None:
    """As a proxy on the machine tells them apart."""
    async with served(redis_url, of_one=2) as address, AsyncExitStack() as stack:
        flood = {"additional_headers": {"X-Forwarded-For": "192.0.2.1"}}
        await opened(stack, address, 2, **flood)
        assert "192.0.2.1" in (await refused(address, **flood)).response.body.decode()
        assert await lets_in(address)()


async def test_all_together_have_a_limit_too(redis_url: str, catalogue: None) -> None:
    async with served(redis_url, of_one=2, in_total=3) as address, AsyncExitStack() as stack:
        for number in range(3):
            await opened(stack, address, 1, additional_headers={"X-Forwarded-For": f"192.0.2.{number}"})
        response = (await refused(address)).response
    assert response.status_code == 503
    assert response.headers["Retry-After"] == "5"
    assert b"3 WebSockets have not sent connection_init yet, which is the limit: come again" in response.body
    assert b'"UNAVAILABLE"' in response.body


async def test_of_many_at_once_so_many_get_in_as_may(redis_url: str, catalogue: None) -> None:
    async with served(redis_url, of_one=10) as address, AsyncExitStack() as stack:
        asked = (stack.enter_async_context(a_socket(address, init=False)) for _ in range(40))
        answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(answer, Socket) for answer in answers) == 10
    assert {answer.response.status_code for answer in answers if isinstance(answer, InvalidStatus)} == {429}
    assert sum(isinstance(answer, InvalidStatus) for answer in answers) == 30


async def test_a_refusal_is_no_error_of_ours(redis: Redis, redis_url: str, tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "api.log"
    with an_api(redis_url, tmp_path, port, log=log, api_max_new_sockets_per_address=1):
        wait_until(lambda: answers(port), 60, "the API answers")
        address = f"127.0.0.1:{port}"
        async with AsyncExitStack() as stack:
            await opened(stack, address, 1)
            for _ in range(5):
                assert (await refused(address)).response.status_code == 429
        async with httpx.AsyncClient(base_url=f"http://{address}") as http:
            counted = (await http.get("/metrics")).text
    assert 'taskengine_api_errors_total{code="RATE_LIMITED"} 5.0' in counted
    assert "ERROR" not in log.read_text("utf-8")


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans(), st.integers(0, 9))))
def test_the_lobby_counts_as_one_would(steps: list[tuple[str, bool, int]]) -> None:
    lobby = Lobby(most=4, most_of_one_address=2)
    inside: list[tuple[str, Callable[[], None]]] = []
    for address, comes, which in steps:
        if not comes:
            if inside:
                _, leave = inside.pop(which % len(inside))
                leave()
                leave()  # once is once
            continue
        there = [one for one, _ in inside]
        if there.count(address) < 2 and len(there) < 4:
            inside.append((address, lobby.enter(address)))
            continue
        with pytest.raises(RequestRefused) as refusal:
            lobby.enter(address)
        assert refusal.value.status == (429 if there.count(address) == 2 else 503)
    for _, leave in inside:
        leave()
    assert not lobby._waiting
    assert lobby._total == 0
