"""What a job's runs said: the newest lines live, by level and text, and all of them as a file."""

import streamlit as st

from taskengine_dashboard import parts, wording
from taskengine_dashboard.states import state_of
from taskengine_dashboard.views.job import log_text, questions
from taskengine_dashboard.views.job.questions import JobDetail

_HEIGHT = 340
_EVERY = "DEBUG"
"""The level below which there is none."""


def draw(job: JobDetail, scope: str) -> None:
    """Draw the log of a job."""
    key = f"{scope}-log"
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        level = st.segmented_control(
            "Least level",
            list(log_text.LEVELS),
            default=_EVERY,
            key=f"{key}-level",
            required=True,
            format_func=lambda name: log_text.LEVELS[name],
            label_visibility="collapsed",
        )
        text = st.text_input(
            "Search these lines",
            key=f"{key}-text",
            type="search",
            live=True,
            placeholder="Search these lines",
            label_visibility="collapsed",
            width=200,
        )
        ask = questions.every_line(job.id, level)
        st.download_button(
            "Download",
            lambda: log_text.file(ask()),
            file_name=f"{job.id}.log",
            mime="text/plain",
            key=f"{key}-file",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
            help="All lines of this level and above that are kept",
        )
    page = questions.logs(job.id, level).value
    if page is None:
        st.skeleton(height=_HEIGHT)
        return
    lines = log_text.found(page.lines, text or "")
    if not lines:
        st.caption(_nothing(job, level, is_searched=bool(page.lines)))
        return
    with st.container(height=_HEIGHT, border=True, autoscroll=True, key=f"{key}-lines"):
        st.code(log_text.shown(lines, parts.viewer_zone()), language=None, wrap_lines=True)
    if page.before is not None:
        total = f" of {wording.count(page.total)}" if page.total else ""
        st.caption(f"The newest {wording.count(len(page.lines))}{total} lines; the download has all.")


def _nothing(job: JobDetail, level: str, *, is_searched: bool) -> str:
    if is_searched:
        return "No line says that."
    if state_of(job.state).is_final:
        return "Its runs logged nothing." if level == _EVERY else "Its runs logged nothing of this level."
    return "Nothing yet. What the task logs appears here as it runs."
