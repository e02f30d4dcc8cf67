"""Enqueue: any task, by a form built from its arguments."""

import json

import httpx
from streamlit.testing.v1 import AppTest

from support.fake_api import FakeApi
from support.pages import OpenPage, look, texts
from taskengine_dashboard.source import Source

EVERYTHING = {
    "type": "object",
    "required": ["to", "how"],
    "properties": {
        "to": {"type": "array", "items": {"type": "string"}},
        "how": {"enum": ["fast", "slow"]},
        "size": {"enum": [1, 2, 3, 4, 5], "default": 2},
        "parts": {"type": "array", "items": {"enum": ["text", "html"]}, "default": ["text"]},
        "sender": {"anyOf": [{"$ref": "#/$defs/Sender"}, {"type": "null"}], "default": None},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}, "default": [{"sku": "a1"}]},
        "dry": {"type": "boolean", "default": False},
        "urgent": {"anyOf": [{"type": "boolean"}, {"type": "null"}], "default": None},
        "share": {"type": "number", "default": 0.5},
        "on": {"type": "string", "format": "date", "default": "2026-11-24"},
        "at": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}], "default": None},
        "daily": {"type": "string", "format": "time", "default": "09:30:00"},
        "body": {"type": "string", "maxLength": 9000, "default": ""},
        "key": {"type": "string", "format": "password", "default": ""},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}, "default": {}},
    },
    "$defs": {
        "Sender": {"type": "object", "required": ["name"], "properties": {"name": {"type": "string"}}},
        "Line": {
            "type": "object",
            "required": ["sku"],
            "properties": {"sku": {"type": "string"}, "count": {"type": "integer", "default": 1}},
        },
    },
}


def send(page: AppTest) -> AppTest:
    page.button(key="enqueue-send").click()
    return look(page)


def sent(api: FakeApi) -> list[dict[str, object]]:
    return [variables["input"] for variables in api.asked("EnqueueJob")]


def test_a_task_is_chosen_first(open_page: OpenPage) -> None:
    page = open_page("enqueue")
    assert page.selectbox(key="enqueue-task").options == ["greet"]
    assert "enqueue-send" not in {button.key for button in page.button}
    page.selectbox(key="enqueue-task").set_value("greet")
    look(page)
    assert page.query_params == {"task": "greet"}
    assert page.text_input(key="enqueue-greet-args-name").label == "Name *"


def test_what_is_typed_is_sent(api: FakeApi, open_page: OpenPage) -> None:
    page = open_page("enqueue", task="greet")
    page.text_input(key="enqueue-greet-args-name").set_value("Bob")
    page.number_input(key="enqueue-greet-args-times").set_value(3)
    send(page)
    assert sent(api) == [{"task": "greet", "args": {"name": "Bob", "times": 3}}]


def test_options_are_sent_when_they_are_given(api: FakeApi, open_page: OpenPage) -> None:
    page = open_page("enqueue", task="greet")
    page.text_input(key="enqueue-greet-args-name").set_value("Bob")
    page.number_input(key="option-greet-priority").set_value(9)
    page.number_input(key="option-greet-delay").set_value(60.0)
    page.number_input(key="option-greet-attempts").set_value(2)
    send(page)
    assert sent(api)[0]["options"] == {"priority": 9, "delaySeconds": 60.0, "maxAttempts": 2}


def test_the_new_job_is_one_click_away(api: FakeApi, open_page: OpenPage) -> None:
    page = open_page("enqueue", task="greet")
    page.text_input(key="enqueue-greet-args-name").set_value("Bob")
    send(page)
    job_id = api.jobs[-1]["id"]
    assert job_id in texts(page)
    page.button(key="enqueue-open").click()
    look(page)
    assert page.query_params["job"] == job_id
    assert "Waits for a worker" in texts(page)


def test_what_is_missing_is_said_at_its_field_and_nothing_is_sent(api: FakeApi, open_page: OpenPage) -> None:
    page = send(open_page("enqueue", task="greet"))
    assert ":small[:red[:material/error: needs a value]]" in texts(page)
    assert [error.value for error in page.error] == ["See the fields marked above."]
    assert sent(api) == []


def test_what_the_api_refuses_is_said_at_its_field(api: FakeApi, open_page: OpenPage) -> None:
    api.refusal = {"code": "INVALID", "message": "is too long", "path": ["args", "name"]}
    page = open_page("enqueue", task="greet")
    page.text_input(key="enqueue-greet-args-name").set_value("Bob")
    send(page)
    assert ":small[:red[:material/error: is too long]]" in texts(page)
    page.text_input(key="enqueue-greet-args-name").set_value("Bo")
    assert "is too long" not in texts(look(page))


def test_what_the_api_refuses_of_an_option_is_said_there(api: FakeApi, open_page: OpenPage) -> None:
    api.refusal = {"code": "INVALID", "message": "no such queue", "path": ["options", "queue"]}
    page = open_page("enqueue", task="greet")
    page.text_input(key="enqueue-greet-args-name").set_value("Bob")
    send(page)
    assert ":small[:red[:material/error: no such queue]]" in texts(page)


def test_what_is_about_no_field_is_said_of_all(api: FakeApi, open_page: OpenPage) -> None:
    api.refusal = {"code": "CONFLICT", "message": "the queue is full", "path": None}
    page = open_page("enqueue", task="greet")
    page.text_input(key="enqueue-greet-args-name").set_value("Bob")
    send(page)
    assert [error.value for error in page.error] == ["the queue is full"]


def test_the_graphql_that_is_sent_is_shown(open_page: OpenPage) -> None:
    page = open_page("enqueue", task="greet")
    page.text_input(key="enqueue-greet-args-name").set_value("Bob")
    said = texts(look(page))
    assert "mutation EnqueueJob($input: EnqueueJobInput!)" in said
    assert json.dumps({"input": {"task": "greet", "args": {"name": "Bob"}}}, indent=2) in said


def test_every_kind_of_field_is_drawn_and_holds_its_default(api: FakeApi, open_page: OpenPage) -> None:
    api.schemas = {"all": EVERYTHING}
    page = open_page("enqueue", task="all")
    page.multiselect(key="enqueue-all-args-to").set_value(["a@example.org"])
    page.get_by_key("enqueue-all-args-how").set_value("slow")
    send(page)
    assert sent(api) == [{"task": "all", "args": {"to": ["a@example.org"], "how": "slow"}}]


def test_nested_objects_and_their_rows_are_filled_in(api: FakeApi, open_page: OpenPage) -> None:
    api.schemas = {"all": EVERYTHING}
    page = open_page("enqueue", task="all")
    page.get_by_key("enqueue-all-args-how").set_value("fast")
    page.toggle(key="enqueue-all-args-sender").set_value(True)
    page.button(key="enqueue-all-args-lines-add").click()
    look(page)
    page.text_input(key="enqueue-all-args-sender-name").set_value("Shop")
    _, second = [box for box in page.text_input if str(box.key).startswith("enqueue-all-args-lines-")]
    second.set_value("b2")
    send(page)
    assert sent(api)[0]["args"] == {
        "to": [],
        "how": "fast",
        "sender": {"name": "Shop"},
        "lines": [{"sku": "a1"}, {"sku": "b2"}],
    }


def test_removing_a_row_leaves_the_others_as_they_are(api: FakeApi, open_page: OpenPage) -> None:
    api.schemas = {"all": EVERYTHING}
    page = open_page("enqueue", task="all")
    page.get_by_key("enqueue-all-args-how").set_value("fast")
    page.button(key="enqueue-all-args-lines-add").click()
    look(page)
    first, second = [box for box in page.text_input if str(box.key).startswith("enqueue-all-args-lines-")]
    second.set_value("b2")
    look(page)
    page.button(key=str(first.key).removesuffix("-sku") + "-remove").click()
    look(page)
    send(page)
    assert sent(api)[0]["args"] == {"to": [], "how": "fast", "lines": [{"sku": "b2"}]}


def test_a_problem_in_a_row_is_said_in_that_row(api: FakeApi, open_page: OpenPage) -> None:
    api.schemas = {"all": EVERYTHING}
    page = open_page("enqueue", task="all")
    page.get_by_key("enqueue-all-args-how").set_value("fast")
    page.button(key="enqueue-all-args-lines-add").click()
    look(page)
    send(page)
    assert texts(page).count("needs a value") == 1
    assert sent(api) == []


def test_arguments_can_be_given_as_json_and_taken_back_into_the_form(api: FakeApi, open_page: OpenPage) -> None:
    page = open_page("enqueue", task="greet")
    page.text_input(key="enqueue-greet-args-name").set_value("Bob")
    look(page)
    page.get_by_key("enqueue-mode").set_value("JSON")
    look(page)
    assert json.loads(page.text_area(key="enqueue-json-greet").value) == {"name": "Bob"}
    page.text_area(key="enqueue-json-greet").set_value('{"name": "Eve", "times": 2}')
    look(page)
    page.get_by_key("enqueue-mode").set_value("Form")
    look(page)
    assert page.text_input(key="enqueue-greet-args-name").value == "Eve"
    send(page)
    assert sent(api) == [{"task": "greet", "args": {"name": "Eve", "times": 2}}]


def test_json_that_is_none_is_said_at_once_it_is_sent(api: FakeApi, open_page: OpenPage) -> None:
    page = open_page("enqueue", task="greet")
    page.get_by_key("enqueue-mode").set_value("JSON")
    look(page)
    page.text_area(key="enqueue-json-greet").set_value("{")
    send(page)
    assert "is not JSON" in texts(page)
    assert sent(api) == []


def test_a_task_without_arguments_needs_none(api: FakeApi, open_page: OpenPage) -> None:
    api.schemas = {"tick": {"type": "object", "properties": {}}}
    page = open_page("enqueue", task="tick")
    assert "This task takes no arguments." in texts(page)
    send(page)
    assert sent(api) == [{"task": "tick", "args": {}}]


def test_no_tasks_at_all_says_how_to_get_some(api: FakeApi, open_page: OpenPage) -> None:
    api.schemas = {}
    assert "**No tasks yet**" in texts(open_page("enqueue"))


def test_nothing_is_sent_while_the_api_is_away(api: FakeApi, open_page: OpenPage, source: Source) -> None:
    page = open_page("enqueue", task="greet")
    api.problem = httpx.ConnectError("refused")
    source.expire()
    look(page)
    assert page.button(key="enqueue-send").disabled
