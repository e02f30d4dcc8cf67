"""Signing in and out: the routes beside the pages."""

from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message

from support.fake_api import FakeApi
from taskengine_dashboard.origins import OnlyOurPages
from taskengine_dashboard.session import body_of, routes

KEY = "te_abc"


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    """A browser on a page of ours."""
    app = Starlette(routes=list(routes()), middleware=[Middleware(OnlyOurPages, hosts=("jobs.test",))])
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://jobs.test", headers={"origin": "http://jobs.test"}
    ) as client:
        yield client


async def test_a_key_that_opens_becomes_a_cookie_that_no_script_reads(api: FakeApi, browser: httpx.AsyncClient) -> None:
    api.answers["viewer"] = {"name": "vera", "role": "VIEWER"}
    answer = await browser.post("/auth/login", json={"key": KEY})
    assert answer.json() == {"name": "vera", "role": "VIEWER"}
    assert api.keys == [KEY]
    cookie = answer.headers["set-cookie"]
    assert cookie == f"taskengine_key={KEY}; HttpOnly; Max-Age=43200; Path=/; SameSite=strict"
    assert answer.headers["cache-control"] == "no-store"


async def test_a_token_is_longer_than_a_key_and_kept_the_same_way(api: FakeApi, browser: httpx.AsyncClient) -> None:
    token = ".".join(["eyJ" + "x" * 200, "y" * 1_500, "z" * 340])
    assert (await browser.post("/auth/login", json={"key": token})).status_code == 200
    assert api.keys == [token]


async def test_behind_tls_the_cookie_travels_by_tls_alone(browser: httpx.AsyncClient) -> None:
    answer = await browser.post("/auth/login", json={"key": KEY}, headers={"x-forwarded-proto": "https"})
    assert "; Secure" in answer.headers["set-cookie"]


async def test_a_key_that_opens_nothing_is_refused_as_the_api_says(api: FakeApi, browser: httpx.AsyncClient) -> None:
    api.error_code = "UNAUTHENTICATED"
    answer = await browser.post("/auth/login", json={"key": KEY})
    assert (answer.status_code, answer.json()) == (401, {"message": "Redis does not answer"})
    assert "set-cookie" not in answer.headers


async def test_a_browser_that_leaves_in_the_middle_is_a_refusal_and_no_fault() -> None:
    async def leave() -> Message:
        return {"type": "http.disconnect"}

    headers = [(b"content-type", b"application/json"), (b"content-length", b"20")]
    answer = await body_of(Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, leave))
    assert isinstance(answer, Response)
    assert (answer.status_code, answer.body) == (400, b'{"message":"expected the whole body"}')


async def test_without_the_api_nobody_gets_in(api: FakeApi, browser: httpx.AsyncClient) -> None:
    api.problem = httpx.ConnectError("refused")
    answer = await browser.post("/auth/login", json={"key": KEY})
    assert answer.status_code == 503
    assert answer.json()["message"].startswith("The API is not reachable.")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "body", ["", "{", "[]", "{}", '{"key": 7}', '{"key": ""}', '{"key": "a\\nb"}', '{"key": "a b"}']
)
async def test_what_is_no_key_is_not_even_asked_for(api: FakeApi, browser: httpx.AsyncClient, body: str) -> None:
    answer = await browser.post("/auth/login", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert api.sent == []


async def test_a_body_without_end_is_not_read(api: FakeApi, browser: httpx.AsyncClient) -> None:
    assert (await browser.post("/auth/login", json={"key": "x" * 100_000})).status_code == 400
    assert api.sent == []


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", ""])
async def test_what_a_form_of_another_site_could_send_is_refused(
    api: FakeApi, browser: httpx.AsyncClient, kind: str
) -> None:
    answer = await browser.post("/auth/login", content=f'{{"key": "{KEY}"}}', headers={"content-type": kind})
    assert answer.status_code == 415
    assert api.sent == []


@pytest.mark.parametrize("path", ["/auth/login", "/auth/logout"])
@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {"host": "elsewhere.example", "origin": "http://elsewhere.example"},
    ],
    ids=["another site", "a sandbox", "a name that leads here"],
)
async def test_pages_of_other_sites_sign_nobody_in_or_out(
    api: FakeApi, browser: httpx.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    answer = await browser.post(path, json={"key": KEY}, headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers
    assert api.sent == []


async def test_signing_out_clears_the_cookie(browser: httpx.AsyncClient) -> None:
    await browser.post("/auth/login", json={"key": KEY})
    answer = await browser.post("/auth/logout")
    assert answer.status_code == 204
    assert answer.headers["set-cookie"].startswith('taskengine_key=""; expires=')
    assert "taskengine_key" not in browser.cookies


async def test_looking_changes_nothing(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/auth/logout")).status_code == 405
