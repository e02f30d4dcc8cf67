"""A redis-server that a test owns: it may kill it, start it again, and find its data or not."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from support.ports import free_port
from support.waiting import wait_until
from taskengine import tether
from taskengine.embedded import find_redis_server


class RedisServer:
    """One server on 127.0.0.1. ``durable``: with an append-only file, so that it survives a kill."""

    def __init__(self, directory: Path, *, durable: bool = False) -> None:
        self._directory = directory
        self._durable = durable
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}/0"

    @property
    def pid(self) -> int:
        assert self._process is not None, "the server was not started"
        return self._process.pid

    def client(self) -> Redis:
        """A client that fails at once when the server is away."""
        return Redis.from_url(self.url, decode_responses=True, socket_timeout=5, retry=Retry(NoBackoff(), 0))

    def start(self) -> Self:
        self._directory.mkdir(parents=True, exist_ok=True)
        with (self._directory / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", tether.__file__, str(os.getpid()), *self._command()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_until(self._answers, 20, f"redis-server answers (see {self._directory}/redis.log)")
        return self

    def kill(self) -> None:
        """End it with SIGKILL, as a crash of the machine's memory would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order. No error if it does not run."""
        self._end(signal.SIGTERM)

    def restart(self) -> None:
        """Start it again on the same port and directory, after ``kill`` or ``stop``."""
        assert self._process is None, "kill or stop it first"
        self.start()

    def _command(self) -> list[str]:
        options = {
            "bind": "127.0.0.1",
            "port": str(self._port),
            "dir": str(self._directory),
            "save": "",
            "appendonly": "yes" if self._durable else "no",
            "appendfsync": "always",
            "maxmemory-policy": "noeviction",
            "hash-max-ziplist-value": "2048",
            "hash-max-ziplist-entries": "128",
        }
        program = str(find_redis_server(os.environ["PATH"]))
        return [program, *(part for name, value in options.items() for part in (f"--{name}", value))]

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"redis-server ended: see {self._directory}/redis.log"
        try:
            with self.client() as client:
                return bool(client.ping())
        except RedisError:
            return False

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=20)
            self._process = None
