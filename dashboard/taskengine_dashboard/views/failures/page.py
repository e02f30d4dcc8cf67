"""Failures: what fails, grouped by cause, and retrying or deleting all of one cause."""

from typing import cast, get_args

import streamlit as st

from taskengine_dashboard import navigation, parts, wording
from taskengine_dashboard.jobs_query import JobsQuery
from taskengine_dashboard.model.failures import GroupRow, Span
from taskengine_dashboard.model.frame import Frame, Role
from taskengine_dashboard.views.failures import questions
from taskengine_dashboard.views.failures.questions import Failures, Place

_LONGEST = 400
"""Characters of a message that are shown; the job has all of it."""
_SPANS: tuple[Span, ...] = get_args(Span)
_RETRY, _DELETE = "Retry", "Delete"


def render() -> None:
    """Draw the page."""
    parts.live(_body)


def _body() -> None:
    place = Place(after=st.query_params.get("after"), before=st.query_params.get("before"))
    span = cast(Span, parts.chosen_window(_SPANS))
    reading = parts.header("Failures", lambda: questions.failures(place, span))
    found = reading.value
    if found is None:
        parts.wait_for_first_answer(reading)
        return
    away = reading.problem is not None
    parts.bulk_progress(found.bulks, may_stop=found.frame.may(Role.OPERATOR), away=away)
    if not found.groups:
        _nothing(place)
        return
    _bar(place, found)
    for group in found.groups:
        _card(group, span, found.frame, away=away)


def _nothing(place: Place) -> None:
    if place.is_first:
        parts.nothing_here(
            "No failures",
            "When an attempt fails, what was wrong appears here: once for each cause, however often it happens.",
            key="failures-nothing",
        )
        return
    parts.nothing_here(
        "No older failures",
        "What was here has failed again since, or is kept no longer.",
        key="failures-nothing",
        draw_step=lambda: st.button("Show the newest", key="failures-newest-again", on_click=_go, args=(Place(),)),
    )


def _bar(place: Place, found: Failures) -> None:
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="failures-bar"
    ):
        total = wording.plural(len(found.groups) if found.total is None else found.total, "problem")
        order = "those that failed last first" if place.is_first else "older ones; new ones appear on the first page"
        st.caption(f"{total} · {order}", width="content")
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            parts.choose_window(_SPANS)
            if not place.is_first or found.older is not None:
                _steps(place, found)


def _steps(place: Place, found: Failures) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width="content"):
        newer = found.newer or Place()
        _step("Newest", ":material/first_page:", Place(), possible=not place.is_first)
        _step("Newer", ":material/chevron_left:", newer, possible=not place.is_first)
        _step("Older", ":material/chevron_right:", found.older or place, possible=found.older is not None)


def _step(label: str, icon: str, place: Place, *, possible: bool) -> None:
    st.button(
        label,
        icon=icon,
        icon_position="right" if label == "Older" else "left",
        key=f"failures-{label.lower()}",
        on_click=_go,
        args=(place,),
        disabled=not possible,
    )


def _go(place: Place) -> None:
    for name in ("after", "before"):
        st.query_params.pop(name, None)
    st.query_params.update(place.params())
    st.rerun()


def _card(group: GroupRow, span: Span, frame: Frame, *, away: bool) -> None:
    with st.container(border=True, gap="small", key=f"failure-{group.id}"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
                _headline(group)
            if frame.may(Role.OPERATOR) and group.failed:
                _actions(group, may_delete=frame.may(Role.ADMIN), away=away)
        _message(group)
        _figures(group, span, frame)
        _where(group)


def _headline(group: GroupRow) -> None:
    st.markdown(f"**{wording.plain(group.exception.rpartition('.')[2])}**", width="content", help=group.exception)
    link = navigation.link_to_jobs(JobsQuery(tasks=(group.task,)))
    st.page_link(
        link.page,
        label=f"in {wording.plain(group.task)}",
        icon="",
        help="Show all jobs of this task",
        query_params=link.params,
    )


def _message(group: GroupRow) -> None:
    message = group.message.strip()
    if message:
        st.code(message if len(message) <= _LONGEST else f"{message[:_LONGEST]}…", language=None, wrap_lines=True)


def _figures(group: GroupRow, span: Span, frame: Frame) -> None:
    figures = (
        ("Failed now", wording.count(group.failed), "Jobs that are failed for it now"),
        ("Times", wording.count(group.count), "Attempts that failed so since the first time, retried ones too"),
        ("Last", wording.ago(group.last_at, frame.now), wording.stamp(group.last_at, parts.viewer_zone())),
        ("First", wording.ago(group.first_at, frame.now), wording.stamp(group.first_at, parts.viewer_zone())),
    )
    with st.grid(5, min_column_width=125, gap="small"):
        for label, value, help_ in figures:
            st.metric(label, value, help=help_)
        with st.container(gap="xsmall"):
            parts.spark(group.course, span)


def _where(group: GroupRow) -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.caption(f"`{group.location}`" if group.location else "Not in code of your own", width="content")
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            if group.sample:
                st.button(
                    "Open the newest",
                    key=f"failure-sample-{group.id}",
                    icon=":material/open_in_new:",
                    icon_position="right",
                    type="tertiary",
                    on_click=navigation.open_job,
                    args=(group.sample,),
                    help=f"The job that failed last: {group.sample}",
                )
            if group.failed:
                navigation.draw_link(
                    navigation.link_to_jobs(JobsQuery(state="FAILED", group=group.id)),
                    f"Show {wording.plural(group.failed, 'failed job')}",
                )


def _actions(group: GroupRow, *, may_delete: bool, away: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width="content"):
        for verb, icon in ((_RETRY, ":material/replay:"), *(((_DELETE, ":material/delete:"),) if may_delete else ())):
            st.button(
                f"{verb} {wording.count(group.failed)}",
                key=f"failure-{verb.lower()}-{group.id}",
                icon=icon,
                type="secondary" if verb == _RETRY else "tertiary",
                on_click=_ask,
                args=(verb, group),
                disabled=away,
            )


def _ask(verb: str, group: GroupRow) -> None:
    parts.ask_about_all(
        verb,
        {"failureGroupId": group.id},
        which=f"Failed jobs of {wording.plain(group.task)}: {wording.plain(group.headline)}",
    )
