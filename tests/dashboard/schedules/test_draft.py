"""A schedule in the form: what is sent of it, and what is wrong at which field."""

from typing import Any

import pytest

from taskengine_dashboard.source import Refusal
from taskengine_dashboard.views.schedules.draft import CRON, EVERY, Draft, refused


def a_draft(**facts: Any) -> Draft:
    return Draft(**{"name": "nightly", "task": "greet", "args": '{"name": "Ada"}', "cron": "0 7 * * *", **facts})


def test_a_cron_rule_is_sent_with_its_zone() -> None:
    sent = a_draft(name=" nightly ", timezone="Europe/Berlin").input()
    args = {"name": "Ada"}
    expected = {"name": "nightly", "task": "greet", "args": args, "cron": "0 7 * * *", "timezone": "Europe/Berlin"}
    assert sent == expected


def test_an_interval_is_sent_without_the_cron_rule_that_was_typed_before() -> None:
    sent = a_draft(rule=EVERY, every_seconds=90.0).input()
    assert sent["everySeconds"] == 90.0
    assert "cron" not in sent


def test_empty_arguments_are_none() -> None:
    assert a_draft(args="").wrong() == {}
    assert a_draft(args="").input()["args"] == {}


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"name": "  "}, "name"),
        ({"task": None}, "task"),
        ({"args": "{"}, "args"),
        ({"args": "[1]"}, "args"),
        ({"args": '{"n": NaN}'}, "args"),
        ({"cron": " "}, "cron"),
        ({"rule": EVERY}, "everySeconds"),
    ],
)
def test_what_cannot_be_sent_is_told_at_its_field(facts: dict[str, Any], field: str) -> None:
    assert list(a_draft(**facts).wrong()) == [field]


def test_only_what_changed_is_sent() -> None:
    assert a_draft(args='{ "name":"Ada" }').changes(a_draft()) == {}
    assert a_draft(cron="0 8 * * *").changes(a_draft()) == {"cron": "0 8 * * *"}
    assert a_draft(timezone="Asia/Tokyo").changes(a_draft()) == {"timezone": "Asia/Tokyo"}
    assert a_draft(args="{}").changes(a_draft()) == {"args": {}}


def test_an_interval_takes_the_place_of_a_rule_and_the_other_way_round() -> None:
    every = a_draft(rule=EVERY, every_seconds=60.0)
    assert every.changes(a_draft()) == {"everySeconds": 60.0}
    assert a_draft(rule=CRON).changes(every) == {"cron": "0 7 * * *"}


def test_refusals_land_on_their_fields_and_the_rest_on_none() -> None:
    found = refused(
        [
            Refusal("never comes", ("cron",)),
            Refusal("is required", ("args", "name")),
            Refusal("is unknown", ("args", "nme")),
            Refusal("at most 10", ("options", "priority")),
            Refusal("needs OPERATOR"),
        ]
    )
    assert found == {
        "cron": "never comes",
        "args": "name: is required; nme: is unknown",
        "": "options.priority: at most 10; needs OPERATOR",
    }
