"""Tasks: what can be run, how often it runs, how long that takes and how much of it fails; and what holds it back."""

from collections.abc import Sequence

import streamlit as st

from taskengine_dashboard import navigation, parts, wording
from taskengine_dashboard.changes import tasks as changes
from taskengine_dashboard.jobs_query import JobsQuery
from taskengine_dashboard.model.frame import Frame, Role
from taskengine_dashboard.parts import Window
from taskengine_dashboard.states import STATES
from taskengine_dashboard.views.tasks import questions
from taskengine_dashboard.views.tasks.questions import Task

_SHOWN = 24
"""Cards that are drawn at once: each costs, and nobody looks at more."""
_FIND = "tasks-find"
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
    shown = _chosen(found.tasks)
    with st.grid(2, min_column_width=440, gap="medium"):
        for task in shown:
            _card(task, window, found.frame, away=reading.problem is not None)


def _chosen(tasks: Sequence[Task]) -> Sequence[Task]:
    """Draw what narrows the page; return the tasks that are left."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="tasks-bar"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            text = ""
            if len(tasks) > 1:
                text = st.text_input(
                    "Find a task",
                    key=_FIND,
                    type="search",
                    live=True,
                    placeholder="Find by name or queue",
                    label_visibility="collapsed",
                    width=240,
                )
            wanted = (text or "").strip().lower()
            named = [task for task in tasks if wanted in task.name.lower() or wanted in task.queue.lower()]
            st.caption(_how_many(len(named)), width="content")
        parts.choose_window()
    if not named:
        st.caption("No task is called so, or has its jobs in a queue that is.")
    return named[:_SHOWN]


def _how_many(tasks: int) -> str:
    if tasks > _SHOWN:
        return f"The first {_SHOWN} of {wording.plural(tasks, 'task')}"
    return wording.plural(tasks, "task")


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
        _course(task, window)
        _facts(task)


def _name(task: Task) -> None:
    link = navigation.link_to_jobs(JobsQuery(tasks=(task.name,)))
    st.page_link(
        link.page,
        label=f"**{wording.plain(task.name)}**",
        icon="",
        help="Show its jobs",
        query_params=link.params,
    )
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
    with st.grid(3, min_column_width=115, gap="small"):
        for label, value, help_ in figures:
            st.metric(label, value, help=help_)


def _course(task: Task, window: Window) -> None:
    over = task.metrics.over
    if not any(point.finished for point in over):
        return
    failed = task.metrics.failed
    st.metric(
        "Finished over time",
        wording.count(task.metrics.finished),
        delta=f"{wording.count(failed)} failed for good" if failed else None,
        delta_color="gray",  # of the course as well
        delta_arrow="off",
        chart_data=[point.finished for point in over],
        chart_type="area",
        help=f"Jobs that came to an end in the last {window.lower()}",
    )


def _facts(task: Task) -> None:
    states = [
        f":{state.colour}[{state.icon}] {wording.count(task.counts.of(state.name))} {state.label.lower()}"
        for state in STATES
        if task.counts.of(state.name)
    ]
    st.caption(" · ".join(states) or "No job of it is kept")
    timeout = "no timeout" if task.timeout_seconds is None else f"{wording.span(task.timeout_seconds)} a run"
    attempts = wording.plural(task.max_attempts, "attempt")
    st.caption(f"Queue {wording.plain(task.queue)} · priority {task.priority} · {attempts} · {timeout}")
    st.caption(f"Limit: {task.limits} · Mutation `{task.enqueue_field}`")
