"""The dashboard by the keyboard alone."""

import re

from playwright.sync_api import Locator, expect

from support.household import Household
from support.viewer import Viewer

FAR = 3_600.0
"""Seconds of delay that no test waits for."""
PLACES = {
    "o": "Overview",
    "j": "Jobs",
    "f": "Failures",
    "q": "Queues",
    "w": "Workers",
    "t": "Tasks",
    "s": "Schedules",
    "e": "Enqueue",
    "a": "Activity",
    "c": "Settings",
}

_ESCAPE_ONCE_IT_IS_GONE = """() => {
  const watch = new MutationObserver(() => {
    if (document.querySelector("[role=dialog]")) return;
    watch.disconnect();
    document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true }));
    window.escaped = true;
  });
  watch.observe(document.body, { childList: true, subtree: true });
}"""
"""Pressed while the drawer is taken away: no sooner, and not by chance."""


def refresh_of(viewer: Viewer) -> Locator:
    return viewer.page.get_by_role("combobox", name="Refresh")


def dialog_of(viewer: Viewer) -> Locator:
    return viewer.page.get_by_role("dialog")


def test_a_question_mark_shows_the_keys_and_escape_puts_them_away(viewer: Viewer) -> None:
    viewer.open("/queues")
    viewer.type_keys("?")
    expect(dialog_of(viewer)).to_contain_text("Pause refreshing, and go on")
    expect(dialog_of(viewer)).to_contain_text("Go to Schedules")
    viewer.close_dialog()


def test_g_and_a_letter_go_to_each_page(viewer: Viewer) -> None:
    viewer.open("/settings")
    for letter, title in PLACES.items():
        viewer.type_keys("g", letter)
        expect(viewer.page.get_by_role("heading", level=1)).to_have_text(title)


def test_p_pauses_and_goes_on_and_r_refreshes_meanwhile(house: Household, viewer: Viewer) -> None:
    viewer.open("/jobs?queue=paused")
    viewer.said("No job matches")
    viewer.type_keys("p")
    expect(refresh_of(viewer)).to_have_value("Off")
    job_id = house.enqueue("universal", {}, queue="paused", delaySeconds=FAR)
    assert viewer.rows() == {}
    viewer.type_keys("r")
    viewer.row_of(job_id)
    expect(refresh_of(viewer)).to_have_value("Off")
    viewer.type_keys("p")
    expect(refresh_of(viewer)).to_have_value("Every 2 s")
    viewer.row_of(house.enqueue("universal", {}, queue="paused", delaySeconds=FAR))


def test_a_slash_leads_to_the_search_field_where_keys_are_only_text(viewer: Viewer) -> None:
    viewer.open("/jobs?queue=typed")
    viewer.said("No job matches")
    viewer.type_keys("/")
    field = viewer.page.locator("[data-testid=stMain] input[type=search]").first
    expect(field).to_be_focused()
    viewer.type_keys("g", "q", "p", "r", "/", "?")
    expect(field).to_have_value("gqpr/?")
    expect(viewer.page.get_by_role("heading", level=1)).to_have_text("Jobs")
    expect(refresh_of(viewer)).to_have_value("Every 2 s")
    expect(dialog_of(viewer)).to_have_count(0)


def test_keys_are_not_heard_behind_a_drawer(house: Household, viewer: Viewer) -> None:
    job_id = house.enqueue("universal", {}, queue="behind", delaySeconds=FAR)
    viewer.open(f"/jobs?queue=behind&job={job_id}")
    expect(dialog_of(viewer)).to_be_visible()
    viewer.type_keys("g", "q", "p")
    viewer.close_dialog()
    expect(viewer.page.get_by_role("heading", level=1)).to_have_text("Jobs")
    expect(refresh_of(viewer)).to_have_value("Every 2 s")


def test_escape_closes_the_drawer_after_an_action_took_its_button_away(house: Household, viewer: Viewer) -> None:
    job_id = house.enqueue("universal", {"do": "FAIL_ONCE"}, queue="escape", maxAttempts=1)
    house.until(job_id, "FAILED")
    viewer.open(f"/jobs?queue=escape&job={job_id}")
    viewer.press("drawer-retry")
    viewer.said("Run 2 completed")
    expect(viewer.button("drawer-retry")).to_have_count(0)
    viewer.settle()
    viewer.close_dialog()
    expect(viewer.page).to_have_url(re.compile("queue=escape$"))


def test_escape_is_not_lost_while_the_drawer_is_drawn_anew_after_an_action(house: Household, viewer: Viewer) -> None:
    for _ in range(8):  # now and then Streamlit draws it anew where it stands
        job_id = house.enqueue("universal", {"do": "FAIL_ONCE"}, queue="anew", maxAttempts=1)
        house.until(job_id, "FAILED")
        viewer.open(f"/jobs?queue=anew&job={job_id}")
        expect(viewer.button("drawer-retry")).to_be_visible()
        viewer.settle()
        viewer.page.evaluate(_ESCAPE_ONCE_IT_IS_GONE)
        viewer.press("drawer-retry")
        expect(viewer.button("drawer-retry")).to_have_count(0)
        if viewer.page.evaluate("window.escaped"):
            break
    else:
        raise AssertionError("the drawer is not taken away any more: what is done about it can go")
    expect(viewer.page).to_have_url(re.compile("queue=anew$"))
    viewer.settle()
    expect(dialog_of(viewer)).to_have_count(0)


def test_a_choice_in_the_address_outlives_what_is_done_in_the_drawer(house: Household, viewer: Viewer) -> None:
    job_id = house.enqueue("universal", {"do": "FAIL_ONCE"}, queue="kept", maxAttempts=1)
    house.until(job_id, "FAILED")
    viewer.open(f"/jobs?queue=kept&job={job_id}")
    viewer.press("drawer-retry")
    viewer.said("Run 2 completed")
    expect(viewer.page).to_have_url(re.compile("queue=kept"))
    expect(viewer.page.locator(".st-key-jobs-queues")).to_contain_text("kept")
