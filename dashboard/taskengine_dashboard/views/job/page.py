"""One job in full, at an address of its own: ``/job?id=…``."""

import streamlit as st

from taskengine_dashboard import navigation, parts, wording
from taskengine_dashboard.views.job import questions, sheet

_PARAM = "id"
_SCOPE = "job"


def render() -> None:
    """Draw the page."""
    parts.live(_body)


def _body() -> None:
    job_id = st.query_params.get(_PARAM, "")
    reading = parts.header("Job", lambda: questions.job(job_id))
    answer = reading.value
    if answer is None:
        parts.wait_for_first_answer(reading)
    elif answer.job is None:
        parts.nothing_here(
            "There is no such job",
            "The id may be mistyped, or retention has removed the record, or someone deleted it.",
            key="job-nothing",
            draw_step=lambda: navigation.draw_link(navigation.link_to(navigation.JOBS), "Show all jobs"),
        )
    else:
        st.header(wording.plain(answer.job.task), anchor=False)
        sheet.draw(answer.job, answer.frame, _SCOPE, away=reading.problem is not None)
