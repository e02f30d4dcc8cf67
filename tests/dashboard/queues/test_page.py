"""Queues: how deep each is, what holds it back, and holding it back."""

from typing import Any

from streamlit.testing.v1 import AppTest

from support.fake_api import FakeApi, metrics
from support.pages import OpenPage, links, look, texts

LIMITED = {"concurrencyLimit": 3, "rateLimit": {"jobs": 100, "perSeconds": 60.0}}


def a_queue(name: str = "mail", **facts: Any) -> dict[str, Any]:
    counts = dict.fromkeys(("scheduled", "queued", "running", "retrying", "completed", "failed", "cancelled"), 0)
    return {
        "name": name,
        "paused": False,
        "pausedAt": None,
        "pausedBy": None,
        "pauseReason": None,
        "oldestWaitSeconds": 12.5,
        "concurrencyLimit": None,
        "rateLimit": None,
        "counts": {**counts, **facts.pop("counts", {})},
        "workers": [{"name": "w1", "online": True}],
        "metrics": metrics(),
        **facts,
    }


def answer(api: FakeApi, **payload: Any) -> None:
    """Have each change of a queue answered so."""
    for mutation in ("pauseQueue", "resumeQueue", "updateQueue"):
        api.answers[mutation] = {"queue": {"name": "mail", "paused": True}, "errors": [], **payload}


def act(page: AppTest, choice: str) -> AppTest:
    """Choose one of the actions of queue ``mail``."""
    page.menu_button(key="queue-actions-mail").click(choice)
    return look(page)


def test_each_queue_tells_its_depth_and_its_speed(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["queues"] = [a_queue(counts={"queued": 1_234, "running": 4})]
    shown = {metric.label: metric.value for metric in open_page("queues").metric}
    assert shown["Waiting"] == "1,234"
    assert shown["Running"] == "4"
    assert shown["Oldest wait"] == "12 s"
    assert shown["Out"] == "1.2/min"
    assert shown["In"] == "1.8/min"


def test_what_is_paused_and_what_nobody_serves_comes_first_and_says_so(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["queues"] = [
        a_queue("deep", counts={"queued": 9}),
        a_queue("held", paused=True, pausedAt="2026-11-24T11:58:00+00:00", pausedBy="ops@x", pauseReason="incident 7"),
        a_queue("lost", counts={"queued": 1}, workers=[{"name": "w1", "online": False}]),
    ]
    page = open_page("queues")
    names = [link.label.strip("*") for link in links(page) if link.label.startswith("**")]
    assert names == ["lost", "held", "deep"]
    assert "Paused 2 min ago by ops@x: incident 7" in texts(page)
    assert ":red-badge[:material/warning: No worker]" in texts(page)


def test_limits_are_told_in_words(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["queues"] = [a_queue(**LIMITED)]
    assert "Limit: 3 at once, 100 per min" in texts(open_page("queues"))


def test_its_name_leads_to_its_jobs(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["queues"] = [a_queue()]
    (link,) = [link for link in links(open_page("queues")) if link.label == "**mail**"]
    assert (link.page, link.query_string) == ("jobs", "queue=mail")


def test_a_viewer_is_offered_nothing_to_change(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["queues"] = [a_queue()]
    api.answers["viewer"] = {"name": "guest", "role": "VIEWER"}
    assert open_page("queues").get("menu_button") == []


def test_without_queues_the_page_says_what_to_do(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["queues"] = []
    assert "No queue yet" in texts(open_page("queues"))


def test_all_of_it_is_one_question(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["queues"] = [a_queue("a"), a_queue("b")]
    open_page("queues")
    assert [name for name, _ in api.sent] == ["Queues"]


def test_pausing_asks_for_the_reason_and_says_that_it_is_done(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["queues"] = [a_queue()]
    answer(api)
    page = act(open_page("queues"), "Pause…")
    assert api.asked("PauseQueue") == []
    page.text_input(key="hold-reason").set_value(" incident 7 ")
    page.button(key="confirm-yes").click()
    look(page)
    assert api.asked("PauseQueue") == [{"input": {"queue": "mail", "reason": "incident 7"}}]
    assert page.toast[0].value == "Paused queue mail."


def test_a_paused_queue_is_resumed_at_once(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["queues"] = [a_queue(paused=True)]
    answer(api)
    act(open_page("queues"), "Resume")
    assert api.asked("ResumeQueue") == [{"input": {"queue": "mail"}}]


def test_limits_begin_with_those_that_hold_and_an_empty_field_lifts(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["queues"] = [a_queue(**LIMITED)]
    answer(api)
    page = act(open_page("queues"), "Limits…")
    assert (page.number_input(key="hold-at-once").value, page.number_input(key="hold-jobs").value) == (3, 100)
    page.number_input(key="hold-jobs").set_value(None)
    page.number_input(key="hold-at-once").set_value(5)
    page.button(key="confirm-yes").click()
    look(page)
    assert api.asked("UpdateQueue") == [{"input": {"queue": "mail", "concurrencyLimit": 5, "rateLimit": None}}]
    assert page.toast[0].value == "Queue mail: 5 at once."


def test_what_the_api_refuses_is_told(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["queues"] = [a_queue(paused=True)]
    answer(api, queue=None, errors=[{"code": "FORBIDDEN", "message": "needs OPERATOR", "path": None}])
    page = act(open_page("queues"), "Resume")
    assert page.toast[0].value == "Nothing has changed: needs OPERATOR"


def test_only_an_admin_is_offered_limits(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["queues"] = [a_queue()]
    api.answers["viewer"] = {"name": "op", "role": "OPERATOR"}
    assert open_page("queues").menu_button(key="queue-actions-mail").options == ["Pause…"]
