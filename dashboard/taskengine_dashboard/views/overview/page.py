"""Overview: how the system stands, in one look."""

import streamlit as st

from taskengine_dashboard import navigation, parts, wording
from taskengine_dashboard.model.counts import Counts
from taskengine_dashboard.states import STATES
from taskengine_dashboard.views.overview import questions
from taskengine_dashboard.views.overview.questions import Overview

_ONLINE = {"Online": "#2fa36b47", "Offline": "#e5484d5c"}


def render() -> None:
    """Draw the page."""
    parts.live(_body)


def _body() -> None:
    reading = parts.header("Overview", questions.overview)
    found = reading.value
    if found is None:
        parts.wait_for_first_answer(reading)
        return
    _state_cards(found.counts)
    with st.grid(2, min_column_width=420, gap="medium"):
        with st.container():
            _queues(found)
        with st.container():
            _workers(found)
    _failures(found)


def _state_cards(counts: Counts) -> None:
    with st.grid(len(STATES), min_column_width=108, gap="small"):
        for state in STATES:
            with st.container(border=True, gap="xxsmall", key=f"card-{state.name.lower()}"):
                st.page_link(
                    navigation.page(navigation.JOBS),
                    label=f":{state.colour}[{state.icon}] {state.label}",
                    icon="",
                    help=f"{state.meaning}. Show these jobs.",
                    query_params={"state": state.name},
                )
                st.metric(state.label, wording.count(counts.of(state.name)), label_visibility="collapsed")


def _queues(found: Overview) -> None:
    st.header("Queues", anchor=False)
    if not found.queues:
        st.caption("No queue has been used yet. Enqueue a job and its queue appears here.")
        return

    def open_queue() -> None:
        st.switch_page(navigation.page(navigation.JOBS), query_params={"queue": st.session_state["queue-link"].label})

    column = st.column_config
    parts.table(
        found.queue_table,
        key="queues",
        alt="Queues with their depth and the longest wait",
        columns={
            "queue": column.ButtonColumn(
                "Queue", type="tertiary", alignment="left", key="queue-link", on_click=open_queue, width=120
            ),
            "queued": column.NumberColumn("Queued", format="localized", width=64),
            "running": column.NumberColumn("Running", format="localized", width=64),
            "retrying": column.NumberColumn("Retrying", format="localized", width=64),
            "failed": column.NumberColumn("Failed", format="localized", width=64),
            "wait": column.TextColumn("Oldest wait", width=95, help="How long the oldest ready job has waited"),
        },
    )


def _workers(found: Overview) -> None:
    st.header("Workers", anchor=False)
    if not found.workers:
        st.caption("No worker has registered. Start one with `taskengine worker MODULE:ENGINE`.")
        return
    column = st.column_config
    parts.table(
        found.worker_table,
        key="workers",
        alt="Workers with their load and last heartbeat",
        columns={
            "worker": column.TextColumn("Worker", width=130),
            "state": parts.chips("State", _ONLINE, {name: name for name in _ONLINE}, 80),
            "busy": column.TextColumn("Busy", width=60, help="Jobs it runs, of those it can run at once"),
            "load": column.ProgressColumn("Load", format=" ", min_value=0, max_value=1, width=60),
            "queues": column.TextColumn("Queues", width=150),
            "seen": column.TextColumn("Seen", width=90, help="Its last heartbeat"),
        },
    )


def _failures(found: Overview) -> None:
    failures = found.failures
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.header("Newest failed jobs", anchor=False, width="content")
        if failures:
            st.page_link(
                navigation.page(navigation.JOBS),
                label="All failed jobs",
                icon=":material/arrow_forward:",
                icon_position="right",
                query_params={"state": "FAILED"},
            )
    if not failures:
        st.caption("No job has failed.")
        return

    def open_failure() -> None:
        navigation.open_shown_job(st.session_state["failure-link"].label, failures)

    column = st.column_config
    parts.table(
        found.failure_table,
        key="failures",
        alt="The newest failed jobs with their errors",
        columns={
            "job": column.ButtonColumn(
                "Job", type="tertiary", alignment="left", key="failure-link", on_click=open_failure, width=110
            ),
            "task": column.TextColumn("Task", width=170),
            "error": column.TextColumn("Error", width="large"),
            "attempts": column.TextColumn("Attempts", width=80),
            "finished": parts.time_column("Failed at"),
        },
    )
