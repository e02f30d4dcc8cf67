"""What a page shows to those who must sign in first."""

import streamlit as st

from taskengine_dashboard import wording
from taskengine_dashboard.client import NotSignedIn
from taskengine_dashboard.identity import PROBLEM
from taskengine_dashboard.oidc_routes import PROBLEM_SECONDS
from taskengine_dashboard.parts.renewal import is_renewable
from taskengine_dashboard.parts.scripts import script
from taskengine_dashboard.sealed import seal_of
from taskengine_dashboard.source import source
from taskengine_dashboard.tokens import ends_at


def sign_in(problem: NotSignedIn) -> None:
    """Ask for a key, in place of the page. The page appears once the key is known."""
    with st.container(horizontal_alignment="center", key="sign-in"), st.container(border=True, width=420):
        st.header("Sign in", anchor=False)
        st.markdown(_why())
        sign_in_form()
        st.caption(
            "Whoever runs TaskEngine makes keys: `taskengine keys create NAME --role VIEWER`. It stays in a cookie for "
            "12 hours that no script can read.",
            help=problem.message,
        )


def sign_in_form() -> None:
    """Draw the button of the identity provider, if there is one, and the field for a key."""
    settings = source().settings
    data = {"provider": settings.provider_name, "problem": _last_problem(), "renewable": is_renewable()}
    script("sign_in", key="sign-in-form", data=data)


def _why() -> str:
    viewer, provider = source().viewer, source().settings.provider_name
    if viewer.api_key and viewer.is_signed_in:
        if ends_at(viewer.api_key) is not None:
            return "Your sign-in has ended. Sign in again."
        return "Your key opens nothing any more: it was revoked, or it has ended. Sign in with another."
    if provider:
        return f"This dashboard shows its pages to those whom {wording.plain(provider)} knows, or who have a key."
    return "This dashboard shows its pages to those who have a key of the API."


def _last_problem() -> str | None:
    """Return why the last try to sign in by the provider came to nothing; ``None`` when it did not."""
    secret = source().settings.oidc_client_secret
    cookie = st.context.cookies.to_dict().get(PROBLEM)
    # Streamlit has the cookies of when the page began, which it keeps while it is open: so long is the problem shown.
    kept = seal_of(secret).open("problem", cookie, PROBLEM_SECONDS) if secret and cookie else None
    return kept["said"] if kept else None
