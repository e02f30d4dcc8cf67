"""Ports that nobody listens on."""

import random
import socket


def free_port() -> int:
    """Return a free port of 127.0.0.1, below those that the kernel gives to outgoing connections."""
    while True:
        port = random.randrange(10_000, 20_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
