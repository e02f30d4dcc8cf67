"""What pages need the browser for: keys for frequent things, whether anyone looks, what to keep, and signing out."""

import streamlit as st

from taskengine_dashboard import navigation
from taskengine_dashboard.parts import preferences
from taskengine_dashboard.parts.grids import small_table
from taskengine_dashboard.parts.live import HIDDEN
from taskengine_dashboard.parts.scripts import script
from taskengine_dashboard.source import source

_KEY, _HELP, _LEAVE, _BEFORE = "browser", "help", "leave", "refresh-before-pause"


def browser() -> None:
    """Mount the script that listens. It draws nothing."""
    with st.container(key="browser-script"):
        script(
            "frame",
            key=_KEY,
            data={
                "places": {place.key: place.name for place in navigation.PLACES if place.key},
                "remember": preferences.to_keep(),
                "theme": st.session_state[preferences.THEME],
                "pages": list(navigation.NAMES),
                "drawer": navigation.DRAWER,
                "leave": st.session_state.pop(_LEAVE, False),
            },
            on_pressed_change=_pressed,
            on_hidden_change=_looked_at,
        )


def leave() -> None:
    """Sign out, from a callback."""
    st.session_state[_LEAVE] = True


def open_help() -> bool:
    """Draw the help sheet if it was asked for; return whether it was."""
    if st.session_state.pop(_HELP, False):
        st.dialog("Keys")(_sheet)()
        return True
    return False


def _sheet() -> None:
    places = [place for place in navigation.PLACES if place.key]
    keys = {
        "`?`": "This sheet",
        "`/`": "Go to the search field of the page",
        "`r`": "Refresh now",
        "`p`": "Pause refreshing, and go on",
        "`Esc`": "Close what is open over the page",
        **{f"`g` `{place.key}`": f"Go to {place.title}" for place in places},
    }
    small_table({"Key": list(keys), "What it does": list(keys.values())}, alt="Keys and what they do", hide_header=True)


def _pressed() -> None:
    match st.session_state[_KEY].pressed:
        case "help":
            st.session_state[_HELP] = True
        case "refresh":
            source().expire()
        case "pause":
            _pause_or_go_on()
        case name if name in navigation.NAMES:
            st.switch_page(navigation.page(name))
        case _:
            pass


def _pause_or_go_on() -> None:
    refresh = preferences.REFRESH
    if st.session_state[refresh]:
        st.session_state[_BEFORE] = st.session_state[refresh]
        st.session_state[refresh] = 0.0
    else:
        st.session_state[refresh] = st.session_state.pop(_BEFORE, source().settings.refresh_seconds or 2.0)


def _looked_at() -> None:
    st.session_state[HIDDEN] = bool(st.session_state[_KEY].hidden)
