"""What a viewer has chosen for all pages. The browser keeps it in cookies, so that it holds the next time too."""

from urllib.parse import unquote
from zoneinfo import available_timezones

import streamlit as st

from taskengine_dashboard.settings import REFRESH_CHOICES
from taskengine_dashboard.source import source

REFRESH, ZONE, THEME = "refresh", "zone", "theme"
_COOKIES = {REFRESH: "taskengine_refresh", ZONE: "taskengine_zone", THEME: "taskengine_theme"}
BROWSER = "browser"
"""The time zone of the browser, whichever that is."""
THEMES = ("System", "Light", "Dark")
"""Light or dark, as Streamlit's page names it; the first is whichever the browser prefers."""


def recall() -> None:
    """Take up what the browser has kept, when a viewer comes."""
    cookies = st.context.cookies.to_dict()
    kept = {name: unquote(cookies.get(cookie, "")) for name, cookie in _COOKIES.items()}  # it quotes ``Asia/Tokyo``
    seconds = {f"{choice:g}": choice for choice in REFRESH_CHOICES}
    st.session_state.setdefault(REFRESH, seconds.get(kept[REFRESH], source().settings.refresh_seconds))
    st.session_state.setdefault(ZONE, kept[ZONE] if kept[ZONE] in available_timezones() else BROWSER)
    st.session_state.setdefault(THEME, kept[THEME] if kept[THEME] in THEMES else THEMES[0])


def to_keep() -> dict[str, str]:
    """Return the cookies that the browser is to keep."""
    return {
        _COOKIES[REFRESH]: f"{st.session_state[REFRESH]:g}",
        _COOKIES[ZONE]: st.session_state[ZONE],
        _COOKIES[THEME]: st.session_state[THEME],
    }
