"""graphql-transport-ws, strictly: what comes is checked, what is wrong closes with a code that says so."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import pytest
import websockets
from websockets.exceptions import InvalidStatus

from support.api import Api, Socket, a_socket, a_task, has_field, publish
from support.waiting import until


def subscribe(payload: Any, id: Any = "1") -> dict[str, Any]:
    return {"type": "subscribe", "id": id, "payload": payload}


QUERY = {"query": "{ counts { queued } }"}


async def test_a_query_is_answered_over_a_socket(socket: Socket) -> None:
    await socket.send(subscribe(QUERY))
    assert await socket.next() == {"counts": {"queued": 0}}
    assert await socket.receive() == {"id": "1", "type": "complete"}


async def test_answers_are_text_frames(socket: Socket) -> None:
    await socket.send(subscribe(QUERY))
    assert isinstance(await socket.connection.recv(), str)


async def test_a_mutation_is_answered_over_a_socket(socket: Socket) -> None:
    document = 'mutation { enqueueJob(input: { task: "universal", args: {} }) { job { state } errors { code } } }'
    await socket.send(subscribe({"query": document}))
    assert (await socket.next())["enqueueJob"] == {"job": {"state": "QUEUED"}, "errors": []}


async def test_each_operation_sees_what_is_so_by_then(api: Api, socket: Socket) -> None:
    """What one operation has read is not shown to the next, however long the socket is open."""
    document = "query ($id: ID!) { job(id: $id) { state attempts { totalCount } } }"
    job_id = await api.enqueue()
    for state in ("QUEUED", "CANCELLED"):
        await socket.send(subscribe({"query": document, "variables": {"id": job_id}}, state))
        assert (await socket.next(state))["job"]["state"] == state
        await socket.receive()
        await api.client.cancel_job(job_id)


@pytest.mark.parametrize(
    "message",
    [
        "null",
        "1",
        '"x"',
        "[]",
        "{",
        "NaN",
        "[" * 10_000,
        '{"type": "ping", "payload": {"a": [' + "[]," * 100_000 + "[]]}}",
        b"\x00\x01",
        {},
        {"type": None},
        {"type": 1},
        {"type": "nonsense"},
        {"type": "subscribe"},
        {"type": "subscribe", "id": "1"},
        {"type": "subscribe", "payload": QUERY},
        {"type": "complete"},
        subscribe(QUERY, id=1),
        subscribe(QUERY, id=""),
        subscribe(QUERY, id="x" * 129),
        subscribe(None),
        subscribe([]),
        subscribe({}),
        subscribe({"query": None}),
        subscribe({"query": 1}),
        subscribe({**QUERY, "variables": []}),
        subscribe({**QUERY, "variables": "x"}),
        subscribe({**QUERY, "operationName": {}}),
        {"type": "connection_init", "payload": 1},
    ],
    ids=lambda message: repr(message)[:40],
)
async def test_a_message_of_another_form_closes_with_4400(socket: Socket, message: Any) -> None:
    await socket.send(message)
    code, reason = await socket.closed()
    assert code == 4400
    assert reason


async def test_a_syntax_error_closes_with_4400_however_long_it_is(socket: Socket) -> None:
    await socket.send(subscribe({"query": "é" * 500}))
    code, reason = await socket.closed()
    assert code == 4400
    assert reason is not None
    assert reason.startswith("Syntax Error")


@pytest.mark.parametrize("document", ["{ nothing }", "{ ...nowhere }", "{ a " * 16 + "}" * 16])
async def test_a_refused_document_ends_its_operation_alone(socket: Socket, document: str) -> None:
    await socket.send(subscribe({"query": document}))
    message = await socket.receive()
    assert (message["type"], message["id"]) == ("error", "1")
    assert message["payload"][0]["extensions"]["code"] in {"BAD_REQUEST", "QUERY_TOO_COMPLEX"}
    await socket.send(subscribe(QUERY))
    assert (await socket.next())["counts"] == {"queued": 0}


async def test_a_socket_has_to_be_opened_before_it_is_used(address: str) -> None:
    async with a_socket(address, init=False) as socket:
        await socket.send(subscribe(QUERY))
        assert (await socket.closed())[0] == 4401


async def test_a_socket_is_opened_once(socket: Socket) -> None:
    await socket.send({"type": "connection_init"})
    assert (await socket.closed())[0] == 4429


async def test_an_operation_that_runs_keeps_its_id(socket: Socket) -> None:
    for _ in range(2):
        await socket.send(subscribe({"query": "subscription { jobEvents { cursor } }"}))
    assert (await socket.closed())[0] == 4409


async def test_a_ping_is_answered(socket: Socket) -> None:
    await socket.send({"type": "ping"})
    assert await socket.receive() == {"type": "pong"}


async def test_operations_at_once_on_one_socket_have_a_limit(socket: Socket) -> None:
    for number in range(51):
        await socket.send(subscribe({"query": "subscription { jobEvents { cursor } }"}, str(number)))
    message = await socket.receive()
    assert (message["type"], message["id"]) == ("error", "50")


async def test_the_old_protocol_is_not_spoken(address: str) -> None:
    protocols: Any = ["graphql-ws"]
    async with websockets.connect(f"ws://{address}/graphql", subprotocols=protocols) as connection:
        await connection.wait_closed()
        assert connection.close_code == 4406


async def test_a_page_of_another_site_may_not_open_a_socket(address: str) -> None:
    with pytest.raises(InvalidStatus, match="403"):
        async with a_socket(address, origin="https://elsewhere.example"):
            pass


async def test_a_message_past_the_limit_closes_the_socket(socket: Socket) -> None:
    await socket.send(" " * 1_048_577)
    assert (await socket.closed())[0] == 1009


async def test_the_next_operation_on_an_open_socket_sees_a_new_task(api: Api, socket: Socket, redis: Any) -> None:
    def fresh() -> None:
        """Appear."""

    await socket.send(subscribe({"query": "subscription { jobEvents { job { task { name } } } }"}, "old"))
    publish(redis, a_task("fresh", fresh))
    await has_field(api, "enqueueFresh")
    await socket.send(subscribe({"query": "mutation { enqueueFresh(input: {}) { errors { code } } }"}, "new"))
    ids = {message["id"]: message async for message in _until(socket, {"old", "new"})}
    # The subscription that was there before goes on.
    assert ids["old"]["payload"]["data"] == {"jobEvents": {"job": {"task": {"name": "fresh"}}}}
    assert ids["new"]["payload"]["data"] == {"enqueueFresh": {"errors": []}}


async def _until(socket: Socket, wanted: set[str]) -> Any:
    seen: set[str] = set()
    while seen != wanted:
        message = await socket.receive()
        if message["type"] == "next":
            seen.add(message["id"])
            yield message


async def test_a_bug_of_ours_is_hidden_and_logged_where_it_ends_a_subscription(
    api: Api, socket: Socket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(**_: Any) -> Any:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr(api.client, "events", broken)
    await socket.send(subscribe({"query": "subscription { jobEvents { cursor } }"}))
    payload = (await socket.receive())["payload"]
    (error,) = payload if isinstance(payload, list) else payload["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert "swordfish" not in str(payload)
    assert error["extensions"]["errorId"] in caplog.text
    assert "swordfish" in caplog.text
    assert await socket.receive() == {"id": "1", "type": "complete"}
    await socket.send(subscribe(QUERY, id="2"))
    assert (await socket.next("2"))["counts"] == {"queued": 0}


@pytest.mark.parametrize("leave", ["complete", "close"])
async def test_a_subscription_ends_also_when_the_first_word_of_that_is_lost(
    api: Api, address: str, monkeypatch: pytest.MonkeyPatch, leave: str
) -> None:
    """Before Python 3.12 what redis-py waits with can swallow a cancellation."""
    told: list[str] = []

    async def stubborn(**_: Any) -> AsyncGenerator[Any]:
        told.append("begun")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            told.append("lost")
        try:
            await asyncio.Event().wait()
        finally:
            told.append("ended")
        yield

    def so_far(*words: str) -> Callable[[], Awaitable[bool]]:
        async def so() -> bool:
            return told == list(words)

        return so

    monkeypatch.setattr(api.client, "events", stubborn)
    async with a_socket(address) as socket:
        await socket.send(subscribe({"query": "subscription { jobEvents { cursor } }"}))
        await until(so_far("begun"))
        if leave == "complete":
            await socket.send({"type": "complete", "id": "1"})
            await until(so_far("begun", "lost", "ended"))
    await until(so_far("begun", "lost", "ended"))
