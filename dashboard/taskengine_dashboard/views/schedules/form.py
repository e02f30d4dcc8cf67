"""Making and changing a schedule, over the page: what was typed stays until it is right."""

from collections.abc import Callable, Sequence
from functools import cache
from zoneinfo import available_timezones

import streamlit as st

from taskengine_dashboard import parts, wording
from taskengine_dashboard.changes import schedules as changes
from taskengine_dashboard.source import Reply
from taskengine_dashboard.views.schedules.draft import CRON, EVERY, Draft, Wrong, refused
from taskengine_dashboard.views.schedules.schedule import Schedule

_NAME, _TASK, _ARGS, _RULE = "schedule-name", "schedule-task", "schedule-args", "schedule-rule"
_CRON, _EVERY, _ZONE, _WRONG = "schedule-cron", "schedule-every", "schedule-zone", "schedule-wrong"
_LONGEST_NAME = 200


def ask_to_create(tasks: Sequence[str]) -> None:
    """Ask, from a callback, for a schedule to be."""
    _fill(Draft(timezone=str(parts.viewer_zone())))

    def draw() -> None:
        _draw_wrong("")
        st.text_input("Name", key=_NAME, max_chars=_LONGEST_NAME, autocomplete="off", placeholder="nightly-report")
        _draw_wrong("name")
        st.selectbox("Task", tasks, index=None, key=_TASK, placeholder="Choose what it enqueues")
        _draw_wrong("task")
        _draw_rest()

    def create() -> bool:
        draft = _draft()
        return _send(
            draft, lambda: changes.create(draft.input()), f"Made schedule {wording.plain(draft.name.strip())}."
        )

    parts.ask(
        parts.Question(
            title="New schedule",
            text="It enqueues its task at set times, however many workers run.",
            yes="Make schedule",
            no="Leave it",
            is_destructive=False,
            draw_details=draw,
            carry_out=create,
        )
    )


def ask_to_edit(schedule: Schedule) -> None:
    """Ask, from a callback, how a schedule is to be; its name and task stay."""
    before = Draft.of(schedule)
    _fill(before)

    def draw() -> None:
        _draw_wrong("")
        _draw_rest()

    def change() -> bool:
        draft = _draft(name=schedule.name, task=schedule.task)

        def send() -> Reply:
            changed = draft.changes(before)
            return changes.change(schedule.id, changed) if changed else Reply()

        return _send(draft, send, f"Schedule {wording.plain(schedule.name)} is as you have it.")

    parts.ask(
        parts.Question(
            title=f"Edit {schedule.name}",
            text=f"It enqueues {wording.plain(schedule.task)}. What was due and is not enqueued yet is forgotten.",
            yes="Save schedule",
            is_destructive=False,
            draw_details=draw,
            carry_out=change,
        )
    )


def _fill(draft: Draft) -> None:
    st.session_state[_NAME], st.session_state[_TASK] = draft.name, draft.task
    st.session_state[_ARGS], st.session_state[_RULE] = draft.args, draft.rule
    st.session_state[_CRON], st.session_state[_EVERY] = draft.cron, draft.every_seconds
    st.session_state[_ZONE], st.session_state[_WRONG] = draft.timezone, {}


def _draft(name: str | None = None, task: str | None = None) -> Draft:
    state = st.session_state
    return Draft(
        name=name if name is not None else state[_NAME] or "",
        task=task or state.get(_TASK),
        args=state[_ARGS] or "",
        rule=state[_RULE],
        cron=state.get(_CRON) or "",
        every_seconds=state.get(_EVERY),
        timezone=state[_ZONE],
    )


def _send(draft: Draft, send: Callable[[], Reply], done: str) -> bool:
    """Send what is right; return false, with what is wrong at its fields, when there is something to mend."""
    wrong = draft.wrong()
    if not wrong:
        reply = send()
        wrong = refused(reply.refusals) if reply.problem is None else {"": str(reply.problem)}
    st.session_state[_WRONG] = wrong
    if not wrong:
        parts.remember(done)
    return not wrong


def _draw_rest() -> None:
    st.segmented_control("When", (CRON, EVERY), key=_RULE, required=True)
    if st.session_state[_RULE] == CRON:
        st.text_input(
            "Minute, hour, day of the month, month, day of the week",
            key=_CRON,
            autocomplete="off",
            placeholder="0 7 * * 1-5",
            help="`0 7 * * 1-5` is at 07:00 from Monday to Friday, `*/15 * * * *` every quarter of an hour",
        )
    else:
        st.number_input(
            "Every so many seconds",
            value=None,
            min_value=1.0,
            step=1.0,
            format="%g",
            key=_EVERY,
            help="Counted from 1970 in UTC: 3600 is on the hour",
        )
    # Beside another rule than the one that is shown, a refusal still has to be seen.
    _draw_wrong("cron")
    _draw_wrong("everySeconds")
    zones = _zones()
    now = st.session_state[_ZONE]
    st.selectbox("Time zone", zones if now in zones else (now, *zones), key=_ZONE, help="Cron rules go by it")
    _draw_wrong("timezone")
    st.text_area("Arguments, as a JSON object", key=_ARGS, height=120)
    _draw_wrong("args")


def _draw_wrong(field: str) -> None:
    wrong: Wrong = st.session_state.get(_WRONG, {})
    if field in wrong:
        st.error(wording.plain(wrong[field]), icon=":material/error:")


@cache
def _zones() -> tuple[str, ...]:
    return tuple(sorted(available_timezones()))
