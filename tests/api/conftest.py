"""An API on an empty Redis, and a task to enqueue."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest
from redis import Redis

from support.api import Api, Socket, a_socket, a_task, publish, running_api, serving


def universal(value: Any = None, *, to: list[str] | None = None, times: int = 1) -> Any:
    """Do as told."""
    return value, to, times


UNIVERSAL = a_task("universal", universal, max_attempts=3)


@pytest.fixture
def catalogue(redis: Redis) -> None:
    """The task ``universal`` is published."""
    publish(redis, UNIVERSAL)


@pytest.fixture
async def api(redis_url: str, catalogue: None) -> AsyncGenerator[Api]:
    """The application, called in place. Its schema has ``enqueueUniversal``."""
    async with running_api(redis_url) as api:
        yield api


@pytest.fixture
async def address(api: Api) -> AsyncGenerator[str]:
    """Where a real server serves the application."""
    async with serving(api.app) as address:
        yield address


@pytest.fixture
async def socket(address: str) -> AsyncGenerator[Socket]:
    """A WebSocket that has been acknowledged."""
    async with a_socket(address) as socket:
        yield socket
