"""What several pages are made of: the frame's sidebar, a page's header, chips, notices, the live fragment."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Protocol, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from taskengine_dashboard import tables, wording
from taskengine_dashboard.client import RequestFailed, endpoint_of
from taskengine_dashboard.feed import Reading
from taskengine_dashboard.model import System
from taskengine_dashboard.settings import REFRESH_CHOICES
from taskengine_dashboard.source import source
from taskengine_dashboard.states import STATES, State

Answer = TypeVar("Answer", bound="Answered")
LIVE = "live"
_NOTICE, _REFRESH = "notice", "refresh"


@dataclass(frozen=True, slots=True)
class Notice:
    """What an action did, told once after the page was drawn anew."""

    text: str
    icon: str


def live(draw: Callable[[], None]) -> None:
    """Draw a page's body, and draw it again as often as the viewer chose."""
    st.fragment(draw, run_every=refresh_seconds() or None, key=LIVE)()


def refresh_seconds() -> float:
    """Return the viewer's choice; 0 is off."""
    return float(st.session_state.get(_REFRESH, source().settings.refresh_seconds))


def sidebar() -> None:
    """Draw what stands under the menu on every page."""
    with st.sidebar:
        st.space("small")
        st.session_state.setdefault(_REFRESH, source().settings.refresh_seconds)
        st.selectbox(
            "Refresh",
            REFRESH_CHOICES,
            format_func=lambda seconds: f"Every {seconds:g} s" if seconds else "Off",
            key=_REFRESH,
            persist_state="session",
        )
        st.link_button(
            "GraphiQL", graphiql_url(), icon=":material/terminal:", type="tertiary", help="Ask the API yourself"
        )


class Answered(Protocol):
    """What every page's answer tells besides its own figures."""

    @property
    def system(self) -> System: ...
    @property
    def workers_online(self) -> int: ...


def header(title: str, ask: Callable[[], Reading[Answer]]) -> Reading[Answer]:
    """Draw a page's title at once, ask, and draw who answered and when; one banner when nobody did."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="header"):
        st.title(title, anchor=False, width="content")
        health = st.container(horizontal=True, vertical_alignment="center", gap="small", width="content", key="health")
    reading = ask()
    with health:
        _health(reading)
    if reading.problem is not None:
        st.error(
            f"{wording.plain(str(reading.problem))} {_what_is_shown(reading)}",
            title=reading.problem.title,
            icon=":material/cloud_off:",
        )
    return reading


def wait_for_first_answer(reading: Reading[Any]) -> None:
    """Keep the place of a page that has had no answer yet."""
    if reading.problem is None:
        st.skeleton(height=320)


def remember(text: str, *, icon: str = ":material/check_circle:") -> None:
    """Tell this once the page is drawn anew."""
    st.session_state[_NOTICE] = Notice(text, icon)


def show_notice() -> None:
    """Tell what ``remember`` kept."""
    notice: Notice | None = st.session_state.pop(_NOTICE, None)
    if notice is not None:
        st.toast(notice.text, icon=notice.icon)


def table(
    data: Any,
    *,
    key: str,
    alt: str,
    columns: Mapping[str, Any],
    order: Sequence[str] | None = None,
    on_select: Callable[[], None] | None = None,
) -> None:
    """Draw an Arrow table in our one way. ``alt`` is what a screen reader calls it."""
    draw: Any = st.dataframe  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - Arrow has no types
    draw(
        data,
        key=key,
        alt=alt,
        column_config=columns,
        column_order=order,
        on_select=on_select or "ignore",
        selection_mode="multi-row",
        hide_index=True,
        height="content",
        row_height=36,
        placeholder="",
    )


def small_table(columns: Mapping[str, Sequence[str]], *, alt: str, hide_header: bool = False) -> None:
    """Draw a few rows that stand still. Cells are Markdown."""
    draw: Any = st.table  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - Arrow has no types
    draw(tables.texts(columns), border="horizontal", hide_header=hide_header, alt=alt)


def state_column(label: str = "State", *, width: int = 104) -> Any:
    """Return the column of a table that shows a state as a chip."""
    return chips(
        label, {state.name: state.chip for state in STATES}, {state.name: state.label for state in STATES}, width
    )


def chips(label: str, colours: dict[str, str], labels: dict[str, str], width: int) -> Any:
    """Return a column that shows each of some values as a chip of its colour."""
    return st.column_config.MultiselectColumn(
        label, options=list(colours), color=list(colours.values()), format_func=lambda name: labels[name], width=width
    )


def time_column(label: str, *, width: int = 130, help: str | None = None) -> Any:
    """Return a column that shows instants in the viewer's time zone."""
    return st.column_config.DatetimeColumn(
        label, format="D MMM, HH:mm:ss", timezone=str(viewer_zone()), width=width, help=help
    )


def state_badge(state: State) -> str:
    """Return a state as a badge in Markdown."""
    return f":{state.colour}-badge[{state.icon} {state.label}]"


def viewer_zone() -> tzinfo:
    """Return the time zone of the viewer's browser."""
    try:
        return ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def logo() -> str:
    """Return the file of the logo that stands out from the viewer's theme."""
    return "logo-dark.svg" if st.context.theme.type == "dark" else "logo-light.svg"


def graphiql_url() -> str:
    """Return where a browser finds GraphiQL."""
    return endpoint_of(source().settings.public_api_url or source().api_url)


def _health(reading: Reading[Answer]) -> None:
    if reading.problem is not None:
        redis_away = isinstance(reading.problem, RequestFailed) and reading.problem.code == "UNAVAILABLE"
        st.badge(
            "Redis" if redis_away else "API",
            icon=":material/close:",
            color="red",
            help=wording.plain(str(reading.problem)),
        )
    elif reading.value is not None:
        _who_answered(reading.value.system, reading.value.workers_online)
    st.caption(_updated(reading.at), width="content")


def _who_answered(system: System, workers_online: int) -> None:
    st.badge(
        "API",
        icon=":material/check:",
        color="green",
        help=f"TaskEngine {system.version} on Redis {system.redis_version}, "
        f"which holds {wording.size(system.redis_memory_bytes)}",
    )
    st.badge(
        wording.plural(workers_online, "worker"),
        icon=":material/memory:",
        color="green" if workers_online else "orange",
        help=None if workers_online else "No worker is online: jobs wait until one starts",
    )


def _updated(at: datetime | None) -> str:
    return f"Updated {wording.clock(at, viewer_zone())}" if at else "No answer yet"


def _what_is_shown(reading: Reading[Any]) -> str:
    if reading.at is None:
        return "The page appears by itself as soon as it answers."
    return (
        f"The figures are from {wording.clock(reading.at, viewer_zone())}, and actions are off. "
        "The page goes on by itself when it answers again."
    )
