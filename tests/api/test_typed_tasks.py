"""One typed mutation a task, made of the catalogue alone."""

import logging
from typing import Any

import pytest
from graphql import print_type

from support.api import a_task
from taskengine.jobs import TaskInfo
from taskengine_api.schema.build import Schema


def send(to: list[str], subject: str, body: str = "") -> None:
    """Send one mail."""


def nothing() -> None:
    """Take nothing."""


def optional(times: int = 1) -> None: ...


@pytest.fixture(scope="module")
def base() -> Schema:
    return Schema()


def field(schema: Schema, name: str) -> Any:
    mutation = schema.core.mutation_type
    assert mutation is not None
    return mutation.fields[name]


def fields(schema: Schema, name: str) -> dict[str, Any]:
    type_: Any = schema.core.type_map[name]
    return type_.fields


def test_a_task_has_a_field_with_its_own_input(base: Schema) -> None:
    schema = base.with_tasks([a_task("mail.send", send)])
    made = field(schema, "enqueueMailSend")
    assert str(made.args["input"].type) == "EnqueueMailSendInput!"
    assert str(made.type) == "EnqueueJobPayload!"
    assert made.description == "Send one mail.\n\nEnqueues `mail.send`. Needs OPERATOR."
    assert "args: MailSendArgs!\n" in print_type(schema.core.type_map["EnqueueMailSendInput"])
    assert schema.field_of == {"mail.send": "enqueueMailSend"}


def test_arguments_that_all_have_defaults_may_be_left_out(base: Schema) -> None:
    schema = base.with_tasks([a_task("t", optional)])
    assert "args: TArgs! = {" in print_type(schema.core.type_map["EnqueueTInput"])


def test_a_task_without_parameters_takes_only_options(base: Schema) -> None:
    schema = base.with_tasks([a_task("t", nothing)])
    assert list(fields(schema, "EnqueueTInput")) == ["options"]


def test_the_schema_that_it_was_made_from_is_left_as_it_was(base: Schema) -> None:
    before = base.sdl()
    assert base.with_tasks([a_task("mail.send", send)]).sdl() != before
    assert base.sdl() == before
    assert base.with_tasks([]).core.type_map.keys() == base.core.type_map.keys()


def test_tasks_of_one_name_keep_apart_and_are_warned_of(base: Schema, caplog: pytest.LogCaptureFixture) -> None:
    schema = base.with_tasks([a_task("mail.send", send), a_task("mail_send", send)])
    assert len(set(schema.field_of.values())) == 2
    assert "enqueueMailSend" not in schema.field_of.values()
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2


@pytest.mark.parametrize("name", ["job", "Job", "jobs"])
def test_a_task_does_not_hide_a_mutation_of_ours(base: Schema, name: str) -> None:
    ours = field(base, "enqueueJob")
    schema = base.with_tasks([a_task(name, send)])
    assert field(schema, "enqueueJob").type is ours.type
    assert str(field(schema, "enqueueJob").args["input"].type) == "EnqueueJobInput!"
    assert schema.field_of[name] != "enqueueJob"


ODD: list[dict[str, Any]] = [
    {},
    {"type": "array"},
    {"type": "object", "properties": 5},
    {"type": "object", "properties": {"a": 5, "naïve": {}}},
    {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}},
    # A model that needs itself can never be given.
    {
        "type": "object",
        "properties": {"a": {"$ref": "#/$defs/A"}},
        "required": ["a"],
        "$defs": {"A": {"type": "object", "properties": {"a": {"$ref": "#/$defs/A"}}, "required": ["a"]}},
    },
]


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_a_task_that_cannot_be_typed_takes_no_other_away(
    base: Schema, odd: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    schema = base.with_tasks([TaskInfo(name="odd", args_schema=odd), a_task("mail.send", send)])
    assert schema.field_of == {"mail.send": "enqueueMailSend"}
    assert "enqueueJob" in caplog.text


def test_everything_of_a_typed_mutation_is_described(base: Schema) -> None:
    schema = base.with_tasks([a_task("mail.send", send), a_task("bare", optional)])
    for name in ("EnqueueMailSendInput", "MailSendArgs", "EnqueueBareInput", "BareArgs"):
        assert schema.core.type_map[name].description
        assert all(one.description for one in fields(schema, name).values())
    assert field(schema, "enqueueBare").description == "Enqueues `bare`. Needs OPERATOR."


async def test_one_of_inputs_are_told_as_such(base: Schema) -> None:
    a = {"type": "object", "properties": {"x": {"type": "string"}}}
    union = {"anyOf": [{"$ref": "#/$defs/A"}, {"$ref": "#/$defs/B"}]}
    args = {"type": "object", "properties": {"shape": union}, "$defs": {"A": a, "B": a}}
    schema = base.with_tasks([TaskInfo(name="t", args_schema=args)]).core
    assert "input TShapeOneOf @oneOf" in print_type(schema.type_map["TShapeOneOf"])


def test_many_tasks_fit_into_one_schema(base: Schema) -> None:
    schema = base.with_tasks([a_task(f"task{number}", send) for number in range(500)])
    assert len(schema.field_of) == 500
    assert "enqueueTask499" in schema.sdl()
