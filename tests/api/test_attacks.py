"""Attacks, each answered as the limits say: with a code, before much was done, and without harm to others."""

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

import httpx
import pytest
from redis import Redis
from websockets.exceptions import ConnectionClosed, InvalidStatus

from support.api import Api, Socket, a_socket
from support.attacks import ARGUMENTS, BODIES, DOCUMENTS, PLAIN, SMALL
from support.waiting import until

REFUSED = {"BAD_REQUEST", "QUERY_TOO_COMPLEX", "PAYLOAD_TOO_LARGE", "FORBIDDEN", "RATE_LIMITED", "BAD_USER_INPUT"}
STREAM = {"Accept": "text/event-stream"}
HARMLESS = {"variables that nobody asked for", "long extensions"}
"""Bodies with much beside the request, which nobody looks at."""
TOO_LONG = "{ " + "é" * 40_000 + " }"


def codes_of(errors: list[dict[str, Any]]) -> set[str]:
    return {error["extensions"]["code"] for error in errors}


async def streamed(api: Api, document: str, **more: Any) -> list[dict[str, Any]]:
    """The errors of a document that is refused as server-sent events."""
    response = await api.post({"query": document, **more}, **STREAM)
    assert response.text.startswith("event: next\r\ndata: ")
    return json.loads(response.text.splitlines()[1].removeprefix("data: "))["errors"]


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_a_document_meant_to_harm_is_refused_with_a_code(api: Api, name: str) -> None:
    response = await api.post({"query": DOCUMENTS[name]})
    assert response.status_code in {200, 400}
    codes = codes_of(response.json()["errors"])
    assert codes
    assert codes <= REFUSED
    assert len(response.content) < 25_000


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_it_is_refused_over_a_socket_alike(address: str, name: str) -> None:
    """A syntax error closes the socket, as the protocol has it; anything else ends the operation alone."""
    async with a_socket(address) as socket:
        await socket.subscribe(DOCUMENTS[name])
        try:
            payload = (await socket.receive())["payload"]
        except ConnectionClosed:
            code, reason = await socket.closed()
            assert code == 4400
            assert (reason or "").startswith("Syntax Error")
        else:
            assert codes_of(payload if isinstance(payload, list) else payload["errors"]) <= REFUSED


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_and_in_a_stream(api: Api, name: str) -> None:
    assert codes_of(await streamed(api, DOCUMENTS[name])) <= REFUSED


@pytest.mark.parametrize("name", BODIES)
async def test_a_body_meant_to_harm_is_refused_with_a_code(api: Api, name: str) -> None:
    response = await api.http.post("/graphql", content=BODIES[name], headers=PLAIN)
    answer = response.json()
    if name in HARMLESS:
        assert "errors" not in answer
    elif name == "many jobs":
        assert codes_of(answer["errors"]) == {"QUERY_TOO_COMPLEX"}
    else:
        assert response.status_code in {200, 400, 413}
        assert answer["errors"]
        assert codes_of(answer["errors"]) <= REFUSED
    assert len(response.content) < 25_000


@pytest.mark.parametrize("name", ARGUMENTS)
async def test_arguments_past_their_limit_are_refused_as_data(api: Api, name: str) -> None:
    answer = (await api.http.post("/graphql", content=ARGUMENTS[name], headers=PLAIN)).json()
    assert list(answer["data"].values()) == [{"errors": [{"code": "LIMIT_EXCEEDED"}]}]


# A document that is too long is not read


TOLD = "the document has 80,004 bytes; at most 65,536 are allowed: give long values as variables"


async def test_a_long_document_is_refused_unread(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from taskengine_api import documents

    read: list[object] = []
    monkeypatch.setattr(documents, "parse", lambda *args, **_: read.append(args))
    error = await api.error(TOO_LONG)
    assert (error["message"], error["extensions"]) == (TOLD, {"code": "QUERY_TOO_COMPLEX"})
    assert read == []


async def test_it_is_400_for_who_wants_graphqls_own_answers(api: Api) -> None:
    response = await api.post({"query": TOO_LONG}, Accept="application/graphql-response+json")
    assert response.status_code == 400
    assert set(response.json()) == {"errors"}


async def test_by_get_a_long_document_is_no_address(address: str) -> None:
    reader, writer = await asyncio.open_connection(*address.split(":"))
    writer.write(f"GET /graphql?query={'a' * 65_537} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
    answer = (await reader.read()).decode()
    writer.close()
    assert answer.startswith("HTTP/1.1 400 ")


async def test_a_long_document_ends_in_one_event_of_a_stream(api: Api) -> None:
    (error,) = await streamed(api, TOO_LONG)
    assert (error["message"], error["extensions"]) == (TOLD, {"code": "QUERY_TOO_COMPLEX"})


async def test_a_long_document_over_a_socket_ends_its_operation_alone(socket: Socket) -> None:
    await socket.subscribe(TOO_LONG)
    message = await socket.receive()
    assert message["type"] == "error"
    assert message["payload"] == [{"message": TOLD, "extensions": {"code": "QUERY_TOO_COMPLEX"}}]
    await socket.subscribe(SMALL, id="2")
    assert (await socket.next("2"))["counts"] == {"queued": 0}


async def test_a_document_may_be_as_long_as_the_limit(api: Api) -> None:
    assert await api.data(SMALL + "#" * (65_536 - len(SMALL)))


async def test_long_values_are_taken_as_variables(api: Api) -> None:
    document = "mutation ($i: EnqueueJobInput!) { enqueueJob(input: $i) { errors { message } } }"
    payload = (await api.data(document, i={"task": "universal", "args": {"value": "x" * 100_000}}))["enqueueJob"]
    assert payload == {"errors": []}


# What is odd about a request


@pytest.mark.parametrize("number", ["9" * 1_001, "-" + "9" * 5_000])
@pytest.mark.parametrize(
    "document",
    [
        "{ jobs(first: %s) { totalCount } }",
        "{ jobs(filter: {priority: {gte: %s}}) { totalCount } }",
        "query ($n: Int = %s) { jobs(first: $n) { totalCount } }",
        "{ jobs(filter: {argsContain: {a: [%s]}}) { totalCount } }",
    ],
)
async def test_a_number_that_nobody_can_read_is_refused_in_words(api: Api, document: str, number: str) -> None:
    error = await api.error(document % number)
    assert "digits; at most 1,000 are allowed" in error["message"]
    assert error["extensions"] == {"code": "QUERY_TOO_COMPLEX"}


async def test_a_number_past_all_numbers_is_refused_in_a_document(api: Api) -> None:
    error = await api.error("{ jobs(filter: {argsContain: {a: [1e999]}}) { totalCount } }")
    assert error["message"] == "the number 1e999 in the document is larger than numbers may be"


async def test_and_in_a_body(api: Api) -> None:
    response = await api.post(b'{"query": "{ counts { queued } }", "variables": {"a": [1e999]}}')
    assert response.status_code == 400


async def test_what_looks_like_a_large_number_in_a_text_is_a_text(api: Api) -> None:
    assert await api.data('{ jobs(filter: {text: "1e999"}) { totalCount } }')


@pytest.mark.parametrize("document", ["fragment a on Query { counts { queued } }", "type A { a: Int }"])
async def test_a_document_without_operations_is_refused_over_a_socket(socket: Socket, document: str) -> None:
    await socket.subscribe(document)
    message = await socket.receive()
    assert (message["type"], message["payload"][0]["extensions"]) == ("error", {"code": "BAD_REQUEST"})


async def test_an_operation_that_is_not_there_is_refused_in_a_stream(api: Api) -> None:
    (error,) = await streamed(api, "query A { counts { queued } }", operationName="B")
    assert error == {"message": 'Unknown operation named "B".', "extensions": {"code": "BAD_REQUEST"}}


async def test_a_mutation_by_get_is_refused_in_a_stream_too(api: Api) -> None:
    document = 'mutation { enqueueJob(input: {task: "universal", args: {}}) { job { id } } }'
    response = await api.http.get("/graphql", params={"query": document}, headers=STREAM)
    assert '{"message":"mutations are not allowed","extensions":{"code":"BAD_REQUEST"}}' in response.text
    assert (await api.data(SMALL))["counts"] == {"queued": 0}


async def test_what_is_said_of_a_long_name_is_short(api: Api) -> None:
    for error in (
        await api.error("{ " + "a" * 60_000 + " }"),
        (await api.answer(SMALL, "q" * 60_000))["errors"][0],
    ):
        assert len(error["message"]) == 1_000


async def test_no_more_is_told_of_than_one_can_mend(api: Api) -> None:
    errors = (await api.answer("{ " + " ".join(f"nothing{n}" for n in range(900)) + " }"))["errors"]
    assert len(errors) == 5
    errors = (await api.answer("{ " + " ".join(f"nothing{n}" for n in range(90)) + " }"))["errors"]
    assert len(errors) == 10


async def test_requests_in_batches_are_refused(api: Api) -> None:
    response = await api.post([{"query": SMALL}] * 10)
    assert (response.status_code, codes_of(response.json()["errors"])) == (400, {"BAD_REQUEST"})


# Sockets


async def test_a_socket_that_says_nothing_is_closed_after_five_seconds(address: str) -> None:
    async with a_socket(address, init=False) as socket:
        assert await socket.closed() == (4408, "Connection initialisation timeout")


async def test_a_flood_of_sockets_that_say_nothing_ends_at_the_limit_and_leaves_the_others(
    address: str, socket: Socket
) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(200):
            await stack.enter_async_context(a_socket(address, init=False))
        for _ in range(5):
            with pytest.raises(InvalidStatus, match="429"):
                await stack.enter_async_context(a_socket(address, init=False))
        await socket.subscribe(SMALL)
        assert (await socket.next())["counts"] == {"queued": 0}


@pytest.mark.parametrize(
    "frame", ["", "{", "[]", '{"type": {}}', "null" * 1_000, b"\xff\xfe", '{"type": "connection_init", "payload": 7}']
)
async def test_odd_frames_close_the_socket(address: str, frame: str | bytes) -> None:
    async with a_socket(address, init=False) as socket:
        await socket.send(frame)
        assert (await socket.closed())[0] == 4400


async def test_a_frame_past_the_limit_of_bodies_closes_the_socket(address: str) -> None:
    async with a_socket(address) as socket:
        await socket.send("x" * 1_100_000)
        assert (await socket.closed())[0] == 1009


async def test_a_flood_of_subscriptions_ends_at_the_limit_and_leaves_the_others(socket: Socket) -> None:
    for number in range(60):
        await socket.subscribe("subscription { jobEvents { cursor } }", id=str(number))
    refused = [await socket.receive() for _ in range(10)]
    assert {message["id"] for message in refused} == {str(number) for number in range(50, 60)}
    for message in refused:
        assert message["type"] == "error"
        assert message["payload"] == [
            {
                "message": "50 operations are open on this socket, which is the limit: end one first",
                "extensions": {"code": "RATE_LIMITED"},
            }
        ]
    await socket.send({"type": "complete", "id": "0"})
    await socket.subscribe(SMALL, id="after")
    assert (await socket.next("after"))["counts"] == {"queued": 0}


async def test_a_flood_of_beginnings_and_ends_leaves_nothing_behind(api: Api, socket: Socket) -> None:
    for number in range(500):
        await socket.subscribe("subscription { jobEvents { cursor } }", id=str(number))
        await socket.send({"type": "complete", "id": str(number)})
    await socket.subscribe(SMALL, id="after")
    assert (await socket.next("after"))["counts"] == {"queued": 0}

    async def nobody_listens() -> bool:
        return not api.client._feed._subscribers

    await until(nobody_listens)


# Afterwards


async def test_the_next_request_is_answered_whatever_was_tried(address: str, redis: Redis) -> None:
    async with httpx.AsyncClient(base_url=f"http://{address}") as http:
        for document in DOCUMENTS.values():
            await http.post("/graphql", json={"query": document})
            await http.post("/graphql", content=json.dumps({"query": document})[:-2], headers=PLAIN)
        for body in BODIES.values():
            await http.post("/graphql", content=body, headers=PLAIN)
        answer = await http.post("/graphql", json={"query": SMALL})
    assert answer.json()["data"] == {"counts": {"queued": 0}}
