"""A worker as its user runs it: a process of its own, started by the command, killed when a test likes."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import psutil
from redis import Redis

from support.waiting import wait_until
from taskengine.keys import Keys

TESTS = Path(__file__).resolve().parent.parent
_PACKAGES = [
    Path(place).parent
    for name in ("taskengine", "taskengine_api", "taskengine_dashboard")
    if (found := find_spec(name)) is not None
    for place in found.submodule_search_locations or ()
]
"""Where this process has its packages from: its children are to have the same."""


class WorkerProcess:
    """``taskengine worker TARGET``, ready to take jobs once started. Its output is in ``log``."""

    def __init__(
        self,
        target: str,
        redis_url: str,
        *,
        data_dir: Path,
        mode: Literal["thread", "process"] = "thread",
        concurrency: int = 4,
        queues: Sequence[str] = (),
        queue_order: str = "priority",
        path: Sequence[Path] = (TESTS,),
        **settings: object,
    ) -> None:
        """``path``: where its modules are. ``settings``: ``lease_seconds=1`` is TASKENGINE_LEASE_SECONDS=1."""
        self.redis_url = redis_url
        self.data_dir = data_dir
        self.log = data_dir / "worker.log"
        self._namespace = str(settings.get("namespace", "default"))
        self._command = [sys.executable, "-m", "taskengine", "worker", target]
        self._command += ["--mode", mode, "--concurrency", str(concurrency)]
        self._command += ["--queues", ",".join(queues), "--queue-order", queue_order] if queues else []
        self._env = worker_env(redis_url, data_dir=data_dir, path=path, **settings)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None, "the worker was not started"
        return self._process.pid

    @property
    def children(self) -> list[int]:
        """Process ids of its children."""
        return [child.pid for child in psutil.Process(self.pid).children()]

    def start(self) -> Self:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._env, cwd=self.data_dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            wait_until(self._is_known, 30, f"the worker is there (see {self.log})")
        except BaseException:
            self.kill()
            raise
        return self

    def kill(self) -> None:
        """End it with SIGKILL. No error if it does not run."""
        self._end(signal.SIGKILL)

    def stop(self, timeout: float = 30) -> int:
        """End it with SIGTERM and return its exit code."""
        return self._end(signal.SIGTERM, timeout)

    def wait(self, timeout: float = 30) -> int:
        """Wait until it ends by itself; return its exit code."""
        assert self._process is not None, "the worker was not started"
        return self._process.wait(timeout)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.kill()

    def _is_known(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, f"the worker ended: {self.log.read_text(encoding='utf-8')[-2000:]}"
        with Redis.from_url(self.redis_url, decode_responses=True) as redis:
            names = redis.hkeys(Keys(self._namespace).workers)
        return any(f"-{self.pid}-" in str(name) for name in names)

    def _end(self, number: signal.Signals, timeout: float = 30) -> int:
        if self._process is None:
            return 0
        process, self._process = self._process, None
        if process.poll() is None:
            process.send_signal(number)
        return process.wait(timeout)


def worker_env(
    redis_url: str, *, data_dir: Path, path: Sequence[Path] = (TESTS,), **settings: object
) -> dict[str, str]:
    """Return an environment with these settings and no others of ours."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("TASKENGINE_")}
    settings = {"redis_url": redis_url, "data_dir": data_dir, **settings}
    env |= {f"TASKENGINE_{name.upper()}": str(value) for name, value in settings.items()}
    env["PYTHONPATH"] = os.pathsep.join(map(str, [*_PACKAGES, *path]))
    return env
