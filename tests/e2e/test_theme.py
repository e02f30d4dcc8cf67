"""Light and dark as one chooses on Settings: at once, on every page, the next time too."""

import pytest
from playwright.sync_api import Page, expect

from support import axe
from support.viewer import Viewer

WHITE, DARK = "rgb(255, 255, 255)", "rgb(15, 18, 24)"


def choose(viewer: Viewer, theme: str) -> None:
    viewer.settle()
    viewer.page.get_by_role("radio", name=theme).evaluate("radio => radio.click()")  # it moves while the page is drawn


def is_drawn_on(viewer: Viewer, colour: str) -> None:
    expect(viewer.page.locator("[data-testid=stApp]")).to_have_css("background-color", colour)
    expect(viewer.page.get_by_role("heading", level=1)).to_be_visible()


@pytest.fixture
def loads(page: Page) -> list[str]:
    """The addresses that the page has been loaded from."""
    loads: list[str] = []
    page.on("load", lambda page: loads.append(page.url))
    return loads


def test_a_theme_holds_at_once_on_every_page_and_after_a_reload(viewer: Viewer, loads: list[str]) -> None:
    viewer.open("/jobs")
    viewer.type_keys("g", "c")
    viewer.said("How pages look")
    is_drawn_on(viewer, WHITE)
    choose(viewer, "Dark")
    is_drawn_on(viewer, DARK)
    expect(viewer.page.get_by_role("radio", name="Dark")).to_be_checked()
    for path in ("/", "/jobs", "/settings"):
        loads.clear()
        viewer.open(path)
        viewer.settle()
        is_drawn_on(viewer, DARK)
        assert loads == [f"{viewer.url}{path}"], "it was dark from the start"
    viewer.type_keys("g", "q")
    expect(viewer.page.get_by_role("heading", level=1)).to_have_text("Queues")
    is_drawn_on(viewer, DARK)


def test_light_stays_light_in_the_dark_until_one_chooses_the_systems(viewer: Viewer) -> None:
    viewer.page.emulate_media(color_scheme="dark")
    viewer.open("/settings")
    is_drawn_on(viewer, DARK)
    choose(viewer, "Light")
    is_drawn_on(viewer, WHITE)
    choose(viewer, "System")
    is_drawn_on(viewer, DARK)
    viewer.page.emulate_media(color_scheme="light")
    is_drawn_on(viewer, WHITE)


def test_what_another_tab_chose_is_not_taken_back(viewer: Viewer) -> None:
    viewer.open("/jobs")
    other = viewer.in_a_new_tab()
    other.open("/settings")
    choose(other, "Dark")
    is_drawn_on(other, DARK)
    viewer.type_keys("p")
    expect(viewer.page.get_by_role("combobox", name="Refresh")).to_have_value("Off")
    viewer.open("/jobs")
    is_drawn_on(viewer, DARK)


def test_the_choice_can_be_read_in_the_dark_that_one_chose(viewer: Viewer) -> None:
    axe.need_axe()
    viewer.open("/settings")
    choose(viewer, "Dark")
    is_drawn_on(viewer, DARK)
    viewer.settle()
    assert axe.violations(viewer.page) == []


def test_a_browser_that_keeps_nothing_still_hears_keys(viewer: Viewer) -> None:
    refuse = "() => { throw new DOMException('refused', 'SecurityError') }"
    viewer.page.add_init_script(f"Object.defineProperty(window, 'localStorage', {{ get: {refuse} }})")
    viewer.open("/jobs")
    viewer.type_keys("g", "q")
    expect(viewer.page.get_by_role("heading", level=1)).to_have_text("Queues")
