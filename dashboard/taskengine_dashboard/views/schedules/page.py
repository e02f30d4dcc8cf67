"""Schedules: what runs by the clock, when next and how it went last; make, change, switch, run, delete."""

import streamlit as st

from taskengine_dashboard import navigation, parts, wording
from taskengine_dashboard.model.frame import Role
from taskengine_dashboard.views.schedules import actions, choices, form, questions
from taskengine_dashboard.views.schedules.questions import Schedules
from taskengine_dashboard.views.schedules.schedule import SCHEDULE_STATES

_ACTIONS, _LINK, _NEW = "schedule-actions", "schedule-job-link", "schedule-new"


def render() -> None:
    """Draw the page."""
    parts.live(_body)


def _body() -> None:
    reading = parts.header("Schedules", questions.schedules)
    found = reading.value
    if found is None:
        parts.wait_for_first_answer(reading)
        return
    away = reading.problem is not None
    may_create = found.frame.may(Role.OPERATOR) and bool(found.tasks)
    if not found.schedules:
        _nothing(found, may_create=may_create, away=away)
        return
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="schedules-bar"
    ):
        st.caption(_summary(found), width="content")
        if may_create:
            _new(found, away=away)
    _schedules(found, away=away)
    if found.frame.may(Role.OPERATOR) and any(schedule.declared for schedule in found.schedules):
        st.caption("Schedules that code declares are changed there; here they can be run, disabled and enabled.")


def _nothing(found: Schedules, *, may_create: bool, away: bool) -> None:
    what_next = "Make one here, or declare it in code beside its task." if may_create else _how_they_come(found)
    parts.nothing_here(
        "No schedule yet",
        what_next,
        key="schedules-nothing",
        draw_step=(lambda: _new(found, away=away)) if may_create else None,
    )


def _how_they_come(found: Schedules) -> str:
    if found.tasks:
        return "Code declares them beside their tasks, and operators make them here."
    return "A schedule needs a task, and no worker has published one yet: start `taskengine worker MODULE:ENGINE`."


def _new(found: Schedules, *, away: bool) -> None:
    st.button(
        "New schedule",
        key=_NEW,
        icon=":material/add:",
        on_click=form.ask_to_create,
        args=(found.tasks,),
        disabled=away,
    )


def _summary(found: Schedules) -> str:
    off = sum(not schedule.enabled for schedule in found.schedules)
    told = wording.plural(len(found.schedules), "schedule")
    return f"{told} · {off} disabled" if off else told


def _schedules(found: Schedules, *, away: bool) -> None:
    schedules = found.schedules

    def act() -> None:
        chosen = choices.chosen(st.session_state[_ACTIONS].label, schedules)
        if chosen is not None:
            actions.act(*chosen)

    def open_job() -> None:
        jobs = [schedule.last_job for schedule in schedules if schedule.last_job]
        navigation.open_shown_job(st.session_state[_LINK].label, jobs)

    column = st.column_config
    names = ("schedule", "actions", "when", "task", "state", "next", "outcome", "last", "job", "zone", "origin")
    parts.table(
        found.table,
        key="schedules",
        alt="Schedules with their times, their last job and what can be done with them",
        columns={
            "schedule": column.TextColumn("Schedule", width=150),
            "when": column.TextColumn("When", width=220),
            "task": column.TextColumn("Task", width=120),
            "state": parts.chips("State", SCHEDULE_STATES, {name: name for name in SCHEDULE_STATES}, 84),
            "next": parts.time_column("Next run", width=124, help="In your time zone"),
            "outcome": parts.state_column("Last job"),
            "last": column.TextColumn("Enqueued", width=84, help="How long ago its last job was enqueued"),
            "job": column.ButtonColumn(
                "Job", type="tertiary", alignment="left", key=_LINK, on_click=open_job, width=100, help="Open the job"
            ),
            "zone": column.TextColumn("Zone", width=140, help="The time zone that its rule goes by"),
            "origin": column.TextColumn("Made in", width=120),
            "actions": column.ButtonColumn(
                "Actions",
                type="tertiary",
                key=_ACTIONS,
                on_click=act,
                width=80,
                help="Run, switch, edit, delete; its jobs",
            ),
        },
        order=[name for name in names if not (away and name == "actions")],
    )
