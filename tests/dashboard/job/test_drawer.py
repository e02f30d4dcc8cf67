"""One job in full: ``?job=ID`` on any page."""

import json
from datetime import datetime

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from support.fake_api import FakeApi, logs
from support.pages import OpenPage, links, look, texts
from taskengine_dashboard.source import Source


def facts(page: AppTest) -> dict[str, str]:
    """The table of facts: values by the names before them."""
    table = next(table.value for table in page.table if "fact" in table.value)
    return {name[len(":gray[") : -1]: value for name, value in zip(table["fact"], table["value"], strict=True)}


@pytest.mark.parametrize("page", ["overview", "jobs", "enqueue"])
def test_a_link_opens_the_job_on_any_page(api: FakeApi, open_page: OpenPage, page: str) -> None:
    job_id = api.add_job("COMPLETED")
    said = texts(open_page(page, job=job_id))
    assert job_id in said
    assert '"name": "Ada"' in said
    assert '"said": "hello"' in said
    assert "Run 1 completed after 10 s" in said


def test_a_failed_job_shows_its_error_and_traceback(api: FakeApi, open_page: OpenPage) -> None:
    page = open_page("jobs", job=api.add_job("FAILED"))
    assert [error.value for error in page.error] == [r"no \[luck\]"]
    assert "Traceback: as told" in texts(page)


def test_a_running_job_shows_its_progress(api: FakeApi, open_page: OpenPage) -> None:
    progress = {"current": 3, "total": 12, "message": "at it", "updatedAt": "2026-11-24T12:00:00+00:00"}
    page = open_page("jobs", job=api.add_job("RUNNING", progress=progress))
    (bar,) = page.get("progress")
    assert (bar.value, bar.text) == (25, "3 of 12 · at it")


def test_progress_without_an_end_is_told_in_words(api: FakeApi, open_page: OpenPage) -> None:
    progress = {"current": 1_200, "total": None, "message": None, "updatedAt": "2026-11-24T12:00:00+00:00"}
    page = open_page("jobs", job=api.add_job("RUNNING", progress=progress))
    assert "1,200" in texts(page)
    assert len(page.get("progress")) == 0


def test_a_job_that_is_not_there_is_said_not_to_be(open_page: OpenPage) -> None:
    assert "There is no such job" in texts(open_page("jobs", job="job_gone"))


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        ("QUEUED", {"drawer-cancel"}),
        ("RUNNING", {"drawer-cancel"}),
        ("RETRYING", {"drawer-retry", "drawer-cancel"}),
        ("COMPLETED", set()),
        ("FAILED", {"drawer-retry"}),
    ],
)
def test_what_its_state_allows_is_offered(api: FakeApi, open_page: OpenPage, state: str, offered: set[str]) -> None:
    page = open_page("jobs", job=api.add_job(state))
    assert {button.key for button in page.button if str(button.key).startswith("drawer-")} == offered


def test_who_enqueued_it_is_a_fact_when_somebody_did(api: FakeApi, open_page: OpenPage) -> None:
    assert facts(open_page("jobs", job=api.add_job("QUEUED", enqueuedBy="ops [x]")))["Enqueued by"] == r"ops \[x\]"
    assert "Enqueued by" not in facts(open_page("jobs", job=api.add_job("QUEUED")))


def test_a_retry_is_done_at_once_and_told(api: FakeApi, open_page: OpenPage) -> None:
    job_id = api.add_job("FAILED")
    page = open_page("jobs", job=job_id)
    page.button(key="drawer-retry").click()
    look(page)
    assert api.job(job_id)["state"] == "QUEUED"
    assert [toast.value for toast in page.toast] == ["Retried 1 job."]
    assert "Waits for a worker" in texts(page)


def test_a_cancel_asks_first(api: FakeApi, open_page: OpenPage) -> None:
    job_id = api.add_job("RUNNING")
    page = open_page("jobs", job=job_id)
    page.button(key="drawer-cancel").click()
    look(page)
    assert api.asked("CancelJob") == []
    assert page.button(key="drawer-yes").label == ":red[Stop it now]"
    page.button(key="drawer-yes").click()
    look(page)
    assert api.asked("CancelJob") == [{"input": {"id": job_id, "terminate": True}}]


def test_a_cancel_may_be_left(api: FakeApi, open_page: OpenPage) -> None:
    page = open_page("jobs", job=api.add_job("QUEUED"))
    page.button(key="drawer-cancel").click()
    look(page)
    page.button(key="drawer-leave").click()
    look(page)
    assert "drawer-cancel" in {button.key for button in page.button}
    assert api.asked("CancelJob") == []


def test_it_stays_with_its_actions_off_while_the_api_is_away(api: FakeApi, open_page: OpenPage, source: Source) -> None:
    page = open_page("jobs", job=api.add_job("FAILED"))
    api.problem = httpx.ConnectError("refused")
    source.expire()
    look(page)
    assert "Run 1 failed" in texts(page)
    assert page.button(key="drawer-retry").disabled


def test_an_id_can_be_typed_to_open_its_job(api: FakeApi, open_page: OpenPage) -> None:
    job_id = api.add_job("COMPLETED")
    page = open_page("jobs")
    page.text_input(key="jobs-text").set_value(f" {job_id} ")
    look(page)
    assert page.query_params == {"job": job_id}
    assert '"said": "hello"' in texts(page)


# Why it waits


def test_why_it_waits_is_said_in_a_sentence(api: FakeApi, open_page: OpenPage) -> None:
    waiting = {
        "reason": "JOBS_AHEAD",
        "message": "3 jobs are before it",
        "jobsAhead": 3,
        "until": None,
        "estimatedStartAt": "2026-11-24T12:00:12+00:00",
    }
    said = texts(open_page("jobs", job=api.add_job("QUEUED", waiting=waiting)))
    assert "3 jobs are before it" in said
    assert "3 jobs ahead of it · starts in 12 s, as its queue goes now" in said


# Its log


def see_log(page: AppTest, job_id: str) -> AppTest:
    """Open the tab of the log, as a click does."""
    page.session_state[f"drawer-tabs-{job_id}"] = "Log"
    return look(page)


def test_its_log_is_asked_for_only_while_someone_looks(api: FakeApi, open_page: OpenPage) -> None:
    job_id = api.add_job("RUNNING", logs=logs("began"))
    page = open_page("jobs", job=job_id)
    assert api.asked("JobLogs") == []
    assert "12:00:00.000 INFO    run 1  began" in texts(see_log(page, job_id))


def test_its_log_goes_on_while_one_looks(api: FakeApi, open_page: OpenPage, source: Source) -> None:
    job_id = api.add_job("RUNNING", logs=logs("began"))
    page = see_log(open_page("jobs", job=job_id), job_id)
    api.job(job_id)["logs"] = logs("began", "went on")
    source.expire()
    assert "run 1  went on" in texts(look(page))


def test_its_log_is_narrowed_by_level_and_text(api: FakeApi, open_page: OpenPage) -> None:
    job_id = api.add_job("RUNNING", logs=logs("began", "went on"))
    page = see_log(open_page("jobs", job=job_id), job_id)
    page.get("segmented_control")[-1].set_value("WARNING")
    page.text_input(key="drawer-log-text").set_value("WENT")
    said = texts(look(page))
    assert api.asked("JobLogs")[-1]["minLevel"] == "WARNING"
    assert "went on" in said
    assert "began" not in said


def test_a_silent_job_is_said_to_be_silent(api: FakeApi, open_page: OpenPage) -> None:
    job_id = api.add_job("COMPLETED")
    assert "Its runs logged nothing." in texts(see_log(open_page("jobs", job=job_id), job_id))


# What more can be done


def choose(page: AppTest, what: str) -> AppTest:
    """Choose from the menu of a job."""
    page.get("menu_button")[-1].click(what)
    return look(page)


@pytest.mark.parametrize(
    ("state", "offered"),
    [
        ("SCHEDULED", ["Rerun…", "Run now", "Reschedule…", "Priority…", "Delete…"]),
        ("QUEUED", ["Rerun…", "Reschedule…", "Priority…", "Delete…"]),
        ("RUNNING", ["Rerun…"]),
        ("COMPLETED", ["Rerun…", "Delete…"]),
    ],
)
def test_the_menu_has_what_its_state_allows(api: FakeApi, open_page: OpenPage, state: str, offered: list[str]) -> None:
    page = open_page("jobs", job=api.add_job(state))
    assert list(page.get("menu_button")[-1].proto.options) == offered


def test_a_scheduled_job_is_started_now(api: FakeApi, open_page: OpenPage) -> None:
    job_id = api.add_job("SCHEDULED")
    choose(open_page("jobs", job=job_id), "Run now")
    assert api.asked("RescheduleJob") == [{"input": {"id": job_id, "runAt": None}}]


def test_a_job_is_given_another_time(api: FakeApi, open_page: OpenPage) -> None:
    job_id = api.add_job("SCHEDULED")
    page = choose(open_page("jobs", job=job_id), "Reschedule…")
    page.get("datetime_input")[0].set_value(datetime(2026, 11, 25, 8, 30))  # noqa: DTZ001 - as the field has it
    look(page)
    page.button(key="drawer-yes").click()
    look(page)
    assert api.asked("RescheduleJob") == [{"input": {"id": job_id, "runAt": "2026-11-25T08:30:00+00:00"}}]
    assert [toast.value for toast in page.toast] == ["It starts at 25 Nov 2026, 08:30:00 at the earliest."]


def test_a_job_is_given_another_priority(api: FakeApi, open_page: OpenPage) -> None:
    job_id = api.add_job("QUEUED")
    page = choose(open_page("jobs", job=job_id), "Priority…")
    page.number_input(key=f"drawer-priority-{job_id}").set_value(9)
    look(page)
    page.button(key="drawer-yes").click()
    assert "default · priority 9" in texts(look(page))


def test_a_job_is_run_again_with_other_arguments(api: FakeApi, open_page: OpenPage) -> None:
    job_id = api.add_job("COMPLETED")
    page = choose(open_page("jobs", job=job_id), "Rerun…")
    assert json.loads(str(page.text_area[0].value)) == {"name": "Ada"}
    page.text_area[0].set_value('{"name": "Bob"}')
    look(page)
    page.button(key="drawer-yes").click()
    look(page)
    assert api.asked("RerunJob") == [{"input": {"id": job_id, "args": {"name": "Bob"}}}]
    assert page.query_params == {"job": api.jobs[-1]["id"]}
    assert page.button(key="drawer-rerun-of").label.startswith("Repeats")


def test_the_arguments_of_another_run_can_be_changed_in_the_tasks_form(api: FakeApi, open_page: OpenPage) -> None:
    job_id = api.add_job("COMPLETED")
    page = choose(open_page("jobs", job=job_id), "Rerun…")
    page.button(key="drawer-form").click()
    look(page)
    assert page.query_params == {"task": "greet", "again": job_id}
    assert page.text_input(key="enqueue-greet-args-name").value == "Ada"


def test_arguments_that_are_no_object_are_not_sent(api: FakeApi, open_page: OpenPage) -> None:
    page = choose(open_page("jobs", job=api.add_job("COMPLETED")), "Rerun…")
    page.text_area[0].set_value("{")
    look(page)
    assert page.button(key="drawer-yes").disabled
    assert "Expected JSON" in texts(page)


def test_a_job_is_deleted_after_a_yes(api: FakeApi, open_page: OpenPage) -> None:
    job_id = api.add_job("COMPLETED")
    page = choose(open_page("jobs", job=job_id), "Delete…")
    assert api.asked("DeleteJob") == []
    page.button(key="drawer-yes").click()
    assert "There is no such job" in texts(look(page))


def test_what_is_refused_is_told_and_what_was_given_stays(api: FakeApi, open_page: OpenPage) -> None:
    page = choose(open_page("jobs", job=api.add_job("COMPLETED")), "Rerun…")
    api.refusal = {"code": "INVALID", "message": "name: expected string, got 7", "path": ["args", "name"]}
    page.text_area[0].set_value('{"name": 7}')
    look(page)
    page.button(key="drawer-yes").click()
    look(page)
    assert [toast.value for toast in page.toast] == [r"Nothing has changed: name\: expected string, got 7"]
    assert page.text_area[0].value == '{"name": 7}'


def test_why_it_is_cancelled_goes_with_it(api: FakeApi, open_page: OpenPage) -> None:
    job_id = api.add_job("QUEUED")
    page = open_page("jobs", job=job_id)
    page.button(key="drawer-cancel").click()
    look(page)
    page.text_input(key="drawer-reason").set_value(" sent twice ")
    look(page)
    page.button(key="drawer-yes").click()
    look(page)
    assert api.asked("CancelJob") == [{"input": {"id": job_id, "terminate": False, "reason": "sent twice"}}]


def test_who_may_only_look_sees_all_but_tracebacks_and_changes_nothing(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["viewer"] = {"name": "eve", "role": "VIEWER"}
    failure = {"exception": "shop.Trouble", "message": "no", "retryable": True, "traceback": None}
    page = open_page("jobs", job=api.add_job("FAILED", error=failure, attempts={"nodes": []}))
    assert "Tracebacks are shown to operators." in texts(page)
    assert not [button.key for button in page.button if str(button.key).startswith("drawer-retry")]
    assert len(page.get("menu_button")) == 0


# A page of its own


def test_a_job_has_a_page_of_its_own(api: FakeApi, open_page: OpenPage) -> None:
    job_id = api.add_job("COMPLETED")
    page = open_page("job", id=job_id)
    assert "Run 1 completed after 10 s" in texts(page)
    assert job_id in texts(page)


def test_a_drawer_may_lie_over_the_page_of_another_job(api: FakeApi, open_page: OpenPage) -> None:
    one, other = api.add_job("FAILED"), api.add_job("FAILED")
    keys = {button.key for button in open_page("job", id=one, job=other).button}
    assert {"job-retry", "drawer-retry"} <= keys


def test_a_page_of_no_job_leads_to_all(open_page: OpenPage) -> None:
    page = open_page("job", id="job_gone")
    assert "**There is no such job**" in texts(page)
    assert [link.label for link in links(page)] == ["Show all jobs"]


def test_it_leads_to_what_it_belongs_to(api: FakeApi, open_page: OpenPage) -> None:
    job_id = api.add_job(
        "FAILED",
        schedule={"id": "schedule_nightly", "name": "nightly"},
        failureGroup={"id": "fail_1", "summary": "no luck"},
    )
    found = {link.label: link.query_string for link in links(open_page("job", id=job_id))}
    assert found["Schedule nightly"] == "schedule=schedule_nightly"
    assert found["Failures like this"] == "state=FAILED&group=fail_1"
    assert found["Jobs of greet"] == "task=greet"
