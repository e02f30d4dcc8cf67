"""Holding a queue or a task back: the questions before it is paused or limited, and what is told afterwards."""

from collections.abc import Callable

import streamlit as st

from taskengine_dashboard import wording
from taskengine_dashboard.model.limits import Limits
from taskengine_dashboard.parts.asking import Question, ask
from taskengine_dashboard.parts.notices import remember
from taskengine_dashboard.source import Reply

_REASON, _AT_ONCE, _JOBS, _SECONDS = "hold-reason", "hold-at-once", "hold-jobs", "hold-seconds"
_MAX_REASON, _MOST_AT_ONCE, _MOST_JOBS, _LONGEST = 500, 100_000, 1_000_000, 86_400.0


def ask_to_pause(what: str, name: str, pause: Callable[[str], Reply], *, takes_reason: bool = True) -> None:
    """Ask, from a callback, whether to pause ``queue mail``; ``pause`` gets the reason."""

    def draw_reason() -> None:
        if takes_reason:
            st.text_input(
                "Why",
                key=_REASON,
                max_chars=_MAX_REASON,
                placeholder="Shown to whoever looks at it",
                autocomplete="off",
            )

    ask(
        Question(
            title=f"Pause {what} {name}?",
            text="Nothing more of it starts until it is resumed, on any worker. What runs goes on.",
            yes=f"Pause {what}",
            is_destructive=False,
            draw_details=draw_reason,
            carry_out=lambda: tell(
                pause(str(st.session_state.get(_REASON) or "").strip()), f"Paused {what} {wording.plain(name)}."
            ),
        )
    )


def ask_for_limits(what: str, name: str, now: Limits, limit: Callable[[Limits], Reply]) -> None:
    """Ask, from a callback, how ``queue mail`` is to be limited; an empty field is no limit."""
    st.session_state[_AT_ONCE], st.session_state[_JOBS] = now.concurrency, now.rate_jobs
    st.session_state[_SECONDS] = now.rate_seconds or 60.0

    def carry_out() -> None:
        chosen = Limits(
            concurrency=st.session_state[_AT_ONCE],
            rate_jobs=st.session_state[_JOBS],
            rate_seconds=st.session_state[_SECONDS] if st.session_state[_JOBS] else None,
        )
        tell(limit(chosen), f"{what.capitalize()} {wording.plain(name)}: {chosen}.")

    ask(
        Question(
            title=f"Limit {what} {name}",
            text="Both hold over all workers, from the next start on. Empty is no limit.",
            yes="Set limits",
            no="Leave them as they are",
            is_destructive=False,
            draw_details=_draw_limits,
            carry_out=carry_out,
        )
    )


def tell(reply: Reply, done: str) -> None:
    """Remember a notice of how one change went."""
    if reply.is_done:
        remember(done)
        return
    why = str(reply.problem) if reply.problem is not None else reply.refusals[0].message
    remember(f"Nothing has changed: {wording.plain(why)}", icon=":material/warning:")


def _draw_limits() -> None:
    st.number_input(
        "Jobs at once", value=None, min_value=1, max_value=_MOST_AT_ONCE, step=1, key=_AT_ONCE, placeholder="Any number"
    )
    with st.container(horizontal=True, gap="small"):
        st.number_input(
            "Jobs that may start",
            value=None,
            min_value=1,
            max_value=_MOST_JOBS,
            step=1,
            key=_JOBS,
            placeholder="Any number",
            help="So many may start at once; then one after the other, evenly.",
        )
        st.number_input("in so many seconds", min_value=0.001, max_value=_LONGEST, step=1.0, format="%g", key=_SECONDS)
