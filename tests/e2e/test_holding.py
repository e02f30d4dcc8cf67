"""A queue held back and let go by its page, and what its jobs say meanwhile."""

import re

from playwright.sync_api import expect

from support.household import Household
from support.viewer import Viewer


def choose_from_menu(viewer: Viewer, key: str, item: str) -> None:
    viewer.press(key)
    viewer.page.get_by_role("menuitem", name=item).click()


def test_a_paused_queue_holds_its_jobs_which_say_so_until_it_is_resumed(house: Household, viewer: Viewer) -> None:
    house.until(house.enqueue("universal", {}, queue="flood"), "COMPLETED")
    viewer.open("/queues")
    card = viewer.page.locator(".st-key-queue-flood")
    choose_from_menu(viewer, "queue-actions-flood", "Pause…")
    viewer.said("Pause queue flood?")
    viewer.fill("Why", "The cellar is under water")
    viewer.press("confirm-yes")
    viewer.said("Paused queue flood.")
    expect(card).to_contain_text(re.compile(r"Paused .* by .*: The cellar is under water"))
    job_id = house.enqueue("universal", {"value": 7}, queue="flood")
    viewer.open(f"/job?id={job_id}")
    waiting = viewer.page.locator(".st-key-job-waiting p").first
    expect(waiting).to_have_text(re.compile(r"^[^.]*[Qq]ueue flood is paused[^.]*The cellar is under water[^.]*\.?$"))
    assert house.job(job_id)["state"] == "QUEUED"
    viewer.open("/queues")
    choose_from_menu(viewer, "queue-actions-flood", "Resume")
    viewer.said("Queue flood goes on.")
    expect(card.get_by_text("Paused")).to_have_count(0)
    assert house.until(job_id, "COMPLETED")["result"] == 7


def test_an_address_in_a_reason_is_shown_as_it_is_and_is_no_link(house: Household, viewer: Viewer) -> None:
    house.until(house.enqueue("universal", {}, queue="post"), "COMPLETED")
    pause = 'mutation($why: String) { pauseQueue(input: {queue: "post", reason: $why}) { errors { message } } }'
    assert house.graphql(pause, why="Ask ada_b+1@acme.example{soon}")["pauseQueue"] == {"errors": []}
    viewer.open("/queues")
    card = viewer.page.locator(".st-key-queue-post")
    expect(card).to_contain_text("Ask ada_b+1@acme.example{soon}")
    expect(card.locator("[href^='mailto:']")).to_have_count(0)
