"""The guides for those who come from elsewhere: their code runs, and does what they say."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from huey import MemoryHuey

from taskengine import TaskEngine
from taskengine.testing import drain

DOCS = Path(__file__).parents[2] / "docs"


def blocks(guide: str, *kinds: str) -> list[str]:
    """The code blocks of a guide that are of these kinds: what follows ``python`` on their first line."""
    text = (DOCS / guide).read_text(encoding="utf-8")
    return [
        code
        for kind, code in re.findall(r"^```python ?(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        if kind in kinds
    ]


def run(code: str, names: dict[str, Any]) -> None:
    exec(compile(code, "<guide>", "exec", dont_inherit=True), names)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch, redis_url: str) -> Iterator[dict[str, Any]]:
    """What the code of a guide has defined so far, in a module of its own."""
    monkeypatch.setenv("TASKENGINE_REDIS_URL", redis_url)
    names: dict[str, Any] = {"__name__": "guide"}
    yield names
    for value in names.values():
        if isinstance(value, TaskEngine):
            value.storage.close()


def test_hueys_guide_runs_as_it_stands(names: dict[str, Any], redis_url: str) -> None:
    (opening, closing), (application, checks) = blocks("from-huey.md", "after"), blocks("from-huey.md", "application")
    port = redis_url.rpartition(":")[2].partition("/")[0]
    assert "port=6379" in opening
    run(opening.replace("port=6379", f"port={port}"), names)
    assert isinstance(names["huey"], TaskEngine)
    run(application, names)
    drain(names["huey"])
    run(checks, names)
    run(closing, names)
    assert [*names["huey"].schedules] == ["nightly"]


def test_its_application_is_one_that_runs_on_huey(names: dict[str, Any]) -> None:
    """With the constructor that the guide begins with, but for Redis: nothing in it is made up for us."""
    (before,) = blocks("from-huey.md", "before")
    run(before, names)
    names["huey"] = MemoryHuey("shop", immediate=True)
    application, checks = blocks("from-huey.md", "application")
    run(application, names)
    run(checks, names)


def test_celerys_guide_runs_as_it_stands(names: dict[str, Any]) -> None:
    for block in blocks("from-celery.md", ""):
        run(block, names)
    assert names["summed"]() == 6


def test_what_celerys_guide_begins_with_is_python() -> None:
    (before,) = blocks("from-celery.md", "before")
    compile(before, "<guide>", "exec")
