"""Queues: how deep each is and how fast it moves, and what holds it back."""

import streamlit as st

from taskengine_dashboard import navigation, parts, wording
from taskengine_dashboard.changes import queues as changes
from taskengine_dashboard.jobs_query import JobsQuery
from taskengine_dashboard.model.frame import Frame, Role
from taskengine_dashboard.parts import Window
from taskengine_dashboard.views.queues import questions
from taskengine_dashboard.views.queues.questions import Queue

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
            draw_step=parts.offer_to_enqueue if found.frame.may(Role.OPERATOR) else None,
        )
        return
    shown = parts.choose_cards(found.queues, noun="queue", by="name", names=lambda queue: (queue.name,))
    with st.grid(2, min_column_width=440, gap="medium"):
        for queue in shown:
            _card(queue, window, found.frame, away=reading.problem is not None)


def _card(queue: Queue, window: Window, frame: Frame, *, away: bool) -> None:
    with st.container(border=True, gap="small", key=f"queue-{queue.name}"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
                link = navigation.link_to_jobs(JobsQuery(queues=(queue.name,)))
                parts.card_title(queue.name, link, key=f"queue-{queue.name}")
                _badges(queue)
            if frame.may(Role.OPERATOR):
                _actions(queue, may_limit=frame.may(Role.ADMIN), away=away)
        _pause_note(queue, frame)
        _figures(queue)
        parts.finished_over_time(queue.metrics, window)
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
    parts.figures(figures)


def _length_seconds(queue: Queue) -> float:
    """Return the length of the time range, as its parts say."""
    series = queue.metrics.series
    return (series[1].at - series[0].at).total_seconds() * len(series) if len(series) > 1 else 0.0


def _facts(queue: Queue) -> None:
    st.caption(parts.states_in_words(queue.counts) or "No job is kept here")
    served = ", ".join(wording.plain(name) for name in queue.workers) or "no worker that is online"
    st.caption(f"Limit: {queue.limits} · Served by {served}")
