"""Pages of cards, one for each queue or task: which are shown, and what each card has."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

import streamlit as st

from taskengine_dashboard import wording
from taskengine_dashboard.model.counts import Counts
from taskengine_dashboard.model.metrics import Metrics
from taskengine_dashboard.navigation import Link
from taskengine_dashboard.parts.times import Window, choose_window
from taskengine_dashboard.states import STATES

Thing = TypeVar("Thing")
_SHOWN = 24
"""Cards that are drawn at once: each costs, and nobody looks at more."""


def choose_cards(
    things: Sequence[Thing], *, noun: str, by: str, names: Callable[[Thing], Iterable[str]]
) -> Sequence[Thing]:
    """Draw what narrows a page of cards, and its time range; return the things that are left.

    ``noun`` is what one of them is, ``by`` says in words what ``names`` returns: what is looked for in it.
    """
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key=f"{noun}s-bar"
    ):
        with st.container(horizontal=True, vertical_alignment="center", gap="small", width="content"):
            wanted = _wanted(noun, by) if len(things) > 1 else ""
            found = [thing for thing in things if any(wanted in name.lower() for name in names(thing))]
            first = f"The first {_SHOWN} of " if len(found) > _SHOWN else ""
            st.caption(f"{first}{wording.plural(len(found), noun)}", width="content")
        choose_window()
    if not found:
        st.caption(f"No {noun} has that in its {by}.")
    return found[:_SHOWN]


def card_title(name: str, link: Link, *, key: str) -> None:
    """Draw the name of what a card is about, which leads to its jobs."""
    with st.container(width="content", key=f"title-{key}"):
        st.page_link(
            link.page,
            label=f"**{wording.plain(name)}**",
            icon="",
            help="Show its jobs",
            query_params=link.params,
            width="content",
        )


def figures(rows: Iterable[tuple[str, str, str]], *, columns: int = 3, min_width: int = 120) -> None:
    """Draw figures side by side: what each is called, its value, and what that means."""
    with st.grid(columns, min_column_width=min_width, gap="small"):
        for label, value, meaning in rows:
            st.metric(label, value, help=meaning)


def finished_over_time(metrics: Metrics, window: Window) -> None:
    """Draw how many jobs came to an end, and when; nothing when none did."""
    if not any(point.finished for point in metrics.over):
        return
    st.metric(
        "Finished over time",
        wording.count(metrics.finished),
        delta=f"{wording.count(metrics.failed)} failed for good" if metrics.failed else None,
        delta_color="gray",  # of the course as well
        delta_arrow="off",
        chart_data=[point.finished for point in metrics.over],
        chart_type="area",
        help=f"Jobs that came to an end in the last {window.lower()}",
    )


def states_in_words(counts: Counts) -> str:
    """Return how many jobs are in each state that has some, as Markdown on one line; empty without any."""
    return " · ".join(
        f":{state.colour}[{state.icon}] {wording.count(counts.of(state.name))} {state.label.lower()}"
        for state in STATES
        if counts.of(state.name)
    )


def _wanted(noun: str, by: str) -> str:
    text = st.text_input(
        f"Find a {noun}",
        key=f"{noun}s-find",
        type="search",
        live=True,
        placeholder=f"Find by {by}",
        label_visibility="collapsed",
        width=240,
    )
    return (text or "").strip().lower()
