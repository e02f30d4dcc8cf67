"""Schedules by their page: what is chosen from a row's menu is done to the schedule that the menu names."""

from typing import Any

from playwright.sync_api import expect

from support.household import Household
from support.viewer import Viewer
from support.waiting import wait_until

MENU = 190
"""Where a row's menu is, in pixels from the left of the table."""


def make_schedule(house: Household, name: str) -> None:
    house.graphql(
        "mutation($input: CreateScheduleInput!) { createSchedule(input: $input) { errors { message } } }",
        input={"name": name, "task": "universal", "args": {}, "cron": "0 3 * * *"},
    )


def schedules(house: Household) -> dict[str, bool]:
    """Return which schedules are enabled."""
    found: list[dict[str, Any]] = house.graphql("{ schedules { name enabled } }")["schedules"]
    return {schedule["name"]: schedule["enabled"] for schedule in found}


def test_a_choice_hits_the_schedule_that_it_names_though_rows_have_moved(house: Household, viewer: Viewer) -> None:
    make_schedule(house, "m-middle")
    viewer.open("/schedules")
    wait_until(lambda: "m-middle" in viewer.rows(), 20, "it is listed")
    viewer.click_row("m-middle", MENU)
    item = viewer.page.get_by_role("menuitem", name="Disable · m-middle")
    expect(item).to_be_visible()
    before = list(viewer.rows()).index("m-middle")
    make_schedule(house, "a-first")
    wait_until(lambda: list(viewer.rows()).index("m-middle") == before + 1, 20, "its row has moved")
    item.click()
    viewer.said("Schedule m-middle is off: it enqueues nothing.")
    assert schedules(house) | {"a-first": True, "m-middle": False} == schedules(house)
