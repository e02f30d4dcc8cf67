"""Which times a viewer sees: their time zone, and how far back figures go."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Literal, cast, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from taskengine_dashboard.parts.preferences import BROWSER, ZONE

Window = Literal["MINUTE", "HOUR", "DAY", "WEEK"]
"""How far back figures go, as the API names it."""
_SPANS: dict[Window, str] = {"MINUTE": "1m", "HOUR": "1h", "DAY": "24h", "WEEK": "7d"}
_WINDOWS: tuple[Window, ...] = get_args(Window)
_PARAM, _KEY = "window", "window"
_DEFAULT: Window = "HOUR"


def viewer_zone() -> tzinfo:
    """Return the time zone that the viewer chose: that of their browser, until they choose another."""
    chosen: str = st.session_state.get(ZONE, BROWSER)
    try:
        return ZoneInfo(chosen if chosen != BROWSER else st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def is_own_zone() -> bool:
    """Whether times are told in the zone of the viewer's browser."""
    return st.session_state.get(ZONE, BROWSER) == BROWSER or str(viewer_zone()) == st.context.timezone


def span_of(window: Window) -> str:
    """Return a window as a span of ``ranges.TimeRange``."""
    return _SPANS[window]


def chosen_window(windows: Sequence[Window] = _WINDOWS) -> Window:
    """Return the window that the page's address names, of those that the page offers."""
    named = st.query_params.get(_PARAM)
    return cast(Window, named) if named in windows else _DEFAULT


def choose_window(windows: Sequence[Window] = _WINDOWS) -> Window:
    """Draw the choice of a window, which is kept in the address; return it."""

    def choose() -> None:
        st.query_params[_PARAM] = st.session_state[_KEY]

    st.session_state[_KEY] = chosen_window(windows)
    st.segmented_control(
        "Time range",
        windows,
        key=_KEY,
        required=True,
        format_func=lambda window: f"Last {window.lower()}",
        on_change=choose,
        label_visibility="collapsed",
        wrap=False,
    )
    return chosen_window(windows)
