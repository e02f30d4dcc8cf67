"""Retry and Cancel for selected jobs: the buttons, and the dialog that says what and how many."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from taskengine_dashboard import outcomes, parts, selection, wording
from taskengine_dashboard.model import JobRow, can_cancel, can_retry
from taskengine_dashboard.source import source
from taskengine_dashboard.states import STATES, state_of

_ASKED, _TERMINATE = "asked-change", "confirm-terminate"
_LISTED = 6


@dataclass(frozen=True, slots=True)
class _Asked:
    """A change that waits for a yes. The jobs are as they were when the viewer asked."""

    verb: str
    jobs: tuple[JobRow, ...]
    others: int
    """Selected as well, but in a state that does not allow it."""


def buttons(chosen: Sequence[JobRow], *, disabled: bool) -> None:
    """Draw what can be done with the selected jobs."""
    st.markdown(f"**{len(chosen)} selected**", width="content")
    _button("Retry", ":material/replay:", chosen, tuple(filter(can_retry, chosen)), disabled)
    _button("Cancel", ":material/block:", chosen, tuple(filter(can_cancel, chosen)), disabled)
    st.button("Clear", key="clear-selection", type="tertiary", on_click=selection.clear)


def open_if_asked() -> None:
    """Open the dialog for a change that waits for a yes."""
    asked: _Asked | None = st.session_state.get(_ASKED)
    if asked is not None:
        count = wording.plural(len(asked.jobs), "job")
        st.dialog(f"{asked.verb} {count}?", on_dismiss=_forget)(_dialog)(asked)


def _button(verb: str, icon: str, chosen: Sequence[JobRow], able: tuple[JobRow, ...], disabled: bool) -> None:
    def ask() -> None:
        st.session_state[_ASKED] = _Asked(verb, able, len(chosen) - len(able))
        st.rerun()

    st.button(
        f"{verb} {len(able)}" if able else verb,
        icon=icon,
        key=f"{verb.lower()}-selected",
        on_click=ask,
        disabled=disabled or not able,
        help=None if able else f"None of the selected jobs is in a state that {verb} is for",
    )


def _dialog(asked: _Asked) -> None:
    st.markdown(_summary(asked))
    parts.small_table(
        {
            "Job": [wording.short_id(job.id) for job in asked.jobs[:_LISTED]],
            "Task": [wording.plain(job.task) for job in asked.jobs[:_LISTED]],
            "State": [parts.state_badge(state_of(job.state)) for job in asked.jobs[:_LISTED]],
        },
        alt="The jobs that this is about",
    )
    if len(asked.jobs) > _LISTED:
        st.caption(f"and {wording.count(len(asked.jobs) - _LISTED)} more")
    terminate = _ask_to_terminate(asked)
    st.caption(
        "They run again at once, as the same jobs; their earlier attempts are kept."
        if asked.verb == "Retry"
        else "A cancelled job can be retried later."
    )
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        if st.button("Leave them as they are", key="confirm-no"):
            _forget()
            st.rerun()
        count = wording.plural(len(asked.jobs), "job")
        label = f"Retry {count}" if asked.verb == "Retry" else f":red[Cancel {count}]"
        if st.button(label, key="confirm-yes", type="primary" if asked.verb == "Retry" else "secondary"):
            _carry_out(asked, terminate)


def _summary(asked: _Asked) -> str:
    by_state = Counter(job.state for job in asked.jobs)
    states = ", ".join(f"{by_state[s.name]} {s.label.lower()}" for s in STATES if by_state[s.name])
    if not asked.others:
        return f"{states}."
    return f"{states}. The other {wording.count(asked.others)} selected cannot be changed so and are left alone."


def _ask_to_terminate(asked: _Asked) -> bool:
    running = sum(job.state == "RUNNING" for job in asked.jobs)
    if asked.verb != "Cancel" or not running:
        return False
    return st.checkbox(
        f"Also stop {'the one that is' if running == 1 else f'the {running} that are'} running",
        value=True,
        key=_TERMINATE,
        help="A running job is told to stop at its next chance. Without this, running jobs are left alone.",
    )


def _carry_out(asked: _Asked, terminate: bool) -> None:
    ids = [job.id for job in asked.jobs]
    changed = source().retry(ids) if asked.verb == "Retry" else source().cancel(ids, terminate=terminate)
    text, icon = outcomes.told(asked.verb, changed)
    parts.remember(text, icon=icon)
    selection.clear()
    _forget()
    st.rerun()


def _forget() -> None:
    st.session_state.pop(_ASKED, None)
