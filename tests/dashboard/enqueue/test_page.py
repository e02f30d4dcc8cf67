"""Enqueue: any task, by a form built from its arguments."""

import json
from datetime import datetime
from typing import Any

import httpx
import pytest
from streamlit.testing.v1 import AppTest

from support.fake_api import FakeApi
from support.pages import OpenPage, links, look, texts
from taskengine_dashboard.feed import Reading
from taskengine_dashboard.source import Source
from taskengine_dashboard.views.enqueue import questions

PIN = {"type": "object", "required": ["pin"], "properties": {"pin": {"type": "string", "writeOnly": True}}}
VIEWER = {"name": "eve", "role": "VIEWER"}

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

UNION = {
    "type": "object",
    "required": ["by"],
    "properties": {
        "by": {"anyOf": [{"$ref": "#/$defs/Card"}, {"$ref": "#/$defs/Transfer"}]},
        "fees": {"type": "object", "additionalProperties": {"type": "integer"}, "default": {}},
    },
    "$defs": {
        name: {"type": "object", "title": name, "required": [field], "properties": {field: {"type": "string"}}}
        for name, field in (("Card", "number"), ("Transfer", "iban"))
    },
}
TREE = {
    "type": "object",
    "required": ["tree"],
    "properties": {"tree": {"$ref": "#/$defs/Tree"}},
    "$defs": {
        "Tree": {
            "type": "object",
            "required": ["name"],
            "properties": {
                "name": {"type": "string"},
                **{
                    side: {"type": "array", "items": {"$ref": "#/$defs/Tree"}, "default": []}
                    for side in ("children", "left", "right", "above", "below")
                },
            },
        }
    },
}


def send(page: AppTest) -> AppTest:
    page.button(key="enqueue-send").click()
    return look(page)


def sent(api: FakeApi) -> list[dict[str, Any]]:
    """Return the input of each mutation that enqueues, without the key that makes it safe to send twice."""
    inputs = [variables["input"] for name, variables in api.sent if name.startswith("Enqueue")]
    for one in inputs:
        assert one["options"].pop("idempotencyKey")
        if not one["options"]:
            del one["options"]
    return inputs


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
    assert sent(api) == [{"args": {"name": "Bob", "times": 3}}]


def test_options_are_sent_when_they_are_given(api: FakeApi, open_page: OpenPage) -> None:
    page = open_page("enqueue", task="greet")
    page.text_input(key="enqueue-greet-args-name").set_value("Bob")
    page.number_input(key="option-greet-priority").set_value(9)
    page.get_by_key("option-greet-when").set_value("After a delay")
    look(page)
    page.number_input(key="option-greet-delay").set_value(90.0)
    page.number_input(key="option-greet-attempts").set_value(2)
    send(page)
    assert sent(api)[0]["options"] == {"priority": 9, "delaySeconds": 90.0, "maxAttempts": 2}


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
    assert [error.value for error in page.error] == ["See the marked fields."]
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


def test_the_graphql_that_is_sent_is_shown(api: FakeApi, open_page: OpenPage) -> None:
    page = open_page("enqueue", task="greet")
    page.text_input(key="enqueue-greet-args-name").set_value("Bob")
    said = texts(look(page))
    assert "mutation EnqueueGreet($input: EnqueueGreetInput!)" in said
    (shown,) = [json.loads(code.value) for code in page.code if code.value.startswith("{")]
    assert shown["input"]["args"] == {"name": "Bob"}
    send(page)
    (inputs,) = [variables for name, variables in api.sent if name == "EnqueueGreet"]
    assert shown == inputs


def test_every_kind_of_field_is_drawn_and_holds_its_default(api: FakeApi, open_page: OpenPage) -> None:
    api.schemas = {"all": EVERYTHING}
    page = open_page("enqueue", task="all")
    page.multiselect(key="enqueue-all-args-to").set_value(["a@example.org"])
    page.get_by_key("enqueue-all-args-how").set_value("slow")
    send(page)
    assert sent(api) == [{"args": {"to": ["a@example.org"], "how": "SLOW"}}]


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
        "how": "FAST",
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
    assert sent(api)[0]["args"] == {"to": [], "how": "FAST", "lines": [{"sku": "b2"}]}


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
    assert sent(api) == [{"args": {"name": "Eve", "times": 2}}]


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
    assert sent(api) == [{}]


def test_no_tasks_at_all_says_how_to_get_some(api: FakeApi, open_page: OpenPage) -> None:
    api.schemas = {}
    assert "**No tasks yet**" in texts(open_page("enqueue"))


def test_nothing_is_sent_while_the_api_is_away(api: FakeApi, open_page: OpenPage, source: Source) -> None:
    page = open_page("enqueue", task="greet")
    api.problem = httpx.ConnectError("refused")
    source.expire()
    look(page)
    assert page.button(key="enqueue-send").disabled


def test_options_that_are_rare_are_sent_as_well(api: FakeApi, open_page: OpenPage) -> None:
    page = open_page("enqueue", task="greet")
    page.text_input(key="enqueue-greet-args-name").set_value("Bob")
    page.get_by_key("option-greet-when").set_value("At a time")
    look(page)
    page.datetime_input(key="option-greet-run-at").set_value(datetime(2026, 11, 25, 8, 0))  # noqa: DTZ001 - a widget's
    page.datetime_input(key="option-greet-start-before").set_value(datetime(2026, 11, 26, 8, 0))  # noqa: DTZ001
    page.number_input(key="option-greet-timeout").set_value(30.0)
    page.text_input(key="option-greet-key").set_value("order-7")
    look(page)
    page.button(key="enqueue-send").click()
    look(page)
    (variables,) = api.asked("EnqueueGreet")
    assert variables["input"]["options"] == {
        "runAt": "2026-11-25T08:00:00+00:00",
        "startBefore": "2026-11-26T08:00:00+00:00",
        "timeoutSeconds": 30.0,
        "idempotencyKey": "order-7",
    }


def test_a_second_click_enqueues_no_second_job(api: FakeApi, open_page: OpenPage) -> None:
    page = open_page("enqueue", task="greet")
    page.text_input(key="enqueue-greet-args-name").set_value("Bob")
    send(page)
    assert page.button(key="enqueue-send").disabled
    del page.session_state["enqueue-sent"]  # the answer was lost, or the click came before it
    look(page)
    send(page)
    assert len(api.asked("EnqueueGreet")) == 2
    assert len(api.jobs) == 1
    assert "Enqueued before" in texts(page)


def test_another_of_the_same_is_enqueued_when_it_is_wanted(api: FakeApi, open_page: OpenPage) -> None:
    page = open_page("enqueue", task="greet")
    page.text_input(key="enqueue-greet-args-name").set_value("Bob")
    send(page)
    page.button(key="enqueue-another").click()
    look(page)
    assert page.text_input(key="enqueue-greet-args-name").value == "Bob"
    send(page)
    assert [job["args"]["name"] for job in api.jobs] == ["Bob", "Bob"]


def test_a_change_after_it_was_enqueued_is_another_job(api: FakeApi, open_page: OpenPage) -> None:
    page = open_page("enqueue", task="greet")
    page.text_input(key="enqueue-greet-args-name").set_value("Bob")
    send(page)
    page.text_input(key="enqueue-greet-args-name").set_value("Eve")
    look(page)
    assert "enqueue-open" not in {button.key for button in page.button}
    send(page)
    assert [job["args"]["name"] for job in api.jobs] == ["Bob", "Eve"]


def test_a_secret_is_typed_unseen_sent_and_shown_nowhere(api: FakeApi, open_page: OpenPage) -> None:
    api.schemas = {"pay": PIN}
    page = open_page("enqueue", task="pay")
    field = page.text_input(key="enqueue-pay-args-pin")
    assert field.proto.type == field.proto.PASSWORD
    field.set_value("hunter2")
    send(page)
    assert api.jobs[-1]["args"] == {"pin": "hunter2"}
    assert "********" in texts(page)
    assert "hunter2" not in texts(page) + str(page.query_params)


def test_a_secret_is_kept_and_not_shown_while_arguments_are_written_as_json(api: FakeApi, open_page: OpenPage) -> None:
    api.schemas = {"pay": PIN}
    page = open_page("enqueue", task="pay")
    page.text_input(key="enqueue-pay-args-pin").set_value("hunter2")
    look(page)
    page.get_by_key("enqueue-mode").set_value("JSON")
    look(page)
    assert json.loads(page.text_area(key="enqueue-json-pay").value) == {"pin": "********"}
    send(page)
    assert api.jobs[-1]["args"] == {"pin": "hunter2"}


def test_who_may_not_enqueue_sees_what_the_task_takes_and_no_button(api: FakeApi, open_page: OpenPage) -> None:
    api.answers["viewer"] = VIEWER
    page = open_page("enqueue", task="greet")
    assert "change nothing" in texts(page)
    assert page.get("table")
    assert "enqueue-send" not in {button.key for button in page.button}
    assert not page.text_input


def test_what_the_typed_mutation_cannot_say_is_sent_by_name(api: FakeApi, open_page: OpenPage) -> None:
    page = open_page("enqueue", task="greet")
    page.get_by_key("enqueue-mode").set_value("JSON")
    look(page)
    page.text_area(key="enqueue-json-greet").set_value('{"name": "Bob", "times": "soon"}')
    look(page)
    assert "mutation EnqueueJob(" in texts(page)
    send(page)
    assert [one["args"] for one in sent(api)] == [{"name": "Bob", "times": "soon"}]


def test_errors_of_the_typed_mutation_come_back_to_their_fields(api: FakeApi, open_page: OpenPage) -> None:
    api.schemas = {"all": EVERYTHING}
    api.refusal = {"code": "INVALID", "message": "no such article", "path": ["args", "lines", "0", "sku"]}
    page = open_page("enqueue", task="all")
    page.get_by_key("enqueue-all-args-how").set_value("fast")
    send(page)
    assert ":small[:red[:material/error: no such article]]" in texts(page)
    assert [error.value for error in page.error] == ["See the marked fields."]


def test_a_model_of_a_union_and_named_values_are_filled_in(api: FakeApi, open_page: OpenPage) -> None:
    api.schemas = {"pay": UNION}
    page = open_page("enqueue", task="pay")
    page.get_by_key("enqueue-pay-args-by-variant").set_value(1)
    page.button(key="enqueue-pay-args-fees-add").click()
    look(page)
    page.text_input(key="enqueue-pay-args-by-1-iban").set_value("DE1")
    (name,) = [box for box in page.text_input if str(box.key).startswith("enqueue-pay-args-fees-")]
    name.set_value("bank")
    (fee,) = page.number_input[:1]
    fee.set_value(3)
    look(page)
    send(page)
    assert sent(api)[0]["args"] == {"by": {"transfer": {"iban": "DE1"}}, "fees": {"bank": 3}}


def test_a_model_that_holds_itself_is_filled_in_as_deep_as_one_likes(api: FakeApi, open_page: OpenPage) -> None:
    api.schemas = {"grow": TREE}
    page = open_page("enqueue", task="grow")
    page.text_input(key="enqueue-grow-args-tree-name").set_value("root")
    page.button(key="enqueue-grow-args-tree-children-add").click()
    look(page)
    (inner,) = [box for box in page.text_input if str(box.key).startswith("enqueue-grow-args-tree-children-")]
    inner.set_value("leaf")
    send(page)
    assert sent(api)[0]["args"] == {"tree": {"name": "root", "children": [{"name": "leaf"}]}}


def test_a_click_that_comes_with_what_mends_a_problem_is_heard(api: FakeApi, open_page: OpenPage) -> None:
    page = send(open_page("enqueue", task="greet"))
    assert "needs a value" in texts(page)
    page.text_input(key="enqueue-greet-args-name").set_value("Bob")
    send(page)  # in one run with what was typed, as a browser does when one clicks right out of a field
    assert [job["args"]["name"] for job in api.jobs] == ["Bob"]


def test_tasks_are_listed_as_long_as_none_is_chosen(open_page: OpenPage) -> None:
    (link,) = [link for link in links(open_page("enqueue")) if link.page == "enqueue" and link.query_string]
    assert (link.label, link.query_string) == ("greet", "task=greet")


def test_a_job_is_run_again_with_arguments_changed_in_the_form(api: FakeApi, open_page: OpenPage) -> None:
    api.schemas = {"greet": api.schemas["greet"], "pay": PIN}
    first = api.add_job("FAILED", task={"name": "pay"}, args={"pin": "********"})
    page = open_page("enqueue", task="pay", again=first)
    assert first in texts(page)
    page.number_input(key="option-pay-priority").set_value(9)
    send(page)
    (variables,) = api.asked("RerunJob")
    key = variables["input"]["options"].pop("idempotencyKey")
    assert key
    assert variables["input"] == {"id": first, "args": {"pin": "********"}, "options": {"priority": 9}}
    assert api.jobs[-1]["id"] in texts(page)


def test_the_arguments_of_an_earlier_job_are_left_when_one_begins_with_nothing(
    api: FakeApi, open_page: OpenPage
) -> None:
    page = open_page("enqueue", task="greet", again=api.add_job("COMPLETED"))
    assert page.text_input(key="enqueue-greet-args-name").value == "Ada"
    page.button(key="enqueue-anew").click()
    look(page)
    assert page.query_params == {"task": "greet"}
    assert page.text_input(key="enqueue-greet-args-name").value == ""


def test_a_job_that_is_gone_leaves_the_form_empty_and_says_so(open_page: OpenPage) -> None:
    page = open_page("enqueue", task="greet", again="job_gone")
    assert r"There is no job job\_gone" in texts(page)
    assert page.text_input(key="enqueue-greet-args-name").value == ""


def test_the_types_are_asked_for_once(api: FakeApi, open_page: OpenPage) -> None:
    page = open_page("enqueue", task="greet")
    page.text_input(key="enqueue-greet-args-name").set_value("Bob")
    send(page)
    look(page)
    assert len(api.asked("InputTypes")) == 1


def test_an_api_that_tells_nothing_of_its_types_gets_the_job_by_name(
    api: FakeApi, open_page: OpenPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(questions, "types", Reading)
    page = open_page("enqueue", task="greet")
    page.text_input(key="enqueue-greet-args-name").set_value("Bob")
    send(page)
    assert sent(api) == [{"task": "greet", "args": {"name": "Bob"}}]
    assert "enqueued by its name" in texts(page)


def test_what_still_lacks_something_is_shown_as_the_tasks_own_mutation(api: FakeApi, open_page: OpenPage) -> None:
    api.schemas = {"pay": UNION}
    said = texts(open_page("enqueue", task="pay"))
    assert "mutation EnqueuePay(" in said
    assert json.dumps({"by": {"card": {}}, "fees": {}}, indent=2).splitlines()[1].strip() in said


def test_what_json_lacks_is_told_by_the_engine(api: FakeApi, open_page: OpenPage) -> None:
    page = open_page("enqueue", task="greet")
    page.get_by_key("enqueue-mode").set_value("JSON")
    look(page)
    page.text_area(key="enqueue-json-greet").set_value('{"times": 2}')
    send(page)
    assert [variables["input"]["args"] for variables in api.asked("EnqueueJob")] == [{"times": 2}]
