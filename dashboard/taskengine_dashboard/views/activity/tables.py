"""The tables of the page of activity. Pure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from taskengine_dashboard import tables, wording
from taskengine_dashboard.tables import Table
from taskengine_dashboard.views.activity.entries import Entry

if TYPE_CHECKING:
    from taskengine_dashboard.views.activity.questions import Happened


def events(newest_first: "Sequence[Happened]") -> Table:
    """Return events, one row each."""
    return tables.table(
        newest_first,
        {
            "at": (tables.TIME, lambda event: event.at),
            "state": (tables.CHIPS, lambda event: [event.state] if event.state else []),
            "job": (tables.TEXT, lambda event: wording.short_id(event.job_id) if event.job_id else None),
            "task": (tables.TEXT, lambda event: event.task),
            "queue": (tables.TEXT, lambda event: event.queue),
            "text": (tables.TEXT, lambda event: event.text),
        },
    )


def audit(entries: Sequence[Entry]) -> Table:
    """Return what operators did, one row each."""
    return tables.table(
        entries,
        {
            "at": (tables.TIME, lambda entry: entry.at),
            "who": (tables.TEXT, lambda entry: entry.who),
            "what": (tables.TEXT, lambda entry: entry.what),
            "subject": (tables.TEXT, lambda entry: None if entry.job_id else entry.subject),
            "job": (tables.TEXT, lambda entry: wording.short_id(entry.job_id) if entry.job_id else None),
            "more": (tables.TEXT, lambda entry: entry.more),
        },
    )
