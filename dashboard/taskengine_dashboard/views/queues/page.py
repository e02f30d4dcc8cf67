"""Queues: how deep each is and how fast it moves, and what holds it back."""

from collections.abc import Sequence

import streamlit as st

from taskengine_dashboard import navigation, parts, wording
from taskengine_dashboard.changes import queues as changes
from taskengine_dashboard.jobs_query import JobsQuery
from taskengine_dashboard.model.frame import Frame, Role
from taskengine_dashboard.parts import Window
from taskengine_dashboard.states import STATES
from taskengine_dashboard.views.queues import questions
from taskengine_dashboard.views.queues.questions import Queue

_SHOWN = 24
"""Cards that are drawn at once: each costs, and nobody looks at more."""
_FIND = "queues-find"
_PAUSE, _RESUME, _LIMITS = "Pause…", "Resume", "Limits…"


def render() -> None:
    """Draw the page."""
    parts.live(_body)


def _body() -> None:
    window = parts.chosen_window()
    reading = parts.header("Queues", lambda: questions.queues(window))
    found = reading.value
    if found is None:
        parts.wait_for_first_answer(reading)
        return
    if not found.queues:
        parts.nothing_here(
            "No queue yet",
            "A queue is there as soon as a job is enqueued to it.",
            key="queues-nothing",
            draw_step=lambda: navigation.draw_link(
                navigation.link_to(navigation.ENQUEUE), "Enqueue a job", icon=":material/add_circle:"
            ),
        )
        return
    shown = _chosen(found.queues)
    with st.grid(2, min_column_width=440, gap="medium"):
        for queue in shown:
            _card(queue, window, found.frame, away=reading.problem is not None)


def _chosen(queues: Sequence[Queue]) -> Sequence[Queue]:
    """Draw what narrows the page; return the queues that are left."""
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="queues-bar"
    ):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            text = ""
            if len(queues) > _SHOWN:
                text = st.text_input(
                    "Find a queue",
                    key=_FIND,
                    type="search",
                    live=True,
                    placeholder="Find a queue",
                    label_visibility="collapsed",
                )
            named = [queue for queue in queues if (text or "").lower() in queue.name.lower()]
            st.caption(_how_many(len(named)), width="content")
        parts.choose_window()
    return named[:_SHOWN]


def _how_many(queues: int) -> str:
    if queues > _SHOWN:
        return f"The first {_SHOWN} of {wording.plural(queues, 'queue')}"
    return wording.plural(queues, "queue")


def _card(queue: Queue, window: Window, frame: Frame, *, away: bool) -> None:
    with st.container(border=True, gap="small", key=f"queue-{queue.name}"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
                link = navigation.link_to_jobs(JobsQuery(queues=(queue.name,)))
                st.page_link(
                    link.page,
                    label=f"**{wording.plain(queue.name)}**",
                    icon="",
                    help="Show its jobs",
                    query_params=link.params,
                )
                _badges(queue)
            if frame.may(Role.OPERATOR):
                _actions(queue, may_limit=frame.may(Role.ADMIN), away=away)
        _pause_note(queue, frame)
        _figures(queue)
        _course(queue, window)
        _facts(queue)


def _badges(queue: Queue) -> None:
    if queue.paused:
        st.badge("Paused", icon=":material/pause_circle:", color="orange")
    if queue.waits_for_nobody:
        st.badge(
            "No worker",
            icon=":material/warning:",
            color="red",
            help="Jobs wait here, and no worker that is online serves this queue",
        )


def _actions(queue: Queue, *, may_limit: bool, away: bool) -> None:
    key = f"queue-actions-{queue.name}"

    def act() -> None:
        chosen = st.session_state[key]
        if chosen == _PAUSE:
            parts.ask_to_pause("queue", queue.name, lambda reason: changes.pause(queue.name, reason))
        elif chosen == _RESUME:
            parts.tell(changes.resume(queue.name), f"Queue {wording.plain(queue.name)} goes on.")
            st.rerun()
        elif chosen == _LIMITS:
            parts.ask_for_limits("queue", queue.name, queue.limits, lambda limits: changes.limit(queue.name, limits))

    options = [_RESUME if queue.paused else _PAUSE, *([_LIMITS] if may_limit else [])]
    st.menu_button(
        "Actions",
        options,
        key=key,
        icon=":material/tune:",
        type="tertiary",
        on_click=act,
        disabled=away,
        help=f"What can be done with queue {queue.name}",
    )


def _pause_note(queue: Queue, frame: Frame) -> None:
    if not queue.paused:
        return
    since = f" {wording.ago(queue.paused_at, frame.now)}" if queue.paused_at else ""
    by = f" by {wording.plain(queue.paused_by)}" if queue.paused_by else ""
    why = f": {wording.plain(queue.pause_reason)}" if queue.pause_reason else ""
    st.caption(f"Paused{since}{by}{why}")


def _figures(queue: Queue) -> None:
    metrics = queue.metrics
    per_second_in = metrics.enqueued / max(_length_seconds(queue), 1)
    figures = (
        ("Waiting", wording.count(queue.counts.of("QUEUED")), "Ready, and waiting for a worker"),
        ("Oldest wait", wording.seconds(queue.oldest_wait_seconds), "How long the oldest ready job has waited"),
        ("Running", wording.count(queue.counts.of("RUNNING")), "On a worker now"),
        ("In", wording.rate(per_second_in), "Jobs enqueued, over the time range"),
        ("Out", wording.rate(metrics.per_second), "Jobs completed or failed for good, over the time range"),
        ("Wait p95", wording.seconds(metrics.wait.p95), "What 95 % of its jobs did not wait longer than"),
    )
    with st.grid(3, min_column_width=130, gap="small"):
        for label, value, help_ in figures:
            st.metric(label, value, help=help_)


def _length_seconds(queue: Queue) -> float:
    """Return the length of the time range, as its parts say."""
    series = queue.metrics.series
    return (series[1].at - series[0].at).total_seconds() * len(series) if len(series) > 1 else 0.0


def _course(queue: Queue, window: Window) -> None:
    over = queue.metrics.over
    if not any(point.finished for point in over):
        return
    st.metric(
        "Finished over time",
        wording.count(queue.metrics.finished),
        chart_data=[point.finished for point in over],
        chart_type="area",
        help=f"Jobs that came to an end in the last {window.lower()}",
    )


def _facts(queue: Queue) -> None:
    states = [
        f":{state.colour}[{state.icon}] {wording.count(queue.counts.of(state.name))} {state.label.lower()}"
        for state in STATES
        if queue.counts.of(state.name)
    ]
    st.caption(" · ".join(states) or "No job is kept here")
    served = ", ".join(wording.plain(name) for name in queue.workers) or "no worker that is online"
    st.caption(f"Limit: {queue.limits} · Served by {served}")
