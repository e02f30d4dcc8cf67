"""``taskengine up`` as its user runs it: in a folder of its own, on free ports, its terminal in a file."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import httpx
import psutil

from support.ports import free_port
from support.waiting import wait_until

TESTS = Path(__file__).resolve().parent.parent
START_SECONDS = 90


class Household:
    """One ``taskengine up TARGET``. Modules are looked for in its folder and in ``tests/``."""

    def __init__(self, folder: Path, target: str = "support.universal:engine", **settings: object) -> None:
        self.folder = folder
        self.target = target
        self.api_port, self.dashboard_port = free_port(), free_port()
        self._settings = {"api_port": self.api_port, "dashboard_port": self.dashboard_port} | settings
        self._terminal = folder / "terminal.txt"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    @property
    def dashboard(self) -> str:
        return f"http://127.0.0.1:{self.dashboard_port}"

    @property
    def said(self) -> str:
        """All that was printed since the last start."""
        return self._terminal.read_text("utf-8")

    def set(self, **settings: object) -> Self:
        """Have it start with these settings as well."""
        self._settings |= settings
        return self

    def start(self) -> Self:
        """Start it and wait until it says that all is up."""
        self._launch()
        self.hear("TaskEngine is up.", START_SECONDS)
        return self

    def fail(self) -> tuple[int, str, str]:
        """Start it where it cannot; return exit code, stdout and stderr."""
        done = subprocess.run(
            self._command(), check=False, cwd=self.folder, env=self.env(), capture_output=True, timeout=120
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def hear(self, text: str, timeout: float = 30) -> None:
        """Wait until it has printed ``text``."""

        def heard() -> bool:
            if text in self.said:
                return True
            assert self._running.poll() is None, f"it ended: {self.said}"
            return False

        wait_until(heard, timeout, f"{text!r} in {self._terminal}")

    def processes(self) -> dict[str, psutil.Process]:
        """Its processes by what they are: up, redis, worker, api, dashboard; others by their ids."""
        own = psutil.Process(self._running.pid)
        return {"up": own} | {_role(child): child for child in own.children(recursive=True)}

    def command(self, *words: str) -> str:
        """Run ``taskengine`` in its folder, against its Redis; return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "taskengine", *words],
            check=False,
            cwd=self.folder,
            env=self.env(),
            capture_output=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def key(self, name: str, role: str) -> str:
        """Make a key of the API; return its secret."""
        return re.findall(r"\bte_[\w-]+", self.command("keys", "create", name, "--role", role))[0]

    def signal(self, number: signal.Signals) -> None:
        self._running.send_signal(number)

    def ended(self, timeout: float = 60) -> int:
        """Wait for its end; return the exit code."""
        code = self._running.wait(timeout)
        self._process = None
        return code

    def stop(self) -> int:
        """End it with SIGTERM; return the exit code. No error if it does not run."""
        if self._process is None:
            return 0
        self.signal(signal.SIGTERM)
        return self.ended()

    def graphql(self, query: str, **variables: object) -> Any:
        """Ask the API; return the data of an answer without errors."""
        answer = httpx.post(f"{self.api}/graphql", json={"query": query, "variables": variables}, timeout=10).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def enqueue(self, task: str, args: dict[str, Any], **options: object) -> str:
        """Enqueue through the API; return the job's id."""
        payload = self.graphql(
            "mutation($input: EnqueueJobInput!) { enqueueJob(input: $input) { job { id } errors { message } } }",
            input={"task": task, "args": args, "options": options},
        )["enqueueJob"]
        assert payload["errors"] == []
        return payload["job"]["id"]

    def job(self, job_id: str) -> dict[str, Any]:
        """Return state, result and number of attempts of a job."""
        return self.graphql("query($id: ID!) { job(id: $id) { state result attemptCount } }", id=job_id)["job"]

    def until(self, job_id: str, state: str, timeout: float = 30) -> dict[str, Any]:
        """Wait until a job is in a state; return it."""
        wait_until(lambda: self.job(job_id)["state"] == state, timeout, f"{job_id} is {state}")
        return self.job(job_id)

    def env(self) -> dict[str, str]:
        """Return the environment that its processes have."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("TASKENGINE_")}
        paths = [str(TESTS), *filter(None, [env.get("PYTHONPATH")])]
        settings = {f"TASKENGINE_{name.upper()}": str(value) for name, value in self._settings.items()}
        return env | settings | {"PYTHONPATH": os.pathsep.join(paths)}

    def _launch(self) -> None:
        with self._terminal.open("wb") as terminal:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self.folder,
                env=self.env(),
                stdin=subprocess.DEVNULL,
                stdout=terminal,
                stderr=terminal,
            )

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "taskengine", "up", self.target]

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "it does not run"
        return self._process


def alive(processes: dict[str, psutil.Process]) -> list[str]:
    """Return which of them have not ended."""
    return [role for role, process in processes.items() if _is_alive(process)]


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _role(process: psutil.Process) -> str:
    command = process.cmdline()
    if "taskengine" in command:
        return command[command.index("taskengine") + 1]
    return "redis" if "redis-server" in " ".join(command) else str(process.pid)
