"""``make screenshots``: the README's pictures, taken of the running product with its samples and its demo.

It starts all of it in a folder of its own, on free ports and a private Redis, lets the demo run for a while, and takes
each picture in light and in dark. Their sizes are always the same; what they show is what happened to run.
"""

import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from support.chromium import ARGUMENTS, chromium_path
from support.household import Household
from support.viewer import Viewer
from support.waiting import wait_until

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
WAVES, WAVE_SECONDS = 4, 18
"""So often, and so far apart, the demo sends its mix once more: the charts of a minute are full by then."""
LONG = {"pictures": 48, "size": {"width": 640, "height": 480}, "detail": 400}
"""Arguments of a job that still runs when its picture is taken."""
Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture: what is opened, how large, and what must stand there before it is taken."""

    name: str
    path: str
    shows: str
    width: int = 1440
    height: int = 936
    scale: float = 1.25


def pictures(house: Household) -> list[Picture]:
    """Return what is taken, as of what has run by now."""
    running = house.enqueue("images.render", LONG)
    house.until(running, "RUNNING")
    return [
        Picture(name="overview", path="/?window=MINUTE", shows="Problems, newest first", height=1090),
        Picture(name="jobs", path=f"/jobs?job={most_tried(house)}", shows="Failed for good"),
        Picture(name="failures", path="/failures", shows="Open the newest"),
        Picture(name="phone", path="/?window=MINUTE", shows="Throughput", width=390, height=844, scale=2),
        Picture(name="phone-job", path=f"/job?id={running}", shows="Timeline", width=390, height=844, scale=2),
    ]


def most_tried(house: Household) -> str | None:
    """Return the failed job with the most attempts, ``None`` before one has failed: it has most to tell."""
    query = "{ jobs(filter: {states: [FAILED]}, first: 100) { nodes { id attemptCount } } }"
    found = house.graphql(query)["jobs"]["nodes"]
    return max(found, key=lambda job: job["attemptCount"])["id"] if found else None


def take(browser: Browser, house: Household, picture: Picture, theme: Theme) -> bytes:
    """Return a picture as a WebP without loss: half of what a PNG takes."""
    context = browser.new_context(
        viewport={"width": picture.width, "height": picture.height},
        device_scale_factor=picture.scale,
        color_scheme=theme,
        reduced_motion="reduce",
        service_workers="block",
    )
    try:
        viewer = Viewer(context.new_page(), house.dashboard)
        viewer.open(picture.path)
        viewer.said(picture.shows)
        viewer.page.wait_for_timeout(3_000)  # charts draw themselves after their page, and say nothing when they have
        viewer.settle()
        assert viewer.complaints == []
        taken = viewer.page.screenshot()
    finally:
        context.close()
    small = BytesIO()
    Image.open(BytesIO(taken)).convert("RGB").save(small, "WEBP", lossless=True, quality=100, method=6)
    return small.getvalue()


@contextmanager
def demo(house: Household) -> Generator[None]:
    """Keep a trickle of sample jobs coming, some of which fail."""
    running = subprocess.Popen(
        [sys.executable, "-m", "taskengine", "demo"],
        cwd=house.folder,
        env=house.env(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        running.terminate()
        running.wait(20)


def main() -> None:
    """Take all pictures anew."""
    FOLDER.mkdir(exist_ok=True)
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        house = Household(Path(folder), "taskengine.samples:engine")
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=ARGUMENTS)
        try:
            house.start()
            with demo(house):
                for _ in range(WAVES):
                    time.sleep(WAVE_SECONDS)
                    house.command("demo", "--once", "--jobs", "60")
                wait_until(lambda: most_tried(house), 60, "a job has failed")
                for picture in pictures(house):
                    for theme in THEMES:
                        file = FOLDER / f"{picture.name}-{theme}.webp"
                        file.write_bytes(take(browser, house, picture, theme))
                        print(f"{file.relative_to(FOLDER.parents[1])}  {file.stat().st_size / 1024:.0f} KB")
        finally:
            browser.close()
            house.stop()


if __name__ == "__main__":
    main()
