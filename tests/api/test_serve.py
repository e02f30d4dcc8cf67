"""``taskengine api``: starts, says what is wrong in one line, stops when asked."""

import signal
import socket
import sys
from pathlib import Path

import httpx
import pytest

from support.ports import free_port
from support.served import an_api, answers
from support.waiting import wait_until


@pytest.mark.parametrize("asked", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_asked_to_stop(redis_url: str, tmp_path: Path, asked: signal.Signals) -> None:
    port = free_port()
    with an_api(redis_url, tmp_path, port) as process:
        wait_until(lambda: answers(port), 60, "the API answers")
        response = httpx.post(f"http://127.0.0.1:{port}/graphql", json={"query": "{ counts { queued } }"})
        assert response.json()["data"] == {"counts": {"queued": 0}}
        process.send_signal(asked)
        assert process.wait(30) == 0


TELLS_ITS_LOOP = """
import asyncio, pathlib, signal

def tell(_signal, _frame):
    kind = type(asyncio.get_running_loop())
    pathlib.Path(__file__).with_name("loop").write_text(f"{kind.__module__}.{kind.__qualname__}")

signal.signal(signal.SIGUSR1, tell)
"""
"""Python imports a module named ``sitecustomize`` as it starts: the process is as it is, and can be asked."""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no uvloop there")
def test_it_runs_on_uvloop(redis_url: str, tmp_path: Path) -> None:
    port, told = free_port(), tmp_path / "loop"
    (tmp_path / "sitecustomize.py").write_text(TELLS_ITS_LOOP, "utf-8")
    with an_api(redis_url, tmp_path, port, path=[tmp_path]) as process:
        wait_until(lambda: answers(port), 60, "the API answers")
        process.send_signal(signal.SIGUSR1)
        wait_until(lambda: told.exists() and bool(told.read_text("utf-8")), 30, "the process has told its loop")
    assert told.read_text("utf-8") == "uvloop.Loop"


def test_an_open_stream_does_not_keep_it_from_stopping(redis_url: str, tmp_path: Path) -> None:
    port = free_port()
    with an_api(redis_url, tmp_path, port) as process:
        wait_until(lambda: answers(port), 60, "the API answers")
        body = {"query": "subscription { jobEvents { cursor } }"}
        with httpx.stream(
            "POST", f"http://127.0.0.1:{port}/graphql", json=body, headers={"Accept": "text/event-stream"}
        ) as stream:
            assert stream.status_code == 200
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0


def test_it_listens_on_the_loopback_alone(redis_url: str, tmp_path: Path) -> None:
    port = free_port()
    with an_api(redis_url, tmp_path, port):
        wait_until(lambda: answers(port), 60, "the API answers")
        with socket.socket() as other:
            # Whoever listens on every address has this one as well.
            other.bind(("127.0.0.2", port))


def test_a_port_in_use_is_one_line_that_names_the_setting(redis_url: str, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with an_api(redis_url, tmp_path, port) as process:
            output, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert output.strip().splitlines() == [
        f"taskengine: TASKENGINE_API_PORT {port} cannot be used on 127.0.0.1: Address already in use"
    ]
