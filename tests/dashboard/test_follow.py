"""Following a subscription: heard once for all, kept within bounds, taken up again, and ended when nobody looks."""

import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

import httpx
import pytest

from support.fake_api import FakeApi, event
from support.waiting import wait_until
from taskengine_dashboard.client import ApiUnreachable, Client, NotSignedIn, Operation
from taskengine_dashboard.follow import Following, Heard

Told = Generator[Mapping[str, Any] | None]
EVENTS = Operation("JobEvents", "subscription JobEvents($after: String) { jobEvents(after: $after) { cursor } }")


@pytest.fixture
def following() -> Iterator[Following]:
    """One that keeps three events and does not dawdle."""
    following = Following(keep=3, pause_seconds=0.01, at_once=2)
    yield following
    following.close()


def told(*cursors: int) -> Iterator[Mapping[str, Any]]:
    return ({"jobEvents": {"cursor": str(cursor)}} for cursor in cursors)


def hear(following: Following, listen: Callable[[str | None], Told], key: str = "k") -> Heard[str]:
    return following.heard(key, listen, lambda one: one["cursor"])


def test_all_who_ask_hear_the_same_stream(following: Following) -> None:
    begun: list[str | None] = []
    go_on = threading.Event()

    def listen(after: str | None) -> Told:
        begun.append(after)
        yield from told(1, 2)
        go_on.wait(10)

    wait_until(lambda: hear(following, listen).events == ("1", "2"))
    assert hear(following, listen).since is not None
    assert begun == [None]
    go_on.set()


def test_only_the_newest_are_kept(following: Following) -> None:
    def listen(after: str | None) -> Told:
        yield from told(*range(1, 9)) if after is None else told()

    wait_until(lambda: hear(following, listen).events == ("6", "7", "8"))


def test_it_goes_on_after_the_last_event_once_the_api_is_back(following: Following) -> None:
    begun: list[str | None] = []
    back = threading.Event()

    def listen(after: str | None) -> Told:
        begun.append(after)
        if after is None:
            yield from told(1)
        elif back.is_set():
            yield from told(2)
        raise ApiUnreachable("http://api.test")

    wait_until(lambda: isinstance(hear(following, listen).problem, ApiUnreachable))
    assert hear(following, listen).events == ("1",)
    back.set()
    wait_until(lambda: hear(following, listen).events[:2] == ("1", "2"))
    assert begun[:2] == [None, "1"]


def test_what_was_heard_is_forgotten_when_the_key_is_revoked(following: Following) -> None:
    revoked = threading.Event()

    def listen(_after: str | None) -> Told:
        if not revoked.is_set():
            yield from told(1)
            revoked.wait(10)
        raise NotSignedIn("UNAUTHENTICATED", "unknown key")

    wait_until(lambda: hear(following, listen).events == ("1",))
    revoked.set()
    wait_until(lambda: isinstance(hear(following, listen).problem, NotSignedIn))
    assert hear(following, listen).events == ()


def test_an_event_that_cannot_be_read_is_told_and_the_stream_goes_on(
    following: Following, caplog: pytest.LogCaptureFixture
) -> None:
    def read(one: Mapping[str, Any]) -> str:
        if one["cursor"] == "1":
            raise KeyError("shape")
        return one["cursor"]

    def listen(after: str | None) -> Told:
        yield from told(2) if after == "1" else told(1)

    wait_until(lambda: following.heard("k", listen, read).events[:1] == ("2",))
    assert "cannot read an event" in caplog.text


def test_it_ends_when_nobody_has_looked_for_a_while() -> None:
    following = Following(idle_seconds=0.05, pause_seconds=0.01)
    ended = threading.Event()

    def listen(_after: str | None) -> Told:
        try:
            while True:
                yield None
        finally:
            ended.set()

    hear(following, listen)
    assert ended.wait(10)


def test_there_are_no_more_at_once_than_allowed(following: Following) -> None:
    ended: dict[str, threading.Event] = {name: threading.Event() for name in "abc"}

    def listener(name: str) -> Callable[[str | None], Told]:
        def listen(_after: str | None) -> Told:
            try:
                while True:
                    yield None
            finally:
                ended[name].set()

        return listen

    for name in "abc":
        wait_until(lambda name=name: hear(following, listener(name), name).since is not None)
    assert ended["a"].wait(10)
    assert not ended["c"].is_set()


def test_a_client_reads_server_sent_events_until_they_end(api: FakeApi) -> None:
    api.events = [event(1), event(2)]
    client = Client("http://api.test", transport=api.transport)
    got = [one["jobEvents"]["cursor"] for one in client.stream(EVENTS, {"after": "1"}) if one]
    assert got == ["2"]


def test_a_client_tells_why_a_stream_was_refused() -> None:
    error = {"data": None, "errors": [{"message": "no key", "extensions": {"code": "UNAUTHENTICATED"}}]}
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, json=error))
    with pytest.raises(NotSignedIn):
        list(Client("http://api.test", transport=transport).stream(EVENTS, {"after": None}))


def test_a_client_tells_that_nothing_answers(api: FakeApi) -> None:
    api.problem = httpx.ConnectError("refused")
    with pytest.raises(ApiUnreachable):
        list(Client("http://api.test", transport=api.transport).stream(EVENTS, {"after": None}))
