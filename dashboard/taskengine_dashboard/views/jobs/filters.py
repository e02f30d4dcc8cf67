"""What narrows the list of jobs: fields, a popover with more of them, and what is chosen as chips.

The address is where a choice is kept. A field is written to only when the address has come to say something else:
what someone is typing must outlive a refresh.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from taskengine_dashboard import navigation, parts, wording
from taskengine_dashboard.jobs_query import PARAMS, JobsQuery, object_or_nothing, sorts_for
from taskengine_dashboard.ranges import IntRange, TimeRange
from taskengine_dashboard.views.jobs import choice, questions
from taskengine_dashboard.views.jobs.choice import Chip
from taskengine_dashboard.views.jobs.questions import JobsPage, Offers

_TEXT, _TASKS, _QUEUES, _SORT, _MORE = "jobs-text", "jobs-tasks", "jobs-queues", "jobs-sort", "jobs-more"
_TAGS, _ARGS, _GROUP, _SCHEDULE = "jobs-tags", "jobs-args", "jobs-group", "jobs-schedule"
_LOW, _HIGH = "jobs-priority-low", "jobs-priority-high"
_TIMES = {"created": "Created", "finished": "Finished"}
_SHOWN, _ARGS_WRONG = "jobs-shown", "jobs-args-wrong"
_ANY, _BETWEEN = "", ".."
_SPANS = ("15m", "1h", "24h", "7d", "30d")
_LOWEST, _HIGHEST = 1, 10


def current() -> JobsQuery:
    """Return the choice that the address makes."""
    return JobsQuery.from_params({name: st.query_params.get_all(name) for name in PARAMS})


def go(query: JobsQuery) -> None:
    """Show another choice. The address is where it is kept, so that it can be sent and gone back to."""
    wanted = query.to_params()
    for name in PARAMS:
        if name in wanted:
            st.query_params[name] = wanted[name]
        elif name in st.query_params:
            del st.query_params[name]


def draw(query: JobsQuery, page: JobsPage | None) -> Mapping[str, str]:
    """Draw all of it; return the names of the schedule and the group that are chosen, by their ids."""
    is_told = _write_back(query)
    with st.grid(4, min_column_width=170, gap="small", key="jobs-filters"):
        st.text_input(
            "Search arguments, errors and tags, or open a job by its id",
            "" if is_told else query.text,
            key=_TEXT,
            type="search",
            placeholder="Search, or open an id",
            on_change=_search,
            label_visibility="collapsed",
        )
        _many("Task", _TASKS, page.by_task if page else (), query.tasks, "tasks", is_told=is_told)
        _many("Queue", _QUEUES, page.by_queue if page else (), query.queues, "queues", is_told=is_told)
        with st.container(horizontal=True, gap="small", vertical_alignment="center", wrap=False):
            _sort(query, is_told=is_told)
            popover = st.popover("Filters", icon=":material/tune:", key=_MORE, on_change="rerun", help="More filters")
    offers = Offers()
    if popover.open or query.group or query.schedule:
        offers = questions.offers().value or offers
    if popover.open:
        with popover:
            _more(query, offers)
    _chips(query, offers.names)
    return offers.names


def _write_back(query: JobsQuery) -> bool:
    """Have the fields say what the address has come to say; return whether they had to be told.

    When they need not be, they are drawn as ones that begin with it. A busy browser skips drawings, and what is told in
    one alone may be lost with it: the field would stay empty, and the next thing done on the page would undo it.
    """
    filters = query.first_page()
    before = st.session_state.get(_SHOWN)
    st.session_state[_SHOWN] = filters
    if not any(key in st.session_state for key in (_TEXT, _TASKS, _QUEUES, _SORT)):
        _write_back_more(query)
        return False
    if before == filters and _TEXT in st.session_state:
        return False
    st.session_state[_TEXT] = query.text
    st.session_state[_TASKS], st.session_state[_QUEUES] = list(query.tasks), list(query.queues)
    st.session_state[_SORT] = query.sort
    _write_back_more(query)
    return True


def _write_back_more(query: JobsQuery) -> None:
    state: Any = st.session_state
    state[_TAGS], state[_ARGS] = list(query.tags), query.args
    state[_GROUP], state[_SCHEDULE] = query.group, query.schedule
    priority = query.priority or IntRange()
    state[_LOW], state[_HIGH] = priority.low, priority.high
    for name, chosen in (("created", query.created), ("finished", query.finished)):
        state[_time_key(name)] = _ANY if chosen is None else chosen.span or _BETWEEN
        state[_time_key(name, "from")] = _local(chosen.start) if chosen else None
        state[_time_key(name, "to")] = _local(chosen.end) if chosen else None


def _search() -> None:
    text = str(st.session_state[_TEXT] or "").strip()
    if text.startswith("job_"):
        st.session_state[_TEXT] = current().text
        navigation.open_job(text)
    go(current().narrowed(text=text))


def _many(label: str, key: str, known: Iterable[str], chosen: tuple[str, ...], field: str, *, is_told: bool) -> None:
    st.multiselect(
        label,
        sorted({*known, *chosen}),  # what is chosen, too, though it is not (or not yet) there
        None if is_told else list(chosen),
        key=key,
        on_change=lambda: go(current().narrowed(**{field: tuple(st.session_state[key])})),
        placeholder=f"All {label.lower()}s",
        label_visibility="collapsed",
    )


def _sort(query: JobsQuery, *, is_told: bool) -> None:
    sorts = sorts_for(query.state)
    st.selectbox(
        "Order",
        sorts,
        0 if is_told else list(sorts).index(query.sort),
        key=_SORT,
        format_func=lambda sort: sort.label,
        on_change=lambda: go(current().narrowed(sort=st.session_state[_SORT])),
        label_visibility="collapsed",
    )


def _more(query: JobsQuery, offers: Offers) -> None:
    if _TAGS not in st.session_state:  # the fields are gone while the popover is closed
        _write_back_more(query)
    st.multiselect(
        "Tags",
        list(query.tags),
        key=_TAGS,
        accept_new_options=True,
        placeholder="Type one and press Enter",
        on_change=lambda: go(current().narrowed(tags=tuple(st.session_state[_TAGS]))),
    )
    with st.container(horizontal=True, gap="small"):
        for label, key in (("Priority from", _LOW), ("to", _HIGH)):
            st.number_input(
                label,
                value=None,
                min_value=_LOWEST,
                max_value=_HIGHEST,
                step=1,
                key=key,
                placeholder="Any",
                on_change=_choose_priority,
            )
    for name, label in _TIMES.items():
        _time(name, label)
    _one("Failure", _GROUP, offers.groups, "group", "Any failure")
    _one("Schedule", _SCHEDULE, offers.schedules, "schedule", "Any schedule")
    st.text_input(
        "Arguments contain",
        key=_ARGS,
        placeholder='{"customer": 42}',
        help="A JSON object; those match that have all of it, and may have more",
        on_change=_choose_args,
        autocomplete="off",
    )
    if st.session_state.get(_ARGS_WRONG):
        st.caption(':red[Expected a JSON object, such as {"customer": 42}.]')


def _one(label: str, key: str, known: Mapping[str, str], field: str, placeholder: str) -> None:
    chosen: str | None = st.session_state.get(key)
    st.selectbox(
        label,
        list(dict.fromkeys([*known, *([chosen] if chosen else [])])),
        index=None,
        key=key,
        format_func=lambda one: known.get(one, one),
        placeholder=placeholder,
        on_change=lambda: go(current().narrowed(**{field: st.session_state[key]})),
    )


def _time(name: str, label: str) -> None:
    key = _time_key(name)
    chosen: str = st.session_state.get(key, _ANY)
    spans = dict.fromkeys([_ANY, *_SPANS, _BETWEEN, chosen])
    st.selectbox(
        label,
        list(spans),
        key=key,
        format_func=lambda span: (
            "At any time" if span == _ANY else "Between…" if span == _BETWEEN else f"In the last {choice.span(span)}"
        ),
        on_change=_choose_time,
        args=(name,),
    )
    if chosen == _BETWEEN:
        with st.container(horizontal=True, gap="small"):
            for end in ("from", "to"):
                st.datetime_input(
                    f"{label} {end}",
                    value=None,
                    key=_time_key(name, end),
                    format="YYYY-MM-DD",
                    on_change=_choose_time,
                    args=(name,),
                )


def _time_key(name: str, end: str = "") -> str:
    return f"jobs-{name}{'-' + end if end else ''}"


def _choose_time(name: str) -> None:
    span: str = st.session_state[_time_key(name)]
    if span == _BETWEEN:
        start, end = (_instant(st.session_state.get(_time_key(name, bound))) for bound in ("from", "to"))
        chosen = TimeRange(start, end) if start or end else None
        if chosen is None:
            return  # until a bound is given, nothing is chosen
    else:
        chosen = TimeRange.last(span) if span else None
    go(current().narrowed(**{name: chosen}))


def _instant(local: datetime | None) -> datetime | None:
    return None if local is None else local.replace(tzinfo=parts.viewer_zone()).astimezone(UTC)


def _local(instant: datetime | None) -> datetime | None:
    return None if instant is None else instant.astimezone(parts.viewer_zone()).replace(tzinfo=None)


def _choose_priority() -> None:
    low, high = st.session_state[_LOW], st.session_state[_HIGH]
    if low and high and low > high:
        low, high = high, low
    go(current().narrowed(priority=IntRange(low, high) if low or high else None))


def _choose_args() -> None:
    text = str(st.session_state[_ARGS] or "").strip()
    args = object_or_nothing(text)
    st.session_state[_ARGS_WRONG] = bool(text and not args)
    if args or not text:
        go(current().narrowed(args=args))


def _chips(query: JobsQuery, names: Mapping[str, str]) -> None:
    chosen = choice.chips(query, parts.viewer_zone(), names)
    if not chosen:
        return
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center", key="jobs-chips"):
        for number, chip in enumerate(chosen):
            st.button(
                wording.plain(chip.label),
                icon=":material/close:",
                icon_position="right",
                key=f"jobs-chip-{number}",
                on_click=_take_away,
                args=(chip,),
                help="Take this filter away",
            )
        st.button("Clear all", key="jobs-clear", type="tertiary", on_click=_clear)


def _take_away(chip: Chip) -> None:
    go(current().narrowed(**chip.without))


def _clear() -> None:
    query = current()
    go(JobsQuery(state=query.state, tasks=query.tasks, queues=query.queues))
