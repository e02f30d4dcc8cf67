"""A task's form in a browser, on a system that really runs: filled in, refused at a field, mended, carried out."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from support import axe
from support.household import Household
from support.viewer import Viewer

SECRET = "hunter2-hunter2"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    """A system with a task that takes models, a list of them, an enum, a date and a secret."""
    house = Household(tmp_path_factory.mktemp("house"), "support.ordering:engine")
    try:
        yield house.start()
    finally:
        house.stop()


def fill_in(viewer: Viewer, sku: str) -> None:
    """Fill in the form with one line of this article."""
    viewer.open("/enqueue?task=shop.order")
    viewer.fill("Street", "Evergreen Terrace 742")
    viewer.press("enqueue-shop-order-args-lines-add")
    viewer.fill("Sku", sku)
    viewer.page.get_by_role("radio", name="next day").click(force=True)
    day = viewer.page.locator(".st-key-enqueue-shop-order-args-day input").first
    day.fill("2026-12-24")
    day.press("Enter")
    token = viewer.page.get_by_role("textbox", name="Token")
    token.fill(SECRET)
    token.press("Enter")
    viewer.settle()


def test_an_order_with_all_that_forms_find_hard_is_enqueued_and_done(house: Household, viewer: Viewer) -> None:
    fill_in(viewer, "a1")
    viewer.press("enqueue-send")
    viewer.said(re.compile("^Enqueued shop.order"))
    viewer.press("enqueue-open")
    viewer.said("Run 1 completed")
    job_id = re.search(r"job=(\w+)", viewer.page.url)
    assert job_id
    said = "1 x a1 to Evergreen Terrace 742 in Springfield, next day, on 2026-12-24, [], 15 characters"
    assert house.job(job_id[1])["result"] == said
    viewer.open_tab("Arguments")
    viewer.said(re.compile("Evergreen Terrace"))
    assert SECRET not in viewer.page.inner_text("body")


def test_what_is_wrong_within_a_row_is_said_there_and_all_that_was_typed_stays(
    house: Household, viewer: Viewer
) -> None:
    fill_in(viewer, "7")
    viewer.press("enqueue-send")
    viewer.said("Not enqueued")
    row = viewer.page.locator(".st-key-enqueue-arguments")
    expect(row.get_by_text(re.compile(r"\^\[a-z\]\[0-9\]\+\$"))).to_be_visible()
    expect(viewer.page.get_by_role("textbox", name="Street")).to_have_value("Evergreen Terrace 742")
    viewer.fill("Sku", "a7")
    expect(viewer.page.get_by_text("Not enqueued")).to_have_count(0)
    viewer.press("enqueue-send")
    viewer.said(re.compile("^Enqueued shop.order"))


def test_the_request_is_shown_as_it_is_sent_but_for_the_secret(viewer: Viewer) -> None:
    fill_in(viewer, "a1")
    viewer.page.locator(".st-key-enqueue-graphql summary").click()
    viewer.said(re.compile(r"mutation EnqueueShopOrder\(\$input: EnqueueShopOrderInput!\)"))
    shown = viewer.page.locator(".st-key-enqueue-graphql")
    for text in ('"token": "********"', '"speed": "NEXT_DAY"', '"day": "2026-12-24"', "curl "):
        expect(shown).to_contain_text(text)
    assert SECRET not in viewer.page.inner_text("body")
    assert SECRET not in viewer.page.url


@pytest.mark.parametrize("width", [390])
def test_a_phone_shows_the_form_without_moving_sideways(viewer: Viewer, width: int) -> None:
    viewer.page.set_viewport_size({"width": width, "height": 844})
    viewer.open("/enqueue?task=shop.order")
    viewer.said("Options")
    viewer.settle()
    assert viewer.page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_form_with_all_that_there_is_to_see_is_fit_for_those_who_do_not_see_it(viewer: Viewer) -> None:
    axe.need_axe()
    viewer.page.set_viewport_size({"width": 1280, "height": 2400})  # axe sees what is in view
    viewer.open("/enqueue?task=shop.order")
    viewer.press("enqueue-shop-order-args-lines-add")
    viewer.press("enqueue-send")
    viewer.said("Not enqueued")
    for part in ("option-shop-order-more", "enqueue-graphql"):
        viewer.page.locator(f".st-key-{part} summary").click()
    viewer.said("Idempotency key")
    viewer.settle()
    assert axe.violations(viewer.page) == []


def orders(house: Household) -> int:
    """Return how many orders there are."""
    return house.graphql('{ jobs(first: 1, filter: {tasks: ["shop.order"]}) { totalCount } }')["jobs"]["totalCount"]


def test_a_double_click_enqueues_one_job(house: Household, viewer: Viewer) -> None:
    before = orders(house)
    fill_in(viewer, "b2")
    viewer.button("enqueue-send").dblclick()
    viewer.said(re.compile(r"^\S*(Enqueued|It was enqueued)"))
    expect(viewer.button("enqueue-open")).to_be_visible()
    assert orders(house) == before + 1


def test_an_order_is_repeated_by_its_form_with_its_secret_as_it_was(house: Household, viewer: Viewer) -> None:
    args = {"to": {"street": "Elm 1"}, "lines": [{"sku": "a1"}], "speed": "saver", "day": "2026-12-24"}
    first = house.enqueue("shop.order", {**args, "token": SECRET})
    house.until(first, "COMPLETED")
    viewer.open(f"/jobs?job={first}")
    viewer.press("drawer-more")
    viewer.page.get_by_role("menuitem", name="Rerun…").click()
    viewer.press("drawer-form")
    viewer.said(re.compile("but for what you change"))
    expect(viewer.page.get_by_role("textbox", name="Street")).to_have_value("Elm 1")
    viewer.fill("Street", "Oak 2")
    viewer.press("enqueue-send")
    viewer.press("enqueue-open")
    viewer.said("Run 1 completed")
    job_id = re.search(r"job=(\w+)", viewer.page.url)
    assert job_id
    assert house.job(job_id[1])["result"] == "1 x a1 to Oak 2 in Springfield, saver, on 2026-12-24, [], 15 characters"
