"""The pages and their addresses, in the order of the menu."""

from typing import TYPE_CHECKING

import streamlit as st

if TYPE_CHECKING:
    from streamlit.navigation.page import Page

OVERVIEW, JOBS, ENQUEUE = "overview", "jobs", "enqueue"
NAMES = (OVERVIEW, JOBS, ENQUEUE)


def page(name: str, *, default: str = OVERVIEW) -> "Page":
    """Return the page of that name, for the menu or for a link to it."""
    from taskengine_dashboard.views import enqueue, jobs, overview  # views link to each other through here

    is_default = name == default
    if name == OVERVIEW:
        return st.Page(
            overview.render,
            title="Overview",
            icon=":material/space_dashboard:",
            url_path=name,
            default=is_default,
            help="How many jobs are in each state, how deep the queues are, which workers run, and what failed last.",
        )
    if name == JOBS:
        return st.Page(
            jobs.render,
            title="Jobs",
            icon=":material/list_alt:",
            url_path=name,
            default=is_default,
            help="Every job, live: filter by state, task and queue, open one, retry or cancel some.",
        )
    return st.Page(
        enqueue.render,
        title="Enqueue",
        icon=":material/add_circle:",
        url_path=name,
        default=is_default,
        help="Run any task: a form built from its arguments.",
    )
