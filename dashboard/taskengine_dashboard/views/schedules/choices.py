"""What may be done with a schedule, as its menu names it. Pure."""

from collections.abc import Iterable

from taskengine_dashboard.views.schedules.schedule import Schedule

RUN, ENABLE, DISABLE, EDIT, DELETE, JOBS = "Run now", "Enable", "Disable", "Edit…", "Delete…", "Its jobs"


def choices(schedule: Schedule, *, may_change: bool) -> list[str]:
    """Return what is offered: what code declares is changed there, and anyone may look at the jobs."""
    if not may_change:
        return [JOBS]
    own = [] if schedule.declared else [EDIT, DELETE]
    return [RUN, DISABLE if schedule.enabled else ENABLE, *own, JOBS]


def item(schedule: Schedule, choice: str) -> str:
    """Return a choice as the menu says it: with the name, since the row may be another schedule's when it is heard."""
    return f"{choice} · {schedule.name}"


def chosen(said: str, schedules: Iterable[Schedule]) -> tuple[Schedule, str] | None:
    """Return which schedule and choice an item of a menu is; ``None`` when there is no such schedule any more."""
    choice, _, name = said.partition(" · ")
    return next(((schedule, choice) for schedule in schedules if schedule.name == name), None)
