"""Whose key is sent to the API: that of the viewer who looks, as a cookie of their browser holds it."""

import streamlit as st

COOKIE = "taskengine_key"
"""HttpOnly: only the browser and this server see it, no script."""


def api_key() -> str | None:
    """Return the viewer's key, or ``None`` for one who has not signed in."""
    return st.context.cookies.to_dict().get(COOKIE) or None
