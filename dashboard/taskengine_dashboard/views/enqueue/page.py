"""Enqueue: run any task, by a form built from its arguments."""

import time
from dataclasses import replace
from typing import Any
from uuid import uuid4

import streamlit as st

from taskengine_dashboard import navigation, parts, wording
from taskengine_dashboard.changes import jobs as changes
from taskengine_dashboard.model.frame import Role
from taskengine_dashboard.model.tasks import TaskInfo
from taskengine_dashboard.shapes import is_object
from taskengine_dashboard.views.enqueue import options, questions, schemas
from taskengine_dashboard.views.enqueue.fields import read_fields
from taskengine_dashboard.views.enqueue.form_view import Form
from taskengine_dashboard.views.enqueue.given import begin_with, draw_again, given, text_key
from taskengine_dashboard.views.enqueue.held import misfits
from taskengine_dashboard.views.enqueue.kinds import Problem
from taskengine_dashboard.views.enqueue.overview import described
from taskengine_dashboard.views.enqueue.questions import Catalogue
from taskengine_dashboard.views.enqueue.requests import ARGS, Request, Sent
from taskengine_dashboard.views.enqueue.typed import TypedMutation
from taskengine_dashboard.views.enqueue.values import collect, read_json, without_place
from taskengine_dashboard.views.job.request import curl

_PARAM = "task"
_PICKED, _DRAWN, _SENT, _MODE = "enqueue-task", "enqueue-drawn", "enqueue-sent", "enqueue-mode"
_NOW, _KEY, _CLICKED, _TYPED = "enqueue-args", "enqueue-key", "enqueue-clicked", "enqueue-typed"
_FORM, _JSON = "Form", "JSON"
_GLANCE = 24
_CLICK_SECONDS = 10.0


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
        st.query_params.from_dict({_PARAM: st.session_state[_PICKED]} if st.session_state[_PICKED] else {})

    name = st.selectbox("Task", names, index=None, key=_PICKED, on_change=choose, placeholder="Choose a task")
    if name is None:
        _list(found)
    return found.task(name)


def _list(found: Catalogue) -> None:
    """Draw what there is to choose from, as far as it can be taken in at a glance."""
    st.caption("Choose what to run; its arguments appear here.")
    if len(found.tasks) > _GLANCE:
        return
    with st.container(border=True, gap="small", key="enqueue-tasks"):
        for task in found.tasks:
            name, words = st.columns([1, 3], gap="xxsmall", vertical_alignment="center")
            with name:
                navigation.draw_link(navigation.link_to("enqueue", task=task.name), wording.plain(task.name))
            if task.description:
                words.caption(wording.plain(task.description.split("\n", 1)[0]))


def _task(task: TaskInfo, found: Catalogue, *, away: bool) -> None:
    if task.description:
        st.caption(wording.plain(task.description.split("\n\n", 1)[0]))
    if not found.frame.may(Role.OPERATOR):
        _read_only(task)
        return
    again = draw_again(task)
    sent = _sent_for(task)
    problems = sent.problems if sent else ()
    form = Form(f"enqueue-{task.name}", problems, parts.viewer_zone())
    left, right = st.columns([3, 2], gap="medium")
    with left, st.container(border=True, key="enqueue-arguments"):
        args, wrong = _arguments(task, form)
    with right, st.container(border=True, key="enqueue-options"):
        with st.container(horizontal=True, vertical_alignment="center", height=32, border=False):
            st.header("Options", anchor=False)
        chosen = options.draw(task, found.queues, form, problems, again=again is not None)
    typed = _typed(task) if again is None else None
    request = Request(task=task.name, schema=task.schema, args=args, options=chosen, typed=typed, again=again)
    if wrong and typed is not None:
        request = replace(request, typed=replace(typed, is_draft=True))
    if _was_clicked(task) and not away:
        _send(request, wrong)
    if sent and (kept := sent.seen_against(request)) != sent:
        st.session_state[_SENT] = kept
        st.rerun()
    with right:
        _actions(sent, form, request, away=away)
    _draw_request(request)


def _typed(task: TaskInfo) -> TypedMutation | None:
    """Return the task's own mutation. It is asked for once: with hundreds of tasks the API has much to tell."""
    about = (task.enqueue_field, task.schema)
    kept_about, kept = st.session_state.get(_TYPED, (None, None))
    if kept_about == about:
        return kept
    made = TypedMutation.of(task.enqueue_field, task.schema, questions.types().value)
    if made is not None:
        st.session_state[_TYPED] = (about, made)
    return made


def _read_only(task: TaskInfo) -> None:
    """Tell what the task takes to whoever may not enqueue it."""
    with st.container(border=True, key="enqueue-read-only"):
        st.header("Arguments", anchor=False)
        fields = read_fields(task.schema)
        if fields:
            parts.small_table(described(fields), alt=f"Arguments of {task.name}")
        else:
            st.caption("This task takes no arguments.")
    st.caption("You may look at everything and change nothing, so there is no form to fill in here.")


def _sent_for(task: TaskInfo) -> Sent | None:
    sent: Sent | None = st.session_state.get(_SENT)
    return sent if sent and sent.task == task.name else None


def _key_for(request: Request) -> str:
    """Return the key that a request is sent with: the same until it says something else, or another is wanted.

    So what is sent twice, by a second click or because the answer was lost, enqueues one job.
    """
    about, key = st.session_state.get(_KEY, ("", ""))
    if about != request.fingerprint:
        about, key = request.fingerprint, f"dashboard-{uuid4().hex}"
        st.session_state[_KEY] = (about, key)
    return key


def _actions(sent: Sent | None, form: Form, request: Request, *, away: bool) -> None:
    done = sent is not None and sent.job_id is not None and sent.is_about(request)
    _say_what_is_wrong(sent, form)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="enqueue-actions"):
        st.button(
            "Enqueue",
            type="primary",
            icon=":material/send:",
            key="enqueue-send",
            on_click=_click,
            args=(request.task,),
            disabled=away or done,
        )
        if sent is not None and sent.job_id is not None and done:
            _say_that_it_is_done(sent, sent.job_id)


def _send(request: Request, wrong: list[Problem]) -> None:
    if wrong:
        st.session_state[_SENT] = Sent.of(request, wrong)
    else:
        answer = changes.enqueue(request.input(_key_for(request)), request.operation)
        sent = Sent.answered(request, answer)
        st.session_state[_SENT] = sent
        if answer.problem is not None:
            st.session_state.pop(_TYPED, None)  # the API may have another by now
        if sent.job_id is not None:
            parts.remember("It was enqueued before." if sent.deduplicated else f"Enqueued {wording.plain(sent.task)}.")
    st.rerun()


def _click(task: str) -> None:
    """Remember a click: a run that has drawn other problems begins anew, and would forget what a button says."""
    st.session_state[_CLICKED] = (task, time.monotonic())


def _was_clicked(task: TaskInfo) -> bool:
    """Whether the button was pressed just now; once. One that was left behind by going elsewhere counts no more."""
    clicked_for, at = st.session_state.pop(_CLICKED, (None, 0.0))
    return clicked_for == task.name and time.monotonic() - at < _CLICK_SECONDS


def _another() -> None:
    for key in (_KEY, _SENT):
        st.session_state.pop(key, None)


def _say_what_is_wrong(sent: Sent | None, form: Form) -> None:
    if sent is None:
        return
    others = without_place(sent.problems, form.known)
    if others:
        st.error("  \n".join(map(wording.plain, others)), title="Not enqueued", icon=":material/error:")
    elif sent.problems:
        st.error("See the marked fields.", title="Not enqueued", icon=":material/error:")


def _say_that_it_is_done(sent: Sent, job_id: str) -> None:
    word, icon = ("Enqueued before", "history") if sent.deduplicated else ("Enqueued", "check")
    st.markdown(f":green-badge[:material/{icon}: {word}] `{job_id}`", width="content")
    st.button(
        "Open the job",
        key="enqueue-open",
        icon=":material/arrow_forward:",
        icon_position="right",
        type="tertiary",
        on_click=navigation.open_job,
        args=(job_id,),
    )
    st.button(
        "Enqueue another",
        key="enqueue-another",
        icon=":material/add:",
        type="tertiary",
        on_click=_another,
        help="What is filled in stays",
    )


def _draw_request(request: Request) -> None:
    variables = {"input": request.shown(_key_for(request))}
    with st.expander("The GraphQL that is sent", icon=":material/code:", key="enqueue-graphql"):
        if request.again is not None:
            st.caption("A job is run again by its id, so that its secrets need not be known.")
        elif request.typed is None:
            st.caption("The API tells of no mutation of this task's own, so it is enqueued by its name.")
        elif not request.is_typed:
            st.caption("The task's own mutation has no words for these arguments, so it is enqueued by its name.")
        st.code(request.operation.text.strip(), language=None)
        st.caption("Variables. The idempotency key makes a second click harmless.")
        st.code(wording.pretty(variables), language=None, wrap_lines=True)
        st.caption("By yourself, as often as you like: without that key. Secrets are left for you to fill in.")
        st.code(
            curl(parts.graphiql_url(), request.operation, {"input": request.shown(None)}),
            language=None,
            wrap_lines=True,
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
            args=(task,),
            label_visibility="collapsed",
        )
    args, wrong = _by_json(task, form) if mode == _JSON else _by_form(task, form)
    st.session_state[_NOW] = args
    return args, wrong


def _carry_over(task: TaskInfo) -> None:
    """Begin with what was given so far, in the other way of giving it."""
    begin_with(task, st.session_state.get(_NOW))


def _by_form(task: TaskInfo, form: Form) -> tuple[Any, list[Problem]]:
    fields = read_fields(task.schema)
    if not fields:
        st.caption("This task takes no arguments.")
    before = given(task)
    if unfit := misfits(fields, before):
        st.caption(f"The form cannot hold {wording.plain(', '.join(unfit))} as it was, and begins anew there.")
    raw = form.draw(fields, (ARGS,), before)
    if any(field.must_be_given for field in fields):
        st.caption("\\* must be given")
    return collect(fields, raw, parts.viewer_zone(), (ARGS,))


def _by_json(task: TaskInfo, form: Form) -> tuple[Any, list[Problem]]:
    text = st.text_area(
        "An object with the arguments by name", key=text_key(task), height=260, placeholder='{"name": "value"}'
    )
    if schemas.MARKER in (text or ""):
        st.caption(f"A secret that is shown as {wording.plain(schemas.MARKER)} is what you gave in the form.")
    form.complain((ARGS,))
    try:
        args = read_json(text or "{}")
    except ValueError as problem:
        return text, [Problem((ARGS,), f"is not JSON: {problem}")]
    if not is_object(args):
        return args, [Problem((ARGS,), "expected an object, such as {}")]
    return schemas.revealed(args, given(task), task.schema), []
