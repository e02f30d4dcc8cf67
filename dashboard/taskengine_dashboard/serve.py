"""Runs the dashboard: Streamlit as an ASGI application, offline, with our looks and nothing else to configure."""

import gc
import importlib
import os
import signal
import socket
import sys
import tomllib
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import streamlit as st
from starlette.middleware import Middleware
from streamlit.starlette import App

from taskengine_dashboard import navigation, oidc_routes, session, tables
from taskengine_dashboard.oidc import Provider, provider_of
from taskengine_dashboard.origins import LOOPBACK_NAMES, OnlyOurPages
from taskengine_dashboard.settings import DashboardSettings, InvalidSetting
from taskengine_dashboard.shapes import is_object
from taskengine_dashboard.source import open_source

PACKAGE = Path(__file__).parent


def main(api_url: str, port: int) -> int:
    """Serve the pages until SIGINT or SIGTERM; return the exit code.

    ``api_url`` is the API's address or its GraphQL endpoint. The environment
    (``TASKENGINE_DASHBOARD_API_URL``) has the last word, for a container of its own.
    """
    try:
        settings = DashboardSettings.from_env(os.environ)
        provider = provider_of(settings)
    except InvalidSetting as problem:
        return _refuse(str(problem))
    if (busy := _why_not(settings.host, port)) is not None:
        return _refuse(busy)
    source = open_source(settings.api_url or api_url, settings=settings)
    # uvicorn stops in order and then raises the signal again, for whoever had it before: that is us.
    for asked in (signal.SIGTERM, signal.SIGINT):
        signal.signal(asked, _end)
    try:
        _say(f"The dashboard is at {_address(settings.host, port)} and asks {source.api_url}.")
        application(settings, provider).run(config=configuration(settings.host, port))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    finally:
        source.close()
    return 0


def application(settings: DashboardSettings, provider: Provider | None = None) -> App:
    """Return the ASGI application; ``open_source`` comes first. ``provider`` is who signs viewers in beside keys."""
    hosts = settings.allowed_hosts or (LOOPBACK_NAMES if settings.host in LOOPBACK_NAMES else ())
    if hosts and settings.public_host:
        hosts = (*hosts, settings.public_host)
    return App(
        PACKAGE / "app.py",
        lifespan=_lifespan,
        routes=(*session.routes(provider), *oidc_routes.routes(provider)),
        middleware=[Middleware(OnlyOurPages, hosts=hosts)],
        on_script_error=_show_no_traceback,
    )


def configuration(host: str, port: int) -> dict[str, Any]:
    """Return every Streamlit option that we set, by dotted name."""
    options = dict(_flat(tomllib.loads((PACKAGE / "config.toml").read_text("utf-8"))))
    return {**options, "server.address": host, "server.port": port}


@asynccontextmanager
async def _lifespan(_: App) -> AsyncGenerator[None]:
    """Have everything imported before the first viewer comes, and keep the collector from walking it again."""
    for name in ("app", *(f"views.{page}.page" for page in navigation.NAMES)):
        importlib.import_module(f"taskengine_dashboard.{name}")
    tables.jobs(())  # Arrow's first array imports pandas, which takes a second
    gc.collect()
    gc.freeze()
    yield


def _show_no_traceback(_: Exception) -> bool:
    """Tell the viewer no more than that it happened; Streamlit has logged it."""
    st.error(
        "This part of the page could not be drawn. It is tried again with the next refresh; the log has the details.",
        icon=":material/error:",
    )
    return True


def _end(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _flat(table: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    pairs: list[tuple[str, Any]] = []
    for name, value in table.items():
        dotted = f"{prefix}{name}"
        pairs += _flat(value, f"{dotted}.") if is_object(value) else [(dotted, value)]
    return pairs


def _why_not(host: str, port: int) -> str | None:
    """Return why we cannot listen there, in a line that names the setting; ``None`` when we can."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except socket.gaierror:
        return f"TASKENGINE_DASHBOARD_HOST is not valid: {host!r} is no address of this machine"
    except OSError as problem:
        return f"TASKENGINE_DASHBOARD_PORT: cannot listen on {host}:{port} ({problem.strerror or problem})"
    return None


def _address(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - we are a command


def _refuse(problem: str) -> int:
    print(problem, file=sys.stderr)  # noqa: T201
    return 2
