"""Which jobs of a live table are selected: kept by id, since rows move under a selection kept by number."""

from collections.abc import Sequence

import streamlit as st

from taskengine_dashboard.model.jobs import JobRow

_CHOSEN = "chosen-jobs"


def of(jobs: Sequence[JobRow]) -> tuple[JobRow, ...]:
    """Return the selected ones of the jobs that are shown; one that left the page is selected no more."""
    chosen = _ids()
    kept = tuple(job for job in jobs if job.id in chosen)
    st.session_state[_CHOSEN] = {job.id for job in kept}
    return kept


def take(grid: str, jobs: Sequence[JobRow]) -> None:
    """Keep what the viewer has just selected in a table that showed these jobs."""
    rows: Sequence[int] = st.session_state[grid]["selection"]["rows"]
    st.session_state[_CHOSEN] = {jobs[row].id for row in rows if row < len(jobs)}


def write_back(grid: str, jobs: Sequence[JobRow]) -> None:
    """Before a table is drawn: move its selection to where the selected jobs are now."""
    chosen = _ids()
    if grid in st.session_state:
        rows = [row for row, job in enumerate(jobs) if job.id in chosen]
        st.session_state[grid] = {"selection": {"rows": rows, "columns": [], "cells": []}}


def clear() -> None:
    """Select nothing."""
    st.session_state[_CHOSEN] = set[str]()


def _ids() -> set[str]:
    return st.session_state.get(_CHOSEN, set[str]())
