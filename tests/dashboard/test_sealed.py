"""What passes through a browser sealed."""

import re
import time

import pytest

from taskengine_dashboard.sealed import Seal

CONTENT = {"state": "s", "next": "/jobs"}


def test_what_is_closed_opens_with_the_same_secret() -> None:
    assert Seal("secret").open("flow", Seal("secret").close("flow", CONTENT), 60) == CONTENT


def test_it_is_one_word_that_says_nothing() -> None:
    sealed = Seal("secret").close("flow", CONTENT)
    assert re.fullmatch(r"[\w-]+", sealed)
    assert sealed != Seal("secret").close("flow", CONTENT)


@pytest.mark.parametrize(("secret", "purpose"), [("another", "flow"), ("secret", "pass")])
def test_nothing_else_opens_it(secret: str, purpose: str) -> None:
    assert Seal(secret).open(purpose, Seal("secret").close("flow", CONTENT), 60) is None


@pytest.mark.parametrize("end", ["x", ""])
def test_what_was_changed_does_not_open(end: str) -> None:
    assert Seal("secret").open("flow", Seal("secret").close("flow", CONTENT)[:-1] + end, 60) is None


@pytest.mark.parametrize("text", [None, "", "x", "é", "a b", "." * 200, "gAAAA"])
def test_what_was_never_closed_does_not_open(text: str | None) -> None:
    assert Seal("secret").open("flow", text, 60) is None


def test_it_opens_for_its_time_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed, now = Seal("secret").close("flow", CONTENT), time.time()
    monkeypatch.setattr(time, "time", lambda: now + 59)
    assert Seal("secret").open("flow", sealed, 60) == CONTENT
    monkeypatch.setattr(time, "time", lambda: now + 62)
    assert Seal("secret").open("flow", sealed, 60) is None
