"""Every page as those get it who do not see it, or not well: audited by axe-core, in the light and in the dark."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from support import axe
from support.household import Household
from support.viewer import Viewer

FAR = 3_600.0
"""Seconds of delay that no test waits for."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    """A system with something to show on each page."""
    axe.need_axe()
    house = Household(tmp_path_factory.mktemp("house"), "support.varied:engine")
    try:
        house.start()
        furnish(house)
        yield house
    finally:
        house.stop()


@pytest.fixture(autouse=True)
def tall(page: Page) -> None:
    """Have a window in which all of a page is in view: axe sees nothing else."""
    page.set_viewport_size({"width": 1280, "height": 2400})


def furnish(house: Household) -> None:
    """Jobs in every state, failures of two kinds, a paused queue, schedules, and someone's deeds."""
    failed = [
        house.enqueue("universal", {"do": "FAIL", "error": error}, queue="mail", maxAttempts=1)
        for error in ("ValueError", "RuntimeError")
    ]
    done = house.enqueue("talk", {"lines": 3}, queue="mail", tags=["nightly"])
    waiting = house.enqueue("universal", {}, queue="later", delaySeconds=FAR)
    house.enqueue("universal", {}, queue="later", dependsOn=[waiting])
    cancelled = house.enqueue("universal", {}, queue="later", delaySeconds=FAR)
    house.graphql('mutation { pauseQueue(input: {queue: "held", reason: "Flood"}) { errors { message } } }')
    house.enqueue("universal", {}, queue="held")
    house.graphql("mutation($id: ID!) { cancelJob(input: {id: $id}) { errors { message } } }", id=cancelled)
    for name, task in (("nightly", "talk"), ("hourly", "universal")):
        house.graphql(
            "mutation($input: CreateScheduleInput!) { createSchedule(input: $input) { errors { message } } }",
            input={"name": name, "task": task, "args": {}, "cron": "0 3 * * *"},
        )
    for job_id in failed:
        house.until(job_id, "FAILED")
    house.until(done, "COMPLETED")


def wrong_in(found: dict[str, list[str]]) -> dict[str, list[str]]:
    return {where: wrong for where, wrong in found.items() if wrong}


def any_job(house: Household, state: str) -> str:
    """Return the id of a job in a state."""
    query = "query($state: JobState!) { jobs(first: 1, filter: {states: [$state]}) { edges { node { id } } } }"
    return house.graphql(query, state=state)["jobs"]["edges"][0]["node"]["id"]


PAGES = {
    "/": ".st-key-card-throughput",
    "/jobs": "[data-testid=stDataFrame]",
    "/failures": "[class*=st-key-failure-fail_]",
    "/queues": ".st-key-queue-held",
    "/workers": "[data-testid=stDataFrame]",
    "/tasks": ".st-key-task-talk",
    "/schedules": "[data-testid=stDataFrame]",
    "/enqueue?task=print.poster": ".st-key-enqueue-send",
    "/activity": ".st-key-activity-bar",
    "/activity?show=audit": "[data-testid=stDataFrame]",
    "/settings": "[data-testid=stTable]",
}
"""Addresses, and what is there when all of the page is."""


@pytest.mark.parametrize("paths", [list(PAGES)[:5], list(PAGES)[5:]], ids=["first-half", "second-half"])
def test_no_page_keeps_anything_from_anyone(viewer: Viewer, paths: list[str]) -> None:
    found: dict[str, list[str]] = {}
    for path in paths:
        viewer.open(path)
        expect(viewer.page.locator(PAGES[path]).first).to_be_visible()
        found[path] = axe.audit(viewer)
    assert wrong_in(found) == {}


def test_no_part_of_a_job_keeps_anything_from_anyone(house: Household, viewer: Viewer) -> None:
    viewer.open(f"/jobs?job={any_job(house, 'FAILED')}")
    viewer.said("Failed for good")
    found = {"drawer": axe.audit(viewer)}
    viewer.open(f"/job?id={any_job(house, 'FAILED')}")
    viewer.open_tab("Errors")
    viewer.said(re.compile("Traceback"))
    found["errors"] = axe.audit(viewer)
    viewer.open(f"/job?id={any_job(house, 'COMPLETED')}")
    viewer.open_tab("Log")
    viewer.said(re.compile("line 3"))
    found["log"] = axe.audit(viewer)
    assert wrong_in(found) == {}


def test_neither_questions_nor_forms_keep_anything_from_anyone(viewer: Viewer) -> None:
    viewer.open("/failures")
    viewer.page.get_by_role("button", name="Delete 1").first.click()
    viewer.said("Delete 1 job?")
    found = {"question": axe.audit(viewer)}
    viewer.open("/settings")
    viewer.page.get_by_text("Sign in with a key").click()
    expect(viewer.page.get_by_label("API key")).to_be_visible()
    found["form to sign in"] = axe.audit(viewer)
    viewer.page.keyboard.press("?")
    expect(viewer.page.get_by_role("dialog")).to_be_visible()
    found["keys"] = axe.audit(viewer)
    assert wrong_in(found) == {}
