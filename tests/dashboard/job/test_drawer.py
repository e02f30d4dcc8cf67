"""One job in full: ``?job=ID`` on any page."""

import httpx
import pytest

from support.fake_api import FakeApi
from support.pages import OpenPage, look, texts
from taskengine_dashboard.source import Source


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
    assert page.button(key="drawer-cancel-yes").label == ":red[Stop it now]"
    page.button(key="drawer-cancel-yes").click()
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
