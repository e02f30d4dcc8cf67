"""Activity: what happens right now, and who did what."""

from collections.abc import Iterable, Mapping, Sequence

import streamlit as st

from taskengine_dashboard import navigation, parts, wording
from taskengine_dashboard.follow import Heard
from taskengine_dashboard.states import STATE_NAMES, state_of
from taskengine_dashboard.views.activity import questions, tables
from taskengine_dashboard.views.activity.questions import Activity, Audit, Happened, Watch

_SHOW, _EVENTS, _AUDIT = "show", "Right now", "Who did what"
_KINDS = {"STATE": "Moves", "PROGRESS": "Progress", "LOG": "Log lines"}
_SHOWN = 100
"""Rows that are drawn; more are kept while they come."""
_HELD, _EVENT_LINK, _ENTRY_LINK = "activity-held", "activity-job", "audit-job"


def render() -> None:
    """Draw the page."""
    parts.live(_body)


def _body() -> None:
    if st.query_params.get(_SHOW) == "audit":
        _audit()
    else:
        _events()


def _choose_what(shown: str) -> None:
    """Draw the choice between the two halves of the page."""
    key = "activity-show"

    def choose() -> None:
        st.query_params.from_dict({_SHOW: "audit"} if st.session_state[key] == _AUDIT else {})

    st.session_state[key] = shown
    st.segmented_control(
        "What to show",
        (_EVENTS, _AUDIT),
        key=key,
        required=True,
        on_change=choose,
        label_visibility="collapsed",
    )


def _events() -> None:
    reading = parts.header("Activity", questions.activity)
    found = reading.value
    if found is None:
        parts.wait_for_first_answer(reading)
        return
    watch = _watch_of_address()
    heard = questions.happened(watch)
    held: tuple[Watch, Heard[Happened]] | None = st.session_state.get(_HELD)
    if held is not None and held[0] != watch:
        held = None
        del st.session_state[_HELD]
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="activity-bar"
    ):
        _choose_what(_EVENTS)
        _hold(watch, heard, is_held=held is not None)
    _filters(found, watch)
    shown = heard if held is None else held[1]
    _told(shown, heard, is_held=held is not None)
    newest_first = tuple(reversed(shown.events))[:_SHOWN]
    if newest_first:
        _event_table(newest_first)
    elif watch.is_filtered:
        parts.nothing_here(
            "Nothing yet that matches",
            "What happens from now on appears here.",
            key="activity-nothing",
            draw_step=lambda: st.button("Show everything", key="activity-everything", on_click=_show_everything),
        )
    else:
        parts.nothing_here(
            "Quiet so far", "Whatever happens to a job from now on appears here at once.", key="activity-nothing"
        )


def _watch_of_address() -> Watch:
    def chosen(name: str, allowed: Iterable[str] | None = None) -> tuple[str, ...]:
        values = dict.fromkeys(value for value in st.query_params.get_all(name) if value)
        return tuple(value for value in values if allowed is None or value in allowed)

    return Watch(
        kinds=chosen("kind", _KINDS) or ("STATE",),
        states=chosen("state", STATE_NAMES),
        tasks=chosen("task"),
        queues=chosen("queue"),
    )


def _hold(watch: Watch, heard: Heard[Happened], *, is_held: bool) -> None:
    def hold() -> None:
        st.session_state[_HELD] = (watch, heard)

    def go_on() -> None:
        st.session_state.pop(_HELD, None)

    if is_held:
        st.button("Go on", icon=":material/play_arrow:", key="activity-go-on", on_click=go_on, type="primary")
    else:
        st.button(
            "Hold",
            icon=":material/pause:",
            key="activity-hold",
            on_click=hold,
            disabled=not heard.events,
            help="What is shown stands still; what happens meanwhile is kept",
        )


def _filters(found: Activity, watch: Watch) -> None:
    with st.grid(4, min_column_width=150, gap="small", key="activity-filters"):
        _several("kind", "Kinds", _KINDS, watch.kinds, _KINDS)
        states = {name: state_of(name).label for name in STATE_NAMES}
        _several("state", "All states", states, watch.states, states)
        _several("task", "All tasks", found.tasks, watch.tasks)
        _several("queue", "All queues", found.queues, watch.queues)


def _several(
    param: str, all_of_them: str, options: Iterable[str], chosen: Sequence[str], labels: Mapping[str, str] | None = None
) -> None:
    """Draw a choice of several, which is kept in the address."""
    key = f"activity-{param}"

    def choose() -> None:
        values: list[str] = st.session_state[key]
        if values:
            st.query_params[param] = values
        else:
            st.query_params.pop(param, None)

    st.session_state[key] = list(chosen)
    st.multiselect(
        all_of_them,
        list(dict.fromkeys((*options, *chosen))),
        key=key,
        on_change=choose,
        placeholder=all_of_them,
        label_visibility="collapsed",
        format_func=lambda name: labels[name] if labels else name,
    )


def _show_everything() -> None:
    st.query_params.from_dict({})
    st.rerun()


def _told(shown: Heard[Happened], heard: Heard[Happened], *, is_held: bool) -> None:
    zone = parts.viewer_zone()
    if heard.problem is not None:
        st.caption(
            f":orange[:material/cloud_off: The stream is interrupted: {wording.plain(str(heard.problem))} "
            "It goes on by itself, after the last event.]"
        )
    elif is_held:
        known = {event.cursor for event in shown.events}
        missed = sum(event.cursor not in known for event in heard.events)
        st.caption(f"Held · {wording.plural(missed, 'event')} since")
    elif heard.since is not None:
        st.caption(f"Since {wording.clock(heard.since, zone)} · newest first, the last {_SHOWN} at most")
    else:
        st.caption("Begins to listen…")


def _event_table(newest_first: Sequence[Happened]) -> None:
    def open_job() -> None:
        short: str = st.session_state[_EVENT_LINK].label
        for event in newest_first:
            if event.job_id and wording.short_id(event.job_id) == short:
                navigation.open_job(event.job_id)

    column = st.column_config
    parts.table(
        tables.events(newest_first),
        key="activity-events",
        alt=f"The newest events, up to {_SHOWN}, with their job",
        columns={
            "at": parts.time_column("When"),
            "state": parts.state_column("Came to"),
            "job": column.ButtonColumn(
                "Job", type="tertiary", alignment="left", key=_EVENT_LINK, on_click=open_job, width=105, help="Open it"
            ),
            "task": column.TextColumn("Task", width=160),
            "queue": column.TextColumn("Queue", width=100),
            "text": column.TextColumn("What", width="large"),
        },
    )


def _audit() -> None:
    after, before = st.query_params.get("after"), st.query_params.get("before")
    reading = parts.header("Activity", lambda: questions.audit(after=after, before=before))
    found = reading.value
    if found is None:
        parts.wait_for_first_answer(reading)
        return
    is_first = not (after or before)
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="activity-bar"
    ):
        _choose_what(_AUDIT)
        if not is_first or found.older:
            _paging(found, is_first=is_first)
    if found.entries:
        st.caption(
            "Newest first, the newest 10,000 are kept. What programs do on their own account is not written down."
        )
        _audit_table(found)
    elif is_first:
        parts.nothing_here(
            "Nobody has done anything yet",
            "Whoever retries, cancels, pauses, limits or deletes something is named here, with what and when.",
            key="audit-nothing",
        )
    else:
        parts.nothing_here("Nothing older", "What was here is kept no longer.", key="audit-nothing")


def _paging(found: Audit, *, is_first: bool) -> None:
    steps: tuple[tuple[str, str, Mapping[str, str] | None], ...] = (
        ("Newest", ":material/first_page:", None if is_first else {}),
        ("Newer", ":material/chevron_left:", None if is_first else found.newer or {}),
        ("Older", ":material/chevron_right:", found.older),
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width="content"):
        for label, icon, place in steps:
            st.button(
                label,
                icon=icon,
                icon_position="right" if label == "Older" else "left",
                key=f"audit-{label.lower()}",
                on_click=_go,
                args=(place or {},),
                disabled=place is None,
            )


def _go(place: Mapping[str, str]) -> None:
    st.query_params.from_dict({_SHOW: "audit", **place})
    st.rerun()


def _audit_table(found: Audit) -> None:
    entries = found.entries

    def open_job() -> None:
        short: str = st.session_state[_ENTRY_LINK].label
        for entry in entries:
            if entry.job_id and wording.short_id(entry.job_id) == short:
                navigation.open_job(entry.job_id)

    column = st.column_config
    parts.table(
        found.table,
        key="audit-entries",
        alt="What operators did, newest first",
        columns={
            "at": parts.time_column("When"),
            "who": column.TextColumn("Who", width=140),
            "what": column.TextColumn("Did", width=170),
            "subject": column.TextColumn("To", width=190),
            "job": column.ButtonColumn(
                "Job", type="tertiary", alignment="left", key=_ENTRY_LINK, on_click=open_job, width=105, help="Open it"
            ),
            "more": column.TextColumn("With", width="large"),
        },
    )
