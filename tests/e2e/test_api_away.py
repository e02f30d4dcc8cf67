"""The API or Redis away while several pages are open: what was known stays, actions are off, and all of it recovers."""

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import psutil
from playwright.sync_api import Locator, Page, expect

from support.household import Household
from support.viewer import Viewer

FAR = 3_600.0
"""Seconds of delay that no test waits for."""
PAGES = {
    "/": ".st-key-states",
    "/jobs?queue=lasting": "[data-testid=stDataFrame]",
    "/queues": ".st-key-queue-lasting",
    "/activity": ".st-key-activity-bar",
}
"""Addresses, and what stays there whatever happens."""
ACTIONS = {"/jobs?queue=lasting": "jobs-every", "/queues": "queue-actions-lasting"}
SECONDS = 60_000


@contextmanager
def without(house: Household, role: str) -> Iterator[None]:
    """Kill a part of the system, which is not started again until this ends."""
    processes = house.processes()
    watch = processes["up"]
    watch.send_signal(signal.SIGSTOP)
    try:
        processes[role].kill()
        psutil.wait_procs([processes[role]], timeout=10)
        yield
    finally:
        watch.send_signal(signal.SIGCONT)


def tabs_of(viewer: Viewer) -> dict[str, Page]:
    """Open each page in a tab of its own; what any of them complains of is the viewer's complaint."""
    tabs: dict[str, Page] = {}
    for path, shown in PAGES.items():
        tab = viewer if not tabs else viewer.in_a_new_tab()
        tab.open(path)
        expect(tab.page.locator(shown).first).to_be_visible()
        tabs[path] = tab.page
    return tabs


def action_on(tabs: dict[str, Page], path: str) -> Locator:
    return tabs[path].locator(f".st-key-{ACTIONS[path]} button").first


def stays_calm(tabs: dict[str, Page], title: str | re.Pattern[str]) -> None:
    """Each page has one banner with the time of what it shows, keeps that, and lets nothing be done."""
    for path, page in tabs.items():
        banner = page.get_by_test_id("stAlert")
        expect(banner.filter(has_text=title)).to_have_count(1, timeout=SECONDS)
        expect(banner).to_have_count(1)
        expect(banner).to_contain_text(re.compile(r"The figures are from \d\d:\d\d:\d\d.*, and actions are off"))
        expect(page.locator(PAGES[path]).first).to_be_visible()
        expect(page.get_by_text("Traceback")).to_have_count(0)
        expect(page.get_by_test_id("stException")).to_have_count(0)
    for path in ACTIONS:
        expect(action_on(tabs, path)).to_be_disabled()


def recovers(tabs: dict[str, Page]) -> None:
    """Each page goes on by itself: without a banner, with actions."""
    for page in tabs.values():
        expect(page.get_by_test_id("stAlert")).to_have_count(0, timeout=SECONDS)
    for path in ACTIONS:
        expect(action_on(tabs, path)).to_be_enabled()


def test_pages_outlive_the_api_and_then_redis(house: Household, viewer: Viewer) -> None:
    job_id = house.enqueue("universal", {}, queue="lasting", delaySeconds=FAR)
    tabs = tabs_of(viewer)
    with without(house, "api"):
        stays_calm(tabs, "The API is not reachable")
    recovers(tabs)
    with without(house, "redis"):
        stays_calm(tabs, "The API could not answer")
    recovers(tabs)
    assert house.job(job_id)["state"] == "SCHEDULED"
