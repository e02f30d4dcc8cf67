"""What stands beside every page, under the menu."""

import streamlit as st

from taskengine_dashboard.client import endpoint_of
from taskengine_dashboard.parts.preferences import REFRESH
from taskengine_dashboard.settings import REFRESH_CHOICES
from taskengine_dashboard.source import source


def sidebar() -> None:
    """Draw what stands under the menu on every page."""
    with st.sidebar:
        st.space("small")
        st.selectbox(
            "Refresh",
            REFRESH_CHOICES,
            format_func=lambda seconds: f"Every {seconds:g} s" if seconds else "Off",
            key=REFRESH,
            persist_state="session",
        )
        st.link_button(
            "GraphiQL", graphiql_url(), icon=":material/terminal:", type="tertiary", help="Ask the API yourself"
        )


def logo() -> str:
    """Return the file of the logo that stands out from the viewer's theme."""
    return "logo-dark.svg" if st.context.theme.type == "dark" else "logo-light.svg"


def graphiql_url() -> str:
    """Return where a browser finds GraphiQL."""
    return endpoint_of(source().settings.public_api_url or source().api_url)
