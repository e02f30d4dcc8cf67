"""The API as a process of its own, as ``taskengine api`` starts it."""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

import taskengine_api
from support.ports import free_port
from support.waiting import wait_until
from support.workers import worker_env

PATH = (Path(taskengine_api.__file__).parents[1],)
COMMAND = [sys.executable, "-m", "taskengine", "api"]


@contextmanager
def an_api(
    redis_url: str, data_dir: Path, port: int, *, log: Path | None = None, path: Sequence[Path] = (), **settings: object
) -> Iterator["subprocess.Popen[str]"]:
    """What it prints is in its pipe, which holds 64 KiB, or in ``log``. ``path`` is where else it imports from."""
    env = worker_env(redis_url, data_dir=data_dir, path=(*PATH, *path), api_port=port, **settings)
    with ExitStack() as stack:
        output = stack.enter_context(log.open("wb")) if log else subprocess.PIPE
        process = subprocess.Popen(COMMAND, env=env, stdout=output, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


@contextmanager
def a_faultless_api(redis_url: str, data_dir: Path) -> Iterator[int]:
    """One that answers, on a port, without end to what one may spend; its log is to tell of no exception."""
    port, log = free_port(), data_dir / "api.log"
    with an_api(redis_url, data_dir, port, log=log, api_points_per_minute=10**9):
        wait_until(lambda: answers(port), 60, "the API answers")
        yield port
    said = log.read_text("utf-8")
    assert "Traceback" not in said, said[-4000:]


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=1).status_code == 200
    except httpx.TransportError:
        return False
