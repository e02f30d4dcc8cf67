"""What happens right now, as it happens; and everything as those see it who may only look."""

import re

from playwright.sync_api import Page

from support.household import Household
from support.viewer import Viewer
from support.waiting import wait_until


def texts(page: Page) -> list[str]:
    """Return what the rows of the stream tell, newest first."""
    return page.evaluate(
        """() => [...(document.querySelector('[data-testid=stDataFrame] tbody')?.rows ?? [])]
                 .map(row => row.cells[row.cells.length - 1].textContent)"""
    )


def test_a_running_job_is_followed_held_and_followed_again(house: Household, viewer: Viewer) -> None:
    def hears(text: str) -> bool:
        return any(text in told for told in texts(viewer.page))

    viewer.open("/activity?kind=LOG&kind=PROGRESS&queue=stream")
    viewer.said("Nothing yet that matches")
    viewer.said(re.compile("^Since "))
    talking = house.enqueue("talk", {"lines": 40, "ms": 500}, queue="stream")
    house.enqueue("universal", {"ms": 2_000, "steps": 4}, queue="stream")
    wait_until(lambda: hears("line 1") and hears("step 1"), 20, "log lines and progress appear")
    assert house.job(talking)["state"] == "RUNNING"
    viewer.press("activity-hold")
    viewer.said(re.compile(r"Held · \d+ events? since"))
    held = texts(viewer.page)
    viewer.said(re.compile(r"Held · ([3-9]|\d\d) events since"))
    assert texts(viewer.page) == held
    viewer.press("activity-go-on")
    wait_until(lambda: len(texts(viewer.page)) > len(held), 20, "what came meanwhile is shown")
    house.graphql("mutation($id: ID!) { cancelJob(input: {id: $id, terminate: true}) { job { id } } }", id=talking)


def test_who_did_what_is_told(house: Household, viewer: Viewer) -> None:
    house.graphql('mutation { pauseQueue(input: {queue: "told", reason: "For the audit"}) { errors { message } } }')
    viewer.open("/activity?show=audit")
    wait_until(lambda: any("For the audit" in told for told in texts(viewer.page)), 20, "the deed is listed")
