"""Schedules: what runs by the clock and how it went, and what can be done with each."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from support.fake_api import FakeApi
from support.pages import OpenPage, look, texts
from taskengine_dashboard.views.schedules import choices
from taskengine_dashboard.views.schedules.choices import DELETE, DISABLE, EDIT, ENABLE, JOBS, RUN
from taskengine_dashboard.views.schedules.schedule import Schedule

MUTATIONS = ("createSchedule", "updateSchedule", "deleteSchedule", "runSchedule")


def a_schedule(name: str = "nightly", **facts: Any) -> dict[str, Any]:
    return {
        "id": f"schedule_{name}",
        "name": name,
        "cron": "0 7 * * 1-5",
        "everySeconds": None,
        "timezone": "Europe/Berlin",
        "summary": "at 07:00 from Monday to Friday",
        "args": {"name": "Ada"},
        "enabled": True,
        "declared": False,
        "nextRunAt": "2026-11-25T06:00:00+00:00",
        "task": {"name": "greet"},
        "lastJob": None,
        **facts,
    }


@pytest.fixture(autouse=True)
def answers(api: FakeApi) -> None:
    """One schedule, and every change of it goes well."""
    api.answers["schedules"] = [a_schedule()]
    fine: dict[str, Any] = {"schedule": {"id": "schedule_nightly", "name": "nightly"}, "errors": []}
    api.answers |= {"createSchedule": fine, "updateSchedule": fine}
    api.answers["deleteSchedule"] = {"deletedId": "schedule_nightly", "errors": []}
    api.answers["runSchedule"] = {"job": {"id": "job_1"}, "errors": []}


def refuse(api: FakeApi, message: str, path: list[str] | None = None) -> None:
    error = {"code": "INVALID", "message": message, "path": path}
    for mutation in MUTATIONS:
        api.answers[mutation] = {"errors": [error]}


def rows(page: AppTest) -> list[dict[str, Any]]:
    return page.dataframe[0].value.to_dict("records")


def choose(choice: str, **facts: Any) -> AppTest:
    """Choose something from the menu of a schedule; tests cannot click into a table."""
    page = AppTest.from_function(_menu, args=(a_schedule(**facts), choice), default_timeout=30)
    look(page)
    page.button(key="choose").click()
    return look(page)


def _menu(schedule: dict[str, object], choice: str) -> None:
    import streamlit as st

    from taskengine_dashboard import parts
    from taskengine_dashboard.views.schedules import actions
    from taskengine_dashboard.views.schedules.schedule import Schedule

    st.button("Choose", key="choose", on_click=actions.act, args=(Schedule.read(schedule), choice))
    parts.open_question()
    parts.show_notice()


def answer(page: AppTest, yes: bool = True) -> AppTest:
    page.button(key="confirm-yes" if yes else "confirm-no").click()
    return look(page)


def test_each_schedule_tells_when_it_runs_and_how_it_went(api: FakeApi, open_page: OpenPage) -> None:
    job_id = api.add_job("FAILED", createdAt="2026-11-24T11:57:00+00:00")
    api.answers["schedules"] = [a_schedule(lastJob=api.job(job_id))]
    (row,) = rows(open_page("schedules"))
    assert (row["schedule"], row["task"], row["zone"]) == ("nightly", "greet", "Europe/Berlin")
    assert row["when"] == "at 07:00 from Monday to Friday"
    assert row["next"].isoformat() == "2026-11-25T06:00:00+00:00"
    assert (list(row["outcome"]), row["last"]) == (["FAILED"], "3 min ago")
    assert job_id.endswith(row["job"].removeprefix("…"))


def test_they_stand_by_name_and_those_that_are_off_are_counted(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["schedules"] = [a_schedule("weekly", enabled=False, nextRunAt=None), a_schedule("nightly")]
    page = open_page("schedules")
    assert [(row["schedule"], list(row["state"])) for row in rows(page)] == [
        ("nightly", ["Enabled"]),
        ("weekly", ["Disabled"]),
    ]
    assert "2 schedules · 1 disabled" in texts(page)


def test_what_code_declares_can_be_switched_and_run_but_not_changed(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["schedules"] = [a_schedule(declared=True)]
    page = open_page("schedules")
    assert list(rows(page)[0]["actions"]) == [f"{choice} · nightly" for choice in (RUN, DISABLE, JOBS)]
    assert "Schedules that code declares are changed there" in texts(page)


def test_a_choice_is_of_the_schedule_that_it_names_wherever_its_row_is_by_now() -> None:
    nightly, weekly = (Schedule.read(a_schedule(name=name)) for name in ("night · ly", "weekly"))
    said = choices.item(nightly, DELETE)
    assert choices.chosen(said, [nightly, weekly]) == choices.chosen(said, [weekly, nightly]) == (nightly, DELETE)
    assert choices.chosen(said, [weekly]) is None


def test_what_was_made_here_can_be_changed() -> None:
    off = Schedule.read(a_schedule(enabled=False))
    assert choices.choices(off, may_change=True) == [RUN, ENABLE, EDIT, DELETE, JOBS]


def test_a_viewer_is_offered_the_jobs_alone(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["viewer"] = {"name": "guest", "role": "VIEWER"}
    page = open_page("schedules")
    assert list(rows(page)[0]["actions"]) == [f"{JOBS} · nightly"]
    assert "schedule-new" not in [button.key for button in page.button]


def test_all_of_it_is_one_question(api: FakeApi, open_page: OpenPage) -> None:
    open_page("schedules")
    assert [name for name, _ in api.sent] == ["Schedules"]


def test_without_schedules_the_page_offers_to_make_one(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["schedules"] = []
    page = open_page("schedules")
    assert "No schedule yet" in texts(page)
    page.button(key="schedule-new").click()
    look(page)
    assert page.selectbox(key="schedule-task").options == ["greet"]


def test_without_tasks_it_says_that_a_schedule_needs_one(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["schedules"] = []
    api.schemas.clear()
    page = open_page("schedules")
    assert "no worker has published one yet" in texts(page)
    assert "schedule-new" not in [button.key for button in page.button]


def test_running_it_enqueues_its_job_and_says_so(api: FakeApi) -> None:
    page = choose(RUN)
    assert api.asked("RunSchedule") == [{"input": {"id": "schedule_nightly"}}]
    assert page.toast[0].value == "Enqueued a job of schedule nightly."


@pytest.mark.parametrize(("choice", "enabled"), [(DISABLE, False), (ENABLE, True)])
def test_it_is_switched_at_once(api: FakeApi, choice: str, enabled: bool) -> None:
    choose(choice)
    assert api.asked("UpdateSchedule") == [{"input": {"id": "schedule_nightly", "enabled": enabled}}]


def test_a_refusal_is_told(api: FakeApi) -> None:
    refuse(api, "needs OPERATOR")
    assert choose(RUN).toast[0].value == "Nothing has changed: needs OPERATOR"


def test_it_is_deleted_only_after_a_yes(api: FakeApi) -> None:
    page = choose(DELETE)
    assert api.asked("DeleteSchedule") == []
    assert answer(page).toast[0].value == "Deleted schedule nightly."
    assert api.asked("DeleteSchedule") == [{"input": {"id": "schedule_nightly"}}]


def test_a_no_deletes_nothing(api: FakeApi) -> None:
    answer(choose(DELETE), yes=False)
    assert api.asked("DeleteSchedule") == []


def test_editing_begins_with_what_is_there_and_sends_what_changed(api: FakeApi) -> None:
    page = choose(EDIT)
    assert page.text_input(key="schedule-cron").value == "0 7 * * 1-5"
    assert page.selectbox(key="schedule-zone").value == "Europe/Berlin"
    page.text_input(key="schedule-cron").set_value("0 8 * * *")
    answer(page)
    assert api.asked("UpdateSchedule") == [{"input": {"id": "schedule_nightly", "cron": "0 8 * * *"}}]


def test_editing_without_a_change_sends_nothing(api: FakeApi) -> None:
    answer(choose(EDIT))
    assert api.asked("UpdateSchedule") == []


def new(open_page: OpenPage) -> AppTest:
    """Open the form of a new schedule, and fill it in."""
    page = open_page("schedules")
    page.button(key="schedule-new").click()
    look(page)
    page.text_input(key="schedule-name").set_value("hourly")
    page.selectbox(key="schedule-task").set_value("greet")
    page.text_input(key="schedule-cron").set_value("0 * * * *")
    page.selectbox(key="schedule-zone").set_value("UTC")
    page.text_area(key="schedule-args").set_value('{"name": "Ada"}')
    return page


def test_a_new_one_is_made_of_the_form(api: FakeApi, open_page: OpenPage) -> None:
    page = answer(new(open_page))
    made = {"name": "hourly", "task": "greet", "args": {"name": "Ada"}, "cron": "0 * * * *", "timezone": "UTC"}
    assert api.asked("CreateSchedule") == [{"input": made}]
    assert page.toast[0].value == "Made schedule hourly."


def test_a_new_one_may_come_every_so_often(api: FakeApi, open_page: OpenPage) -> None:
    page = new(open_page)
    page.segmented_control(key="schedule-rule").set_value("Interval")
    look(page)
    page.number_input(key="schedule-every").set_value(90.0)
    answer(page)
    (sent,) = api.asked("CreateSchedule")
    assert sent["input"]["everySeconds"] == 90
    assert "cron" not in sent["input"]


def test_what_is_wrong_stands_in_the_form_and_what_was_typed_stays(api: FakeApi, open_page: OpenPage) -> None:
    refuse(api, "never comes", ["cron"])
    page = answer(new(open_page))
    assert "never comes" in texts(page)
    assert page.text_input(key="schedule-name").value == "hourly"
    assert page.text_area(key="schedule-args").value == '{"name": "Ada"}'
    assert not page.toast


def test_what_is_no_json_is_not_sent(api: FakeApi, open_page: OpenPage) -> None:
    page = new(open_page)
    page.text_area(key="schedule-args").set_value("{")
    assert "is not JSON" in texts(answer(page))
    assert api.asked("CreateSchedule") == []


def test_the_api_away_while_it_is_made_is_told_in_the_form(api: FakeApi, open_page: OpenPage) -> None:
    page = new(open_page)
    api.error_code = "UNAVAILABLE"
    assert "Redis does not answer" in texts(answer(page))
    assert page.text_input(key="schedule-name").value == "hourly"
