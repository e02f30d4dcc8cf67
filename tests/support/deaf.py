"""Clients that ask for a stream and then read nothing more of their socket: plain TCP, no library reads for them."""

import base64
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

WINDOW = 4_096
"""Bytes that the client's own side takes in while nobody reads them."""
PROTOCOL = "graphql-transport-ws"


@contextmanager
def a_deaf_socket(port: int, document: str, *, operations: int = 1, **headers: str) -> Iterator[socket.socket]:
    """A WebSocket that has subscribed so many times, and has read until its first operation was asked for."""
    with _connected(port) as connection:
        key = base64.b64encode(os.urandom(16)).decode()
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        _ask(connection, "GET", {**upgrade, "Sec-WebSocket-Key": key, "Sec-WebSocket-Protocol": PROTOCOL, **headers})
        read_until(connection, b"\r\n\r\n")
        connection.sendall(frame({"type": "connection_init"}))
        read_until(connection, b"connection_ack")
        for number in range(operations):
            payload = {"query": document}
            connection.sendall(frame({"type": "subscribe", "id": str(number), "payload": payload}))
        yield connection


@contextmanager
def a_deaf_stream(port: int, document: str, **headers: str) -> Iterator[socket.socket]:
    """A stream of server-sent events that has begun."""
    with _connected(port) as connection:
        body = json.dumps({"query": document}).encode()
        kinds = {"Accept": "text/event-stream", "Content-Type": "application/json", "Content-Length": str(len(body))}
        _ask(connection, "POST", {**kinds, **headers}, body)
        read_until(connection, b"\r\n\r\n")
        yield connection


def frame(message: Any) -> bytes:
    """One masked text frame of less than 64 KiB."""
    data = json.dumps(message).encode()
    size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
    return b"\x81" + size + b"\0\0\0\0" + data  # a mask of zeros leaves the data as it is


def read_until(connection: socket.socket, word: bytes) -> bytes:
    """Read up to where a word has come; raise ``ConnectionError`` when the other side ends before."""
    taken = b""
    while word not in taken:
        taken += _some(connection)
    return taken


def read_to_the_end(connection: socket.socket) -> bytes:
    """Read until the other side has closed."""
    taken = b""
    while chunk := connection.recv(65_536):
        taken += chunk
    return taken


def close_of(taken: bytes) -> tuple[int, str] | None:
    """Return code and reason of a close frame that is the last thing of what was read."""
    for size in range(2, 126):
        if len(taken) >= size + 2 and taken[-size - 2 : -size] == bytes([0x88, size]):
            return int.from_bytes(taken[-size:][:2], "big"), taken[-size:][2:].decode()
    return None


def _connected(port: int) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, WINDOW)
    connection.settimeout(30)
    connection.connect(("127.0.0.1", port))
    return connection


def _ask(connection: socket.socket, method: str, headers: dict[str, str], body: bytes = b"") -> None:
    lines = [f"{method} /graphql HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
    connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)


def _some(connection: socket.socket) -> bytes:
    chunk = connection.recv(65_536)
    if not chunk:
        raise ConnectionError("the other side has ended")
    return chunk
