"""Signing in to the dashboard in a browser, with keys that the command makes."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from support import axe
from support.household import Household
from support.viewer import Viewer

REFUSED = re.compile(r"Failed to load resource: the server responded with a status of 401")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    """A system whose dashboard wants everyone to sign in."""
    house = Household(tmp_path_factory.mktemp("house"), dashboard_guests="none")
    try:
        yield house.start()
    finally:
        house.stop()


@pytest.fixture
def viewer(house: Household, page: Page) -> Iterator[Viewer]:
    """Someone with a browser, who must have had nothing to complain of but a key that was refused."""
    viewer = Viewer(page, house.dashboard)
    yield viewer
    assert [complaint for complaint in viewer.complaints if not REFUSED.search(complaint)] == []


def sign_in(viewer: Viewer, key: str) -> None:
    """Give a key to the form."""
    field = viewer.page.get_by_label("API key")
    field.fill(key)
    field.press("Enter")


def test_the_form_keeps_nothing_from_anyone(viewer: Viewer) -> None:
    axe.need_axe()
    viewer.open("/jobs")
    expect(viewer.page.get_by_label("API key")).to_be_visible()
    assert axe.audit(viewer) == []


def test_a_key_opens_the_page_that_was_asked_for_until_one_signs_out(house: Household, viewer: Viewer) -> None:
    viewer.open("/jobs?queue=mail")
    viewer.said("This dashboard shows its pages to those who have a key of the API.")
    sign_in(viewer, "te_wrong")
    viewer.said(re.compile("this key opens nothing"))
    sign_in(viewer, house.key("oscar", "OPERATOR"))
    viewer.said("No job matches")
    assert viewer.page.url.endswith("/jobs?queue=mail")
    assert viewer.page.evaluate("document.cookie.includes('taskengine_key')") is False
    viewer.open("/settings")
    viewer.said("oscar")
    viewer.press("sign-out")
    viewer.said("This dashboard shows its pages to those who have a key of the API.")
    viewer.page.reload()
    viewer.said("This dashboard shows its pages to those who have a key of the API.")


def test_who_may_only_look_sees_everything_and_is_told_so(house: Household, viewer: Viewer) -> None:
    viewer.open("/")
    sign_in(viewer, house.key("vera", "VIEWER"))
    viewer.said("Read only")
    expect(viewer.page.locator(".st-key-card-throughput")).to_be_visible()


def test_a_key_that_is_revoked_ends_what_is_shown_without_a_reload(house: Household, viewer: Viewer) -> None:
    viewer.open("/")
    sign_in(viewer, house.key("rita", "ADMIN"))
    figure = viewer.page.locator(".st-key-card-throughput")
    expect(figure).to_be_visible(timeout=20_000)
    house.command("keys", "revoke", "rita")
    viewer.said("Your key opens nothing any more: it was revoked, or it has ended. Sign in with another.")
    expect(figure).to_have_count(0)
