"""One job in full, in a drawer over any page: whatever page has ``?job=ID`` in its address."""

from datetime import datetime

import streamlit as st

from taskengine_dashboard import parts, wording
from taskengine_dashboard.changes import jobs as changes
from taskengine_dashboard.changes import outcomes
from taskengine_dashboard.client import NotSignedIn
from taskengine_dashboard.feed import Reading
from taskengine_dashboard.model.jobs import Failure, can_cancel, can_retry
from taskengine_dashboard.navigation import DRAWER
from taskengine_dashboard.states import state_of
from taskengine_dashboard.views.job import questions, timeline
from taskengine_dashboard.views.job.questions import JobAnswer, JobDetail

_ASKED = "drawer-asked"
_WIDTH = 640


def open_if_asked() -> None:
    """Open the job that the address names."""
    job_id = st.query_params.get(DRAWER)
    if not job_id:
        return
    reading = questions.job(job_id)
    if isinstance(reading.problem, NotSignedIn):
        return
    job = _job_of(reading)
    title = wording.plain(job.task) if job else "Job"
    st.dialog(title, width=_WIDTH, position="right", on_dismiss=_close)(_live)(job_id)


def _live(job_id: str) -> None:
    @st.fragment(run_every=parts.refresh_seconds() or None)
    def body() -> None:
        reading = questions.job(job_id)
        if reading.problem is not None:
            st.error(wording.plain(str(reading.problem)), title=reading.problem.title, icon=":material/cloud_off:")
        job = _job_of(reading)
        if job is not None and reading.value is not None:
            _job(job, reading.value.frame.now, away=reading.problem is not None)
        elif reading.value is not None:
            _not_found(job_id)

    body()


def _job_of(reading: Reading[JobAnswer]) -> JobDetail | None:
    return reading.value.job if reading.value else None


def _not_found(job_id: str) -> None:
    st.markdown("**There is no such job**")
    st.code(job_id, language=None)
    st.caption("The id may be mistyped, or retention has removed the record, or someone deleted it.")


def _job(job: JobDetail, now: datetime, *, away: bool) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            st.markdown(parts.state_badge(state_of(job.state)), width="content")
            st.caption(f"{wording.plain(job.queue)} · priority {job.priority}", width="content")
        _actions(job, away=away)
    _progress(job)
    if job.failure is not None and job.state in {"FAILED", "RETRYING"}:
        st.error(wording.plain(job.failure.message) or "no message", title=wording.plain(job.failure.exception))
    about, arguments, result, errors = st.tabs(
        ["Timeline", "Arguments", "Result", "Errors"], key=f"drawer-tabs-{job.id}"
    )
    with about:
        _timeline(job, now)
        _facts(job)
    with arguments:
        st.code(wording.pretty(job.args), language=None, wrap_lines=True)
    with result:
        _result(job)
    with errors:
        _errors(job)


def _actions(job: JobDetail, *, away: bool) -> None:
    asked: str | None = st.session_state.get(_ASKED)
    with st.container(horizontal=True, gap="small", width="content", key="drawer-actions"):
        if asked == "Cancel" and can_cancel(job):
            st.button("Leave it", key="drawer-leave", on_click=_forget)
            effect = "Stop it now" if job.state == "RUNNING" else "Cancel this job"
            st.button(f":red[{effect}]", key="drawer-cancel-yes", on_click=_cancel, args=(job,), disabled=away)
            return
        if can_retry(job):
            st.button(
                "Retry", icon=":material/replay:", key="drawer-retry", on_click=_retry, args=(job,), disabled=away
            )
        if can_cancel(job):
            st.button("Cancel", icon=":material/block:", key="drawer-cancel", on_click=_ask, disabled=away)


def _ask() -> None:
    st.session_state[_ASKED] = "Cancel"


def _forget() -> None:
    st.session_state.pop(_ASKED, None)


def _retry(job: JobDetail) -> None:
    text, icon = outcomes.told("Retry", changes.retry([job.id]))
    parts.remember(text, icon=icon)
    st.rerun()


def _cancel(job: JobDetail) -> None:
    _forget()
    text, icon = outcomes.told("Cancel", changes.cancel([job.id], terminate=job.state == "RUNNING"))
    parts.remember(text, icon=icon)
    st.rerun()


def _close() -> None:
    _forget()
    if DRAWER in st.query_params:
        del st.query_params[DRAWER]


def _progress(job: JobDetail) -> None:
    progress = job.progress
    if progress is None or job.state != "RUNNING":
        return
    of = f" of {wording.number(progress.total)}" if progress.total else ""
    message = f" · {wording.plain(progress.message)}" if progress.message else ""
    text = f"{wording.number(progress.current)}{of}{message}"
    if progress.fraction is None:
        st.caption(text)
    else:
        st.progress(progress.fraction, text=text)


def _timeline(job: JobDetail, now: datetime) -> None:
    *earlier, last = timeline.steps(job, now, parts.viewer_zone())
    for step in earlier:
        with st.status(step.title, state=step.mood, type="step", expanded=True):
            st.caption(step.detail)
            if step.failure is not None:
                st.markdown(f":small[:red[{wording.plain(step.failure.headline)}]]")
    # A step that holds nothing ends the line.
    st.status(f"{last.title} :gray[· {last.detail}]", state=last.mood, type="step")
    st.space("small")


def _facts(job: JobDetail) -> None:
    zone = parts.viewer_zone()
    facts = {
        "Created": wording.stamp(job.created_at, zone),
        "Started": wording.stamp(job.started_at, zone),
        "Finished": wording.stamp(job.finished_at, zone),
        "Waited": wording.seconds(job.wait_seconds),
        "Ran": wording.seconds(job.run_seconds),
        "Worker": wording.plain(job.worker) if job.worker else wording.NOTHING,
        "Attempts": f"{job.attempt_count} of {job.max_attempts}",
        "Timeout": wording.seconds(job.timeout_seconds) if job.timeout_seconds else "none",
        "Tags": ", ".join(map(wording.plain, job.tags)) or wording.NOTHING,
    }
    names = [f":gray[{name}]" for name in facts]
    parts.small_table({"fact": names, "value": list(facts.values())}, alt="Facts of this job", hide_header=True)
    st.code(job.id, language=None)


def _result(job: JobDetail) -> None:
    if job.state == "COMPLETED":
        st.code(wording.pretty(job.result), language=None, wrap_lines=True)
    else:
        st.caption("What the task returns appears here once it has completed.")


def _errors(job: JobDetail) -> None:
    failed = [(attempt.number, attempt.failure) for attempt in job.attempts if attempt.failure is not None]
    if not failed and job.failure is not None:
        failed = [(job.attempt_count, job.failure)]
    if not failed:
        st.caption("No attempt has failed.")
    for number, failure in reversed(failed):
        _error(number, failure)


def _error(number: int, failure: Failure) -> None:
    st.markdown(f"**Run {number}** · :red[{wording.plain(failure.headline)}]")
    if failure.retryable is False:
        st.caption("Not retried: the task says that trying again cannot help.")
    if failure.traceback:
        st.code(failure.traceback.rstrip(), language=None)
