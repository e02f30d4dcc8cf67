"""What can be done with one job: buttons, and under them what an action wants to know before it is carried out."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import streamlit as st

from taskengine_dashboard import navigation, parts, wording
from taskengine_dashboard.changes import jobs as changes
from taskengine_dashboard.changes import outcomes
from taskengine_dashboard.model.jobs import can_cancel, can_delete, can_retry
from taskengine_dashboard.shapes import is_object
from taskengine_dashboard.source import Changed, Reply
from taskengine_dashboard.views.job.questions import JobDetail

_ASKED = "job-asked"
_CANCEL, _RERUN, _NOW, _RESCHEDULE, _PRIORITY, _DELETE = (
    "Cancel",
    "Rerun…",
    "Run now",
    "Reschedule…",
    "Priority…",
    "Delete…",
)
_MAX_REASON = 500


def draw(job: JobDetail, scope: str, *, away: bool) -> None:
    """Draw the buttons for what this job's state allows, and what the one that was pressed wants to know."""
    with st.container(horizontal=True, gap="small", width="content", key=f"{scope}-actions"):
        if can_retry(job):
            st.button(
                "Retry", icon=":material/replay:", key=f"{scope}-retry", on_click=_retry, args=(job,), disabled=away
            )
        if can_cancel(job):
            st.button(
                "Stop" if job.state == "RUNNING" else "Cancel",
                icon=":material/stop_circle:" if job.state == "RUNNING" else ":material/block:",
                key=f"{scope}-cancel",
                on_click=_ask,
                args=(job, _CANCEL),
                disabled=away,
            )
        _more(job, scope, away=away)
    asked = _asked(job)
    if asked is not None:
        with st.container(border=True, gap="small", key=f"{scope}-asked"):
            _PANELS[asked](job, scope, away)


def forget() -> None:
    """Ask nothing any more."""
    st.session_state.pop(_ASKED, None)


def _more(job: JobDetail, scope: str, *, away: bool) -> None:
    key = f"{scope}-more"
    options = [
        _RERUN,
        *([_NOW] if job.state == "SCHEDULED" and job.run_at else []),
        *([_RESCHEDULE, _PRIORITY] if job.is_waiting else []),
        *([_DELETE] if can_delete(job) else []),
    ]

    def act() -> None:
        chosen: str = st.session_state[key]
        if chosen == _NOW:
            _done(changes.reschedule(job.id, None), "It may start now.")
        else:
            _ask(job, chosen)

    st.menu_button("More", options, key=key, icon=":material/more_horiz:", on_click=act, disabled=away)


def _ask(job: JobDetail, what: str) -> None:
    st.session_state[_ASKED] = (job.id, what)


def _asked(job: JobDetail) -> str | None:
    job_id, what = st.session_state.get(_ASKED, (None, None))
    still = {
        _CANCEL: can_cancel(job),
        _RERUN: True,
        _RESCHEDULE: job.is_waiting,
        _PRIORITY: job.is_waiting,
        _DELETE: can_delete(job),
    }
    return what if job_id == job.id and still.get(what) else None


def _answers(scope: str, yes: str, carry_out: Callable[[], None], *, disabled: bool, red: bool = False) -> None:
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        st.button("Leave it", key=f"{scope}-leave", on_click=forget)
        st.button(
            f":red[{yes}]" if red else yes,
            key=f"{scope}-yes",
            type="secondary" if red else "primary",
            on_click=carry_out,
            disabled=disabled,
        )


def _cancel_panel(job: JobDetail, scope: str, away: bool) -> None:
    running = job.state == "RUNNING"
    st.markdown("**Stop it?**" if running else "**Cancel this job?**")
    st.caption(
        "It is told to stop at its next chance. It can be retried later."
        if running
        else "It never starts. It can be retried later."
    )
    key = f"{scope}-reason"
    st.text_input("Why", key=key, max_chars=_MAX_REASON, placeholder="For whoever looks at it", autocomplete="off")

    def carry_out() -> None:
        reason = str(st.session_state.get(key) or "").strip()
        _told("Cancel", changes.cancel([job.id], terminate=running, reason=reason))

    _answers(scope, "Stop it now" if running else "Cancel this job", carry_out, disabled=away, red=True)


def _rerun_panel(job: JobDetail, scope: str, away: bool) -> None:
    key = f"{scope}-rerun-{job.id}"
    if key not in st.session_state:
        st.session_state[key] = wording.pretty(job.args)
    st.markdown(f"**Run {wording.plain(job.task)} again, as a new job**")
    text = st.text_area(
        "Arguments",
        key=key,
        height=200,
        help="A secret that is shown as ******** stays what it was",
    )
    args, wrong = _object(text)
    if wrong:
        st.caption(f":red[{wording.plain(wrong)}]")
    st.button(
        "Change them in a form",
        key=f"{scope}-form",
        icon=":material/edit_note:",
        type="tertiary",
        on_click=lambda: navigation.follow(navigation.link_to("enqueue", task=job.task, again=job.id)),
    )
    _answers(scope, "Enqueue it", lambda: _rerun(job, args), disabled=away or bool(wrong))


def _object(text: str) -> tuple[dict[str, Any], str]:
    try:
        value: Any = json.loads(text or "{}")
    except ValueError as problem:
        return {}, f"Expected JSON: {problem}."
    return (value, "") if is_object(value) else ({}, 'Expected an object, such as {"name": "value"}.')


def _reschedule_panel(job: JobDetail, scope: str, away: bool) -> None:
    zone = parts.viewer_zone()
    key = f"{scope}-time-{job.id}"
    if key not in st.session_state:
        hence = job.run_at or datetime.now(UTC) + timedelta(hours=1)
        st.session_state[key] = hence.astimezone(zone).replace(tzinfo=None, second=0, microsecond=0)
    st.markdown("**Start it at another time**")
    at: datetime | None = st.datetime_input(f"Not before, in {zone}", key=key, format="YYYY-MM-DD", step=300)
    moment = at.replace(tzinfo=zone).astimezone(UTC) if at else None

    def carry_out() -> None:
        _done(changes.reschedule(job.id, moment), f"It starts at {wording.stamp(moment, zone)} at the earliest.")

    _answers(scope, "Reschedule", carry_out, disabled=away or moment is None)


def _priority_panel(job: JobDetail, scope: str, away: bool) -> None:
    key = f"{scope}-priority-{job.id}"
    if key not in st.session_state:
        st.session_state[key] = job.priority
    st.markdown("**Give it another priority**")
    priority = int(st.number_input("10 runs first, 1 last", min_value=1, max_value=10, step=1, key=key))
    _answers(
        scope,
        "Change priority",
        lambda: _done(changes.change_priority(job.id, priority), f"Its priority is {priority}."),
        disabled=away,
    )


def _delete_panel(job: JobDetail, scope: str, away: bool) -> None:
    st.markdown("**Delete this job?**")
    st.caption("Its record goes, with arguments, result, errors and log. It cannot be brought back.")
    _answers(
        scope,
        "Delete this job",
        lambda: _told("Delete", changes.delete([job.id])),
        disabled=away,
        red=True,
    )


_PANELS: dict[str, Callable[[JobDetail, str, bool], None]] = {
    _CANCEL: _cancel_panel,
    _RERUN: _rerun_panel,
    _RESCHEDULE: _reschedule_panel,
    _PRIORITY: _priority_panel,
    _DELETE: _delete_panel,
}


def _retry(job: JobDetail) -> None:
    _told("Retry", changes.retry([job.id]))


def _rerun(job: JobDetail, args: dict[str, Any]) -> None:
    reply = changes.rerun(job.id, args)
    if not reply.is_done or reply.payload is None:
        parts.tell(reply, "")
        st.rerun()
    else:
        forget()
        parts.remember("Enqueued again. This is the new job.")
        navigation.open_job(reply.payload["job"]["id"])


def _told(verb: str, changed: Changed) -> None:
    forget()
    text, icon = outcomes.told(verb, changed)
    parts.remember(text, icon=icon)
    st.rerun()


def _done(reply: Reply, done: str) -> None:
    if reply.is_done:
        forget()
    parts.tell(reply, done)
    st.rerun()
