"""Jobs and one job in a browser, on a system that really runs: all that match, and what is seen live."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from support.household import Household
from support.viewer import Viewer
from support.waiting import wait_until

FAR = 3_600.0
"""Seconds of delay that no test waits for."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Household]:
    """A system of tasks that do as told and talk. Each test uses a queue of its own."""
    house = Household(tmp_path_factory.mktemp("house"), "support.talking:engine")
    try:
        yield house.start()
    finally:
        house.stop()


def failed_jobs(house: Household, queue: str, count: int) -> list[str]:
    """Enqueue jobs that fail, and wait until they have."""
    jobs = [house.enqueue("universal", {"do": "FAIL"}, queue=queue, maxAttempts=1) for _ in range(count)]
    for job_id in jobs:
        house.until(job_id, "FAILED")
    return jobs


def choose_from_menu(viewer: Viewer, key: str, item: str) -> None:
    viewer.press(key)
    viewer.page.get_by_role("menuitem", name=item).click()


def attempts(house: Household, jobs: list[str]) -> list[int]:
    return [house.job(job_id)["attemptCount"] for job_id in jobs]


def test_all_that_match_are_retried_and_none_that_came_meanwhile(house: Household, viewer: Viewer) -> None:
    wanted = failed_jobs(house, "bulk", 30)
    others = failed_jobs(house, "other", 1)
    viewer.open("/jobs?state=FAILED&queue=bulk")
    viewer.said(re.compile("25 of 30"))
    choose_from_menu(viewer, "jobs-every", "Retry…")
    viewer.said("Retry 30 jobs?")
    late = failed_jobs(house, "bulk", 3)
    assert attempts(house, wanted) == [1] * 30
    viewer.press("confirm-yes")
    viewer.said(re.compile("Retried 30 jobs"))
    wait_until(lambda: attempts(house, wanted) == [2] * 30, 30, "each was tried again")
    assert attempts(house, [*others, *late]) == [1] * 4


def test_a_filter_is_chosen_sent_as_a_link_and_taken_away(house: Household, viewer: Viewer) -> None:
    tagged = house.enqueue("universal", {}, queue="tags", tags=["nightly"], delaySeconds=FAR)
    house.enqueue("universal", {}, queue="tags", delaySeconds=FAR)
    viewer.open("/jobs?queue=tags")
    wait_until(lambda: len(viewer.rows()) == 2, 20, "both are listed")
    viewer.page.locator(".st-key-jobs-more button").first.click()
    tags = viewer.page.get_by_role("combobox", name="Tags")
    tags.fill("nightly")
    tags.press("Enter")
    expect(viewer.page).to_have_url(re.compile("tag=nightly"))
    viewer.page.keyboard.press("Escape")
    viewer.page.reload()
    wait_until(lambda: list(viewer.rows()) == [f"…{tagged[-8:]}"], 20, "one is listed")
    viewer.press("jobs-chip-0")
    wait_until(lambda: len(viewer.rows()) == 2, 20, "both are listed again")


def test_what_is_typed_outlives_a_refresh(house: Household, viewer: Viewer) -> None:
    job_id = house.enqueue("universal", {"message": "needle"}, queue="typing", delaySeconds=FAR)
    house.enqueue("universal", {"message": "hay"}, queue="typing", delaySeconds=FAR)
    viewer.open("/jobs?queue=typing")
    wait_until(lambda: len(viewer.rows()) == 2, 20, "both are listed")
    field = viewer.page.get_by_role("searchbox", name="Search arguments")
    field.press_sequentially("need")
    before = viewer.page.locator(".st-key-health").inner_text()
    wait_until(lambda: viewer.page.locator(".st-key-health").inner_text() != before, 20, "the page was refreshed")
    expect(field).to_have_value("need")
    field.press("Enter")
    wait_until(lambda: list(viewer.rows()) == [f"…{job_id[-8:]}"], 20, "one is found")


def test_a_page_of_jobs_is_taken_as_a_file(house: Household, viewer: Viewer) -> None:
    job_id = house.enqueue("universal", {}, queue="files", delaySeconds=FAR)
    viewer.open("/jobs?queue=files")
    viewer.row_of(job_id)
    viewer.settle()
    with viewer.page.expect_download() as download:
        viewer.button("jobs-json").click()
    assert [job["id"] for job in json.loads(Path(download.value.path()).read_text("utf-8"))] == [job_id]


def test_a_log_is_read_as_it_is_written_and_taken_as_a_file(house: Household, viewer: Viewer) -> None:
    job_id = house.enqueue("talk", {"lines": 5, "ms": 1_500}, queue="talk", delaySeconds=FAR)
    viewer.open(f"/jobs?job={job_id}")
    viewer.open_tab("Log")
    dialog = viewer.page.get_by_role("dialog")
    lines = viewer.page.locator(".st-key-drawer-log-lines")
    house.graphql("mutation($id: ID!) { rescheduleJob(input: { id: $id }) { errors { message } } }", id=job_id)
    expect(lines).to_contain_text("line 1 of=5")
    expect(lines).not_to_contain_text("line 5 of=5")
    expect(lines).to_contain_text("line 5 of=5", timeout=40_000)
    house.until(job_id, "COMPLETED")
    dialog.get_by_role("radio", name="Warnings").click(force=True)
    expect(lines).not_to_contain_text("line 1 of=5")
    dialog.get_by_role("radio", name="All").click(force=True)
    expect(lines).to_contain_text("line 1 of=5")
    viewer.settle()
    with viewer.page.expect_download() as download:
        viewer.button("drawer-log-file").click()
    assert Path(download.value.path()).read_text("utf-8").count("\n") == 5


def test_a_job_says_why_it_waits_and_what_for(house: Household, viewer: Viewer) -> None:
    first = house.enqueue("universal", {}, queue="deps", delaySeconds=FAR)
    then = house.enqueue("universal", {}, queue="deps", dependsOn=[first])
    viewer.open(f"/job?id={then}")
    viewer.said(re.compile("waits for 1 job to complete"))
    viewer.open_tab("Dependencies")
    expect(viewer.page.locator("[data-testid=stGraphVizChart] svg")).to_be_visible()
    viewer.press("job-before-0")
    expect(viewer.page.get_by_role("dialog")).to_be_visible()
    choose_from_menu(viewer, "drawer-more", "Run now")
    viewer.said("It may start now.")
    viewer.settle()
    house.until(then, "COMPLETED")
    viewer.close_dialog()
    viewer.open_tab("Timeline")
    viewer.said(re.compile("Run 1 completed"))


def test_a_job_is_run_again_with_other_arguments(house: Household, viewer: Viewer) -> None:
    job_id = house.enqueue("universal", {"value": 1}, queue="again")
    house.until(job_id, "COMPLETED")
    viewer.open(f"/jobs?job={job_id}")
    choose_from_menu(viewer, "drawer-more", "Rerun…")
    text = viewer.page.get_by_role("textbox", name="Arguments")
    text.fill('{"value": 2}')
    text.press("Tab")
    viewer.press("drawer-yes")
    viewer.said("Enqueued again.")
    expect(viewer.page).not_to_have_url(re.compile(job_id))
    again = re.search(r"job=(\w+)", viewer.page.url)
    assert again
    assert house.until(again[1], "COMPLETED")["result"] == 2


@pytest.mark.parametrize("path", ["/jobs?state=FAILED&tag=a&tag=b&priority=3-7&created=24h", "/job?id={job}"])
def test_nothing_is_wider_than_a_phone(house: Household, viewer: Viewer, path: str) -> None:
    job_id = house.enqueue("universal", {}, queue="narrow", delaySeconds=FAR)
    viewer.page.set_viewport_size({"width": 390, "height": 844})
    viewer.open(path.format(job=job_id))
    wider = viewer.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider == 0
