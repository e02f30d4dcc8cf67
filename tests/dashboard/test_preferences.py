"""What a viewer has chosen for all pages, as the browser keeps it."""

from types import SimpleNamespace
from typing import Any

import pytest

from taskengine_dashboard.parts import preferences


@pytest.fixture
def recalled(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Have a viewer come with cookies; return what they have chosen."""

    def come(**cookies: str) -> dict[str, Any]:
        state: dict[str, Any] = {}
        context = SimpleNamespace(cookies=SimpleNamespace(to_dict=lambda: cookies))
        settings = SimpleNamespace(settings=SimpleNamespace(refresh_seconds=2.0))
        monkeypatch.setattr(preferences, "st", SimpleNamespace(context=context, session_state=state))
        monkeypatch.setattr(preferences, "source", lambda: settings)
        preferences.recall()
        return state

    return come


@pytest.mark.parametrize("cookie", ["Asia%2FTokyo", "Asia/Tokyo"])
def test_a_time_zone_is_known_again_whether_the_browser_has_quoted_it_or_not(recalled: Any, cookie: str) -> None:
    assert recalled(taskengine_zone=cookie)["zone"] == "Asia/Tokyo"


@pytest.mark.parametrize("cookie", ["", "Mars/Olympus", "%"])
def test_what_is_no_time_zone_is_that_of_the_browser(recalled: Any, cookie: str) -> None:
    assert recalled(taskengine_zone=cookie)["zone"] == preferences.BROWSER


def test_a_refresh_rate_is_known_again(recalled: Any) -> None:
    assert recalled(taskengine_refresh="5")["refresh"] == 5.0


def test_who_comes_for_the_first_time_has_what_the_dashboard_is_set_to(recalled: Any) -> None:
    assert recalled() == {"refresh": 2.0, "zone": preferences.BROWSER, "theme": "System"}


@pytest.mark.parametrize("theme", ["System", "Light", "Dark"])
def test_a_theme_is_known_again_and_kept(recalled: Any, theme: str) -> None:
    assert recalled(taskengine_theme=theme)["theme"] == theme
    assert preferences.to_keep()["taskengine_theme"] == theme


@pytest.mark.parametrize("cookie", ["", "dark", "Sepia", "%"])
def test_what_is_no_theme_is_that_of_the_browser(recalled: Any, cookie: str) -> None:
    assert recalled(taskengine_theme=cookie)["theme"] == "System"
