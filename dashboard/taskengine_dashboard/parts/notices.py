"""What an action did, told once after the page was drawn anew."""

from dataclasses import dataclass

import streamlit as st

_NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence and its icon."""

    text: str
    icon: str


def remember(text: str, *, icon: str = ":material/check_circle:") -> None:
    """Tell this once the page is drawn anew."""
    st.session_state[_NOTICE] = Notice(text, icon)


def show_notice() -> None:
    """Tell what ``remember`` kept."""
    notice: Notice | None = st.session_state.pop(_NOTICE, None)
    if notice is not None:
        st.toast(notice.text, icon=notice.icon)
