"""The dashboard as a process: offline, with our looks, and one clear line when it cannot start."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import streamlit as st

from support.ports import free_port
from support.waiting import wait_until
from taskengine_dashboard import serve
from taskengine_dashboard.serve import PACKAGE, configuration

PROGRAM = "import sys; from taskengine_dashboard.serve import main; sys.exit(main('http://127.0.0.1:9', {port}))"

WITH_PROVIDER = {
    "TASKENGINE_DASHBOARD_OIDC_ISSUER": "http://127.0.0.1:9",
    "TASKENGINE_DASHBOARD_OIDC_CLIENT_ID": "dashboard",
    "TASKENGINE_DASHBOARD_OIDC_CLIENT_SECRET": "nobody knows",
    "TASKENGINE_DASHBOARD_PUBLIC_URL": "http://127.0.0.1:8501",
}

OURS = sorted(path for path in PACKAGE.rglob("*.*") if path.suffix in {".toml", ".css", ".svg", ".py"})


@contextmanager
def a_dashboard(**settings: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A dashboard whose API is nowhere, and its address."""
    port = free_port()
    env = {name: value for name, value in os.environ.items() if not name.startswith("TASKENGINE_")} | settings
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(port=port)], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until(lambda: _is_well(url), 30, "the dashboard answers")
        yield process, url
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def running() -> Iterator[str]:
    """The address of a dashboard that the tests only look at."""
    with a_dashboard() as (_, url):
        yield url


def _is_well(url: str) -> bool:
    try:
        return httpx.get(f"{url}/_stcore/health").text == "ok"
    except httpx.TransportError:
        return False


# What is configured


@pytest.mark.parametrize("name", sorted(configuration("127.0.0.1", 8501)))
def test_streamlit_knows_each_option(name: str) -> None:
    st.get_option(name)


def test_streamlit_collects_no_garbage_after_each_refresh() -> None:
    assert configuration("127.0.0.1", 8501)["runner.postScriptGC"] is False


def test_nobody_is_told_that_we_run() -> None:
    options = configuration("127.0.0.1", 8501)
    assert options["browser.gatherUsageStats"] is False
    assert options["server.address"] == "127.0.0.1"


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_no_file_of_ours_makes_a_browser_ask_another_host(path: Path) -> None:
    hosts = set(re.findall(r"https?://([\w.:-]+)", path.read_text("utf-8")))
    assert hosts <= {"127.0.0.1:8000", "www.w3.org"}


def test_each_font_that_is_named_is_there_with_its_licence() -> None:
    fonts = configuration("127.0.0.1", 8501)["theme.fontFaces"]
    names = {Path(font["url"]).name for font in fonts}
    folder = PACKAGE / "static" / "fonts"
    assert names == {path.name for path in folder.glob("*.woff2")}
    assert {path.name for path in folder.glob("LICENSE-*")} == {"LICENSE-Inter.txt", "LICENSE-JetBrainsMono.txt"}


# It cannot start


def test_a_port_in_use_is_one_line_that_names_the_setting(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert serve.main("http://127.0.0.1:9", port) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"TASKENGINE_DASHBOARD_PORT: cannot listen on 127.0.0.1:{port} (Address already in use)"


def test_an_address_that_is_not_ours_is_one_line_that_names_the_setting(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TASKENGINE_DASHBOARD_HOST", "nowhere.invalid")
    assert serve.main("http://127.0.0.1:9", free_port()) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("TASKENGINE_DASHBOARD_HOST is not valid: 'nowhere.invalid'")


def test_a_setting_that_is_none_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TASKENGINE_DASHBOARD_X", "red")
    assert serve.main("http://127.0.0.1:9", free_port()) == 2
    assert (
        capsys.readouterr().err == "TASKENGINE_DASHBOARD_X is not a setting; did you mean TASKENGINE_DASHBOARD_PORT?\n"
    )


def test_an_identity_provider_without_its_packages_is_one_line_that_names_the_extra(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in WITH_PROVIDER.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setitem(sys.modules, "authlib.integrations.starlette_client", None)
    assert serve.main("http://127.0.0.1:9", free_port()) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("TASKENGINE_DASHBOARD_OIDC_ISSUER needs ")
    assert line.endswith(": install taskengine[oidc]")


# It runs


def test_it_starts_without_its_api(running: str) -> None:
    assert httpx.get(running).status_code == 200


@pytest.mark.parametrize("font", ["inter-latin-wght-normal.woff2", "jetbrains-mono-latin-wght-normal.woff2"])
def test_it_serves_its_own_fonts(running: str, font: str) -> None:
    answer = httpx.get(f"{running}/app/static/fonts/{font}")
    assert answer.content[:4] == b"wOF2"


def test_it_gives_no_agent_a_way_in(running: str) -> None:
    assert httpx.post(f"{running}/_stcore/agent/interact", json={}).status_code in {403, 404}


@pytest.mark.parametrize(("origin", "status"), [(None, b"101"), ("https://elsewhere.example", b"403")])
def test_only_its_own_pages_may_open_its_websocket(running: str, origin: str | None, status: bytes) -> None:
    url = urlsplit(running)
    handshake = [
        "GET /_stcore/stream HTTP/1.1",
        f"Host: {url.netloc}",
        f"Origin: {origin or running}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    ]
    with socket.create_connection((url.hostname, url.port), timeout=10) as connection:
        connection.sendall("\r\n".join([*handshake, "", ""]).encode())
        assert connection.recv(1024).split(b" ")[1] == status


@pytest.mark.parametrize("settings", [{}, WITH_PROVIDER], ids=["alone", "with an identity provider"])
def test_it_says_where_it_is_and_sigterm_ends_it_without_another_word(settings: dict[str, str]) -> None:
    with a_dashboard(**settings) as (process, url):
        process.send_signal(signal.SIGTERM)
        said, complained = process.communicate(timeout=10)
    assert process.returncode == 0
    assert said.decode().splitlines() == [f"The dashboard is at {url} and asks http://127.0.0.1:9/graphql."]
    assert complained == b""
