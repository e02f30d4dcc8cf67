"""What a schedule's menu does, from a callback."""

import streamlit as st

from taskengine_dashboard import navigation, parts, wording
from taskengine_dashboard.changes import schedules as changes
from taskengine_dashboard.jobs_query import JobsQuery
from taskengine_dashboard.views.schedules import choices, form
from taskengine_dashboard.views.schedules.schedule import Schedule


def act(schedule: Schedule, choice: str) -> None:
    """Do, or ask about, what was chosen for this schedule."""
    name = wording.plain(schedule.name)
    if choice == choices.RUN:
        parts.tell(changes.run(schedule.id), f"Enqueued a job of schedule {name}.")
        st.rerun()
    elif choice == choices.DISABLE:
        parts.tell(changes.switch(schedule.id, enabled=False), f"Schedule {name} is off: it enqueues nothing.")
        st.rerun()
    elif choice == choices.ENABLE:
        parts.tell(changes.switch(schedule.id, enabled=True), f"Schedule {name} is on.")
        st.rerun()
    elif choice == choices.EDIT:
        form.ask_to_edit(schedule)
    elif choice == choices.DELETE:
        _ask_to_delete(schedule)
    elif choice == choices.JOBS:
        navigation.follow(navigation.link_to_jobs(JobsQuery(schedule=schedule.id)))


def _ask_to_delete(schedule: Schedule) -> None:
    name = wording.plain(schedule.name)
    parts.ask(
        parts.Question(
            title=f"Delete {schedule.name}?",
            text=f"It enqueues {wording.plain(schedule.task)} no more, and cannot be brought back. "
            "Its jobs stay, those that wait too.",
            yes="Delete this schedule",
            carry_out=lambda: parts.tell(changes.delete(schedule.id), f"Deleted schedule {name}."),
        )
    )
