"""Runs the API: one process, uvicorn on uvloop and httptools, on loopback unless told otherwise."""

import asyncio
import gc
import logging
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import FrameType
from typing import Any

import uvicorn

from taskengine.client import Client
from taskengine.embedded import find_redis_url
from taskengine.errors import InvalidSetting, RedisUnavailable
from taskengine.settings import Settings
from taskengine_api.access import is_loopback
from taskengine_api.app import create_app
from taskengine_api.settings import ApiSettings, OpenLoopback
from taskengine_api.stalled import PatientHttp, PatientWebSocket

log = logging.getLogger(__name__)

LOOPBACK = "127.0.0.1"
STOP_SECONDS = 3
"""How long open streams may take to end when the process is asked to stop."""


def main(settings: Settings, host: str = LOOPBACK, env: Mapping[str, str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; return the exit code. ``env`` is where ``TASKENGINE_API_…`` is read from."""
    api = _for(host, ApiSettings.from_env(env or {}))
    _check_keys(host, settings, api)
    listening = _listen(host, settings.api_port)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    log.info("GraphQL at http://%s:%d/graphql", host, settings.api_port)
    config = uvicorn.Config(
        create_app(settings, api=api, settled=_settle),
        loop="auto" if sys.platform == "win32" else "uvloop",
        **_patient(api),
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


def _patient(api: ApiSettings) -> dict[str, Any]:
    """Return what speaks HTTP (on httptools) and WebSocket."""
    return {
        "http": partial(PatientHttp, stalled_seconds=api.stalled_seconds, arrival_seconds=api.arrival_seconds),
        "ws": partial(PatientWebSocket, stalled_seconds=api.stalled_seconds),
    }


def _settle() -> None:
    """Take what is there now, the schema above all, out of what is looked through for garbage: that takes 50 ms."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()


def _for(host: str, api: ApiSettings) -> ApiSettings:
    """Ask everyone for a key where others are listened to, unless it was said otherwise."""
    if is_loopback(host) or api.open_loopback is not OpenLoopback.AUTO:
        return api
    return replace(api, open_loopback=OpenLoopback.OFF)


def _check_keys(host: str, settings: Settings, api: ApiSettings) -> None:
    """Refuse to listen to others while there is no key by which to tell them apart."""
    if is_loopback(host) or api.key is not None or api.oidc_issuer is not None:
        return
    try:
        keys = asyncio.run(_count_keys(settings))
    except RedisUnavailable as error:
        log.warning("Whether there are keys cannot be told; each request is asked for one. %s", error)
        return
    if keys == 0:
        raise InvalidSetting(
            "--host",
            f"{host} is reached by others, so they need a key, and there is none: make one by"
            " `taskengine keys create NAME --role ADMIN`, or set TASKENGINE_API_KEY",
        )


async def _count_keys(settings: Settings) -> int:
    client = Client(find_redis_url(settings), namespace=settings.namespace, settings=settings)
    try:
        return (await client.find_api_key("")).keys
    finally:
        await client.close()


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
