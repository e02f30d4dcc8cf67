"""Retry, Cancel and Delete for selected jobs: the buttons, and the question that says what and how many."""

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from taskengine_dashboard import parts, wording
from taskengine_dashboard.changes import jobs as changes
from taskengine_dashboard.changes import outcomes
from taskengine_dashboard.model.jobs import JobRow, can_cancel, can_delete, can_retry
from taskengine_dashboard.states import STATES, state_of
from taskengine_dashboard.views.jobs import selection

_TERMINATE = "confirm-terminate"
_LISTED = 6


def buttons(chosen: Sequence[JobRow], *, disabled: bool) -> None:
    """Draw what can be done with the selected jobs."""
    st.markdown(f"**{len(chosen)} selected**", width="content")
    _button("Retry", ":material/replay:", chosen, tuple(filter(can_retry, chosen)), disabled)
    _button("Cancel", ":material/block:", chosen, tuple(filter(can_cancel, chosen)), disabled)
    _button("Delete", ":material/delete:", chosen, tuple(filter(can_delete, chosen)), disabled)
    st.button("Clear", key="clear-selection", type="tertiary", on_click=selection.clear)


def _button(verb: str, icon: str, chosen: Sequence[JobRow], able: tuple[JobRow, ...], disabled: bool) -> None:
    st.button(
        f"{verb} {len(able)}" if able else verb,
        icon=icon,
        key=f"{verb.lower()}-selected",
        on_click=lambda: parts.ask(_question(verb, able, len(chosen) - len(able))),
        disabled=disabled or not able,
        help=None if able else f"None of the selected jobs is in a state that {verb} is for",
    )


def _question(verb: str, jobs: tuple[JobRow, ...], others: int) -> parts.Question:
    """Return what is asked. The jobs are as they were when the viewer asked; ``others`` were selected as well."""
    count = wording.plural(len(jobs), "job")
    return parts.Question(
        title=f"{verb} {count}?",
        text=_summary(jobs, others),
        yes=f"{verb} {count}",
        no="Leave them as they are",
        is_destructive=verb != "Retry",
        draw_details=lambda: _details(verb, jobs),
        carry_out=lambda: _carry_out(verb, jobs),
    )


def _summary(jobs: Sequence[JobRow], others: int) -> str:
    by_state = Counter(job.state for job in jobs)
    states = ", ".join(f"{by_state[s.name]} {s.label.lower()}" for s in STATES if by_state[s.name])
    if not others:
        return f"{states}."
    return f"{states}. The other {wording.count(others)} selected cannot be changed so and are left alone."


def _details(verb: str, jobs: Sequence[JobRow]) -> None:
    parts.small_table(
        {
            "Job": [wording.short_id(job.id) for job in jobs[:_LISTED]],
            "Task": [wording.plain(job.task) for job in jobs[:_LISTED]],
            "State": [parts.state_badge(state_of(job.state)) for job in jobs[:_LISTED]],
        },
        alt="The jobs that this is about",
    )
    if len(jobs) > _LISTED:
        st.caption(f"and {wording.count(len(jobs) - _LISTED)} more")
    if verb == "Cancel":
        _offer_to_terminate(jobs)
        st.caption("A cancelled job can be retried later.")
    elif verb == "Delete":
        st.caption("Their records are removed with arguments, results, errors and logs. They cannot be brought back.")
    else:
        st.caption("They run again at once, as the same jobs; their earlier attempts are kept.")


def _offer_to_terminate(jobs: Sequence[JobRow]) -> None:
    running = sum(job.state == "RUNNING" for job in jobs)
    if running:
        st.checkbox(
            f"Also stop {'the one that is' if running == 1 else f'the {running} that are'} running",
            value=True,
            key=_TERMINATE,
            help="A running job is told to stop at its next chance. Without this, running jobs are left alone.",
        )


def _carry_out(verb: str, jobs: Sequence[JobRow]) -> None:
    ids = [job.id for job in jobs]
    if verb == "Retry":
        changed = changes.retry(ids)
    elif verb == "Delete":
        changed = changes.delete(ids)
    else:
        changed = changes.cancel(ids, terminate=bool(st.session_state.get(_TERMINATE, False)))
    text, icon = outcomes.told(verb, changed)
    parts.remember(text, icon=icon)
    selection.clear()
