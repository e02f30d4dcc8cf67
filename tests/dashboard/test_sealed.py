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


def test_what_was_changed_anywhere_does_not_open() -> None:
    sealed = Seal("secret").close("flow", CONTENT)
    places = range(len(sealed) - 1)  # not all bits of the last letter mean something
    changed = [sealed[:at] + ("x" if sealed[at] != "x" else "y") + sealed[at + 1 :] for at in places]
    assert [text for text in [*changed, sealed[:-1]] if Seal("secret").open("flow", text, 60) is not None] == []


@pytest.mark.parametrize("text", [None, "", "x", "é", "a b", "." * 200, "gAAAA"])
def test_what_was_never_closed_does_not_open(text: str | None) -> None:
    assert Seal("secret").open("flow", text, 60) is None


def test_it_opens_for_its_time_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    sealed, now = Seal("secret").close("flow", CONTENT), time.time()
    monkeypatch.setattr(time, "time", lambda: now + 59)
    assert Seal("secret").open("flow", sealed, 60) == CONTENT
    monkeypatch.setattr(time, "time", lambda: now + 62)
    assert Seal("secret").open("flow", sealed, 60) is None
