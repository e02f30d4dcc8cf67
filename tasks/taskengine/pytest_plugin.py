"""Fixtures for users' tests: a private Redis a run, emptied for each test, and their engine on it.

Installed with the package (entry point ``pytest11``); costs nothing until a
test asks for a fixture. The engine is named in pytest's configuration:

    [tool.pytest.ini_options]
    taskengine_engine = "shop.tasks:engine"
"""

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from taskengine.engine import TaskEngine
    from taskengine.testing import Clock

_OPTION = "taskengine_engine"
_START_SECONDS = 15.0
_TRIES = 5


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the engine be named."""
    parser.addini(_OPTION, "the engine of the fixtures of taskengine, as MODULE:ENGINE", default="")


@pytest.fixture(scope="session")
def taskengine_redis_server() -> Iterator[str]:
    """URL of a Redis that this run started, on loopback and with a password. Ask for ``taskengine_redis`` instead."""
    with tempfile.TemporaryDirectory(prefix="taskengine-tests-", ignore_cleanup_errors=True) as folder:
        process, url = _start(Path(folder))
        yield url
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture
def taskengine_redis(taskengine_redis_server: str) -> str:
    """URL of a Redis that is empty."""
    from redis import Redis

    with Redis.from_url(taskengine_redis_server) as redis:  # pyright: ignore[reportUnknownMemberType]
        redis.flushall()
    return taskengine_redis_server


@pytest.fixture
def taskengine_engine(request: pytest.FixtureRequest, taskengine_redis: str) -> "Iterator[TaskEngine]":
    """The engine that the configuration names, on an empty Redis for the length of the test."""
    from taskengine.testing import bound
    from taskengine.worker.main import load_engine

    target = str(request.config.getini(_OPTION))
    if not target:
        raise pytest.UsageError(f'name your engine in pytest\'s configuration: {_OPTION} = "shop.tasks:engine"')
    with bound(load_engine(target), taskengine_redis) as engine:
        yield engine


@pytest.fixture
def taskengine_clock(taskengine_engine: "TaskEngine") -> "Iterator[Clock]":
    """Time that stands still for the waiting jobs of ``taskengine_engine`` until the test moves it."""
    from taskengine.testing import frozen_time

    with frozen_time(taskengine_engine) as clock:
        yield clock


@pytest.fixture
def taskengine_in_place(request: pytest.FixtureRequest) -> "Iterator[TaskEngine]":
    """The engine that the configuration names, running calls where they are made, without Redis."""
    from taskengine.testing import engine_in_place
    from taskengine.worker.main import load_engine

    with engine_in_place(load_engine(str(request.config.getini(_OPTION)))) as engine:
        yield engine


def _start(folder: Path) -> tuple["subprocess.Popen[bytes]", str]:
    for _ in range(_TRIES):  # another process may take the port before the server does
        port, password = _free_port(), secrets.token_urlsafe(16)
        process = _launch(folder, port, password)
        url = f"redis://:{password}@127.0.0.1:{port}/0"
        if _answers(process, url):
            return process, url
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()
    raise pytest.UsageError("no private Redis could be started for the tests")


def _launch(folder: Path, port: int, password: str) -> "subprocess.Popen[bytes]":
    from taskengine import tether
    from taskengine.embedded import find_redis_server

    program = find_redis_server(os.environ.get("PATH", os.defpath))
    command = [sys.executable, "-I", "-S", str(tether.__file__), str(os.getpid()), str(program), "-"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    assert process.stdin is not None
    lines = [f"bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir {folder}", 'save ""\nappendonly no\n']
    process.stdin.write("\n".join(lines).encode())
    process.stdin.close()
    return process


def _answers(process: "subprocess.Popen[bytes]", url: str) -> bool:
    from redis import Redis
    from redis.exceptions import RedisError

    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(RedisError), Redis.from_url(url, socket_timeout=2) as redis:  # pyright: ignore[reportUnknownMemberType]
            return bool(redis.ping())
        time.sleep(0.02)
    return False


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
