"""What axe-core finds wrong with a page for those who do not see it, or not well.

audit(viewer)                            what is shown, in the light and in the dark
violations(page)                         all of its rules
violations(page, "color-contrast")       some of them
"""

import os
from functools import cache
from typing import Any, Literal

import pytest
from playwright.sync_api import Page, expect

from support.node import MODULES
from support.viewer import Viewer

PROGRAM = MODULES / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")
NOT_OURS: dict[str, tuple[str, ...]] = {
    # The points that `st.metric` would show under the mouse on its course: empty groups without a name. The figure and
    # its words stand beside it.
    "svg-img-alt": ('class="mark-symbol role-mark metric_chart_',),
}
"""What Streamlit draws so and offers no way to change, by rule: how the HTML of the element is recognised."""


_RUN = """options => Promise.race([
  axe.run(options).then(done => done.violations),
  new Promise((_, refuse) => setTimeout(() => refuse(new Error("axe-core takes over a minute")), 60_000))])"""


@cache
def _program() -> str:
    return PROGRAM.read_text("utf-8")


def need_axe() -> None:
    """Skip the test where axe-core is not installed, saying how to get it; in CI it fails."""
    if PROGRAM.exists():
        return
    reason = "needs axe-core: Node 20 or newer with npm, and `make clients`"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def violations(page: Page, *rules: str) -> list[str]:
    """Return what is serious or critical and not Streamlit's own, as sentences."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(_program())
    options = {"resultTypes": ["violations"]} | ({"runOnly": list(rules)} if rules else {})
    found: list[dict[str, Any]] = page.evaluate(_RUN, options)
    return [
        f"{violation['id']} ({violation['impact']}): {node['html'][:300]} {node['failureSummary'][:300]}"
        for violation in found
        if violation["impact"] in GRAVE
        for node in violation["nodes"]
        if not any(part in node["html"] for part in NOT_OURS.get(violation["id"], ()))
    ]


def audit(viewer: Viewer) -> list[str]:
    """Return what is wrong with what is shown, in the light, and in the dark what is hard to read."""
    _show(viewer, "light")
    light = violations(viewer.page)
    _show(viewer, "dark")
    dark = [f"in the dark: {found}" for found in violations(viewer.page, "color-contrast")]
    viewer.page.emulate_media(color_scheme="light")
    return light + dark


def _show(viewer: Viewer, scheme: Literal["light", "dark"]) -> None:
    """Have the browser prefer one of the two, and wait until the page is drawn for it and each colour has changed."""
    app, logo = (viewer.page.locator(part) for part in ("[data-testid=stApp]", "[data-testid=stSidebarHeader] img"))
    is_new = not viewer.page.evaluate("scheme => matchMedia(`(prefers-color-scheme: ${scheme})`).matches", scheme)
    before = logo.first.get_attribute("src")
    viewer.page.emulate_media(color_scheme=scheme)
    expect(app).to_have_css("color-scheme", scheme)
    if is_new and before:
        expect(logo.first).not_to_have_attribute("src", before, timeout=20_000)
    viewer.settle()
    # A transition of what is not drawn may never be over.
    viewer.page.evaluate(
        """() => Promise.race([
             Promise.allSettled(
               document.getAnimations().filter(one => one instanceof CSSTransition).map(one => one.finished)),
             new Promise(enough => setTimeout(enough, 2_000))])"""
    )
