"""Which pages may open the websocket."""

from typing import Any

import pytest

from taskengine_dashboard.origins import LOOPBACK_NAMES, OnlyOurPages

PUBLIC = ("jobs.example.org",)


async def is_let_in(
    hosts: tuple[str, ...], host: str, origin: str | None, kind: str = "websocket", method: str = "GET"
) -> bool:
    """Whether the application behind is asked at all."""
    asked: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        asked.append(scope["type"])

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        assert message == {"type": "websocket.close", "code": 1008, "reason": ""}

    headers = [(b"host", host.encode()), *([(b"origin", origin.encode())] if origin else [])]
    await OnlyOurPages(app, hosts)({"type": kind, "method": method, "headers": headers}, receive, send)
    return bool(asked)


@pytest.mark.parametrize(
    ("hosts", "host", "origin"),
    [
        (LOOPBACK_NAMES, "127.0.0.1:8501", "http://127.0.0.1:8501"),
        (LOOPBACK_NAMES, "localhost:9000", "http://localhost:9000"),
        (LOOPBACK_NAMES, "[::1]:8501", "http://[::1]:8501"),
        (LOOPBACK_NAMES, "127.0.0.1:8501", None),
        (PUBLIC, "jobs.example.org", "https://jobs.example.org"),
        ((*PUBLIC, "dashboard"), "dashboard:8501", "https://jobs.example.org"),
        ((), "any.example.org", "https://any.example.org"),
    ],
)
async def test_our_own_page_is_let_in(hosts: tuple[str, ...], host: str, origin: str | None) -> None:
    assert await is_let_in(hosts, host, origin)


@pytest.mark.parametrize(
    ("hosts", "host", "origin"),
    [
        (LOOPBACK_NAMES, "127.0.0.1:8501", "https://elsewhere.example"),
        (LOOPBACK_NAMES, "rebound.example:8501", "http://rebound.example:8501"),
        (LOOPBACK_NAMES, "", "http://127.0.0.1:8501"),
        (PUBLIC, "jobs.example.org", "https://jobs.example.org.elsewhere.example"),
        (PUBLIC, "jobs.example.org", "null"),
        ((), "any.example.org", "https://elsewhere.example"),
    ],
)
async def test_a_page_of_others_is_not(hosts: tuple[str, ...], host: str, origin: str) -> None:
    assert not await is_let_in(hosts, host, origin)


async def test_whoever_only_looks_is_left_alone() -> None:
    assert await is_let_in(LOOPBACK_NAMES, "rebound.example", None, kind="http")


async def test_our_own_page_may_sign_in() -> None:
    assert await is_let_in(PUBLIC, "jobs.example.org", "https://jobs.example.org", kind="http", method="POST")
