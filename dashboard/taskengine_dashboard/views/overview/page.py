"""Overview: how the system stands, in one look. Every figure leads to the list that it counts."""

from collections.abc import Sequence

import streamlit as st

from taskengine_dashboard import charts, navigation, parts, wording
from taskengine_dashboard.jobs_query import JobsQuery
from taskengine_dashboard.model.counts import Counts
from taskengine_dashboard.model.failures import GroupRow, Span
from taskengine_dashboard.model.metrics import Metrics
from taskengine_dashboard.model.workers import WORKER_STATES
from taskengine_dashboard.parts import Window
from taskengine_dashboard.states import STATES
from taskengine_dashboard.views.overview import questions
from taskengine_dashboard.views.overview.figures import figures
from taskengine_dashboard.views.overview.questions import Overview

_PARTS: dict[Window, str] = {"MINUTE": "second", "HOUR": "minute", "DAY": "quarter of an hour", "WEEK": "two hours"}
"""What a bar stands for."""
_SPANS: dict[Window, Span] = {"MINUTE": "HOUR", "HOUR": "HOUR", "DAY": "DAY", "WEEK": "WEEK"}
"""How far back the course of a problem goes."""
_PAUSED = {"Paused": "#e58a2a4d"}


def render() -> None:
    """Draw the page."""
    parts.live(_body)


def _body() -> None:
    window = parts.chosen_window()
    reading = parts.header("Overview", lambda: questions.overview(window, _SPANS[window]))
    found = reading.value
    if found is None:
        parts.wait_for_first_answer(reading)
        return
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="overview-bar"
    ):
        _states(found.counts)
        parts.choose_window()
    parts.kpi_cards(figures(found, window))
    with st.grid(2, min_column_width=420, gap="medium"):
        with st.container():
            _finished(found, window)
        with st.container():
            _latency(found, window)
        with st.container():
            _queues(found)
        with st.container():
            _workers(found)
    st.space("xsmall")
    _failures(found, _SPANS[window])


def _states(counts: Counts) -> None:
    """Draw how many jobs are in each state, in a line."""
    with st.container(horizontal=True, gap="small", width="content", key="states"):
        for state in STATES:
            link = navigation.link_to_jobs(JobsQuery(state=state.name))
            st.page_link(
                link.page,
                label=f":{state.colour}[{state.icon}] {wording.count(counts.of(state.name))} {state.label.lower()}",
                icon="",
                help=f"{state.meaning}. Show these jobs.",
                query_params=link.params,
            )


def _finished(found: Overview, window: Window) -> None:
    st.header(f"Jobs completed and failed, each {_PARTS[window]}", anchor=False)
    if not found.metrics.finished:
        st.caption("No job has ended in this time.")
        return
    parts.chart(
        found.series_table(parts.viewer_zone()),
        charts.bars(
            (charts.COMPLETED, charts.FAILED), unit=charts.WHOLE, clock=charts.CLOCKS[window], dark=parts.is_dark()
        ),
        key="chart-finished",
        alt=f"{wording.count(found.metrics.completed)} jobs completed and {wording.count(found.metrics.failed)} failed "
        f"in the last {window.lower()}, each {_PARTS[window]} as a bar",
        height=252,
    )


def _latency(found: Overview, window: Window) -> None:
    st.header("How long jobs wait and run", anchor=False)
    metrics = found.metrics
    if metrics.wait.p50 is None and metrics.run.p50 is None:
        st.caption("No job has started or ended in this time.")
        return
    parts.chart(
        found.series_table(parts.viewer_zone()),
        charts.lines(
            (charts.WAIT_P95, charts.RUN_P95), unit=charts.SECONDS, clock=charts.CLOCKS[window], dark=parts.is_dark()
        ),
        key="chart-latency",
        alt="The time that 95 % of jobs did not wait longer, and did not run longer, over the window",
        height=150,
    )
    _percentiles(metrics)


def _percentiles(metrics: Metrics) -> None:
    both = (metrics.wait, metrics.run)
    parts.small_table(
        {
            " ": ["Wait", "Run"],
            "p50": [wording.seconds(one.p50) for one in both],
            "p95": [wording.seconds(one.p95) for one in both],
            "p99": [wording.seconds(one.p99) for one in both],
        },
        alt="Percentiles of the time that jobs waited and ran",
    )


def _queues(found: Overview) -> None:
    with parts.heading("Queues"):
        if navigation.has(navigation.QUEUES) and found.queues:
            navigation.draw_link(
                navigation.link_to(navigation.QUEUES), f"All {wording.plural(len(found.queues), 'queue')}"
            )
    if not found.queues:
        st.caption("No queue has been used yet. Enqueue a job and its queue appears here.")
        return

    def open_queue() -> None:
        navigation.follow(navigation.link_to_jobs(JobsQuery(queues=(st.session_state["queue-link"].label,))))

    column = st.column_config
    deepest = max(queue.counts.of("QUEUED") for queue in found.queues)
    parts.table(
        found.queue_table,
        key="queues",
        alt="Queues with their depth and the longest wait",
        columns={
            "queue": column.ButtonColumn(
                "Queue", type="tertiary", alignment="left", key="queue-link", on_click=open_queue, width=96
            ),
            "state": parts.chips("State", _PAUSED, {name: name for name in _PAUSED}, 70),
            "queued": column.ProgressColumn(
                "Waiting", format="localized", min_value=0, max_value=max(deepest, 1), width=92
            ),
            "wait": column.TextColumn("Oldest wait", width=80, help="How long the oldest ready job has waited"),
            "running": column.NumberColumn("Running", format="localized", width=58),
            "retrying": column.NumberColumn("Retrying", format="localized", width=60),
            "failed": column.NumberColumn("Failed", format="localized", width=54),
        },
        order=[
            name
            for name in ("queue", "state", "queued", "wait", "running", "retrying", "failed")
            if name != "state" or any(queue.paused for queue in found.queues[: questions.ROWS])
        ],
    )


def _workers(found: Overview) -> None:
    with parts.heading("Workers"):
        if navigation.has(navigation.WORKERS) and found.workers:
            navigation.draw_link(
                navigation.link_to(navigation.WORKERS), f"All {wording.plural(len(found.workers), 'worker')}"
            )
    if not found.workers:
        st.caption("No worker has registered. Start one with `taskengine worker MODULE:ENGINE`.")
        return
    column = st.column_config
    parts.table(
        found.worker_table,
        key="workers",
        alt="Workers with their load and last heartbeat",
        columns={
            "worker": column.TextColumn("Worker", width=110),
            "state": parts.chips("State", WORKER_STATES, {name: name for name in WORKER_STATES}, 82),
            "busy": column.TextColumn("Busy", width=56, help="Slots that run a job, of those that there are"),
            "queues": column.TextColumn("Queues", width=126),
            "seen": column.TextColumn("Seen", width=80, help="Its last heartbeat"),
        },
        order=("worker", "state", "busy", "queues", "seen"),
    )


def _failures(found: Overview, span: Span) -> None:
    with parts.heading("Problems, newest first"):
        if found.groups:
            everything = (
                navigation.link_to(navigation.FAILURES)
                if navigation.has(navigation.FAILURES)
                else navigation.link_to_jobs(JobsQuery(state="FAILED"))
            )
            navigation.draw_link(everything, f"All {wording.plural(found.group_count, 'problem')}")
    if not found.groups:
        st.caption("No job has failed.")
        return
    groups = found.groups
    column = st.column_config
    parts.table(
        found.group_table,
        key="problems",
        alt="Failures that are one problem, with how many there are and since when",
        columns={
            "task": column.TextColumn("Task", width=110),
            "problem": column.ButtonColumn(
                "Problem",
                type="tertiary",
                alignment="left",
                key="problem-link",
                on_click=lambda: _open_failed(groups),
                width=365,
                help="Show the jobs that are failed for it",
            ),
            "course": column.AreaChartColumn(
                f"Last {span.lower()}", y_min=0, color="red", width=96, help="How often, in each part of that time"
            ),
            "failed": column.NumberColumn("Failed jobs", format="localized", width=78, help="Failed for it now"),
            "count": column.NumberColumn("Times", format="localized", width=50, help="Attempts that failed so"),
            "last": column.TextColumn("Last", width=78),
            "first": column.TextColumn("First", width=78),
            "sample": column.ButtonColumn(
                "Newest",
                type="tertiary",
                alignment="left",
                key="sample-link",
                on_click=lambda: _open_sample(groups),
                width=96,
                help="The job that failed last. Open it",
            ),
        },
        order=("task", "problem", "course", "failed", "count", "last", "first", "sample"),
    )


def _open_failed(groups: Sequence[GroupRow]) -> None:
    row: int = st.session_state["problem-link"].row
    label: str = st.session_state["problem-link"].label
    # By its words: the row of a problem is another's as soon as something else fails.
    named = [group for group in groups if group.headline == label]
    if named:
        group = groups[row] if row < len(groups) and groups[row] in named else named[0]
        navigation.follow(navigation.link_to_jobs(JobsQuery(state="FAILED", group=group.id)))


def _open_sample(groups: Sequence[GroupRow]) -> None:
    short = st.session_state["sample-link"].label
    for group in groups:
        if group.sample and wording.short_id(group.sample) == short:
            navigation.open_job(group.sample)
