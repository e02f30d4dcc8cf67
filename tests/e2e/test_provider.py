"""Signing in to the dashboard by an identity provider, in a browser: there, back, on and out."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from support import axe
from support.household import Household
from support.provider import CLIENT_ID, Provider
from support.viewer import Viewer
from support.waiting import wait_until

FIGURE = ".st-key-card-throughput"
ASKED = "This dashboard shows its pages to those whom ACME knows, or who have a key."


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider() as provider:
        yield provider


@pytest.fixture(autouse=True)
def as_ever(provider: Provider) -> None:
    """It says of everyone that they are an operator."""
    provider.says, provider.seconds, provider.renews, provider.denies = {"roles": ["OPERATOR"]}, 600.0, False, None


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, provider: Provider) -> Iterator[Household]:
    """A system whose dashboard and API know the provider."""
    house = Household(tmp_path_factory.mktemp("house"), dashboard_guests="none")
    house.set(api_oidc_issuer=provider.url, api_oidc_audience=CLIENT_ID, dashboard_oidc_name="ACME")
    house.set(**{f"dashboard_{name}": text for name, text in provider.settings(house.dashboard).items()})
    try:
        yield house.start()
    finally:
        house.stop()


@pytest.fixture
def viewer(house: Household, provider: Provider, page: Page) -> Iterator[Viewer]:
    """Someone with a browser, who must have had nothing to complain of, and went to nobody but the provider."""
    viewer = Viewer(page, house.dashboard)
    yield viewer
    assert [complaint for complaint in viewer.complaints if provider.url not in complaint] == []


def sign_in(viewer: Viewer) -> None:
    """Press the button of the provider."""
    viewer.page.get_by_role("button", name="Sign in with ACME").click()


def test_the_button_and_the_form_keep_nothing_from_anyone(viewer: Viewer) -> None:
    axe.need_axe()
    viewer.open("/jobs")
    expect(viewer.page.get_by_role("button", name="Sign in with ACME")).to_be_visible()
    assert axe.audit(viewer) == []


def test_the_provider_opens_the_page_that_was_asked_for_until_one_signs_out(
    house: Household, provider: Provider, viewer: Viewer
) -> None:
    viewer.open("/jobs?queue=mail")
    viewer.said(ASKED)
    sign_in(viewer)
    viewer.said("No job matches")
    assert viewer.page.url.endswith("/jobs?queue=mail")
    assert viewer.page.evaluate("document.cookie.includes('taskengine_key')") is False
    viewer.open("/settings")
    viewer.said("vera")
    viewer.said("OPERATOR")
    viewer.said("Signed in by ACME")
    viewer.press("sign-out")
    viewer.said(ASKED)
    assert [told["client_id"] for told in provider.ended] == [CLIENT_ID]
    viewer.page.reload()
    viewer.said(ASKED)
    for form in provider.forms:
        assert form["code"] not in house.said


def test_the_role_is_the_one_that_the_provider_says(provider: Provider, viewer: Viewer) -> None:
    provider.says = {"roles": ["VIEWER"]}
    viewer.open("/")
    sign_in(viewer)
    viewer.said("Read only")


def test_why_one_is_not_signed_in_stands_on_the_page(provider: Provider, viewer: Viewer) -> None:
    provider.denies = "access_denied"
    viewer.open("/jobs?queue=mail")
    sign_in(viewer)
    viewer.said("ACME did not sign you in (access_denied).")
    provider.denies, provider.says = None, {"roles": ["nobody"]}
    sign_in(viewer)
    viewer.said("ACME knows you, but the API does not let you in: the token of 'vera' has no role here")
    provider.says = {"roles": ["VIEWER"]}
    sign_in(viewer)
    viewer.said("No job matches")


def test_a_token_that_ends_ends_what_is_shown_without_a_reload(provider: Provider, viewer: Viewer) -> None:
    provider.seconds = -18.0  # clocks may be half a minute apart
    viewer.open("/")
    sign_in(viewer)
    expect(viewer.page.locator(FIGURE)).to_be_visible()
    viewer.said("Your sign-in has ended. Sign in again.", timeout=40)
    expect(viewer.page.locator(FIGURE)).to_have_count(0)
    provider.seconds = 600.0
    sign_in(viewer)
    expect(viewer.page.locator(FIGURE)).to_be_visible()


def test_a_sign_in_is_renewed_without_a_reload(provider: Provider, viewer: Viewer) -> None:
    provider.renews, provider.seconds = True, 6.0
    asked = len(provider.forms)
    viewer.open("/")
    sign_in(viewer)
    expect(viewer.page.locator(FIGURE)).to_be_visible()
    viewer.page.evaluate("window.same = true")

    def renewed() -> bool:
        viewer.page.evaluate("0")  # lets the browser's news in
        return [form["grant_type"] for form in provider.forms[asked:]].count("refresh_token") >= 3

    wait_until(renewed, 40, "it is renewed", every=0.25)
    expect(viewer.page.locator(FIGURE)).to_be_visible()
    assert viewer.page.evaluate("window.same") is True


def test_who_comes_back_after_a_long_time_is_let_in_by_the_provider_alone(provider: Provider, viewer: Viewer) -> None:
    provider.renews = True
    viewer.open("/")
    sign_in(viewer)
    expect(viewer.page.locator(FIGURE)).to_be_visible()
    viewer.page.context.clear_cookies(name="taskengine_key")  # as it does when the token has ended
    viewer.page.reload()
    expect(viewer.page.locator(FIGURE)).to_be_visible()
