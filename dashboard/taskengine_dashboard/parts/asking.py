"""The question before a change that cannot be taken back: what, how many, and a yes that is worded by its effect.

A page's button asks in its callback, and the question is drawn over the page; only the answer carries anything out:

    def ask() -> None:
        parts.ask(Question(
            title="Delete 12 jobs?", text="12 failed jobs of `mail.send`. They cannot be brought back.",
            yes="Delete 12 jobs", carry_out=lambda: _delete(ids),
        ))
    st.button("Delete", on_click=ask)

The question holds what it was asked about, by id: what the page shows may have moved on meanwhile.
"""

from collections.abc import Callable
from dataclasses import dataclass

import streamlit as st

_ASKED, _TYPED = "question", "question-typed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is to be confirmed. ``title`` and ``yes`` name the number, ``text`` (Markdown) what happens to what."""

    title: str
    text: str
    yes: str
    carry_out: Callable[[], bool | None]
    """Makes the change and remembers a notice of how it went; ``False``: there is something to mend, ask on."""
    no: str = "Leave it as it is"
    is_destructive: bool = True
    type_this: str | None = None
    """For the big ones: yes is possible only after this was typed."""
    draw_details: Callable[[], None] | None = None
    """Draws what belongs between the text and the answers: a list of what is touched, a choice."""


def ask(question: Question) -> None:
    """Ask this over the page, from a callback."""
    st.session_state[_ASKED] = question
    st.session_state.pop(_TYPED, None)
    st.rerun()


def open_question() -> bool:
    """Draw the question that waits for an answer; return whether there is one."""
    question: Question | None = st.session_state.get(_ASKED)
    if question is None:
        return False
    st.dialog(question.title, on_dismiss=_forget)(_draw)(question)
    return True


def _draw(question: Question) -> None:
    st.markdown(question.text)
    if question.draw_details is not None:
        question.draw_details()
    is_typed = True
    if question.type_this is not None:
        typed = st.text_input(f"Type `{question.type_this}` to confirm", key=_TYPED, live=True, autocomplete="off")
        is_typed = (typed or "").strip() == question.type_this
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        if st.button(question.no, key="confirm-no"):
            _forget()
            st.rerun()
        label = f":red[{question.yes}]" if question.is_destructive else question.yes
        kind = "secondary" if question.is_destructive else "primary"
        if st.button(label, key="confirm-yes", type=kind, disabled=not is_typed):
            if question.carry_out() is not False:
                _forget()
            st.rerun()


def _forget() -> None:
    st.session_state.pop(_ASKED, None)
