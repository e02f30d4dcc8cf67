"""What fails, once for each cause, and retrying all of one cause by the page."""

import re

from playwright.sync_api import Locator, expect

from support.household import Household
from support.viewer import Viewer
from support.waiting import wait_until


def failed_jobs(house: Household, error: str, count: int) -> list[str]:
    """Enqueue jobs that fail by one cause, and would succeed the next time; wait until they have failed."""
    args = {"do": "FAIL_ONCE", "error": error, "message": f"by {error}"}
    jobs = [house.enqueue("universal", args, queue="causes", maxAttempts=1) for _ in range(count)]
    for job_id in jobs:
        house.until(job_id, "FAILED")
    return jobs


def card_of(viewer: Viewer, error: str) -> Locator:
    return viewer.page.locator("[class*=st-key-failure-fail_]").filter(has_text=f"by {error}")


def states(house: Household, jobs: list[str]) -> set[str]:
    return {house.job(job_id)["state"] for job_id in jobs}


def test_all_of_one_cause_are_retried_and_none_of_another(house: Household, viewer: Viewer) -> None:
    wanted, others = failed_jobs(house, "OSError", 4), failed_jobs(house, "ConnectionError", 2)
    viewer.open("/failures")
    ours, theirs = card_of(viewer, "OSError"), card_of(viewer, "ConnectionError")
    for card, count in ((ours, 4), (theirs, 2)):
        expect(card).to_have_count(1)
        expect(card).to_contain_text(re.compile(rf"Failed now\s*{count}"))
        expect(card).to_contain_text("support/universal.py")
    viewer.settle()
    ours.get_by_role("button", name="Retry 4").click()
    viewer.said("Retry 4 jobs?")
    assert states(house, wanted) == {"FAILED"}
    viewer.press("confirm-yes")
    viewer.said(re.compile("Retried 4 jobs"))
    wait_until(lambda: states(house, wanted) == {"COMPLETED"}, 30, "each was tried again")
    assert states(house, others) == {"FAILED"}
    expect(ours).to_contain_text(re.compile(r"Failed now\s*0"))
    expect(ours.get_by_role("button", name="Retry")).to_have_count(0)
    expect(theirs).to_contain_text(re.compile(r"Failed now\s*2"))
