"""How a job is enqueued: the fields of ``EnqueueOptions``, each with the task's own value where nothing is said."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import streamlit as st

from taskengine_dashboard import parts
from taskengine_dashboard.model.tasks import TaskInfo
from taskengine_dashboard.views.enqueue import requests
from taskengine_dashboard.views.enqueue.form_view import Form
from taskengine_dashboard.views.enqueue.held import EARLIEST, LATEST
from taskengine_dashboard.views.enqueue.kinds import Problem
from taskengine_dashboard.views.enqueue.requests import KEY, OPTIONS
from taskengine_dashboard.views.enqueue.values import iso

_NOW, _LATER, _AT = "At once", "After a delay", "At a time"
_RARE = ("startBefore", "timeoutSeconds", "dependsOn", KEY)


def draw(
    task: TaskInfo, queues: Sequence[str], form: Form, problems: Sequence[Problem], *, again: bool
) -> dict[str, Any]:
    """Draw the options; return those that were given, by their names in the API. ``again``: of a job once more."""
    scope = f"option-{task.name}"

    def unless_given(value: object) -> str:
        return "As it was" if again else f"{value} (the task's own)"

    chosen = {**_where(task, queues, form, unless_given), **_when(form, scope)}
    chosen["maxAttempts"] = st.number_input(
        "Attempts at most",
        value=None,
        min_value=1,
        max_value=1_000,
        step=1,
        placeholder=unless_given(task.max_attempts),
        key=f"{scope}-attempts",
    )
    form.complain((OPTIONS, "maxAttempts"))
    chosen["tags"] = st.multiselect(
        "Tags", [], accept_new_options=True, placeholder="Type one and press Enter", key=f"{scope}-tags"
    )
    form.complain((OPTIONS, "tags"))
    rare = any(problem.path[:2] == (OPTIONS, name) for problem in problems for name in _RARE)
    with st.expander("More options", expanded=rare, key=f"{scope}-more"):
        chosen |= _more(form, scope)
    return requests.options(chosen)


def _where(task: TaskInfo, queues: Sequence[str], form: Form, unless_given: Callable[[object], str]) -> dict[str, Any]:
    scope = f"option-{task.name}"
    queue = st.selectbox(
        "Queue",
        queues,
        index=None,
        accept_new_options=True,
        placeholder=unless_given(task.queue),
        key=f"{scope}-queue",
    )
    form.complain((OPTIONS, "queue"))
    priority = st.number_input(
        "Priority",
        value=None,
        min_value=1,
        max_value=10,
        step=1,
        placeholder=unless_given(task.priority),
        help="10 runs first, 1 last",
        key=f"{scope}-priority",
    )
    form.complain((OPTIONS, "priority"))
    return {"queue": queue, "priority": priority}


def _when(form: Form, scope: str) -> dict[str, Any]:
    when = st.segmented_control(
        "Start", (_NOW, _LATER, _AT), default=_NOW, required=True, key=f"{scope}-when", help="At the earliest"
    )
    if when == _LATER:
        seconds = st.number_input(
            "Delay in seconds",
            value=60.0,
            min_value=0.0,
            step=1.0,
            format="%g",
            key=f"{scope}-delay",
        )
        form.complain((OPTIONS, "delaySeconds"))
        return {"delaySeconds": seconds}
    if when == _AT:
        moment = _moment("Not before", f"{scope}-run-at")
        form.complain((OPTIONS, "runAt"))
        return {"runAt": moment}
    return {}


def _more(form: Form, scope: str) -> dict[str, Any]:
    chosen: dict[str, Any] = {}
    chosen["startBefore"] = _moment(
        "Start before", f"{scope}-start-before", help="Not started by then, it is cancelled as expired"
    )
    form.complain((OPTIONS, "startBefore"))
    chosen["timeoutSeconds"] = st.number_input(
        "Seconds that an attempt may run",
        value=None,
        min_value=0.0,
        step=1.0,
        format="%g",
        placeholder="The task's own",
        help="0 is no limit",
        key=f"{scope}-timeout",
    )
    form.complain((OPTIONS, "timeoutSeconds"))
    chosen["dependsOn"] = st.multiselect(
        "Starts after these jobs",
        [],
        accept_new_options=True,
        placeholder="Type a job's id and press Enter",
        help="It starts when all have completed, and is cancelled when one of them fails for good",
        key=f"{scope}-depends-on",
    )
    form.complain((OPTIONS, "dependsOn"))
    key = st.text_input(
        "Idempotency key",
        key=f"{scope}-key",
        max_chars=200,
        autocomplete="off",
        placeholder="One of its own",
        help="Where a job of this task has this key already, that job is returned and none is enqueued",
    )
    form.complain((OPTIONS, KEY))
    chosen[KEY] = (key or "").strip()
    return chosen


def _moment(label: str, key: str, help: str | None = None) -> str | None:
    zone = parts.viewer_zone()
    at: datetime | None = st.datetime_input(
        f"{label} ({zone})",
        value=None,
        min_value=datetime.combine(EARLIEST, datetime.min.time()),
        max_value=datetime.combine(LATEST, datetime.min.time()),
        format="YYYY-MM-DD",
        step=60,
        key=key,
        help=help,
    )
    return iso(at, zone) if at else None
