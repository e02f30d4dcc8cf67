"""The pages in place, over an API that answers at the wire."""

from collections.abc import Iterator

import pytest

from support.fake_api import FakeApi
from support.pages import OpenPage, a_page
from taskengine_dashboard import source as sources
from taskengine_dashboard import tables
from taskengine_dashboard.identity import Identity
from taskengine_dashboard.source import Source, open_source

tables.jobs(())  # Arrow's first array imports pandas: longer than a page waits for its first answer on a busy machine


@pytest.fixture
def api() -> FakeApi:
    """An API with one task, one worker and no jobs."""
    api = FakeApi()
    api.add_worker()
    return api


@pytest.fixture(autouse=True)
def source(api: FakeApi) -> Iterator[Source]:
    """The source of the pages, asking that API."""
    source = open_source("http://api.test", transport=api.transport)
    yield source
    source.close()


@pytest.fixture(autouse=True)
def viewers(monkeypatch: pytest.MonkeyPatch) -> list[Identity]:
    """Who looks: whoever stands in this list last. At first someone at this machine, who has not signed in."""
    who = [Identity(None, is_signed_in=False)]
    monkeypatch.setattr(sources, "who_looks", lambda _settings: who[-1])
    return who


@pytest.fixture
def open_page(source: Source) -> OpenPage:
    """``open_page("jobs", state="FAILED")``: a viewer who opens that address."""
    return a_page
