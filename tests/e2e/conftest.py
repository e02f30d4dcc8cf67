"""A system that several modules look at, and who does. A module that needs another has a ``house`` of its own."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from support.household import Household
from support.viewer import Viewer


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    """A system of tasks that do as told. Each test uses queues and names of its own, and may make keys."""
    house = Household(tmp_path_factory.mktemp("house"), "support.varied:engine", api_open_loopback="on")
    try:
        yield house.start()
    finally:
        house.stop()


@pytest.fixture
def viewer(house: Household, page: Page) -> Iterator[Viewer]:
    """Someone with a browser, who must have had nothing to complain of."""
    viewer = Viewer(page, house.dashboard)
    yield viewer
    assert viewer.complaints == []
