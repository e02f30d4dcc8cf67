"""One job in full, as its drawer and its page show it."""

from collections.abc import Sequence

import streamlit as st

from taskengine_dashboard import navigation, parts, wording
from taskengine_dashboard.jobs_query import JobsQuery
from taskengine_dashboard.model.frame import Frame, Role
from taskengine_dashboard.model.jobs import Failure
from taskengine_dashboard.states import state_of
from taskengine_dashboard.views.job import actions, logs, questions, relations, request, timeline
from taskengine_dashboard.views.job.questions import JobDetail, Relative

_LISTED = 20


def not_found(job_id: str) -> None:
    """Say that there is no such job (any more)."""
    st.markdown("**There is no such job**")
    st.code(job_id, language=None)
    st.caption("The id may be mistyped, or retention has removed the record, or someone deleted it.")


def draw(job: JobDetail, frame: Frame, scope: str, *, away: bool) -> None:
    """Draw a job. ``scope`` begins the keys of what is drawn: a drawer may lie over the page of another job."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(parts.state_badge(state_of(job.state)), width="content")
        st.caption(f"{wording.plain(job.queue)} · priority {job.priority}", width="content")
    if frame.may(Role.OPERATOR):
        actions.draw(job, scope, away=away)
    _why_it_waits(job, frame)
    _progress(job)
    if job.failure is not None and job.state in {"FAILED", "RETRYING"}:
        st.error(wording.plain(job.failure.message) or "no message", title=wording.plain(job.failure.exception))
    names = ["Timeline", "Arguments", "Result", "Errors", "Log", "API"]
    if job.depends_on or job.dependents:
        names.insert(5, "Dependencies")
    tabs = dict(zip(names, st.tabs(names, key=f"{scope}-tabs-{job.id}", on_change="rerun"), strict=True))
    with tabs["Timeline"]:
        _timeline(job, frame)
        _facts(job)
        _links(job, scope)
    with tabs["Arguments"]:
        st.code(wording.pretty(job.args), language=None, wrap_lines=True)
    with tabs["Result"]:
        _result(job)
    with tabs["Errors"]:
        _errors(job, frame)
    with tabs["Log"]:
        if tabs["Log"].open:  # asked for only while someone looks
            logs.draw(job, scope)
    if "Dependencies" in tabs:
        with tabs["Dependencies"]:
            if tabs["Dependencies"].open:
                _dependencies(job, scope)
    with tabs["API"]:
        _api(job)


def _why_it_waits(job: JobDetail, frame: Frame) -> None:
    waiting = job.waiting
    if waiting is None:
        return
    message = waiting.message[:1].upper() + waiting.message[1:]
    notes: list[str] = []
    if waiting.jobs_ahead:
        notes.append(f"{wording.plural(waiting.jobs_ahead, 'job')} ahead of it")
    if waiting.until is not None:
        notes.append(wording.ahead(waiting.until, frame.now))
    if waiting.estimated_start_at is not None:
        start = waiting.estimated_start_at
        soon = wording.ahead(start, frame.now)
        notes.append("about to start" if soon == "due now" else f"starts {soon}, as its queue goes now")
    with st.container(border=True, gap="xxsmall", key="job-waiting"):
        st.markdown(f":material/hourglass_top: {wording.plain(message)}")
        if notes:
            st.caption(" · ".join(notes))


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


def _timeline(job: JobDetail, frame: Frame) -> None:
    *earlier, last = timeline.steps(job, frame.now, parts.viewer_zone())
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
    if job.enqueued_by:
        facts["Enqueued by"] = wording.plain(job.enqueued_by)
    if job.idempotency_key:
        facts["Idempotency key"] = wording.plain(job.idempotency_key)
    if job.expires_at:
        facts["Kept until"] = wording.stamp(job.expires_at, zone)
    names = [f":gray[{name}]" for name in facts]
    parts.small_table({"fact": names, "value": list(facts.values())}, alt="Facts of this job", hide_header=True)
    st.code(job.id, language=None)


def _links(job: JobDetail, scope: str) -> None:
    with st.container(horizontal=True, gap="small", key=f"{scope}-links"):
        navigation.draw_link(
            navigation.link_to_jobs(JobsQuery(tasks=(job.task,))), f"Jobs of {wording.plain(job.task)}"
        )
        navigation.draw_link(
            navigation.link_to_jobs(JobsQuery(queues=(job.queue,))), f"Jobs in {wording.plain(job.queue)}"
        )
        if job.schedule is not None:
            query = JobsQuery(schedule=job.schedule.id)
            navigation.draw_link(navigation.link_to_jobs(query), f"Schedule {wording.plain(job.schedule.name)}")
        if job.group is not None:
            query = JobsQuery(group=job.group.id, state="FAILED")
            navigation.draw_link(
                navigation.link_to_jobs(query), "Failures like this", help=wording.plain(job.group.name)
            )
        if job.rerun_of is not None:
            _open(job.rerun_of, f"Repeats {wording.short_id(job.rerun_of)}", f"{scope}-rerun-of")


def _open(job_id: str, label: str, key: str) -> None:
    st.button(
        label,
        key=key,
        icon=":material/arrow_forward:",
        icon_position="right",
        type="tertiary",
        on_click=navigation.open_job,
        args=(job_id,),
    )


def _result(job: JobDetail) -> None:
    if job.state == "COMPLETED":
        st.code(wording.pretty(job.result), language=None, wrap_lines=True)
    else:
        st.caption("What the task returns appears here once it has completed.")


def _errors(job: JobDetail, frame: Frame) -> None:
    failed = [(attempt.number, attempt.failure) for attempt in job.attempts if attempt.failure is not None]
    if not failed and job.failure is not None:
        failed = [(job.attempt_count, job.failure)]
    if not failed:
        st.caption("No attempt has failed.")
    elif not frame.may(Role.OPERATOR):
        st.caption("Tracebacks are shown to operators.")
    for number, failure in reversed(failed):
        _error(number, failure)


def _error(number: int, failure: Failure) -> None:
    st.markdown(f"**Run {number}** · :red[{wording.plain(failure.headline)}]")
    if failure.retryable is False:
        st.caption("Not retried: the task says that trying again cannot help.")
    if failure.traceback:
        st.code(failure.traceback.rstrip(), language=None)


def _dependencies(job: JobDetail, scope: str) -> None:
    st.graphviz_chart(relations.graph(job, dark=parts.is_dark()), width="content", alt=relations.in_words(job))
    _relatives("Waits for", job.depends_on, f"{scope}-before")
    _relatives("Wait for it", job.dependents, f"{scope}-after")


def _relatives(title: str, jobs: Sequence[Relative], key: str) -> None:
    if not jobs:
        return
    st.markdown(f"**{title}**")
    for number, job in enumerate(jobs[:_LISTED]):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.markdown(parts.state_badge(state_of(job.state)), width="content")
            _open(job.id, f"{wording.plain(job.task)} {wording.short_id(job.id)}", f"{key}-{number}")
    if len(jobs) > _LISTED:
        st.caption(f"and {wording.count(len(jobs) - _LISTED)} more")


def _api(job: JobDetail) -> None:
    st.caption("What this shows, asked of the API by yourself")
    st.code(request.curl(parts.graphiql_url(), questions.JOB, {"id": job.id}), language=None, wrap_lines=True)
    st.code(questions.JOB.text.strip(), language=None)
    st.caption("Variables")
    st.code(wording.pretty({"id": job.id}), language=None)
