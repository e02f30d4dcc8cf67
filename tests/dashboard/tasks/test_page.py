"""Tasks: how often each runs and fails, what its jobs are unless they say, and holding it back."""

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from support.fake_api import GREET, FakeApi, metrics
from support.pages import OpenPage, links, look, texts


def a_task(name: str = "greet", **facts: Any) -> dict[str, Any]:
    counts = dict.fromkeys(("scheduled", "queued", "running", "retrying", "completed", "failed", "cancelled"), 0)
    return {
        "name": name,
        "description": "Greet *someone*.\n\nNobody reads this.",
        "argsSchema": GREET,
        "enqueueField": "enqueueGreet",
        "queue": {"name": "mail"},
        "priority": 7,
        "maxAttempts": 3,
        "timeoutSeconds": 90.0,
        "paused": False,
        "concurrencyLimit": None,
        "rateLimit": None,
        "counts": {**counts, **facts.pop("counts", {})},
        "metrics": metrics(),
        **facts,
    }


@pytest.fixture
def api(api: FakeApi) -> FakeApi:
    """An API with one task whose changes are taken."""
    api.answers["tasks"] = [a_task()]
    api.answers["updateTask"] = {"task": {"name": "greet", "paused": True}, "errors": []}
    return api


def act(page: AppTest, choice: str) -> AppTest:
    """Choose one of the actions of task ``greet``."""
    page.menu_button(key="task-actions-greet").click(choice)
    return look(page)


def test_each_task_tells_how_often_it_runs_and_fails_and_how_long_it_takes(open_page: OpenPage) -> None:
    shown = {metric.label: metric.value for metric in open_page("tasks").metric}
    assert shown["Finished"] == "1.2/min"
    assert shown["Attempts failed"] == "25.0 %"
    assert (shown["Run p50"], shown["Run p95"], shown["Run p99"]) == ("5.0 s", "9.5 s", "9.9 s")
    assert shown["Finished over time"] == "5"


def test_a_task_of_which_nothing_ended_claims_no_share_of_failures(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["tasks"] = [a_task(metrics={**metrics((0, 0), (0, 0)), "retried": 0, "errorRate": 0.0})]
    shown = {metric.label: metric.value for metric in open_page("tasks").metric}
    assert shown["Attempts failed"] == "—"
    assert "Finished over time" not in shown


def test_what_its_jobs_are_unless_they_say_stands_there(open_page: OpenPage) -> None:
    said = texts(open_page("tasks"))
    assert "Queue mail · priority 7 · 3 attempts · 90 s a run" in said
    assert "Limit: none · Mutation `enqueueGreet`" in said


def test_it_says_what_it_does_in_one_paragraph_as_it_was_written(open_page: OpenPage) -> None:
    said = texts(open_page("tasks"))
    assert r"Greet \*someone\*." in said
    assert "Nobody reads" not in said


def test_its_links_lead_to_its_jobs_and_to_the_form_for_it(open_page: OpenPage) -> None:
    there = {link.label: (link.page, link.query_string) for link in links(open_page("tasks"))}
    assert there["**greet**"] == ("jobs", "task=greet")
    assert there["Enqueue"] == ("enqueue", "task=greet")


def test_what_is_paused_comes_first_then_what_fails(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["tasks"] = [a_task("a"), a_task("b", counts={"failed": 3}), a_task("c", paused=True)]
    names = [link.label.strip("*") for link in links(open_page("tasks")) if link.label.startswith("**")]
    assert names == ["c", "b", "a"]


def test_it_is_found_by_its_queue_too(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["tasks"] = [a_task("a"), a_task("b", queue={"name": "bulk"})]
    page = open_page("tasks")
    page.text_input(key="tasks-find").set_value("BULK")
    names = [link.label.strip("*") for link in links(look(page)) if link.label.startswith("**")]
    assert names == ["b"]


def test_all_of_it_is_one_question(api: FakeApi, open_page: OpenPage) -> None:
    open_page("tasks")
    assert [name for name, _ in api.sent] == ["Tasks"]


def test_a_task_is_paused_after_a_question_and_that_is_told(api: FakeApi, open_page: OpenPage) -> None:
    page = act(open_page("tasks"), "Pause…")
    assert api.asked("UpdateTask") == []
    page.button(key="confirm-yes").click()
    look(page)
    assert api.asked("UpdateTask") == [{"input": {"task": "greet", "paused": True}}]
    assert page.toast[0].value == "Paused task greet."


def test_a_paused_task_is_resumed_at_once(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["tasks"] = [a_task(paused=True)]
    page = act(open_page("tasks"), "Resume")
    assert api.asked("UpdateTask") == [{"input": {"task": "greet", "paused": False}}]
    assert page.toast[0].value == "Task greet goes on."


def test_its_limits_are_set(api: FakeApi, open_page: OpenPage) -> None:
    page = act(open_page("tasks"), "Limits…")
    page.number_input(key="hold-at-once").set_value(2)
    page.button(key="confirm-yes").click()
    look(page)
    assert api.asked("UpdateTask") == [{"input": {"task": "greet", "concurrencyLimit": 2, "rateLimit": None}}]


def test_only_an_admin_is_offered_limits(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["viewer"] = {"name": "op", "role": "OPERATOR"}
    assert open_page("tasks").menu_button(key="task-actions-greet").options == ["Pause…"]


def test_a_viewer_is_offered_nothing_to_change(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["viewer"] = {"name": "guest", "role": "VIEWER"}
    page = open_page("tasks")
    assert page.get("menu_button") == []
    assert [link.label for link in links(page) if link.page == "enqueue"] == []


def test_without_tasks_the_page_says_what_to_do(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["tasks"] = []
    assert "No tasks yet" in texts(open_page("tasks"))
