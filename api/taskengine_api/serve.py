"""Runs the API: one process, uvicorn on uvloop and httptools, on loopback unless told otherwise."""

import logging
import signal
import socket
import sys
from collections.abc import Mapping
from types import FrameType

import uvicorn

from taskengine.errors import InvalidSetting
from taskengine.settings import Settings
from taskengine_api.app import create_app
from taskengine_api.settings import ApiSettings

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
STOP_SECONDS = 3
"""How long open streams may take to end when the process is asked to stop."""


def main(settings: Settings, host: str = LOOPBACK, env: Mapping[str, str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code. ``env`` is where ``TASKENGINE_API_…`` is read from."""
    api = ApiSettings.from_env(env or {})
    listening = _listen(host, settings.api_port)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    log.info("GraphQL at http://%s:%d/graphql", host, settings.api_port)
    config = uvicorn.Config(
        create_app(settings, api=api),
        loop="auto" if sys.platform == "win32" else "uvloop",
        http="httptools",
        ws="websockets-sansio",
        ws_max_size=api.max_body_bytes,
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=STOP_SECONDS,
    )
    # uvicorn stops in order and then raises the signal again, for whoever had it before: that is us.
    for asked in (signal.SIGTERM, signal.SIGINT):
        signal.signal(asked, _end)
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    finally:
        listening.close()
    return 0


def _listen(host: str, port: int) -> socket.socket:
    """Take the port now, so that a port in use is one clear line."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
    except (OSError, OverflowError) as problem:
        listening.close()
        reason = problem.strerror if isinstance(problem, OSError) else str(problem)
        raise InvalidSetting("TASKENGINE_API_PORT", f"{port} cannot be used on {host}: {reason}") from None
    listening.set_inheritable(False)
    return listening


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)
