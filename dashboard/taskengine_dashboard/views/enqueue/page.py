"""Enqueue: run any task, by a form built from its arguments."""

import json
from typing import Any

import streamlit as st

from taskengine_dashboard import navigation, parts, wording
from taskengine_dashboard.changes import jobs as changes
from taskengine_dashboard.model.tasks import TaskInfo
from taskengine_dashboard.shapes import is_object
from taskengine_dashboard.views.enqueue import forms, questions, requests
from taskengine_dashboard.views.enqueue.form_view import Form
from taskengine_dashboard.views.enqueue.forms import Problem
from taskengine_dashboard.views.enqueue.questions import Catalogue
from taskengine_dashboard.views.enqueue.requests import ARGS, OPTIONS, Sent

_PARAM = "task"
_PICKED, _DRAWN, _SENT, _MODE = "enqueue-task", "enqueue-drawn", "enqueue-sent", "enqueue-mode"
_NOW, _GIVEN = "enqueue-args", "enqueue-given"
_FORM, _JSON = "Form", "JSON"


def render() -> None:
    """Draw the page."""
    parts.live(_header)
    st.fragment(_body)()


def _header() -> None:
    """Keep the header live; the form is drawn anew only when there are other tasks to choose from."""
    reading = parts.header("Enqueue", questions.catalogue)
    drawn = st.session_state.get(_DRAWN)
    if drawn is not None and drawn != _names(reading.value):
        st.rerun()


def _names(found: Catalogue | None) -> tuple[str, ...]:
    return tuple(task.name for task in found.tasks) if found else ()


def _body() -> None:
    reading = questions.catalogue()
    found = reading.value
    st.session_state[_DRAWN] = _names(found)
    if found is None:
        parts.wait_for_first_answer(reading)
    elif not found.tasks:
        _no_tasks()
    elif (task := _pick(found)) is not None:
        _task(task, found, away=reading.problem is not None)


def _no_tasks() -> None:
    with st.container(border=True, horizontal_alignment="center", gap="small"):
        st.space("small")
        st.markdown("**No tasks yet**", width="content")
        st.caption(
            "A worker publishes its tasks when it starts: `taskengine worker MODULE:ENGINE`. They appear here then.",
            width="content",
        )
        st.space("small")


def _pick(found: Catalogue) -> TaskInfo | None:
    names = _names(found)
    wanted = st.query_params.get(_PARAM)
    if wanted in names:
        st.session_state[_PICKED] = wanted

    def choose() -> None:
        st.query_params[_PARAM] = st.session_state[_PICKED]

    name = st.selectbox("Task", names, index=None, key=_PICKED, on_change=choose, placeholder="Choose a task")
    if name is None:
        st.caption("Choose what to run; its arguments appear here.")
    return found.task(name)


def _task(task: TaskInfo, found: Catalogue, *, away: bool) -> None:
    if task.description:
        st.caption(wording.plain(task.description.split("\n\n", 1)[0]))
    sent = _sent_for(task)
    form = Form(f"enqueue-{task.name}", sent.problems if sent else ())
    left, right = st.columns([3, 2], gap="medium")
    with left, st.container(border=True, key="enqueue-arguments"):
        args, wrong = _arguments(task, form)
    with right, st.container(border=True, key="enqueue-options"):
        chosen = _options(task, found, form)
    request = requests.request(task.name, args, chosen)
    if sent and (kept := sent.seen_against(request)) != sent:
        st.session_state[_SENT] = kept
        st.rerun()
    _say_how_it_went(sent, form)
    if st.button("Enqueue", type="primary", icon=":material/send:", key="enqueue-send", disabled=away):
        _send(request, wrong)
    with st.expander("The GraphQL that is sent", icon=":material/code:", key="enqueue-graphql"):
        st.code(changes.ENQUEUE_JOB.text.strip(), language=None)
        st.caption("Variables")
        st.code(wording.pretty({"input": request}), language=None)


def _sent_for(task: TaskInfo) -> Sent | None:
    sent: Sent | None = st.session_state.get(_SENT)
    return sent if sent and sent.request["task"] == task.name else None


def _send(request: dict[str, Any], wrong: list[Problem]) -> None:
    if wrong:
        st.session_state[_SENT] = Sent(request=request, problems=tuple(wrong))
    else:
        st.session_state[_SENT] = Sent.answered(request, changes.enqueue(request))
    st.rerun()


def _say_how_it_went(sent: Sent | None, form: Form) -> None:
    if sent is None:
        return
    others = forms.without_place(sent.problems, form.known)
    if others:
        st.error("  \n".join(map(wording.plain, others)), title="Not enqueued", icon=":material/error:")
    elif sent.problems:
        st.error("See the fields marked above.", title="Not enqueued", icon=":material/error:")
    if sent.job_id is not None:
        with st.container(horizontal=True, vertical_alignment="center", gap="small", key="enqueue-done"):
            st.markdown(f":green-badge[:material/check: Enqueued] `{sent.job_id}`", width="content")
            st.button(
                "Open the job",
                key="enqueue-open",
                icon=":material/arrow_forward:",
                icon_position="right",
                type="tertiary",
                on_click=navigation.open_job,
                args=(sent.job_id,),
            )


def _arguments(task: TaskInfo, form: Form) -> tuple[Any, list[Problem]]:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.header("Arguments", anchor=False, width="content")
        mode = st.segmented_control(
            "How to give them",
            (_FORM, _JSON),
            default=_FORM,
            key=_MODE,
            required=True,
            on_change=_carry_over,
            args=(task.name,),
            label_visibility="collapsed",
        )
    args, wrong = _by_json(task, form) if mode == _JSON else _by_form(task, form)
    st.session_state[_NOW] = args
    return args, wrong


def _carry_over(task: str) -> None:
    """Begin with what was given so far, in the other way of giving it."""
    now: Any = st.session_state.get(_NOW)
    st.session_state[_text_key(task)] = wording.pretty(now)
    st.session_state[_GIVEN] = (task, now if is_object(now) else {})


def _text_key(task: str) -> str:
    return f"enqueue-json-{task}"


def _by_form(task: TaskInfo, form: Form) -> tuple[Any, list[Problem]]:
    fields = forms.read_fields(task.schema)
    if not fields:
        st.caption("This task takes no arguments.")
    given_for, given = st.session_state.get(_GIVEN, (None, {}))
    raw = form.draw(fields, (ARGS,), given if given_for == task.name else None)
    if any(field.must_be_given for field in fields):
        st.caption("\\* must be given")
    return forms.collect(fields, raw, parts.viewer_zone(), (ARGS,))


def _by_json(task: TaskInfo, form: Form) -> tuple[Any, list[Problem]]:
    text = st.text_area(
        "An object with the arguments by name", key=_text_key(task.name), height=260, placeholder='{"name": "value"}'
    )
    form.complain((ARGS,))
    try:
        args: Any = json.loads(text or "{}")
    except ValueError as problem:
        return text, [Problem((ARGS,), f"is not JSON: {problem}")]
    if not is_object(args):
        return args, [Problem((ARGS,), "expected an object, such as {}")]
    return args, []


def _options(task: TaskInfo, found: Catalogue, form: Form) -> dict[str, Any]:
    with st.container(horizontal=True, vertical_alignment="center", height=32, border=False):
        st.header("Options", anchor=False)
    scope = f"option-{task.name}"
    chosen: dict[str, Any] = {}
    chosen["queue"] = st.selectbox(
        "Queue",
        found.queues,
        index=None,
        accept_new_options=True,
        placeholder=f"{task.queue} (the task's own)",
        key=f"{scope}-queue",
    )
    form.complain((OPTIONS, "queue"))
    chosen["priority"] = st.number_input(
        "Priority",
        value=None,
        min_value=1,
        max_value=10,
        step=1,
        placeholder=f"{task.priority} (the task's own)",
        help="10 runs first, 1 last",
        key=f"{scope}-priority",
    )
    form.complain((OPTIONS, "priority"))
    chosen["delaySeconds"] = st.number_input(
        "Delay in seconds",
        value=None,
        min_value=0.0,
        step=1.0,
        format="%g",
        placeholder="None: as soon as a worker is free",
        key=f"{scope}-delay",
    )
    form.complain((OPTIONS, "delaySeconds"))
    chosen["maxAttempts"] = st.number_input(
        "Attempts at most",
        value=None,
        min_value=1,
        step=1,
        placeholder=f"{task.max_attempts} (the task's own)",
        key=f"{scope}-attempts",
    )
    form.complain((OPTIONS, "maxAttempts"))
    chosen["tags"] = st.multiselect(
        "Tags", [], accept_new_options=True, placeholder="Type one and press Enter", key=f"{scope}-tags"
    )
    form.complain((OPTIONS, "tags"))
    return chosen
