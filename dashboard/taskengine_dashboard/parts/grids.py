"""Tables in our one way, and the kinds of column that several of them have."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from taskengine_dashboard import tables
from taskengine_dashboard.parts.times import viewer_zone
from taskengine_dashboard.states import STATES, State


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
