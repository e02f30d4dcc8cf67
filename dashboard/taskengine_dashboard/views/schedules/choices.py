"""What may be done with a schedule, as its menu names it. Pure."""

from taskengine_dashboard.views.schedules.schedule import Schedule

RUN, ENABLE, DISABLE, EDIT, DELETE, JOBS = "Run now", "Enable", "Disable", "Edit…", "Delete…", "Its jobs"


def choices(schedule: Schedule, *, may_change: bool) -> list[str]:
    """Return what is offered: what code declares is changed there, and anyone may look at the jobs."""
    if not may_change:
        return [JOBS]
    own = [] if schedule.declared else [EDIT, DELETE]
    return [RUN, DISABLE if schedule.enabled else ENABLE, *own, JOBS]
