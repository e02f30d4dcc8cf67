"""The API as a process of its own, as ``taskengine api`` starts it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

import taskengine_api
from support.workers import worker_env

PATH = (Path(taskengine_api.__file__).parents[1],)
COMMAND = [sys.executable, "-m", "taskengine", "api"]


@contextmanager
def an_api(redis_url: str, data_dir: Path, port: int) -> Iterator["subprocess.Popen[str]"]:
    env = worker_env(redis_url, data_dir=data_dir, path=PATH, api_port=port)
    process = subprocess.Popen(COMMAND, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=1).status_code == 200
    except httpx.TransportError:
        return False
