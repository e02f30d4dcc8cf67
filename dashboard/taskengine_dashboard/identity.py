"""Whose key is sent to the API: that of the viewer who looks, as a cookie of their browser holds it.

Who has not signed in is a guest. Guests are those on this machine itself, unless set otherwise, and are shown what the
dashboard's own key may see; without such a key the API decides. Nobody else is asked for: they get to sign in.
"""

from dataclasses import dataclass

import streamlit as st

from taskengine_dashboard.origins import LOOPBACK_NAMES
from taskengine_dashboard.settings import DashboardSettings, Guests

COOKIE = "taskengine_key"
"""As the API calls it. HttpOnly: only the browser and the servers see it, no script."""
RENEWAL = "taskengine_renewal"
"""What an identity provider renews a sign-in for, sealed. HttpOnly as well."""
PROBLEM = "taskengine_problem"
"""Why the last try to sign in came to nothing, sealed, for a minute."""
RENEWED = "renewed-token"
"""Where a session has the token that came in place of the one that its cookie had when it began."""
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who looks. ``may_ask`` is false for those who must sign in first."""

    api_key: str | None
    is_signed_in: bool
    may_ask: bool = True


def who_looks(settings: DashboardSettings) -> Identity:
    """Return who looks at the page that is being drawn."""
    own: str | None = st.session_state.get(RENEWED) or st.context.cookies.to_dict().get(COOKIE)
    if own:
        return Identity(own, is_signed_in=True)
    is_guest = settings.guests is Guests.ALL or (settings.guests is Guests.LOCAL and _is_local(settings))
    return Identity(settings.api_key if is_guest else None, is_signed_in=False, may_ask=is_guest)


def _is_local(settings: DashboardSettings) -> bool:
    """Whether the viewer sits at this machine, with no proxy in between, and calls it by a name that nobody else has.

    By any other name it might be a page from elsewhere, whose name was made to lead here.
    """
    headers = st.context.headers
    if st.context.ip_address is not None or any(name in headers for name in _FORWARDED):
        return False
    host = headers.get("host")
    return host is None or _name_of(host) in {*LOOPBACK_NAMES, *settings.allowed_hosts}


def _name_of(host: str) -> str:
    return host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0].lower()
