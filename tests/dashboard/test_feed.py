"""The newest answer to each question, without making anyone wait."""

import threading
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from support.waiting import wait_until
from taskengine_dashboard.client import ApiUnreachable, NotSignedIn
from taskengine_dashboard.feed import Feed, Reading, UnreadableAnswer

MakeFeed = Callable[..., Feed]


@pytest.fixture
def a_feed() -> Iterator[MakeFeed]:
    """Makes feeds that are closed at the end. Answers are never fresh unless the test says so."""
    feeds: list[Feed] = []

    def make(**settings: float) -> Feed:
        feeds.append(Feed(**{"fresh_seconds": 0.0, "patience_seconds": 0.05, **settings}))  # type: ignore[arg-type]
        return feeds[-1]

    yield make
    for feed in feeds:
        feed.close()


class Slow:
    """A question whose answers come when they are let through."""

    def __init__(self) -> None:
        self.asked = 0
        self._gate = threading.Event()

    def let_through(self) -> None:
        self._gate.set()

    def __call__(self) -> int:
        self.asked += 1
        mine = self.asked
        assert self._gate.wait(10)
        return mine


def refused() -> int:
    raise ApiUnreachable("http://api.test")


def test_the_first_answer_is_waited_for(a_feed: MakeFeed) -> None:
    reading = a_feed().read("q", lambda: 1)
    assert reading.value == 1
    assert reading.at is not None
    assert reading.problem is None


def test_a_fresh_answer_is_not_asked_for_again(a_feed: MakeFeed) -> None:
    feed, numbers = a_feed(fresh_seconds=60), count()
    assert [feed.read("q", lambda: next(numbers)).value for _ in range(3)] == [0, 0, 0]


def test_a_quick_answer_is_never_one_refresh_old(a_feed: MakeFeed) -> None:
    feed, numbers = a_feed(patience_seconds=5), count()
    assert [feed.read("q", lambda: next(numbers)).value for _ in range(3)] == [0, 1, 2]


def test_a_slow_answer_is_not_waited_for(a_feed: MakeFeed) -> None:
    feed, slow = a_feed(), Slow()
    assert feed.read("q", lambda: 0).value == 0
    assert feed.read("q", slow).value == 0
    slow.let_through()
    wait_until(lambda: feed.read("q", slow).value != 0, 5)


def test_a_question_is_on_its_way_once_however_many_ask(a_feed: MakeFeed) -> None:
    feed, slow = a_feed(), Slow()
    feed.read("q", lambda: 0)
    for _ in range(5):
        feed.read("q", slow)
    assert slow.asked == 1
    slow.let_through()


def test_questions_are_apart(a_feed: MakeFeed) -> None:
    feed = a_feed()
    assert (feed.read("a", lambda: 1).value, feed.read("b", lambda: 2).value) == (1, 2)


def test_the_last_good_answer_stays_beside_a_problem(a_feed: MakeFeed) -> None:
    feed = a_feed(patience_seconds=5)
    good = feed.read("q", lambda: 1)
    away = feed.read("q", refused)
    assert (away.value, away.at) == (1, good.at)
    assert isinstance(away.problem, ApiUnreachable)


def test_the_problem_goes_with_the_next_answer(a_feed: MakeFeed) -> None:
    feed = a_feed(patience_seconds=5)
    assert feed.read("q", refused).value is None
    assert feed.read("q", lambda: 2).problem is None


def test_an_answer_in_an_unknown_shape_is_a_problem_to_show(a_feed: MakeFeed, caplog: pytest.LogCaptureFixture) -> None:
    reading: Reading[int] = a_feed().read("q", lambda: {}["jobs"])
    assert isinstance(reading.problem, UnreadableAnswer)
    assert "KeyError" in caplog.text


def test_after_a_change_the_next_answer_is_waited_for(a_feed: MakeFeed) -> None:
    feed, numbers = a_feed(fresh_seconds=60, patience_seconds=0), count()
    feed.read("q", lambda: next(numbers))
    feed.expire()
    assert feed.read("q", lambda: next(numbers)).value == 1


def test_an_answer_that_was_asked_for_before_a_change_is_dropped(a_feed: MakeFeed) -> None:
    feed, slow = a_feed(), Slow()
    feed.read("q", lambda: -1)
    feed.read("q", slow)
    feed.expire()
    slow.let_through()
    assert feed.read("q", lambda: 7).value == 7
    assert feed.read("q", lambda: 7).value == 7


def test_questions_that_nobody_asks_any_more_are_forgotten(a_feed: MakeFeed) -> None:
    feed, numbers = a_feed(fresh_seconds=60, keep=2), count()
    for question in ("a", "b", "c"):
        feed.read(question, lambda: next(numbers))
    assert feed.read("c", lambda: next(numbers)).value == 2
    assert feed.read("a", lambda: next(numbers)).value == 3


def test_who_must_sign_in_is_shown_nothing_of_before(a_feed: MakeFeed) -> None:
    def revoked() -> int:
        raise NotSignedIn("UNAUTHENTICATED", "this key opens nothing")

    feed = a_feed(patience_seconds=5)
    feed.read("q", lambda: 1)
    reading = feed.read("q", revoked)
    assert (reading.value, reading.at) == (None, None)
    assert isinstance(reading.problem, NotSignedIn)
