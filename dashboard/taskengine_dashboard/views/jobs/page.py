"""Jobs: every job, live. Find some by any filter, in any order; open one; retry, cancel or delete some or all."""

from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from taskengine_dashboard import navigation, parts, wording
from taskengine_dashboard.jobs_query import PAGE_SIZE, JobsQuery
from taskengine_dashboard.model.counts import Counts
from taskengine_dashboard.model.frame import Role
from taskengine_dashboard.states import STATE_NAMES, state_of
from taskengine_dashboard.views.jobs import choice, confirm, export, filters, questions, selection
from taskengine_dashboard.views.jobs.questions import JobsPage

_ALL = "ALL"
_STATE, _GRID, _LINK, _EVERY = "jobs-state", "jobs", "job-link", "jobs-every"
_RETRY, _CANCEL, _DELETE = "Retry", "Cancel", "Delete"

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
    query = filters.current()
    reading = parts.header("Jobs", lambda: questions.jobs(query))
    page = reading.value
    away = reading.problem is not None
    _state_tabs(query, page)
    names = filters.draw(query, page)
    if page is None:
        parts.wait_for_first_answer(reading)
        return
    parts.bulk_progress(page.bulks, may_stop=page.frame.may(Role.OPERATOR), away=away)
    _bar(query, page, names, away=away)
    if page.jobs:
        _table(query, page)
    else:
        _nothing(query, page)


def _state_tabs(query: JobsQuery, page: JobsPage | None) -> None:
    counts = page.counts_within(tasks=query.tasks, queues=query.queues) if page and query.is_counted else None

    def label(name: str) -> str:
        text = "All" if name == _ALL else state_of(name).label
        number = _count_of(name, counts, query, page)
        return text if number is None else f"{text} :gray[{wording.count(number)}]"

    def choose() -> None:
        state = st.session_state[_STATE]
        filters.go(filters.current().narrowed(state=None if state == _ALL else state))

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


def _bar(query: JobsQuery, page: JobsPage, names: Mapping[str, str], *, away: bool) -> None:
    may_change = page.frame.may(Role.OPERATOR)
    chosen = selection.of(page.jobs) if may_change else ()
    with st.container(
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
        key="jobs-bar",
    ):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            if chosen:
                confirm.buttons(chosen, disabled=away)
            else:
                if may_change and page.jobs:
                    _every(query, page, names, away=away)
                st.caption(_place(query, page), width="content")
        with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", width="content"):
            if page.jobs:
                _downloads(page)
            if page.jobs or not query.is_first_page or page.has_next:
                _paging(query, page)


def _every(query: JobsQuery, page: JobsPage, names: Mapping[str, str], *, away: bool) -> None:
    """Offer to change all that match, as of what is shown."""

    def act() -> None:
        parts.ask_about_all(
            st.session_state[_EVERY].rstrip("…"),
            query.as_of(page.frame.now),
            which=choice.sentence(query, parts.viewer_zone(), names),
            exact=page.total is not None and not query.priority,
        )

    verbs = [verb for verb, fits in _APPLIES.items() if query.state is None or fits(query.state)]
    if not page.frame.may(Role.ADMIN):
        verbs = [verb for verb in verbs if verb != _DELETE]
    if verbs:
        st.menu_button(
            "All that match" if query.is_filtered else "All jobs",
            [f"{verb}…" for verb in verbs],
            key=_EVERY,
            icon=":material/done_all:",
            on_click=act,
            disabled=away,
            help="Change all of these jobs, on every page of the list",
        )


_APPLIES: dict[str, Callable[[str], bool]] = {
    _RETRY: lambda state: state_of(state).can_retry,
    _CANCEL: lambda state: state_of(state).can_cancel and state != "RUNNING",
    _DELETE: lambda state: state != "RUNNING",
}
"""In which states a job can be changed so, when all that match are."""


def _place(query: JobsQuery, page: JobsPage) -> str:
    if page.scanned is not None:
        found = f"{wording.count(len(page.jobs))} found" if page.jobs else "None found"
        return f"{found} among {wording.count(page.scanned)} jobs looked at · more may lie behind: go on"
    if not page.jobs:
        return ""
    total = "" if page.total is None else f" of {wording.count(page.total)}"
    return f"{wording.count(len(page.jobs))}{total} · {query.sort.label}"


def _downloads(page: JobsPage) -> None:
    for kind, make, mime in (("CSV", export.as_csv, "text/csv"), ("JSON", export.as_json, "application/json")):
        st.download_button(
            kind,
            lambda make=make: make(page.jobs),  # made when asked for, and not while the page refreshes
            file_name=f"jobs.{kind.lower()}",
            mime=mime,
            key=f"jobs-{kind.lower()}",
            icon=":material/download:",
            type="tertiary",
            on_click="ignore",
            help=f"These {len(page.jobs)} jobs as {kind}",
        )


def _paging(query: JobsQuery, page: JobsPage) -> None:
    # A page that was reached backwards and has nothing before it is the top of the list: live again.
    previous = query.page_before(page.start_cursor) if page.has_previous and page.jobs else query.first_page()
    st.button(
        "First",
        icon=":material/first_page:",
        key="page-first",
        on_click=filters.go,
        args=(query.first_page(),),
        disabled=query.is_first_page,
    )
    st.button(
        "Previous",
        icon=":material/chevron_left:",
        key="page-previous",
        on_click=filters.go,
        args=(previous,),
        disabled=query.is_first_page,
    )
    st.button(
        "Go on" if page.scanned is not None and page.has_next else "Next",
        icon=":material/chevron_right:",
        icon_position="right",
        key="page-next",
        on_click=filters.go,
        args=(query.page_after(page.end_cursor),),
        disabled=not page.has_next,
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
        on_select=(lambda: selection.take(_GRID, jobs)) if page.frame.may(Role.OPERATOR) else None,
    )


def _column_config(open_job: Any) -> dict[str, Any]:
    # As wide as a window of 1280 pixels holds beside the menu; a wider one stretches them.
    column = st.column_config
    return {
        "job": column.ButtonColumn(
            "Job", type="tertiary", alignment="left", key=_LINK, on_click=open_job, width=96, help="Open the job"
        ),
        "state": parts.state_column(width=98),
        "task": column.TextColumn("Task", width=138),
        "queue": column.TextColumn("Queue", width=84),
        "progress": column.ProgressColumn("Progress", format="percent", min_value=0, max_value=1, width=100),
        "error": column.TextColumn("Error", width=390),
        "attempts": column.TextColumn("Attempts", width=70, help="Attempts so far, of those it may have"),
        "priority": column.NumberColumn("Priority", format="%d", width=62, help="10 runs first"),
        "created": parts.time_column("Created", width=122),
        "due": parts.time_column("Due", width=122, help="When it may start"),
        "finished": parts.time_column("Finished", width=122),
        "waited": column.TextColumn("Waited", width=72, help="From ready to start, for the newest attempt"),
        "ran": column.TextColumn("Ran", width=68, help="How long the newest attempt has run"),
    }


def _nothing(query: JobsQuery, page: JobsPage) -> None:
    if page.scanned is not None:
        parts.nothing_here(
            f"No job matches among {wording.count(page.scanned)} that were looked at",
            "Text and arguments are looked for in a bounded number of jobs a page. **Go on** looks at the next ones; "
            "a task, a queue or a time narrows what has to be looked at.",
            key="jobs-nothing",
        )
    elif query.is_filtered or not query.is_first_page:
        parts.nothing_here(
            "No job matches",
            "None is in this state and fits these filters right now.",
            key="jobs-nothing",
            draw_step=lambda: st.button("Show all jobs", on_click=filters.go, args=(JobsQuery(),), key="jobs-show-all"),
        )
    else:
        parts.nothing_here(
            "No jobs yet",
            "Enqueue one, and watch it run here.",
            key="jobs-nothing",
            draw_step=parts.offer_to_enqueue if page.frame.may(Role.OPERATOR) else None,
        )
