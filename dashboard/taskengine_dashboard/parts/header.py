"""The head of a page: its title, who answered and when, and one banner when nobody did."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Protocol, TypeVar

import streamlit as st

from taskengine_dashboard import wording
from taskengine_dashboard.client import NotSignedIn, RequestFailed
from taskengine_dashboard.feed import Reading
from taskengine_dashboard.model.frame import Frame, Role
from taskengine_dashboard.parts.sign_in import sign_in
from taskengine_dashboard.parts.times import is_own_zone, viewer_zone


class Answered(Protocol):
    """What every page's answer has besides its own figures."""

    @property
    def frame(self) -> Frame: ...


Answer = TypeVar("Answer", bound=Answered)
_OUT = "signed-out"


def header(title: str, ask: Callable[[], Reading[Answer]]) -> Reading[Answer]:
    """Draw a page's title at once, ask, and draw who answered and when; one banner when nobody did."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", key="header"):
        st.title(title, anchor=False, width="content")
        health = st.container(horizontal=True, vertical_alignment="center", gap="small", width="content", key="health")
    reading = ask()
    _let_in(reading)
    with health:
        _health(reading)
    if reading.problem is not None:
        st.error(
            f"{wording.plain(str(reading.problem))} {_what_is_shown(reading)}",
            title=reading.problem.title,
            icon=":material/cloud_off:",
        )
    return reading


def _let_in(reading: Reading[Any]) -> None:
    """Ask whoever must sign in first to do so, instead of all else on the page."""
    out = isinstance(reading.problem, NotSignedIn)
    if st.session_state.get(_OUT, out) is not out:
        st.session_state[_OUT] = out
        st.rerun()  # the whole page: what a refresh does not draw again would stay as it was
    st.session_state[_OUT] = out
    if isinstance(reading.problem, NotSignedIn):
        sign_in(reading.problem)
        st.stop()


@contextmanager
def heading(text: str) -> Generator[None]:
    """Draw the heading of a part of a page, and in line with it what leads further."""
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.header(text, anchor=False, width="content")
        yield


def wait_for_first_answer(reading: Reading[Any]) -> None:
    """Keep the place of a page that has had no answer yet."""
    if reading.problem is None:
        st.skeleton(height=320)


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
        _who_answered(reading.value.frame)
    st.caption(_updated(reading.at), width="content")


def _who_answered(frame: Frame) -> None:
    system, workers_online = frame.system, frame.workers_online
    if not frame.may(Role.OPERATOR):
        st.badge(
            "Read only",
            icon=":material/visibility:",
            color="gray",
            help=f"{wording.plain(frame.viewer.name)} may look at everything and change nothing",
        )
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
    return f"Updated {wording.clock(at, viewer_zone())}{_of_zone(at)}" if at else "No answer yet"


def _of_zone(at: datetime) -> str:
    """Return the name of the zone in which all times on a page are told, where it is not that of the viewer's clock."""
    return "" if is_own_zone() else f" {at.astimezone(viewer_zone()):%Z}"


def _what_is_shown(reading: Reading[Any]) -> str:
    if reading.at is None:
        return "The page appears by itself as soon as it answers."
    return (
        f"The figures are from {wording.clock(reading.at, viewer_zone())}, and actions are off. "
        "The page goes on by itself when it answers again."
    )
