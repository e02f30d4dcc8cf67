"""Every page as a VIEWER sees it: all that there is to see, nothing that could be done, and no error."""

import re

import pytest
from playwright.sync_api import expect

from support.household import Household
from support.viewer import Viewer

FAR = 3_600.0
"""Seconds of delay that no test waits for."""
ACTIONS = {
    "/": (),
    "/jobs?queue=looked-at": ("jobs-every", "retry-selected"),
    "/jobs?queue=looked-at&job={failed}": ("drawer-retry", "drawer-more"),
    "/job?id={waiting}": ("job-cancel", "job-more"),
    "/failures": ("failure-retry-", "failure-delete-"),
    "/queues": ("queue-actions-",),
    "/workers": (),
    "/tasks": ("task-actions-",),
    "/schedules": ("schedule-new",),
    "/enqueue?task=universal": ("enqueue-send",),
    "/activity": (),
    "/activity?show=audit": (),
    "/settings": (),
}
"""Addresses, and how the keys of what operators can do there begin."""
OFFERED = "() => [...document.querySelectorAll('[class*=st-key-]')].flatMap(element => [...element.classList])"


@pytest.fixture
def jobs(house: Household) -> dict[str, str]:
    failed = house.enqueue("universal", {"do": "FAIL"}, queue="looked-at", maxAttempts=1)
    house.until(failed, "FAILED")
    return {"failed": failed, "waiting": house.enqueue("universal", {}, queue="looked-at", delaySeconds=FAR)}


def offered(viewer: Viewer, actions: tuple[str, ...]) -> list[str]:
    """Return which of these actions the page offers."""
    keys: list[str] = viewer.page.evaluate(OFFERED)
    return [key for key in keys if any(key.startswith(f"st-key-{action}") for action in actions)]


def test_a_viewer_sees_every_page_and_can_change_nothing(
    house: Household, viewer: Viewer, jobs: dict[str, str]
) -> None:
    for path, actions in ACTIONS.items():
        if not actions:
            continue
        viewer.open(path.format(**jobs))
        expect(viewer.page.locator(f"[class*='st-key-{actions[0]}']").first).to_be_attached()
    viewer.sign_in(house.key("vera", "VIEWER"))
    for path, actions in ACTIONS.items():
        viewer.open(path.format(**jobs))
        viewer.said("Read only")
        viewer.settle()
        expect(viewer.page.get_by_test_id("stAlert").filter(has_not_text=re.compile("as told"))).to_have_count(0)
        expect(viewer.page.get_by_test_id("stException")).to_have_count(0)
        assert (path, offered(viewer, actions)) == (path, [])
