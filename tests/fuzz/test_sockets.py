"""Conversations over a socket that no client would have: each is answered in form, or closed with a code of ours."""

import asyncio
import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from websockets.exceptions import ConnectionClosed

from support.api import Socket, a_socket, a_task, publish
from support.redis_server import RedisServer
from support.served import a_faultless_api

DEFAULT_CASES = 50
CASES = int(os.environ.get("FUZZ_CASES", str(DEFAULT_CASES * 6))) // 6
"""A conversation takes as long as some operations."""
CLOSES = {4400, 4401, 4403, 4408, 4409, 4429}
ANSWERS = {"connection_ack", "pong", "next", "error", "complete"}

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
IDS = st.sampled_from(["1", "2", ""]) | VALUES
DOCUMENTS = st.sampled_from(
    [
        "{ counts { queued } }",
        "subscription { jobEvents { cursor } }",
        "subscription { metricsUpdated(window: MINUTE) { completed } }",
        'subscription { jobUpdated(id: "job_none") { cursor } }',
        "query ($n: Int!) { jobs(first: $n) { totalCount } }",
        'mutation { cancelJob(input: {id: "job_none"}) { errors { code } } }',
        "query A { counts { queued } } query B { counts { running } }",
        "{ nothing }",
        "{",
        "",
    ]
)
PAYLOADS = st.fixed_dictionaries(
    {"query": DOCUMENTS}, optional={"variables": VALUES | st.just({"n": 3}), "operationName": VALUES, "x": VALUES}
)
MESSAGES = (
    st.fixed_dictionaries({"type": st.just("connection_init")}, optional={"payload": VALUES | st.just({})})
    | st.fixed_dictionaries({"type": st.sampled_from(["ping", "pong"])}, optional={"payload": VALUES})
    | st.fixed_dictionaries({"type": st.just("subscribe"), "id": IDS, "payload": PAYLOADS | VALUES})
    | st.fixed_dictionaries({"type": st.just("complete"), "id": IDS})
    | st.fixed_dictionaries({"type": st.text(max_size=12) | VALUES}, optional={"id": IDS, "payload": VALUES})
).map(json.dumps)
FRAMES = MESSAGES | VALUES.map(json.dumps) | st.text(max_size=40) | st.binary(max_size=40)
OPENED = st.just(['{"type": "connection_init"}']) | st.just(list[Any]())
CONVERSATIONS = st.tuples(OPENED, st.lists(MESSAGES | FRAMES, min_size=1, max_size=6)).map(lambda two: two[0] + two[1])


def universal(value: Any = None) -> Any:
    """Do as told."""
    return value


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A running API."""
    folder = tmp_path_factory.mktemp("fuzz")
    server = RedisServer(folder / "redis").start()
    try:
        with server.client() as redis:
            publish(redis, a_task("universal", universal))
        with a_faultless_api(server.url, folder) as port:
            yield f"127.0.0.1:{port}"
    finally:
        server.stop()


async def talk(address: str, frames: list[str | bytes]) -> None:
    """Say all of it, then ask whether the other side is there; hold what comes back to its form."""
    async with a_socket(address, init=False) as socket:
        try:
            for frame in frames:
                await socket.send(frame)
            await socket.send({"type": "ping"})
            pings = 1 + sum(isinstance(frame, str) and frame.startswith('{"type": "ping"') for frame in frames)
            while pings:
                pings -= await one_answer(socket) == "pong"
        except ConnectionClosed:
            code, reason = await socket.closed()
            assert code in CLOSES, (code, reason)
            assert reason
    # And others are served.
    async with a_socket(address) as socket:
        await socket.subscribe("{ counts { queued } }")
        assert (await socket.next())["counts"]


async def one_answer(socket: Socket) -> str:
    message = await socket.receive()
    assert message["type"] in ANSWERS
    assert set(message) <= {"type", "id", "payload"}
    if message["type"] in {"next", "error", "complete"}:
        assert isinstance(message["id"], str)
    for error in message["payload"] if message["type"] == "error" else message.get("payload", {}).get("errors", []):
        assert error["extensions"]["code"] not in {"INTERNAL", "UNAVAILABLE", "TIMEOUT"}
    return message["type"]


def test_whatever_is_said_is_answered_in_form_or_closed_with_a_code(address: str) -> None:
    @settings(
        max_examples=CASES,
        derandomize=CASES <= DEFAULT_CASES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(CONVERSATIONS)
    def hold(frames: list[str | bytes]) -> None:
        asyncio.run(talk(address, frames))

    hold()
