"""Whose key is sent to the API."""

from types import SimpleNamespace
from typing import Any

import pytest

from taskengine_dashboard import identity
from taskengine_dashboard.identity import COOKIE, Identity, who_looks
from taskengine_dashboard.settings import DashboardSettings, Guests

OWN = DashboardSettings(api_key="own")
HERE = {"host": "127.0.0.1:8501"}


@pytest.fixture
def comes(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``comes(key="k", ip="10.0.0.7", host="ops.example")``: what Streamlit tells of a viewer's browser."""

    def come(*, key: str | None = None, ip: str | None = None, **headers: str) -> None:
        cookies = SimpleNamespace(to_dict=lambda: {COOKIE: key} if key else {})
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        context = SimpleNamespace(cookies=cookies, ip_address=ip, headers=named or HERE)
        monkeypatch.setattr(identity, "st", SimpleNamespace(context=context, session_state={}))

    return come


def test_who_signed_in_asks_with_their_own_key(comes: Any) -> None:
    comes(key="mine", ip="10.0.0.7")
    assert who_looks(OWN) == Identity("mine", is_signed_in=True)


def test_who_sits_here_is_a_guest_with_the_dashboards_key(comes: Any) -> None:
    comes()
    assert who_looks(OWN) == Identity("own", is_signed_in=False)


def test_without_such_a_key_the_api_decides_about_guests(comes: Any) -> None:
    comes()
    assert who_looks(DashboardSettings()) == Identity(None, is_signed_in=False)


@pytest.mark.parametrize("host", ["localhost:8501", "[::1]:8501", "127.0.0.1", "LOCALHOST"])
def test_here_has_several_names(comes: Any, host: str) -> None:
    comes(host=host)
    assert who_looks(OWN).may_ask


@pytest.mark.parametrize(
    "browser",
    [
        {"ip": "10.0.0.7", "host": "127.0.0.1:8501"},
        {"host": "ops.example.org"},
        {"host": "127.0.0.1:8501", "x_forwarded_for": "10.0.0.7"},
        {"host": "127.0.0.1:8501", "forwarded": "for=10.0.0.7"},
    ],
    ids=["another machine", "another name", "a proxy", "a proxy of today"],
)
def test_nobody_else_is_a_guest(comes: Any, browser: dict[str, str]) -> None:
    comes(**browser)
    assert who_looks(OWN) == Identity(None, is_signed_in=False, may_ask=False)


def test_a_name_that_we_go_by_is_here_as_well(comes: Any) -> None:
    comes(host="jobs.test:8501")
    assert who_looks(DashboardSettings(allowed_hosts=("jobs.test",))).may_ask


def test_all_may_be_guests(comes: Any) -> None:
    comes(ip="10.0.0.7", host="ops.example.org")
    assert who_looks(DashboardSettings(api_key="own", guests=Guests.ALL)) == Identity("own", is_signed_in=False)


def test_there_may_be_no_guests(comes: Any) -> None:
    comes()
    assert who_looks(DashboardSettings(api_key="own", guests=Guests.NONE)).may_ask is False


def test_the_dashboards_own_key_is_not_told() -> None:
    assert "own" not in repr(OWN)
