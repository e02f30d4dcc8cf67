"""The part of a page that draws itself again, as often as the viewer chose."""

from collections.abc import Callable

import streamlit as st

from taskengine_dashboard.parts.preferences import REFRESH
from taskengine_dashboard.source import source

LIVE, HIDDEN = "live", "hidden"


def live(draw: Callable[[], None]) -> None:
    """Draw a page's body, and draw it again as often as the viewer chose."""
    theme = st.context.theme.type

    def body() -> None:
        if st.context.theme.type != theme:
            st.rerun()  # the frame too: it has got dark outside, and the logo was drawn for the light
        draw()

    st.fragment(body, run_every=refresh_seconds() or None, key=LIVE)()


def refresh_seconds() -> float:
    """Return how often to refresh: the viewer's choice; 0 is off, as it is while nobody looks at the page."""
    if st.session_state.get(HIDDEN):
        return 0.0
    return float(st.session_state.get(REFRESH, source().settings.refresh_seconds))
