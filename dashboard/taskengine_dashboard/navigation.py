"""The pages and their addresses, in the order of the menu, and the links that lead to them.

A page is a package of ``views`` that has a module ``page`` with ``render()``. One that is not there is not shown.
"""

import importlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from taskengine_dashboard import wording
from taskengine_dashboard.jobs_query import JobsQuery
from taskengine_dashboard.model.jobs import JobRow

if TYPE_CHECKING:
    from streamlit.navigation.page import Page

OVERVIEW, JOBS, JOB, FAILURES, QUEUES, WORKERS = "overview", "jobs", "job", "failures", "queues", "workers"
TASKS, SCHEDULES, ENQUEUE, ACTIVITY, SETTINGS = "tasks", "schedules", "enqueue", "activity", "settings"
_VIEWS = Path(__file__).parent / "views"
DRAWER = "job"
"""The name in any page's address that opens a job over it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A page in the menu. ``name`` is its address and its package in ``views``."""

    name: str
    title: str
    icon: str
    help: str
    key: str = ""
    """Pressed after ``g``, it leads there."""
    is_in_menu: bool = True


_ALL = (
    Place(
        name=OVERVIEW,
        title="Overview",
        icon=":material/space_dashboard:",
        help="How the system stands: throughput, failures, waits, queues and workers.",
        key="o",
    ),
    Place(
        name=JOBS,
        title="Jobs",
        icon=":material/list_alt:",
        help="Every job, live: filter, open one, retry, cancel or delete some or all that match.",
        key="j",
    ),
    Place(name=JOB, title="Job", icon=":material/description:", help="One job in full.", is_in_menu=False),
    Place(
        name=FAILURES,
        title="Failures",
        icon=":material/error:",
        help="What fails, grouped by cause: how often, since when; retry or delete a whole group.",
        key="f",
    ),
    Place(
        name=QUEUES,
        title="Queues",
        icon=":material/stacks:",
        help="How deep each queue is and how fast it moves; pause, resume, limit.",
        key="q",
    ),
    Place(
        name=WORKERS,
        title="Workers",
        icon=":material/memory:",
        help="What each worker runs and for how long, its load and last sign of life; drain.",
        key="w",
    ),
    Place(
        name=TASKS,
        title="Tasks",
        icon=":material/function:",
        help="What can be run: how often it runs, how long it takes; pause, limit.",
        key="t",
    ),
    Place(
        name=SCHEDULES,
        title="Schedules",
        icon=":material/event_repeat:",
        help="What runs by the clock: when next, and how it went last.",
        key="s",
    ),
    Place(
        name=ENQUEUE,
        title="Enqueue",
        icon=":material/add_circle:",
        help="Run any task: a form built from its arguments.",
        key="e",
    ),
    Place(
        name=ACTIVITY,
        title="Activity",
        icon=":material/timeline:",
        help="What happens right now, and who did what.",
        key="a",
    ),
    Place(
        name=SETTINGS,
        title="Settings",
        icon=":material/settings:",
        help="Who you are here, what answers, and how pages look.",
        key="c",
    ),
)


def _is_there(place: Place) -> bool:
    return (_VIEWS / place.name / "page.py").is_file()


PLACES = tuple(filter(_is_there, _ALL))
NAMES = tuple(place.name for place in PLACES)


def has(name: str) -> bool:
    """Whether there is such a page."""
    return name in NAMES


@dataclass(frozen=True, slots=True)
class Link:
    """A page with a choice in its address."""

    page: "Page"
    params: Mapping[str, str | Iterable[str]]


def page(name: str, *, default: str = OVERVIEW) -> "Page":
    """Return the page of that name, for the menu or for a link to it."""
    place = next(place for place in _ALL if place.name == name)
    return st.Page(
        _render(name),
        title=place.title,
        icon=place.icon,
        url_path=name,
        default=name == default,
        help=place.help,
        visibility="visible" if place.is_in_menu else "hidden",
    )


def link_to(name: str, **params: str | Iterable[str]) -> Link:
    """Return a link to a page, with what stands in its address."""
    return Link(page(name), {param: value for param, value in params.items() if value})


def link_to_jobs(query: JobsQuery) -> Link:
    """Return a link to the list of exactly the jobs that match."""
    return Link(page(JOBS), query.to_params())


def draw_link(link: Link, label: str, *, icon: str = ":material/arrow_forward:", help: str | None = None) -> None:
    """Draw a link, its icon after its label."""
    st.page_link(link.page, label=label, icon=icon, icon_position="right", help=help, query_params=link.params)


def follow(link: Link) -> None:
    """Go where a link leads, from a callback."""
    st.switch_page(link.page, query_params=link.params)


def open_job(job_id: str) -> None:
    """Open a job over the page that is shown, from a callback."""
    st.query_params[DRAWER] = job_id
    st.rerun()


def open_shown_job(short_id: str, shown: Iterable[JobRow]) -> None:
    """Open the job of a table's row, named by its short id: a row's number may be another job's by now."""
    for job in shown:
        if wording.short_id(job.id) == short_id:
            open_job(job.id)


def _render(name: str) -> Callable[[], None]:
    def render() -> None:
        importlib.import_module(f"taskengine_dashboard.views.{name}.page").render()

    # Streamlit tells pages apart by what they are called.
    render.__name__ = name
    return render
