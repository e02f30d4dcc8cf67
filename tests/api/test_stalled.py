"""A client that asks for a stream and then leaves its socket unread is closed, and what it held is free again."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, cast

import httpx
import psutil
import pytest
from redis import Redis

from support.api import a_task, publish
from support.deaf import a_deaf_socket, a_deaf_stream, close_of, frame, read_to_the_end, read_until
from support.ports import free_port
from support.served import an_api, answers
from support.waiting import wait_until
from taskengine_api.stalled import Patience

ALL = "subscription { jobEvents { cursor job { args } } }"
MORE = "mutation ($i: EnqueueJobsInput!) { enqueueJobs(input: $i) { errors { code } } }"
LARGE = "x" * 20_000
BYTES = 64 << 20
"""More than a process may come to hold because of one client: it is some megabytes."""
ENDED = b'"type":"complete"'


def universal(value: object = None) -> object:
    """Do as told."""
    return value


class Deaf(Protocol):
    def __call__(self, port: int, document: str, /) -> AbstractContextManager[socket.socket]: ...


class Served:
    """The API as a process, in which everyone together may have one connection open."""

    def __init__(self, port: int, pid: int) -> None:
        self.port = port
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30)
        self._process = psutil.Process(pid)

    def flood(self) -> None:
        """Have more happen than the kernel takes in for a client: 24 MB of events."""
        jobs = [{"task": "universal", "args": {"value": LARGE}}] * 40
        for _ in range(30):
            answer = self._http.post("/graphql", json={"query": MORE, "variables": {"i": {"jobs": jobs}}}).json()
            assert answer == {"data": {"enqueueJobs": {"errors": []}}, "extensions": answer["extensions"]}

    def memory(self) -> int:
        return self._process.memory_info().rss

    def is_connected_to(self, client: socket.socket) -> bool:
        port = client.getsockname()[1]
        return any(one.raddr and one.raddr.port == port for one in self._process.net_connections("tcp"))

    def subscriptions(self) -> int:
        lines = self._http.get("/metrics").text.splitlines()
        return int(float(next(line for line in lines if line.startswith("taskengine_api_subscriptions ")).split()[1]))

    def has_room(self) -> bool:
        """Whether another stream is let in: there is room for one."""
        body = {"query": "subscription { jobEvents { cursor } }"}
        accept = {"Accept": "text/event-stream"}
        with self._http.stream("POST", "/graphql", json=body, headers=accept) as stream:
            return stream.status_code == 200

    def close(self) -> None:
        self._http.close()


@pytest.fixture
def served(redis: Redis, redis_url: str, tmp_path: Path) -> Iterator[Served]:
    publish(redis, a_task("universal", universal))
    log = tmp_path / "api.log"
    with _a_served(redis_url, tmp_path, log) as served:
        yield served
    said = log.read_text("utf-8")
    assert "Traceback" not in said, said[-4000:]


@contextmanager
def _a_served(redis_url: str, folder: Path, log: Path) -> Iterator[Served]:
    port = free_port()
    settings = {
        "api_stalled_seconds": 1,
        "api_arrival_seconds": 2,
        "api_max_connections": 1,
        "api_points_per_minute": 10**9,
    }
    with an_api(redis_url, folder, port, log=log, **settings) as process:
        wait_until(lambda: answers(port), 60, "the API answers")
        served = Served(port, process.pid)
        yield served
        served.close()


def _a_client(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=30)


@pytest.mark.parametrize("deaf", [a_deaf_socket, a_deaf_stream])
def test_who_reads_nothing_is_cut_and_what_they_held_is_free(served: Served, deaf: Deaf) -> None:
    with deaf(served.port, ALL) as client:
        wait_until(lambda: served.subscriptions() == 1, 30, "it has subscribed")
        assert not served.has_room()
        before = served.memory()
        served.flood()
        assert served.memory() < before + BYTES
        wait_until(lambda: not served.is_connected_to(client), 60, "the connection is gone")
        wait_until(lambda: served.subscriptions() == 0, 30, "its subscription has ended")
        wait_until(served.has_room, 30, "another is let in")


def test_who_reads_again_in_time_finds_the_code_behind_what_was_sent(served: Served) -> None:
    with a_deaf_socket(served.port, ALL) as client:
        wait_until(lambda: served.subscriptions() == 1, 30, "it has subscribed")
        served.flood()
        wait_until(lambda: served.subscriptions() == 0, 30, "it was given up")
        reason = "what was sent has not been read for 1 s; go on after the last cursor"
        assert close_of(read_to_the_end(client)) == (4420, reason)


def test_who_does_not_answer_a_close_is_cut(served: Served) -> None:
    with a_deaf_socket(served.port, "{ counts { queued } }") as client:
        read_until(client, ENDED)
        client.sendall(frame([]))
        assert close_of(read_to_the_end(client)) == (4400, "Expected a message to be an object")


@dataclass
class Sending:
    """A transport that has so much to send whenever it is asked."""

    left: list[int]

    def get_write_buffer_size(self) -> int:
        return self.left.pop(0)


async def test_who_reads_slowly_is_waited_for_as_long_as_what_waits_becomes_less() -> None:
    given_up = asyncio.Event()
    sending = Sending([100, 90, 90, 80, 80, 80])  # each is looked at, and remembered when it is less
    Patience(0.001, given_up.set).begin(cast(asyncio.Transport, sending))
    await asyncio.wait_for(given_up.wait(), 30)
    assert sending.left == []


HALVES = {
    "nothing": b"",
    "empty lines": b"\r\n",
    "half a head": b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Ty",
    "half a body": b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b'Content-Length: 40\r\n\r\n{"query": ',
}
WHOLE = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


@pytest.mark.parametrize("before", [b"", WHOLE], ids=["at first", "after a request"])
def test_who_never_ends_a_request_is_cut(served: Served, before: bytes) -> None:
    with contextlib.ExitStack() as stack:
        clients = {half: stack.enter_context(_a_client(served.port)) for half in HALVES}
        for half, client in clients.items():
            if before:
                client.sendall(before)
                read_until(client, b"\r\n\r\n")
            client.sendall(HALVES[half])
        for client in clients.values():
            with contextlib.suppress(ConnectionResetError):
                read_to_the_end(client)
        assert [half for half, client in clients.items() if served.is_connected_to(client)] == []


def test_a_stream_may_last_longer_than_a_request_may_take_to_arrive(served: Served) -> None:
    with a_deaf_stream(served.port, ALL) as client, _a_client(served.port) as silent:
        with contextlib.suppress(ConnectionResetError):
            read_to_the_end(silent)  # as long as that one is waited for
        assert served.is_connected_to(client)


def test_a_flood_of_pings_that_are_not_read_is_not_kept(served: Served) -> None:
    with a_deaf_socket(served.port, "{ counts { queued } }") as client:
        read_until(client, ENDED)
        before = served.memory()
        pings = (b"\x89\xfd\0\0\0\0" + b"x" * 125) * 8_000
        with contextlib.suppress(OSError):  # it is cut on the way
            for _ in range(200):
                client.sendall(pings)
        assert served.memory() < before + BYTES
        wait_until(lambda: not served.is_connected_to(client), 60, "the connection is gone")
