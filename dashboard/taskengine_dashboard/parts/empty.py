"""A place where nothing is: what would be here, and what to do next."""

from collections.abc import Callable

import streamlit as st

from taskengine_dashboard import navigation


def nothing_here(title: str, what_next: str, *, key: str, draw_step: Callable[[], object] | None = None) -> None:
    """Say that there is nothing, and one next step: in words (Markdown), and as a link or button that is drawn."""
    with st.container(border=True, horizontal_alignment="center", gap="small", key=key):
        st.space("small")
        st.markdown(f"**{title}**", width="content")
        st.caption(what_next, width="content", text_alignment="center")
        if draw_step is not None:
            draw_step()
        st.space("small")


def offer_to_enqueue() -> None:
    """Draw the step that fills most empty places, for those who may take it."""
    navigation.draw_link(navigation.link_to(navigation.ENQUEUE), "Enqueue a job", icon=":material/add_circle:")
