"""GraphQL over HTTP, and each way in which it can go wrong."""

import json
from collections.abc import Callable

import httpx
import pytest

from taskengine_dashboard.client import (
    ApiError,
    ApiRefused,
    ApiSlow,
    ApiUnreachable,
    Client,
    Operation,
    RequestFailed,
    endpoint_of,
)

PING = Operation("Ping", "query Ping { ping }")


def a_client(answer: Callable[[httpx.Request], httpx.Response]) -> Client:
    return Client("http://api.test", transport=httpx.MockTransport(answer))


def answering(status: int, content: bytes) -> Client:
    return a_client(lambda _: httpx.Response(status, content=content))


def failing(error: Exception) -> Client:
    def answer(_: httpx.Request) -> httpx.Response:
        raise error

    return a_client(answer)


def test_the_viewers_key_is_shown_to_the_api() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"data": {}})

    Client("http://api.test", transport=httpx.MockTransport(answer)).execute(PING, api_key="te_secret")
    assert seen[0].headers["authorization"] == "Bearer te_secret"


def test_the_operation_is_sent_by_name_with_its_variables() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json={"data": {"ping": "pong"}})

    assert a_client(answer).execute(PING, {"a": 1}) == {"ping": "pong"}
    assert str(seen[0].url) == "http://api.test/graphql"
    assert json.loads(seen[0].content) == {"query": PING.text, "operationName": "Ping", "variables": {"a": 1}}


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("http://api:8000", "http://api:8000/graphql"),
        ("http://api:8000/", "http://api:8000/graphql"),
        ("https://example.org/jobs/graphql", "https://example.org/jobs/graphql"),
    ],
)
def test_the_address_may_be_the_endpoint_itself(url: str, endpoint: str) -> None:
    assert endpoint_of(url) == endpoint


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError("refused"), ApiUnreachable),
        (httpx.ConnectTimeout("no route"), ApiUnreachable),
        (httpx.RemoteProtocolError("cut off"), ApiUnreachable),
        (httpx.ReadTimeout("slow"), ApiSlow),
        (httpx.PoolTimeout("busy"), ApiSlow),
    ],
)
def test_trouble_on_the_way_is_told_apart(error: Exception, kind: type[ApiError]) -> None:
    with pytest.raises(kind) as failed:
        failing(error).execute(PING)
    assert "http://api.test/graphql" in str(failed.value)


@pytest.mark.parametrize("content", [b"<html>", b"[]", b'"x"', b"{}", b"\xff"])
def test_an_answer_that_is_not_graphql_is_a_refusal(content: bytes) -> None:
    with pytest.raises(ApiRefused, match="HTTP 502"):
        answering(502, content).execute(PING)


def test_top_level_errors_carry_their_code() -> None:
    body = {"data": None, "errors": [{"message": "Redis is away", "extensions": {"code": "UNAVAILABLE"}}]}
    with pytest.raises(RequestFailed, match="Redis is away") as failed:
        answering(200, json.dumps(body).encode()).execute(PING)
    assert failed.value.code == "UNAVAILABLE"


@pytest.mark.parametrize("extensions", [{}, {"extensions": None}, {"extensions": {}}])
def test_an_error_without_a_code_is_a_bug_of_someone(extensions: dict[str, object]) -> None:
    body = {"errors": [{"message": "Oh", **extensions}]}
    with pytest.raises(RequestFailed) as failed:
        answering(400, json.dumps(body).encode()).execute(PING)
    assert failed.value.code == "INTERNAL"


def test_every_problem_has_a_headline_of_its_own() -> None:
    titles = [kind.title for kind in (ApiUnreachable, ApiSlow, ApiRefused, RequestFailed)]
    assert len(set(titles)) == len(titles)
