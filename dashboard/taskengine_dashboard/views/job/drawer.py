"""One job in a drawer over any page: whatever page has ``?job=ID`` in its address."""

import streamlit as st

from taskengine_dashboard import navigation, parts, wording
from taskengine_dashboard.client import NotSignedIn
from taskengine_dashboard.navigation import DRAWER
from taskengine_dashboard.views.job import actions, questions, sheet

_WIDTH = 640
_SCOPE = "drawer"


def open_if_asked() -> None:
    """Open the job that the address names."""
    job_id = st.query_params.get(DRAWER)
    if not job_id:
        return
    reading = questions.job(job_id)
    if isinstance(reading.problem, NotSignedIn):
        return
    job = reading.value.job if reading.value else None
    title = wording.plain(job.task) if job else "Job"
    st.dialog(title, width=_WIDTH, position="right", on_dismiss=_close)(_live)(job_id)


def _live(job_id: str) -> None:
    @st.fragment(run_every=parts.refresh_seconds() or None)
    def body() -> None:
        reading = questions.job(job_id)
        if reading.problem is not None:
            st.error(wording.plain(str(reading.problem)), title=reading.problem.title, icon=":material/cloud_off:")
        answer = reading.value
        if answer is None:
            return
        if answer.job is None:
            sheet.not_found(job_id)
            return
        with st.container(key="drawer-page"):
            navigation.draw_link(
                navigation.link_to(navigation.JOB, id=job_id), "Open as a page", icon=":material/open_in_full:"
            )
        sheet.draw(answer.job, answer.frame, _SCOPE, away=reading.problem is not None)

    body()


def _close() -> None:
    actions.forget()
    if DRAWER in st.query_params:
        del st.query_params[DRAWER]
