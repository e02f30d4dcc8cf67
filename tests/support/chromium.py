"""The browser that some tests drive: Debian's Chromium, through Playwright."""

import os
import shutil

import pytest

ARGUMENTS = [
    "--no-sandbox",  # as root, which is what containers are
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",  # it is to ask nobody but us
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
]


def chromium_path() -> str:
    """Return the browser's program. Without one the test is skipped, saying how to get it; in CI it fails."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    reason = "needs Chromium: run `make chromium` as root on Debian, or `apt-get install chromium`"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
