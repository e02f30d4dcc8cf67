"""Jobs: every job, live. Find by state, task and queue; open one; retry or cancel some."""

from typing import Any

import streamlit as st

from taskengine_dashboard import navigation, parts, wording
from taskengine_dashboard.jobs_query import PAGE_SIZE, PARAMS, JobsQuery
from taskengine_dashboard.model.counts import Counts
from taskengine_dashboard.model.jobs import JobRow
from taskengine_dashboard.states import STATE_NAMES, state_of
from taskengine_dashboard.views.jobs import confirm, questions, selection
from taskengine_dashboard.views.jobs.questions import JobsPage

_ALL = "ALL"
_STATE, _TASKS, _QUEUES, _FIND, _GRID, _LINK = (
    "jobs-state",
    "jobs-tasks",
    "jobs-queues",
    "jobs-find",
    "jobs",
    "job-link",
)

_COLUMNS = {
    None: ("job", "state", "task", "queue", "progress", "attempts", "priority", "created", "waited", "ran"),
    "SCHEDULED": ("job", "task", "queue", "attempts", "priority", "created", "due"),
    "QUEUED": ("job", "task", "queue", "attempts", "priority", "created"),
    "RUNNING": ("job", "task", "queue", "progress", "attempts", "priority", "created", "waited", "ran"),
    "RETRYING": ("job", "task", "queue", "error", "attempts", "due"),
    "COMPLETED": ("job", "task", "queue", "attempts", "priority", "created", "finished", "waited", "ran"),
    "FAILED": ("job", "task", "queue", "error", "attempts", "finished"),
    "CANCELLED": ("job", "task", "queue", "attempts", "priority", "created", "finished"),
}
"""Which columns a list shows, by the state that it is narrowed to: none that is empty or the same for all."""


def render() -> None:
    """Draw the page."""
    parts.live(_body)


def _body() -> None:
    query = _query()
    reading = parts.header("Jobs", lambda: questions.jobs(query))
    page = reading.value
    _state_tabs(query, page)
    _filters(query, page)
    if page is None:
        parts.wait_for_first_answer(reading)
        return
    chosen = selection.of(page.jobs)
    _bar(query, page, chosen, disabled=reading.problem is not None)
    if page.jobs:
        _table(query, page)
    else:
        _nothing(query)


def _query() -> JobsQuery:
    params = {name: st.query_params.get_all(name) for name in PARAMS}
    return JobsQuery.from_params(params)


def _go(query: JobsQuery) -> None:
    """Show another choice. The address is where it is kept, so that it can be sent and gone back to."""
    wanted = query.to_params()
    for name in PARAMS:
        if name in wanted:
            st.query_params[name] = wanted[name]
        elif name in st.query_params:
            del st.query_params[name]


def _state_tabs(query: JobsQuery, page: JobsPage | None) -> None:
    counts = page.counts_within(tasks=query.tasks, queues=query.queues) if page and query.is_counted else None

    def label(name: str) -> str:
        text = "All" if name == _ALL else state_of(name).label
        number = _count_of(name, counts, query, page)
        return text if number is None else f"{text} :gray[{wording.count(number)}]"

    def choose() -> None:
        state = st.session_state[_STATE]
        _go(_query().narrowed(state=None if state == _ALL else state))

    st.session_state[_STATE] = query.state or _ALL
    st.segmented_control(
        "State",
        (_ALL, *STATE_NAMES),
        key=_STATE,
        required=True,
        format_func=label,
        on_change=choose,
        label_visibility="collapsed",
        wrap=False,
    )


def _count_of(name: str, counts: Counts | None, query: JobsQuery, page: JobsPage | None) -> int | None:
    """Return how many jobs a tab holds, or ``None`` when no counter knows."""
    if counts is not None:
        return counts.total if name == _ALL else counts.of(name)
    return page.total if page and name == (query.state or _ALL) else None


def _filters(query: JobsQuery, page: JobsPage | None) -> None:
    def choose() -> None:
        _go(_query().narrowed(tasks=tuple(st.session_state[_TASKS]), queues=tuple(st.session_state[_QUEUES])))

    st.session_state[_TASKS], st.session_state[_QUEUES] = list(query.tasks), list(query.queues)
    with st.grid(3, min_column_width=200, gap="small", key="jobs-filters"):
        st.multiselect(
            "Task",
            _options(page.by_task if page else (), query.tasks),
            key=_TASKS,
            on_change=choose,
            placeholder="All tasks",
            label_visibility="collapsed",
        )
        st.multiselect(
            "Queue",
            _options(page.by_queue if page else (), query.queues),
            key=_QUEUES,
            on_change=choose,
            placeholder="All queues",
            label_visibility="collapsed",
        )
        st.text_input(
            "Find a job by its id",
            key=_FIND,
            type="search",
            placeholder="Open a job by its id",
            on_change=_find,
            label_visibility="collapsed",
        )


def _options(known: Any, chosen: tuple[str, ...]) -> list[str]:
    """Return what can be chosen: what there is, and what is chosen though it is not (or not yet) there."""
    return sorted({*known, *chosen})


def _find() -> None:
    job_id = str(st.session_state[_FIND] or "").strip()
    st.session_state[_FIND] = ""
    if job_id:
        navigation.open_job(job_id)


def _bar(query: JobsQuery, page: JobsPage, chosen: tuple[JobRow, ...], *, disabled: bool) -> None:
    with st.container(
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
        key="jobs-bar",
    ):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            if chosen:
                confirm.buttons(chosen, disabled=disabled)
            elif page.jobs:
                st.caption(_place(query, page), width="content")
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width="content"):
            _paging(query, page)


def _place(query: JobsQuery, page: JobsPage) -> str:
    total = "" if page.total is None else f" of {wording.count(page.total)}"
    where = "Newest first" if query.is_first_page else "Older jobs; new ones appear on the first page"
    return f"{wording.count(len(page.jobs))}{total} · {where} · select rows to retry or cancel them"


def _paging(query: JobsQuery, page: JobsPage) -> None:
    # A page that was reached backwards and has nothing before it is the top of the list: live again.
    newer = query.newer_than(page.start_cursor) if page.has_newer and page.jobs else query.newest()
    st.button(
        "Newest",
        icon=":material/first_page:",
        key="page-newest",
        on_click=_go,
        args=(query.newest(),),
        disabled=query.is_first_page,
    )
    st.button(
        "Newer",
        icon=":material/chevron_left:",
        key="page-newer",
        on_click=_go,
        args=(newer,),
        disabled=query.is_first_page,
    )
    st.button(
        "Older",
        icon=":material/chevron_right:",
        icon_position="right",
        key="page-older",
        on_click=_go,
        args=(query.older_than(page.end_cursor),),
        disabled=not page.has_older,
    )


def _table(query: JobsQuery, page: JobsPage) -> None:
    jobs = page.jobs

    def open_job() -> None:
        navigation.open_shown_job(st.session_state[_LINK].label, jobs)

    selection.write_back(_GRID, jobs)
    parts.table(
        page.table,
        key=_GRID,
        alt=f"Up to {PAGE_SIZE} jobs with their state, task and times",
        columns=_column_config(open_job),
        order=_COLUMNS.get(query.state, _COLUMNS[None]),
        on_select=lambda: selection.take(_GRID, jobs),
    )


def _column_config(open_job: Any) -> dict[str, Any]:
    column = st.column_config
    return {
        "job": column.ButtonColumn(
            "Job", type="tertiary", alignment="left", key=_LINK, on_click=open_job, width=105, help="Open the job"
        ),
        "state": parts.state_column(),
        "task": column.TextColumn("Task", width=170),
        "queue": column.TextColumn("Queue", width=100),
        "progress": column.ProgressColumn("Progress", format="percent", min_value=0, max_value=1, width=130),
        "error": column.TextColumn("Error", width="large"),
        "attempts": column.TextColumn("Attempts", width=80, help="Attempts so far, of those it may have"),
        "priority": column.NumberColumn("Priority", format="%d", width=75, help="10 runs first"),
        "created": parts.time_column("Created"),
        "due": parts.time_column("Due", help="When it may start"),
        "finished": parts.time_column("Finished"),
        "waited": column.TextColumn("Waited", width=85, help="From ready to start, for the newest attempt"),
        "ran": column.TextColumn("Ran", width=85, help="How long the newest attempt has run"),
    }


def _nothing(query: JobsQuery) -> None:
    if query.is_filtered or not query.is_first_page:
        parts.nothing_here(
            "No job matches",
            "None is in this state, of this task or in this queue right now.",
            key="jobs-nothing",
            draw_step=lambda: st.button("Show all jobs", on_click=_go, args=(JobsQuery(),), key="jobs-show-all"),
        )
        return
    parts.nothing_here(
        "No jobs yet",
        "Enqueue one, and watch it run here.",
        key="jobs-nothing",
        draw_step=lambda: navigation.draw_link(
            navigation.link_to(navigation.ENQUEUE), "Enqueue a job", icon=":material/add_circle:"
        ),
    )
