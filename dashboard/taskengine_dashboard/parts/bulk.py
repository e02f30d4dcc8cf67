"""Changing all jobs that a filter finds: the question with a dry run's count, and how far the change is afterwards."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from taskengine_dashboard import wording
from taskengine_dashboard.changes import bulks
from taskengine_dashboard.model.bulks import BulkRow
from taskengine_dashboard.parts.asking import Question, ask
from taskengine_dashboard.parts.holding import tell
from taskengine_dashboard.parts.notices import remember
from taskengine_dashboard.source import Reply

_WATCHED = "bulk-watched"
BIG = 100
"""From so many jobs on, their number is typed before they are changed; before they are deleted, always."""
COUNTED = 10_000
"""Where no index counts, the API counts among so many jobs."""
_EFFECTS = {
    "Retry": "Those that are failed, cancelled or waiting for another attempt run again now, as the same jobs.",
    "Cancel": "Those that wait never start; running ones are left alone. A cancelled job can be retried later.",
    "Delete": "Their records are removed with arguments, results, errors and logs. They cannot be brought back. "
    "Running ones are left alone.",
}


def ask_about_all(verb: str, filter: Mapping[str, Any], *, which: str, exact: bool = True) -> None:
    """Ask, from a callback, whether to retry, cancel or delete all that a filter finds.

    ``which`` says in words (Markdown) which jobs these are; ``exact`` whether an index counts them.
    """
    counted = bulks.count(verb, filter)
    if not counted.is_done or counted.payload is None:
        tell(counted, "")
        st.rerun()
    matched: int = counted.payload["matched"]
    if not matched:
        remember(f"None of these jobs is in a state that {verb} is for.", icon=":material/info:")
        st.rerun()
    jobs = wording.plural(matched, "job")
    more = "" if exact else f" So many were found among the first {wording.count(COUNTED)}; there may be more."
    ask(
        Question(
            title=f"{verb} {jobs}?",
            text=f"{which}.{more}\n\n{_EFFECTS[verb]} Jobs that come from now on are not touched.",
            yes=f"{verb} {jobs}",
            no="Leave them as they are",
            is_destructive=verb != "Retry",
            type_this=wording.count(matched) if verb == "Delete" or matched >= BIG else None,
            carry_out=lambda: _begun(bulks.begin(verb, filter)),
        )
    )


def bulk_progress(every: Sequence[BulkRow], *, may_stop: bool, away: bool) -> None:
    """Draw the changes to many jobs that go on now, and the last one of this viewer until they have seen its end."""
    watched = st.session_state.get(_WATCHED)
    for bulk in every:
        if bulk.is_running or bulk.id == watched:
            _line(bulk, may_stop=may_stop, away=away)


def _begun(reply: Reply) -> None:
    if not reply.is_done or reply.payload is None:
        tell(reply, "")
        return
    bulk = BulkRow.read(reply.payload["operation"])
    if bulk.is_running:
        st.session_state[_WATCHED] = bulk.id
    else:
        remember(f"{bulk.told}.")


def _line(bulk: BulkRow, *, may_stop: bool, away: bool) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="medium", key=f"bulk-{bulk.id}"):
        by = f" · by {wording.plain(bulk.requested_by)}" if bulk.requested_by else ""
        st.progress(bulk.fraction, text=f"{bulk.told}{by}")
        if not bulk.is_running:
            st.button("Close", key=f"bulk-close-{bulk.id}", type="tertiary", on_click=_forget)
        elif may_stop:
            st.button(
                "Stop",
                key=f"bulk-stop-{bulk.id}",
                icon=":material/stop_circle:",
                on_click=_stop,
                args=(bulk.id,),
                disabled=away,
                help="What it has done stays done",
            )


def _stop(bulk_id: str) -> None:
    st.session_state[_WATCHED] = bulk_id
    tell(bulks.stop(bulk_id), "Stopped. What it had done stays done.")
    st.rerun()


def _forget() -> None:
    st.session_state.pop(_WATCHED, None)
