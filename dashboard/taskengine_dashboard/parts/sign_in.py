"""What a page shows to those who must sign in first."""

import streamlit as st

from taskengine_dashboard.client import NotSignedIn
from taskengine_dashboard.parts.scripts import script
from taskengine_dashboard.source import source


def sign_in(problem: NotSignedIn) -> None:
    """Ask for a key, in place of the page. The page appears once the key is known."""
    with st.container(horizontal_alignment="center", key="sign-in"), st.container(border=True, width=420):
        st.header("Sign in", anchor=False)
        if source().viewer.is_signed_in:
            st.markdown("Your key opens nothing any more: it was revoked, or it has ended. Sign in with another.")
        else:
            st.markdown("This dashboard shows its pages to those who have a key of the API.")
        sign_in_form()
        st.caption(
            "Whoever runs TaskEngine makes keys: `taskengine keys create NAME --role VIEWER`. It stays in a cookie for "
            "12 hours that no script can read.",
            help=problem.message,
        )


def sign_in_form() -> None:
    """Draw the field for a key."""
    script("sign_in", key="sign-in-form")
