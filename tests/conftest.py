"""A private redis-server a process of the run, emptied before each test, and what every test may ask for.

A test that asks for ``redis`` or ``redis_url`` starts with an empty Redis, and fails if it leaves a key
that nothing would ever remove.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, Page, sync_playwright
from redis import Redis

from support import chromium
from support.key_leaks import leaked_keys
from support.redis_server import RedisServer

# Others may be busy on this machine, too: how long an example takes says nothing. In CI it is so by itself.
if not settings.get_current_profile_name().startswith("ci"):
    settings.register_profile("ours", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("ours")


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """The run's own server. Ask for ``redis`` or ``redis_url`` instead, which empty it first."""
    server = RedisServer(tmp_path_factory.mktemp("redis")).start()
    yield server
    server.stop()


@pytest.fixture
def redis_url(redis_server: RedisServer, request: pytest.FixtureRequest) -> Iterator[str]:
    """Where an empty Redis listens."""
    with redis_server.client() as client:
        client.flushall()
        yield redis_server.url
        leaked = leaked_keys(client)
    if leaked and request.node.get_closest_marker("leaves_keys") is None:
        pytest.fail(f"these keys stay for ever (no TTL, and not of a permanent kind): {', '.join(leaked)}")


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """A client of an empty Redis, speaking text."""
    with Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


@pytest.fixture
def durable_redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A server of this test alone, with an append-only file: the test may ``kill()`` and ``restart()`` it."""
    server = RedisServer(tmp_path / "durable-redis", durable=True).start()
    yield server
    server.stop()


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A headless Chromium; skips where there is none, and fails in CI.

    For one test: while Playwright is on, no other event loop can run in this thread, and asynchronous tests need one.
    """
    program = chromium.chromium_path()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=chromium.ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh page of that browser, in a window of a laptop's size."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()
