"""Activity: what happens right now, held and narrowed; and who did what."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from support.fake_api import FakeApi, a_page, event
from support.pages import OpenPage, look, texts
from support.waiting import wait_until
from taskengine_dashboard.views.activity.entries import Entry
from taskengine_dashboard.views.activity.questions import Happened


def an_entry(**facts: Any) -> dict[str, Any]:
    return {
        "id": "audit_1-0",
        "at": "2026-11-24T11:59:00+00:00",
        "viewer": "ops",
        "action": "pause_queue",
        "subject": "mail",
        "details": {"reason": "incident 7", "note": None},
        **facts,
    }


@pytest.fixture
def api(api: FakeApi) -> FakeApi:
    """An API with two events and one entry of the audit."""
    api.events = [event(1), event(2, to="FAILED", message="no luck")]
    api.answers["auditEntries"] = a_page([an_entry()])
    return api


def table_of(page: AppTest) -> list[dict[str, Any]]:
    frames = page.dataframe
    return frames[0].value.to_dict("records") if len(frames) else []


def heard(page: AppTest, count: int) -> list[dict[str, Any]]:
    """Look until so many events are listed; return them."""
    wait_until(lambda: len(table_of(look(page))) == count, 20, f"{count} events", every=0.2)
    return table_of(page)


def press(page: AppTest, key: str) -> AppTest:
    page.button(key=key).click()
    return look(page)


def test_what_happens_appears_with_the_newest_first(open_page: OpenPage) -> None:
    rows = heard(open_page("activity"), 2)
    assert [row["text"] for row in rows] == ["run 1: no luck", "run 1"]
    assert [list(row["state"]) for row in rows] == [["FAILED"], ["COMPLETED"]]


def test_a_page_is_one_question_and_one_stream_from_now_on(api: FakeApi, open_page: OpenPage) -> None:
    heard(open_page("activity"), 2)
    assert {name for name, _ in api.sent} == {"Activity"}
    assert api.followed[0] == {"kinds": ["STATE"], "filter": {}, "after": None}


def test_the_address_narrows_what_is_followed(api: FakeApi, open_page: OpenPage) -> None:
    open_page("activity", kind=["STATE", "LOG"], state="FAILED", task="greet", queue="mail")
    wait_until(lambda: api.followed)
    assert api.followed[0] == {
        "kinds": ["STATE", "LOG"],
        "filter": {"states": ["FAILED"], "tasks": ["greet"], "queues": ["mail"]},
        "after": None,
    }


def test_a_choice_stands_in_the_address(open_page: OpenPage) -> None:
    page = open_page("activity")
    page.multiselect(key="activity-state").set_value(["FAILED"])
    assert look(page).query_params["state"] == "FAILED"


def test_held_it_stands_still_and_counts_what_comes(api: FakeApi, open_page: OpenPage) -> None:
    page = open_page("activity")
    heard(page, 2)
    page = press(page, "activity-hold")
    api.events.append(event(3))
    wait_until(lambda: "Held · 1 event since" in texts(look(page)), 20, "one is counted", every=0.2)
    assert len(table_of(page)) == 2
    page = press(page, "activity-go-on")
    assert len(table_of(page)) == 3


def test_where_nothing_happens_it_says_so(api: FakeApi, open_page: OpenPage) -> None:
    api.events = []
    assert "Quiet so far" in texts(open_page("activity"))
    page = open_page("activity", state="FAILED")
    assert "Nothing yet that matches" in texts(page)
    assert "state" not in press(page, "activity-everything").query_params


def test_who_did_what_is_told_in_words(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["auditEntries"] = a_page([an_entry(), an_entry(action="cancel_job", subject="job_" + "0" * 26)])
    queue, job = table_of(open_page("activity", show="audit"))
    assert (queue["who"], queue["what"], queue["subject"]) == ("ops", "Pause queue", "mail")
    assert queue["more"] == "reason: incident 7"
    assert (job["what"], job["job"]) == ("Cancel job", "…00000000")
    assert {name for name, _ in api.sent} == {"Audit"}
    assert api.followed == []


def test_the_audit_is_turned_page_by_page(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["auditEntries"] = a_page([an_entry()], end="1-0")
    page = press(open_page("activity", show="audit"), "audit-older")
    assert (page.query_params["show"], page.query_params["after"]) == ("audit", "1-0")
    assert api.asked("Audit")[-1] == {"first": 50, "after": "1-0"}


def test_an_audit_without_entries_says_what_would_be_there(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["auditEntries"] = a_page([])
    assert "Nobody has done anything yet" in texts(open_page("activity", show="audit"))


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"from": None, "attempt": None}, "enqueued"),
        ({"from": "QUEUED", "to": "CANCELLED", "attempt": None, "message": "asked for"}, "was queued: asked for"),
        ({"kind": "JobProgressed", "progress": {"current": 3, "total": 20, "message": "row"}}, "3 of 20: row"),
        ({"kind": "JobLogged", "log": {"level": "WARNING", "message": "slow"}}, "warning: slow"),
        ({"kind": "JobEventsLost", "job": None}, "Some events were missed: more happened than is kept"),
    ],
)
def test_each_kind_of_event_is_told_in_a_few_words(facts: dict[str, Any], text: str) -> None:
    assert Happened.read(event(1, **facts)).text == text


@pytest.mark.parametrize(
    ("details", "more"),
    [(None, ""), ({}, ""), ({"n": 3, "on": True, "why": ""}, "n: 3, on: true"), (["a"], '["a"]')],
)
def test_details_are_told_on_one_line(details: Any, more: str) -> None:
    assert Entry.read(an_entry(details=details)).more == more
