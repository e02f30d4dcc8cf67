"""Figures that one looks at first: each a card with its trend, that leads to what it counts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from taskengine_dashboard.navigation import Link

Colour = Literal["red", "orange", "yellow", "green", "blue", "violet", "gray"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """One figure. ``key`` is unique on its page, ``note`` a few words under it, ``trend`` its course, oldest first."""

    key: str
    label: str
    value: str
    icon: str
    link: Link
    meaning: str
    note: str = ""
    colour: Colour = "gray"
    trend: Sequence[float] = ()


def kpi_cards(kpis: Iterable[Kpi], *, min_width: int = 145) -> None:
    """Draw figures side by side, as many to a row as fit."""
    every = list(kpis)
    with st.grid(len(every), min_column_width=min_width, gap="small"):
        for kpi in every:
            _card(kpi)


def _card(kpi: Kpi) -> None:
    with st.container(border=True, gap="xxsmall", key=f"card-{kpi.key}"):
        st.page_link(
            kpi.link.page,
            label=f":{kpi.colour}[{kpi.icon}] {kpi.label}",
            icon="",
            help=kpi.meaning,
            query_params=kpi.link.params,
        )
        st.metric(
            kpi.label,
            kpi.value,
            delta=kpi.note or None,
            delta_color=kpi.colour,  # of the course as well
            delta_arrow="off",
            label_visibility="collapsed",
            chart_data=list(kpi.trend) or None,
            chart_type="area",
        )
