"""Tasks: what can be run, how often it runs, how long that takes and how much of it fails; and what holds it back."""

import streamlit as st

from taskengine_dashboard import navigation, parts, wording
from taskengine_dashboard.changes import tasks as changes
from taskengine_dashboard.jobs_query import JobsQuery
from taskengine_dashboard.model.frame import Frame, Role
from taskengine_dashboard.parts import Window
from taskengine_dashboard.views.tasks import questions
from taskengine_dashboard.views.tasks.questions import Task

_PAUSE, _RESUME, _LIMITS = "Pause…", "Resume", "Limits…"


def render() -> None:
    """Draw the page."""
    parts.live(_body)


def _body() -> None:
    window = parts.chosen_window()
    reading = parts.header("Tasks", lambda: questions.tasks(window))
    found = reading.value
    if found is None:
        parts.wait_for_first_answer(reading)
        return
    if not found.tasks:
        parts.nothing_here(
            "No tasks yet",
            "A worker publishes its tasks when it starts: `taskengine worker MODULE:ENGINE`. They appear here then.",
            key="tasks-nothing",
        )
        return
    shown = parts.choose_cards(found.tasks, noun="task", by="name or queue", names=lambda task: (task.name, task.queue))
    with st.grid(2, min_column_width=440, gap="medium"):
        for task in shown:
            _card(task, window, found.frame, away=reading.problem is not None)


def _card(task: Task, window: Window, frame: Frame, *, away: bool) -> None:
    with st.container(border=True, gap="small", key=f"task-{task.name}"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
                _name(task)
            if frame.may(Role.OPERATOR):
                with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width="content"):
                    navigation.draw_link(
                        navigation.link_to(navigation.ENQUEUE, task=task.name),
                        "Enqueue",
                        icon=":material/add_circle:",
                        help=f"Enqueue a job of {wording.plain(task.name)} by a form",
                    )
                    _actions(task, may_limit=frame.may(Role.ADMIN), away=away)
        if task.in_short:
            st.caption(wording.plain(task.in_short))
        _figures(task)
        parts.finished_over_time(task.metrics, window)
        _facts(task)


def _name(task: Task) -> None:
    parts.card_title(task.name, navigation.link_to_jobs(JobsQuery(tasks=(task.name,))), key=f"task-{task.name}")
    if task.paused:
        st.badge(
            "Paused",
            icon=":material/pause_circle:",
            color="orange",
            help="Nothing more of it starts until it is resumed; what runs goes on",
        )


def _actions(task: Task, *, may_limit: bool, away: bool) -> None:
    key = f"task-actions-{task.name}"

    def act() -> None:
        chosen = st.session_state[key]
        if chosen == _PAUSE:
            parts.ask_to_pause("task", task.name, lambda _reason: changes.pause(task.name), takes_reason=False)
        elif chosen == _RESUME:
            parts.tell(changes.resume(task.name), f"Task {wording.plain(task.name)} goes on.")
            st.rerun()
        elif chosen == _LIMITS:
            parts.ask_for_limits("task", task.name, task.limits, lambda limits: changes.limit(task.name, limits))

    options = [_RESUME if task.paused else _PAUSE, *([_LIMITS] if may_limit else [])]
    st.menu_button(
        "Actions",
        options,
        key=key,
        icon=":material/tune:",
        type="tertiary",
        on_click=act,
        disabled=away,
        help=f"What can be done with task {task.name}",
    )


def _figures(task: Task) -> None:
    metrics = task.metrics
    ended = bool(metrics.completed or metrics.failed or metrics.retried)
    figures = (
        ("Finished", wording.rate(metrics.per_second), "Jobs completed or failed for good, over the time range"),
        (
            "Attempts failed",
            wording.share(metrics.error_rate) if ended else wording.NOTHING,
            "Of those that came to an end in the time range, retried ones too",
        ),
        ("Wait p95", wording.seconds(metrics.wait.p95), "What 95 % of its jobs did not wait longer than"),
        ("Run p50", wording.seconds(metrics.run.p50), "What half of its runs did not exceed"),
        ("Run p95", wording.seconds(metrics.run.p95), "What 95 % of its runs did not exceed"),
        ("Run p99", wording.seconds(metrics.run.p99), "What 99 % of its runs did not exceed"),
    )
    parts.figures(figures)


def _facts(task: Task) -> None:
    st.caption(parts.states_in_words(task.counts) or "No job of it is kept")
    timeout = "no timeout" if task.timeout_seconds is None else f"{wording.span(task.timeout_seconds)} a run"
    attempts = wording.plural(task.max_attempts, "attempt")
    st.caption(f"Queue {wording.plain(task.queue)} · priority {task.priority} · {attempts} · {timeout}")
    st.caption(f"Limit: {task.limits} · Mutation `{task.enqueue_field}`")
