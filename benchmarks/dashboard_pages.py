"""What someone at the dashboard waits for, with few jobs in Redis and with many: measured in turns in one Chromium.

First content in a fresh browser profile, a change of page by the menu, opening a job over the list, and how long it
takes until a job that was enqueued stands on a page that refreshes every 2 seconds.
"""

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, expect, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from filling import fill

from support import chromium
from support.household import Household
from support.redis_server import RedisServer
from support.viewer import Viewer

FAR = 3_600.0
FIGURE = ".st-key-states"
"""On the Overview: how many jobs are in each state."""
TABLE = ".st-key-jobs [data-testid=data-grid-canvas]"
"""On Jobs. What stands in it is told to screen readers a third of a second after it is drawn."""
ROWS = "[data-testid=stDataFrame] tbody tr[aria-rowindex='2']"
LOOKS = ("first content", "page change", "a job opened", "change to pixels")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--few", type=int, default=1_000)
    parser.add_argument("--many", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=14)
    options = parser.parse_args()
    with ExitStack() as stack:
        houses = {jobs: house_with(stack, jobs) for jobs in (options.few, options.many)}
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=chromium.chromium_path(), args=chromium.ARGUMENTS)
        spent: dict[tuple[int, str], list[float]] = {(jobs, look): [] for jobs in houses for look in LOOKS}
        complaints: list[str] = []
        for turn in range(options.times + 1):
            for jobs, house in houses.items():
                for look, seconds in visit(browser, house, complaints).items():
                    if turn:  # the first warms up
                        spent[jobs, look].append(seconds)
        browser.close()
    print(f"{'seconds, median / worst':<24}" + "".join(f"{jobs:>14,} jobs" for jobs in houses))
    for look in LOOKS:
        cells = [f"{median(spent[jobs, look]):.2f} / {max(spent[jobs, look]):.2f}" for jobs in houses]
        print(f"{look:<24}" + "".join(f"{cell:>19}" for cell in cells))
    print(f"console errors, exceptions and requests to other hosts: {len(complaints)}", *complaints[:5], sep="\n")


def house_with(stack: ExitStack, jobs: int) -> Household:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    server = RedisServer(folder).start()
    stack.callback(server.stop)
    with server.client() as redis:
        fill(redis, jobs)
    house = Household(folder, redis_url=server.url).start()
    stack.callback(house.stop)
    return house


def visit(browser: Browser, house: Household, complaints: list[str]) -> dict[str, float]:
    """Come anew, look at the Overview, go to Jobs, open one, close it, and wait for a new one to appear."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    viewer = Viewer(context.new_page(), house.dashboard)
    page = viewer.page

    def first() -> None:
        page.goto(house.dashboard, wait_until="commit")
        page.locator(FIGURE).wait_for()

    def change() -> None:
        page.get_by_role("link", name="Jobs", exact=True).first.click()
        page.locator(TABLE).wait_for()

    def drawer() -> None:
        page.mouse.click(*place)
        expect(page.get_by_role("dialog").get_by_role("tab", name="Timeline")).to_be_visible()

    def pixels() -> None:
        house.enqueue("universal", {}, queue="pixels", delaySeconds=FAR)
        page.wait_for_function(
            "many => document.querySelectorAll('[data-testid=stDataFrame] tbody tr').length > many", arg=before
        )

    spent = {"first content": timed(first)}
    page.wait_for_timeout(2_000)  # someone looks at it
    spent["page change"] = timed(change)
    page.locator(ROWS).wait_for(state="attached")
    viewer.settle()
    canvas = page.locator("[data-testid=data-grid-canvas]").first.bounding_box()
    assert canvas
    place = (canvas["x"] + 80, canvas["y"] + 33 + 18)
    spent["a job opened"] = timed(drawer)
    viewer.open("/jobs?queue=pixels")
    page.wait_for_timeout(2_000 + random.random() * 2_000)
    before = page.locator("[data-testid=stDataFrame] tbody tr").count()
    spent["change to pixels"] = timed(pixels)
    complaints += viewer.complaints
    context.close()
    return spent


def timed(act: Callable[[], None]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun


if __name__ == "__main__":
    main()
