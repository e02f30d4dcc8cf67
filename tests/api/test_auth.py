"""Who is let in: by key, by cookie, by being on the machine itself; and who is asked to leave again."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import InvalidStatus

from support.api import QUICK, WHO, Api, Socket, a_socket, bearer, running_api, serving, who
from support.ports import free_port
from support.redis_server import RedisServer
from support.waiting import wait_until
from support.workers import worker_env
from taskengine_api.access import COOKIE
from taskengine_api.roles import Role
from taskengine_api.settings import ApiSettings, OpenLoopback

LIVE = {"type": "subscribe", "id": "1", "payload": {"query": "subscription { jobEvents { cursor } }"}}
OUR_PAGE = {"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def secret(api: Api) -> str:
    """The secret of an operator's key, which closes the API to others."""
    return await api.client.create_api_key("ci", Role.OPERATOR)


@asynccontextmanager
async def an_api(redis_url: str, **changed: Any) -> AsyncGenerator[Api]:
    async with running_api(redis_url, api=replace(QUICK, **changed)) as api:
        yield api


# By key


async def test_a_key_opens_for_its_name_and_role(api: Api, secret: str) -> None:
    assert await who(api, **bearer(secret)) == ("ci", "OPERATOR")


async def test_once_there_is_a_key_everyone_needs_one(api: Api, secret: str) -> None:
    response = await api.post(WHO)
    assert (response.status_code, response.headers["www-authenticate"]) == (401, 'Bearer realm="taskengine"')
    (error,) = response.json()["errors"]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    assert "taskengine keys create" in error["message"]


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer te_guess", "Bearer " + "x" * 500, "te_guess", "Bearer é"]
)
async def test_what_is_no_key_opens_nothing(api: Api, secret: str, header: str) -> None:
    response = await api.http.post("/graphql", json=WHO, headers={"Authorization": header.encode()})  # type: ignore[dict-item]
    assert response.status_code == 401
    assert response.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"


async def test_a_wrong_key_opens_nothing_even_where_none_is_needed(api: Api) -> None:
    assert await who(api, **bearer("te_guess")) == (401, "UNAUTHENTICATED")


async def test_an_ended_key_opens_nothing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = await api.client.create_api_key("ci", Role.VIEWER, expires_seconds=1)
    assert await who(api, **bearer(secret)) == ("ci", "VIEWER")

    async def refused() -> bool:
        return await who(api, **bearer(secret)) == (401, "UNAUTHENTICATED")

    await asyncio.wait_for(_become(refused), 10)


async def test_a_revoked_key_opens_nothing_a_moment_later(api: Api, secret: str) -> None:
    await api.client.create_api_key("other", Role.VIEWER)
    assert await who(api, **bearer(secret)) == ("ci", "OPERATOR")
    await api.client.revoke_api_key("ci")

    async def refused() -> bool:
        return await who(api, **bearer(secret)) == (401, "UNAUTHENTICATED")

    await asyncio.wait_for(_become(refused), 10)


async def test_no_answer_and_no_log_tells_a_secret(
    api: Api, secret: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(api.client, "count_jobs", broken)
    answers = [
        await api.post({"query": "{ counts { queued } }"}, **bearer(secret)),
        await api.post(WHO, **bearer(secret + "x")),
    ]
    assert "broken" in caplog.text
    assert secret not in caplog.text + "".join(answer.text + str(answer.headers) for answer in answers)


async def test_a_key_of_the_house_opens_everything_and_is_not_shown(redis_url: str) -> None:
    key = "a-key-of-this-house-alone"
    settings = replace(QUICK, key=key, open_loopback=OpenLoopback.OFF)
    assert key not in repr(settings)
    async with running_api(redis_url, api=settings) as api:
        assert await who(api, **bearer(key)) == ("environment", "ADMIN")
        assert await who(api, **bearer(key + "x")) == (401, "UNAUTHENTICATED")


async def test_a_viewers_key_reads_and_does_nothing(api: Api) -> None:
    secret = await api.client.create_api_key("eve", Role.VIEWER)
    job_id = await api.enqueue()
    body = {"query": 'mutation { cancelJob(input: {id: "%s"}) { job { id } errors { code } } }' % job_id}  # noqa: UP031
    response = await api.post(body, **bearer(secret))
    assert response.json()["data"]["cancelJob"] == {"job": None, "errors": [{"code": "FORBIDDEN"}]}
    assert (await api.client.get_job(job_id)).state == "QUEUED"  # type: ignore[union-attr]


async def test_while_redis_is_away_who_was_known_hears_that_and_no_one_else_is_let_in(
    durable_redis: RedisServer,
) -> None:
    async with an_api(durable_redis.url) as api:
        secret = await api.client.create_api_key("ci", Role.OPERATOR)
        body = {"query": "{ counts { queued } }"}
        assert (await api.post(body, **bearer(secret))).status_code == 200
        durable_redis.kill()
        known = await api.post(body, **bearer(secret))
        unknown = await api.post(body, **bearer("te_guess"))
    assert known.json()["errors"][0]["extensions"]["code"] == "UNAVAILABLE"
    assert (unknown.status_code, unknown.json()["errors"][0]["extensions"]["code"]) == (503, "UNAVAILABLE")


# Without one


async def test_without_keys_the_machine_itself_is_an_admin(api: Api) -> None:
    assert await who(api) == ("local", "ADMIN")


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via"])
async def test_what_a_proxy_hands_on_is_not_the_machine_itself(api: Api, header: str) -> None:
    assert await who(api, **{header: "127.0.0.1"}) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize("peer", ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1", ""])
async def test_without_keys_nobody_else_is_served(api: Api, peer: str) -> None:
    transport = httpx.ASGITransport(app=api.app, client=(peer, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        response = await http.post("/graphql", json=WHO)
    assert response.status_code == 401


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "", "[", "localhost."])
async def test_a_name_from_elsewhere_that_points_here_is_refused(api: Api, host: str) -> None:
    assert await who(api, Host=host) == (403, "FORBIDDEN")


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "127.0.0.1:8000", "[::1]:8000", "LOCALHOST"])
async def test_the_machines_own_names_are_served(api: Api, host: str) -> None:
    assert await who(api, Host=host) == ("local", "ADMIN")


async def test_more_names_can_be_given(redis_url: str) -> None:
    async with an_api(redis_url, hosts=("laptop.lan",)) as api:
        assert await who(api, Host="laptop.lan:8000") == ("local", "ADMIN")


async def test_with_a_key_any_name_will_do(api: Api, secret: str) -> None:
    assert await who(api, Host="jobs.example.org", **bearer(secret)) == ("ci", "OPERATOR")


async def test_the_machine_itself_can_be_let_in_beside_keys(redis_url: str) -> None:
    async with an_api(redis_url, open_loopback=OpenLoopback.ON) as api:
        secret = await api.client.create_api_key("ci", Role.VIEWER)
        assert await who(api) == ("local", "ADMIN")
        assert await who(api, **bearer(secret)) == ("ci", "VIEWER")


async def test_the_machine_itself_can_be_kept_out(redis_url: str) -> None:
    async with an_api(redis_url, open_loopback=OpenLoopback.OFF) as api:
        assert await who(api) == (401, "UNAUTHENTICATED")


# From pages


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:9"},
        {"Origin": "http://["},
        {"Origin": "file://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=str,
)
async def test_pages_of_other_sites_are_refused_whatever_they_carry(
    api: Api, secret: str, headers: dict[str, str]
) -> None:
    job_id = await api.enqueue()
    body = {"query": 'mutation { cancelJob(input: {id: "%s"}) { job { id } } }' % job_id}  # noqa: UP031
    for carried in ({}, bearer(secret), {"Cookie": f"{COOKIE}={secret}"}):
        response = await api.post(body, **headers, **carried)
        assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (403, "FORBIDDEN")
        assert "access-control-allow-origin" not in response.headers
    assert (await api.client.get_job(job_id)).state == "QUEUED"  # type: ignore[union-attr]


async def test_pages_of_sites_that_are_named_may_ask_with_a_key_and_not_with_the_cookie(redis_url: str) -> None:
    site = {"Origin": "https://ops.example.org"}
    async with an_api(redis_url, origins=("https://ops.example.org",)) as api:
        secret = await api.client.create_api_key("ci", Role.VIEWER)
        response = await api.post(WHO, **site, **bearer(secret))
        assert response.json()["data"]["viewer"]["name"] == "ci"
        assert response.headers["access-control-allow-origin"] == "https://ops.example.org"
        assert "access-control-allow-credentials" not in response.headers
        assert (await api.post(WHO, **site, Cookie=f"{COOKIE}={secret}")).status_code == 401
        asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        assert (await api.http.options("/graphql", headers=site | asked)).status_code == 200
        other = {"Origin": "https://evil.example"} | asked
        assert "access-control-allow-origin" not in (await api.http.options("/graphql", headers=other)).headers


async def sign_in(api: Api, secret: str, **headers: str) -> httpx.Response:
    return await api.http.post("/api/session", json={"key": secret}, headers=OUR_PAGE | headers)


async def test_a_page_of_ours_signs_in_by_a_cookie_that_no_script_reads(api: Api, secret: str) -> None:
    response = await sign_in(api, secret)
    assert response.json() == {"name": "ci", "role": "OPERATOR"}
    cookie = response.headers["set-cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=strict", "Path=/", "Max-Age="))
    assert "Secure" not in cookie
    assert await who(api, **OUR_PAGE) == ("ci", "OPERATOR")
    assert (await api.http.get("/api/session", headers=OUR_PAGE)).json() == {"name": "ci", "role": "OPERATOR"}


async def test_behind_tls_the_cookie_is_for_tls_alone(api: Api, secret: str) -> None:
    response = await sign_in(api, secret, **{"X-Forwarded-Proto": "https"})
    assert "Secure" in response.headers["set-cookie"]


async def test_signing_out_clears_the_cookie(api: Api, secret: str) -> None:
    await sign_in(api, secret)
    response = await api.http.delete("/api/session", headers=OUR_PAGE)
    assert response.status_code == 204
    assert await who(api, **OUR_PAGE) == (401, "UNAUTHENTICATED")


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"}], ids=str)
async def test_the_cookie_counts_for_our_own_pages_alone(api: Api, secret: str, headers: dict[str, str]) -> None:
    await sign_in(api, secret)
    assert await who(api, **headers) == (401, "UNAUTHENTICATED")


async def test_a_stale_cookie_is_as_good_as_none(api: Api) -> None:
    assert await who(api, **OUR_PAGE, Cookie=f"{COOKIE}=te_old") == ("local", "ADMIN")


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"", 400), (b"[]", 400), (b"{}", 400), (b'{"key": 1}', 400), (b'{"key": ""}', 400), (b'{"key": "te_no"}', 401)],
)
async def test_what_is_no_key_signs_nobody_in(api: Api, secret: str, body: bytes, status: int) -> None:
    headers = OUR_PAGE | {"Content-Type": "application/json"}
    response = await api.http.post("/api/session", content=body, headers=headers)
    assert response.status_code == status
    assert "set-cookie" not in response.headers


async def test_another_site_can_sign_nobody_in_or_out(api: Api, secret: str) -> None:
    for response in (
        await sign_in(api, secret, Origin="https://evil.example"),
        await api.http.delete("/api/session", headers={"Origin": "https://evil.example"}),
        await api.http.post(
            "/api/session", content=json.dumps({"key": secret}), headers={"Content-Type": "text/plain"}
        ),
    ):
        assert response.status_code in {403, 415}
        assert "set-cookie" not in response.headers


async def test_the_playground_is_for_everyone_and_what_it_asks_is_not(api: Api, secret: str) -> None:
    page = await api.http.get("/graphql", headers={"Accept": "text/html", "Sec-Fetch-Site": "cross-site"})
    assert (page.status_code, "text/html" in page.headers["content-type"]) == (200, True)
    assert (await api.http.get("/healthz")).status_code == 200


async def test_metrics_are_for_those_who_may_ask(api: Api, secret: str) -> None:
    assert (await api.http.get("/metrics")).status_code == 401
    assert (await api.http.get("/metrics", headers=bearer(secret))).status_code == 200
    assert [(await api.http.get(path)).status_code for path in ("/healthz", "/readyz")] == [200, 200]


# Over sockets


async def initiated(socket: Socket, payload: Any = None) -> dict[str, Any]:
    await socket.send({"type": "connection_init"} | ({} if payload is None else {"payload": payload}))
    return await socket.receive()


@pytest.mark.parametrize("name", ["authorization", "Authorization"])
async def test_a_key_comes_with_the_first_message_of_a_socket(address: str, secret: str, name: str) -> None:
    async with a_socket(address, init=False) as socket:
        assert (await initiated(socket, {name: f"Bearer {secret}"}))["type"] == "connection_ack"
        await socket.subscribe(WHO["query"])
        assert await socket.next() == {"viewer": {"name": "ci", "role": "OPERATOR"}}


async def test_a_key_comes_with_the_handshake_of_a_socket(address: str, secret: str) -> None:
    async with a_socket(address, additional_headers=bearer(secret)) as socket:
        await socket.subscribe(WHO["query"])
        assert await socket.next() == {"viewer": {"name": "ci", "role": "OPERATOR"}}


async def test_the_cookie_comes_with_the_handshake_of_a_page_of_ours(address: str, secret: str) -> None:
    headers = {"Cookie": f"{COOKIE}={secret}"}
    async with a_socket(address, additional_headers=headers, origin=f"http://{address}") as socket:
        await socket.subscribe(WHO["query"])
        assert (await socket.next())["viewer"]["name"] == "ci"


@pytest.mark.parametrize("payload", [None, {}, {"authorization": "Bearer te_guess"}, {"authorization": 1}])
async def test_a_socket_without_a_key_is_closed(address: str, secret: str, payload: Any) -> None:
    async with a_socket(address, init=False) as socket:
        await socket.send({"type": "connection_init"} | ({} if payload is None else {"payload": payload}))
        code, reason = await socket.closed()
    assert code == 4403
    assert "key" in (reason or "") or "Bearer" in (reason or "")


async def test_a_socket_of_another_site_is_refused_before_it_opens(address: str, secret: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with a_socket(address, origin="https://evil.example", additional_headers=bearer(secret)):
            pass
    assert refused.value.response.status_code == 403


async def test_a_socket_is_closed_when_its_key_is_revoked(api: Api, address: str, secret: str) -> None:
    await api.client.create_api_key("other", Role.VIEWER)
    async with a_socket(address, additional_headers=bearer(secret)) as socket:
        await socket.send(LIVE)
        await api.client.revoke_api_key("ci")
        code, reason = await socket.closed()
    assert (code, reason) == (4403, "the key opens nothing any more")


async def test_sockets_of_others_stay(api: Api, address: str, secret: str) -> None:
    other = await api.client.create_api_key("other", Role.VIEWER)
    async with (
        a_socket(address, additional_headers=bearer(secret)) as gone,
        a_socket(address, additional_headers=bearer(other)) as stays,
    ):
        await api.client.revoke_api_key("ci")
        await gone.closed()
        await stays.subscribe(WHO["query"])
        assert (await stays.next())["viewer"]["name"] == "other"


async def test_who_had_no_key_is_asked_to_leave_when_there_are_keys(api: Api, address: str) -> None:
    async with a_socket(address) as socket:
        await api.client.create_api_key("ci", Role.VIEWER)
        assert (await socket.closed())[0] == 4403


async def test_an_event_stream_ends_when_its_key_is_revoked(api: Api, address: str, secret: str) -> None:
    await api.client.create_api_key("other", Role.VIEWER)
    headers = bearer(secret) | {"Accept": "text/event-stream"}
    body = {"query": "subscription { jobEvents { cursor } }"}
    async with (
        httpx.AsyncClient(timeout=30) as http,
        http.stream("POST", f"http://{address}/graphql", json=body, headers=headers) as stream,
    ):
        lines = stream.aiter_lines()
        assert await anext(lines)
        await api.client.revoke_api_key("ci")
        rest = [line async for line in lines]  # which ends, else this waits until it times out
    assert all("data" not in line for line in rest)


async def test_a_key_has_so_many_connections_and_no_more(redis_url: str) -> None:
    async with an_api(redis_url, max_connections=2) as api, serving(api.app) as address:
        body = {"query": "subscription { jobEvents { cursor } }"}
        async with (
            httpx.AsyncClient(timeout=30) as http,
            http.stream(
                "POST", f"http://{address}/graphql", json=body, headers={"Accept": "text/event-stream"}
            ) as stream,
        ):
            lines = stream.aiter_lines()  # kept, since it takes the stream with it
            await anext(lines)
            async with a_socket(address):
                async with a_socket(address, init=False) as socket:
                    await socket.send({"type": "connection_init"})
                    assert (await socket.closed())[0] == 4429
                refused = await http.post(
                    f"http://{address}/graphql", json=body, headers={"Accept": "text/event-stream"}
                )
                assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (429, "RATE_LIMITED")
            async with a_socket(address):  # one left, so there is room again
                pass


# The process


def api_process(redis_url: str, data_dir: Path, *arguments: str, **settings: object) -> "subprocess.Popen[str]":
    env = worker_env(redis_url, data_dir=data_dir, **settings)
    command = [sys.executable, "-m", "taskengine", "api", *arguments]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def test_it_does_not_listen_to_others_without_a_key(redis_url: str, tmp_path: Path) -> None:
    with api_process(redis_url, tmp_path, "--host", "0.0.0.0", api_port=free_port()) as process:
        output, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert output == (
        "taskengine: --host 0.0.0.0 is reached by others, so they need a key, and there is none: make one by"
        " `taskengine keys create NAME --role ADMIN`, or set TASKENGINE_API_KEY\n"
    )


def test_where_it_listens_to_others_everyone_needs_a_key(redis_url: str, tmp_path: Path) -> None:
    port = free_port()
    key = "a-key-of-this-house-alone"
    with api_process(redis_url, tmp_path, "--host", "0.0.0.0", api_port=port, api_key=key) as process:
        url = f"http://127.0.0.1:{port}"

        def answers() -> bool:
            try:
                return httpx.get(f"{url}/healthz").status_code == 200
            except httpx.TransportError:
                return False

        wait_until(answers, 60, "the API answers")
        assert httpx.post(f"{url}/graphql", json=WHO).status_code == 401
        answer = httpx.post(f"{url}/graphql", json=WHO, headers=bearer(key)).json()
        process.send_signal(signal.SIGTERM)
        output, _ = process.communicate(timeout=60)
    assert answer["data"]["viewer"] == {"name": "environment", "role": "ADMIN"}
    assert key not in output


@pytest.mark.parametrize(
    ("name", "value"),
    [("KEY", "short"), ("KEY", "with a blank in the middle of it"), ("OPEN_LOOPBACK", "maybe"), ("ORIGINS", "*")],
)
def test_settings_that_would_not_hold_are_refused(name: str, value: str) -> None:
    from taskengine.errors import InvalidSetting

    with pytest.raises(InvalidSetting, match=f"TASKENGINE_API_{name} is not valid: expected"):
        ApiSettings.from_env({f"TASKENGINE_API_{name}": value})


async def _become(condition: Any) -> None:
    while not await condition():
        await asyncio.sleep(0.05)
