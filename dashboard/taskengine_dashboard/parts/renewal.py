"""Has the browser renew a sign-in by the identity provider before it ends, without a word and without a reload."""

import time
from typing import Any

import streamlit as st

from taskengine_dashboard.identity import RENEWAL, RENEWED
from taskengine_dashboard.oidc_routes import PASS_SECONDS
from taskengine_dashboard.parts.scripts import script
from taskengine_dashboard.sealed import seal_of
from taskengine_dashboard.session import STAYS_SECONDS
from taskengine_dashboard.source import source
from taskengine_dashboard.tokens import ends_at, renew_at

_KEY = "renewal"
_AT_MOST_EVERY_SECONDS = 3.0


def is_renewable() -> bool:
    """Whether this viewer's sign-in is one that its provider renews."""
    return _kept() is not None


def renewal() -> None:
    """Mount the script that renews. It draws nothing."""
    token = source().viewer.api_key
    if token and ends_at(token) is not None and is_renewable():
        with st.container(key="renewal-script"):
            seconds = max(_AT_MOST_EVERY_SECONDS, renew_at(token) - time.time())
            script("renewal", key=_KEY, data={"seconds": seconds}, on_renewed_change=_renewed)


def _renewed() -> None:
    """Go on with another token, if the pass to it was made for the sign-in that this browser has."""
    secret, kept = source().settings.oidc_client_secret, _kept()
    opened = seal_of(secret).open("pass", st.session_state[_KEY].renewed, PASS_SECONDS) if secret else None
    if kept and opened and opened["sign_in"] == kept["sign_in"]:
        st.session_state[RENEWED] = opened["token"]


def _kept() -> dict[str, Any] | None:
    settings = source().settings
    if settings.oidc_issuer is None or settings.oidc_client_secret is None:
        return None
    cookie = st.context.cookies.to_dict().get(RENEWAL)
    return seal_of(settings.oidc_client_secret).open("renewal", cookie, STAYS_SECONDS)
