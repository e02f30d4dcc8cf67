"""Everything with one command: Redis if none is configured, a worker, the API and the dashboard.

All are processes of ours (``children.py``), kept running (``keeper.py``) until
Ctrl-C or SIGTERM, then stopped in order: the worker first, so that its running
jobs can still be finished or given back, and Redis last.
"""

import asyncio
import errno
import os
import secrets
import shutil
import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from taskengine.children import Child
from taskengine.client import Client
from taskengine.embedded import PrivateRedis, check_data_dir, check_redis, place_of
from taskengine.errors import InvalidSetting, RedisUnavailable
from taskengine.keeper import Keeper, Service
from taskengine.settings import Settings

SAMPLES = "taskengine.samples:engine"

_SECOND_SIGNAL_SECONDS = 1.0
"""Signals closer together are one: a terminal and ``make`` may both hand on the same Ctrl-C."""
_STOP_SECONDS = 10.0
_HTTP_SECONDS = 2.0

Healthy = Callable[[Child], Awaitable[bool]]


def up(target: str, settings: Settings, env: Mapping[str, str]) -> int:
    """Run everything until a signal; return the exit code. Raises what ``check`` and the start find wrong."""
    check_ports(settings)
    check_data_dir(settings)
    asyncio.run(_Household(target, settings, env).run())
    return 0


def check_ports(settings: Settings) -> None:
    """Raise ``InvalidSetting`` unless both ports are there to be used."""
    if settings.api_port == settings.dashboard_port:
        raise InvalidSetting("TASKENGINE_DASHBOARD_PORT", f"is {settings.dashboard_port}, as TASKENGINE_API_PORT is")
    _check_port("TASKENGINE_API_PORT", settings.api_port)
    _check_port("TASKENGINE_DASHBOARD_PORT", settings.dashboard_port)


def _check_port(name: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as problem:
            why = "another program is using it" if problem.errno == errno.EADDRINUSE else str(problem.strerror)
            raise InvalidSetting(name, f"is {port}, but {why}; set another port") from None


class _Household:
    """The processes of one ``taskengine up``."""

    def __init__(self, target: str, settings: Settings, env: Mapping[str, str]) -> None:
        self._target = target
        self._settings = settings
        key = env.get("TASKENGINE_API_KEY") or secrets.token_urlsafe(32)
        # Our own dashboard is let in by our own API, also once there are keys; nobody else knows this one.
        keys = {
            "TASKENGINE_API_KEY": key,
            "TASKENGINE_DASHBOARD_API_KEY": env.get("TASKENGINE_DASHBOARD_API_KEY") or key,
        }
        self._env = dict(env) | keys | {"PYTHONUNBUFFERED": "1"}
        self._terminal = _Terminal()
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._client: Client | None = None
        self._private: PrivateRedis | None = None
        self._keepers: list[Keeper] = []
        """In the order in which they stop, Redis apart."""
        self._redis_keeper: Keeper | None = None

    async def run(self) -> None:
        """Start all, keep all, and stop all in order, whatever happens in between."""
        self._listen()
        stopped = asyncio.create_task(self._stop.wait())
        started = asyncio.create_task(self._start())
        try:
            await asyncio.wait([started, stopped], return_when=asyncio.FIRST_COMPLETED)
            if started.done():
                kept = started.result()
                await asyncio.wait([stopped, *kept], return_when=asyncio.FIRST_COMPLETED)
                for task in kept:
                    if task.done():
                        task.result()
        finally:
            for task in (started, stopped):
                task.cancel()
            await asyncio.wait([started, stopped])
            await self._end()

    def _listen(self) -> None:
        """Stop on the first signal, and hurry on the second."""
        first = 0.0

        def signalled() -> None:
            nonlocal first
            if not self._stop.is_set():
                first = time.monotonic()
                self._stop.set()
            elif time.monotonic() - first > _SECOND_SIGNAL_SECONDS:
                self._hurry.set()

        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, signalled)

    async def _start(self) -> list[asyncio.Task[None]]:
        """Start everything and wait until all of it is healthy; return the tasks that keep it so."""
        url = await self._start_redis()
        self._env["TASKENGINE_REDIS_URL"] = url
        self._client = Client(url, namespace=self._settings.namespace, settings=self._settings)
        for service in self._services():
            keeper = Keeper(service, self._terminal.voice(service.name))
            self._keepers.append(keeper)
            await keeper.start()
        for keeper in self._keepers:
            await keeper.become_healthy()
        self._terminal.show(self._tour(url))
        keepers = [*self._keepers, *([self._redis_keeper] if self._redis_keeper else [])]
        return [keeper.keep() for keeper in keepers]

    async def _start_redis(self) -> str:
        """Return the URL of the configured Redis if it will do, or start a private one."""
        if self._settings.redis_url is not None:
            facts = check_redis(self._settings.redis_url)
            if facts.eviction not in {None, "noeviction"}:
                self._terminal.voice("redis")(
                    f"its maxmemory-policy is {facts.eviction}: when its memory is full it will drop jobs;"
                    " set noeviction"
                )
            return self._settings.redis_url
        self._private = PrivateRedis(self._settings, env=self._env)
        service = Service(name="redis", start=self._private.start, healthy=_always, grace_seconds=_STOP_SECONDS)
        self._redis_keeper = Keeper(service, self._terminal.voice("redis"))
        await self._redis_keeper.start()
        return self._private.url

    async def _end(self) -> None:
        """Stop all that was started: worker, dashboard, API, and Redis last."""
        if self._stop.is_set():
            self._terminal.show("\nStopping (once more to hurry) …")
        for keeper in self._keepers:
            await keeper.stop(self._hurry)
        if self._client is not None:
            await self._client.close()
        if self._redis_keeper is not None:
            await self._redis_keeper.stop(self._hurry)
        if self._private is not None:
            await self._private.stop(self._hurry)
        if self._stop.is_set():
            self._terminal.show("Stopped.")

    def _services(self) -> list[Service]:
        """The three processes besides Redis, in the order in which they stop."""
        settings = self._settings
        dashboard_is_up = _answers_http(settings.dashboard_port, "/_stcore/health")
        api_is_up = _answers_http(settings.api_port, "/healthz")
        worker = self._service("worker", ["worker", self._target], self._worker_is_online, settings.grace_seconds + 5)
        return [
            replace(worker, may_end=True),  # drained: `client.drain_worker`
            self._service("dashboard", ["dashboard"], dashboard_is_up, _STOP_SECONDS),
            self._service("api", ["api"], api_is_up, _STOP_SECONDS),
        ]

    def _service(self, name: str, arguments: list[str], healthy: Healthy, grace_seconds: float) -> Service:
        # -P: a user's folder may hold an email.py or a redis.py, which is no business of the API's.
        command = [sys.executable, "-P", "-m", "taskengine", *arguments]

        async def start() -> Child:
            return Child(command, env=self._env, on_line=self._terminal.voice(name))

        return Service(name=name, start=start, healthy=healthy, grace_seconds=grace_seconds)

    async def _worker_is_online(self, child: Child) -> bool:
        assert self._client is not None
        with suppress(RedisUnavailable):  # it is being started again as well
            return any(worker.online and worker.pid == child.pid for worker in await self._client.list_workers())
        return False

    def _tour(self, url: str) -> str:
        api = f"http://127.0.0.1:{self._settings.api_port}/graphql"
        place = f"at {place_of(url)}" if self._private is None else f"private, its data in {self._settings.data_dir}/"
        first = f"{_command_name()} demo" if self._target == SAMPLES else "a mutation in GraphiQL"
        return f"""
TaskEngine is up.

  API         {api}
  GraphiQL    {api}   (the same, in a browser)
  Dashboard   http://127.0.0.1:{self._settings.dashboard_port}
  Redis       {place}

  Give it something to do:   {first}
  Stop all of it:            Ctrl-C
"""


class _Terminal:
    """Where we and our processes speak, each under its name. Once nobody listens, nothing is said."""

    def __init__(self) -> None:
        self._open = True

    def voice(self, name: str) -> Callable[[str], None]:
        """Return what prints a line under a name."""
        return lambda line: self.show(f"{name:<9} │ {line}")

    def show(self, text: str) -> None:
        """Print as it is."""
        if self._open:
            try:
                print(text, flush=True)
            except BrokenPipeError:  # as in `make up | head`: we go on all the same
                self._open = False


def _answers_http(port: int, path: str) -> Healthy:
    """Return what asks whether ``GET path`` is answered with 200."""

    async def ask(_child: Child) -> bool:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(_HTTP_SECONDS):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
                status = await reader.readline()
                writer.close()
                return status.split()[1:2] == [b"200"]
        return False

    return ask


async def _always(_child: Child) -> bool:
    return True


def _command_name() -> str:
    """How to call our command from here: by name if the PATH has it, else by where it lies."""
    program = Path(sys.executable).with_name("taskengine")
    if shutil.which("taskengine") == str(program) or not program.exists():
        return "taskengine"
    return os.path.relpath(program) if program.is_relative_to(Path.cwd()) else str(program)
