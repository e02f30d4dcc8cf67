"""``/graphql`` over HTTP, as the specification has it."""

import asyncio
import json
from collections.abc import AsyncGenerator

import httpx
import pytest

from support.api import Api, running_api
from taskengine_api.settings import ApiSettings

QUERY = "{ counts { queued } }"
GRAPHQL = "application/graphql-response+json"
DEEP = b"[" * 90_000


def code_of(response: httpx.Response) -> str:
    answer = response.json()
    assert set(answer) == {"errors"}, answer
    return answer["errors"][0]["extensions"]["code"]


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (None, "application/json"),
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("application/json", "application/json"),
        (GRAPHQL, GRAPHQL),
        (f"{GRAPHQL}; charset=utf-8, application/json; charset=utf-8", GRAPHQL),
        (f"application/json, {GRAPHQL}", "application/json"),
        (f"application/json;q=0.5, {GRAPHQL}", GRAPHQL),
        (f"text/event-stream, {GRAPHQL}, application/json", GRAPHQL),
        (f"{GRAPHQL}, application/json, text/event-stream, multipart/mixed", GRAPHQL),
    ],
)
async def test_the_answer_is_of_the_type_that_is_asked_for(api: Api, accept: str | None, media_type: str) -> None:
    api.http.headers.pop("accept", None)
    response = await api.post({"query": QUERY}, **({"Accept": accept} if accept else {}))
    assert response.status_code == 200
    assert response.headers["content-type"].split(";")[0] == media_type
    assert response.json()["data"] == {"counts": {"queued": 0}}


@pytest.mark.parametrize("accept", ["text/plain", "image/png", "application/json;q=0"])
async def test_a_type_that_we_do_not_have_is_406(api: Api, accept: str) -> None:
    response = await api.post({"query": QUERY}, Accept=accept)
    assert (response.status_code, code_of(response)) == (406, "BAD_REQUEST")


@pytest.mark.parametrize("document", ["{", "{ nothing }", "query ($a: Int) { jobs(first: $a) { totalCount } }"])
@pytest.mark.parametrize(("accept", "status"), [(GRAPHQL, 400), ("application/json", 200)])
async def test_a_refused_document_has_no_data(api: Api, document: str, accept: str, status: int) -> None:
    response = await api.post({"query": document, "variables": {"a": "x"}}, Accept=accept)
    assert response.status_code == status
    assert "data" not in response.json()


async def test_an_error_at_a_field_leaves_the_status_and_the_data_entry(api: Api) -> None:
    response = await api.post({"query": "{ jobs(first: 0) { totalCount } }"}, Accept=GRAPHQL)
    assert response.status_code == 200
    assert response.json()["data"] is None
    assert response.json()["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT", "path": ["first"]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"1",
        b'"x"',
        b"[]",
        b'[{"query": "{ counts { queued } }"}]',
        b"{",
        b"\xff\xfe{}",
        b'{"query": "\xff"}',
        b'{"query": NaN}',
        b'{"query": "{ counts { queued } }", "variables": {"a": Infinity}}',
        b'{"query": "{ counts { queued } }", "variables": {"a": ' + b"9" * 5_000 + b"}}",
        rb'{"query": "{ counts { queued } }", "variables": {"a": "\ud800"}}',
        DEEP,
        b'{"query":' + DEEP,
        b"{}",
        b'{"query": null}',
        b'{"query": ""}',
        b'{"query": 1}',
        b'{"query": "{ counts { queued } }", "variables": 1}',
        b'{"query": "{ counts { queued } }", "variables": []}',
        b'{"query": "{ counts { queued } }", "operationName": 1}',
        b'{"query": "{ counts { queued } }", "extensions": "x"}',
    ],
    ids=lambda body: repr(body[:48]),
)
async def test_a_body_that_is_no_request_is_400(api: Api, body: bytes) -> None:
    response = await api.post(body)
    assert (response.status_code, code_of(response)) == (400, "BAD_REQUEST")


@pytest.mark.parametrize(
    "content_type",
    [None, "", "text/plain", "application/jsonp", "application/json; charset=latin-1", "multipart/form-data", "json"],
)
async def test_a_body_of_another_type_is_415(api: Api, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    response = await api.http.post("/graphql", content=json.dumps({"query": QUERY}), headers=headers)
    assert (response.status_code, code_of(response)) == (415, "BAD_REQUEST")


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "application/json;charset=UTF-8", "Application/JSON"]
)
async def test_json_may_say_that_it_is_utf_8(api: Api, content_type: str) -> None:
    response = await api.http.post(
        "/graphql", content=json.dumps({"query": QUERY}), headers={"Content-Type": content_type}
    )
    assert response.json()["data"]


async def test_a_query_may_come_by_get(api: Api) -> None:
    parameters = {"query": "query Q($f: JobFilter) { jobs(filter: $f) { totalCount } }", "operationName": "Q"}
    response = await api.http.get("/graphql", params={**parameters, "variables": '{"f": {"states": ["QUEUED"]}}'})
    assert response.json()["data"] == {"jobs": {"totalCount": 0}}


@pytest.mark.parametrize("variables", ["[", "1", "null x", "NaN"])
async def test_variables_by_get_are_read_strictly(api: Api, variables: str) -> None:
    response = await api.http.get("/graphql", params={"query": QUERY, "variables": variables})
    assert (response.status_code, code_of(response)) == (400, "BAD_REQUEST")


async def test_a_mutation_by_get_is_405_and_changes_nothing(api: Api) -> None:
    job = await api.enqueue()
    document = "mutation ($id: ID!) { cancelJob(input: { id: $id }) { job { state } } }"
    variables = json.dumps({"id": job})
    response = await api.http.get("/graphql", params={"query": document, "variables": variables})
    assert (response.status_code, response.headers["allow"], code_of(response)) == (405, "POST", "BAD_REQUEST")
    assert (await api.data("{ counts { queued cancelled } }"))["counts"] == {"queued": 1, "cancelled": 0}


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
async def test_another_method_is_405(api: Api, method: str) -> None:
    response = await api.http.request(method, "/graphql")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")


async def test_a_subscription_without_a_stream_says_where_it_can_be_had(api: Api) -> None:
    response = await api.post({"query": "subscription { jobEvents { cursor } }"})
    assert response.status_code == 400
    assert "WebSocket" in response.json()["errors"][0]["message"]


async def test_get_without_a_query_is_400_for_whoever_takes_anything(api: Api) -> None:
    response = await api.http.get("/graphql", headers={"Accept": "*/*"})
    assert (response.status_code, code_of(response)) == (400, "BAD_REQUEST")


async def test_a_body_past_the_limit_is_413(api: Api) -> None:
    response = await api.post(b" " * 1_048_577)
    assert (response.status_code, code_of(response)) == (413, "PAYLOAD_TOO_LARGE")


async def test_a_body_of_too_many_lists_is_413_unread(api: Api) -> None:
    response = await api.post(b'{"query": "{ counts { queued } }", "variables": {"a": [' + b"[]," * 100_000 + b"[]]}}")
    assert (response.status_code, code_of(response)) == (413, "PAYLOAD_TOO_LARGE")
    message = response.json()["errors"][0]["message"]
    assert message == "the request body has 100,006 lists and objects; at most 100,000 are allowed"


async def test_a_body_that_does_not_say_how_long_it_is_has_the_same_limit(api: Api) -> None:
    async def parts() -> AsyncGenerator[bytes, None]:
        for _ in range(3):
            yield b" " * 500_000

    response = await api.http.post("/graphql", content=parts(), headers={"Content-Type": "application/json"})
    assert (response.status_code, code_of(response)) == (413, "PAYLOAD_TOO_LARGE")


async def test_a_body_that_claims_to_be_endless_is_refused_unread(api: Api) -> None:
    response = await api.post(b"{}", Content_Length=str(10**12))
    assert response.status_code == 413


async def test_no_other_site_is_told_that_it_may_read(api: Api) -> None:
    response = await api.post({"query": QUERY}, Origin="https://elsewhere.example")
    assert "access-control-allow-origin" not in response.headers


async def test_a_large_whole_number_comes_back_whole(api: Api) -> None:
    number = 2**70 + 1
    document = 'mutation ($a: JSON!) { enqueueJob(input: { task: "universal", args: $a }) { job { args } } }'
    response = await api.post({"query": document, "variables": {"a": {"value": number}}})
    assert response.json()["data"]["enqueueJob"]["job"]["args"] == {"value": number}


async def test_a_bug_of_ours_is_hidden_and_logged(
    api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken() -> None:
        raise RuntimeError("the password is swordfish")

    monkeypatch.setattr(api.client, "count_jobs", broken)
    response = await api.post({"query": QUERY})
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert "swordfish" not in response.text
    assert error["extensions"]["errorId"] in caplog.text
    assert "swordfish" in caplog.text


async def test_an_answer_that_takes_too_long_is_given_up(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    async with running_api(redis_url, api=ApiSettings(request_seconds=0.05)) as api:
        monkeypatch.setattr(api.client, "count_jobs", never)
        response = await api.post({"query": QUERY})
    assert (response.status_code, code_of(response)) == (503, "TIMEOUT")


async def test_healthz_says_that_the_process_is_alive(api: Api) -> None:
    response = await api.http.get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


async def test_nothing_is_served_that_would_load_scripts_from_elsewhere(api: Api) -> None:
    for path in ("/docs", "/redoc", "/openapi.json"):
        assert (await api.http.get(path)).status_code == 404
