"""Arguments as fields, and fields as arguments."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel, HttpUrl, TypeAdapter
from pydantic import Field as About

from taskengine import Secret
from taskengine.signatures import Signature
from taskengine_dashboard.views.enqueue.fields import read_fields
from taskengine_dashboard.views.enqueue.kinds import UNSET, Field, Kind, Problem
from taskengine_dashboard.views.enqueue.values import collect, without_place

BERLIN = ZoneInfo("Europe/Berlin")
HALF_PAST_NINE = datetime(2026, 11, 24, 9, 30)  # noqa: DTZ001 - as the widget gives it: in no zone


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Sender(BaseModel):
    name: str
    email: str = "hello@example.org"


class Cat(BaseModel):
    kind: Literal["cat"] = "cat"
    name: str


class Dog(BaseModel):
    kind: Literal["dog"] = "dog"
    name: str
    good: bool = True


class Tree(BaseModel):
    name: str
    children: list["Tree"] = []


def field_of(hint: Any, *default: Any) -> Field:
    """The field that an argument with this type hint gets; with a default it is not required."""

    def task(value: Any) -> None: ...

    task.__annotations__["value"] = hint
    schema = Signature("t", task).args_schema
    if default:
        schema["properties"]["value"]["default"] = default[0]
        schema["required"] = []
    (field,) = read_fields(schema)
    return field


def args_of(field: Field, raw: Any) -> dict[str, Any]:
    """What a form with this one field makes of what its widget holds."""
    args, problems = collect([field], {"value": raw}, BERLIN)
    assert problems == []
    return args


def problems_of(field: Field, raw: Any) -> list[Problem]:
    return collect([field], {"value": raw}, BERLIN)[1]


# From types to fields


@pytest.mark.parametrize(
    ("hint", "kind"),
    [
        (str, Kind.TEXT),
        (int, Kind.INTEGER),
        (float, Kind.NUMBER),
        (bool, Kind.BOOLEAN),
        (Decimal, Kind.TEXT),
        (UUID, Kind.TEXT),
        (date, Kind.DATE),
        (time, Kind.TIME),
        (datetime, Kind.DATETIME),
        (HttpUrl, Kind.URL),
        (Colour, Kind.CHOICE),
        (Literal["a", "b"], Kind.CHOICE),
        (Literal["only"], Kind.CHOICE),
        (list[str], Kind.LIST),
        (list[int], Kind.LIST),
        (set[Colour], Kind.CHOICES),
        (Sender, Kind.GROUP),
        (list[Sender], Kind.ROWS),
        (dict[str, int], Kind.ENTRIES),
        (dict[str, Any], Kind.JSON),
        (tuple[int, str], Kind.JSON),
        (int | str, Kind.UNION),
        (Sender | Tree, Kind.UNION),
        (Annotated[int, About(ge=2**60)], Kind.DIGITS),
        (timedelta, Kind.TEXT),
        (bytes, Kind.TEXT),
        (list[date], Kind.ROWS),
        (list[int | None], Kind.ROWS),
        (list[list[str]], Kind.ROWS),
        (Secret[str], Kind.SECRET),
        (Secret[list[int]], Kind.SECRET),
        (list[Secret[str]], Kind.ROWS),
        (Any, Kind.JSON),
    ],
    ids=str,
)
def test_each_type_has_its_field(hint: Any, kind: Kind) -> None:
    assert field_of(hint).kind is kind


def test_an_email_has_a_field_of_its_own() -> None:
    (field,) = read_fields({"properties": {"to": {"type": "string", "format": "email"}}})
    assert field.kind is Kind.EMAIL


@pytest.mark.parametrize(
    "hint", [str | None, date | None, Colour | None, Sender | None, list[str] | None, Decimal | None]
)
def test_what_may_be_null_has_the_field_of_what_it_is_else(hint: Any) -> None:
    field = field_of(hint)
    assert field.nullable
    assert not field.must_be_given
    assert field.kind is not Kind.JSON


def test_a_list_of_types_is_read_as_well() -> None:
    (field,) = read_fields({"properties": {"value": {"type": ["integer", "null"]}}, "required": []})
    assert (field.kind, field.nullable) == (Kind.INTEGER, True)


def test_bounds_are_kept() -> None:
    field = field_of(Annotated[int, About(ge=1, lt=10)])
    assert (field.minimum, field.maximum) == (1, 9)


def test_an_exclusive_bound_of_a_real_number_is_left_to_the_api() -> None:
    field = field_of(Annotated[float, About(gt=0)])
    assert (field.minimum, field.maximum) == (0, None)


def test_what_is_written_about_an_argument_is_its_help() -> None:
    assert field_of(Annotated[str, About(description="Whom to greet.")]).help == "Whom to greet."


def test_what_is_written_at_a_reference_goes_before_what_is_written_at_its_target() -> None:
    schema = {
        "properties": {"who": {"$ref": "#/$defs/Sender", "description": "Who it is from."}},
        "$defs": {"Sender": {"type": "object", "description": "A sender.", "properties": {"name": {"type": "string"}}}},
    }
    assert read_fields(schema)[0].help == "Who it is from."


def test_names_are_read_as_words() -> None:
    (field,) = read_fields({"properties": {"page_size": {"type": "integer"}}})
    assert field.label == "Page size"


def test_what_must_be_given_comes_first() -> None:
    fields = read_fields({"properties": {"a": {}, "b": {}, "c": {}}, "required": ["c"]})
    assert [field.name for field in fields] == ["c", "a", "b"]


def test_the_fields_of_a_model_are_nested() -> None:
    field = field_of(Sender)
    assert [(part.name, part.required, part.default) for part in field.fields] == [
        ("name", True, UNSET),
        ("email", False, "hello@example.org"),
    ]


def test_a_model_that_holds_itself_ends_in_json() -> None:
    field, depth = field_of(Tree), 0
    while field.kind is not Kind.JSON:
        field, depth = field.fields[-1], depth + 1
    assert depth < 10


def test_a_reference_that_leads_nowhere_is_json() -> None:
    (field,) = read_fields({"properties": {"value": {"$ref": "#/$defs/Gone"}}})
    assert field.kind is Kind.JSON


@pytest.mark.parametrize(
    ("schema", "long"),
    [
        ({"maxLength": 100}, False),
        ({"maxLength": 5_000}, True),
        ({"maxLength": 5_000, "pattern": "^x$"}, False),
        ({"default": "Dear $name,\n"}, True),
        ({}, False),
    ],
)
def test_a_text_that_may_be_long_is_told_from_a_short_one(schema: Mapping[str, Any], long: bool) -> None:
    (field,) = read_fields({"properties": {"value": {"type": "string", **schema}}})
    assert field.long is long


# From fields to arguments


@pytest.mark.parametrize(
    ("hint", "raw", "value"),
    [
        (str, "hi", "hi"),
        (int, 3, 3),
        (float, 0.5, 0.5),
        (bool, False, False),
        (Decimal, "1.10", "1.10"),
        (date, date(2026, 11, 24), "2026-11-24"),
        (time, time(9, 30), "09:30:00"),
        (datetime, HALF_PAST_NINE, "2026-11-24T09:30:00+01:00"),
        (Colour, "red", "red"),
        (list[str], ["a", "b"], ["a", "b"]),
        (list[int], ["1", "2"], [1, 2]),
        (list[str], [], []),
        (set[Colour], ["red"], ["red"]),
        (dict[str, int], [("a", 1), ("b", 2)], {"a": 1, "b": 2}),
        (dict[str, Any], '{"a": 1}', {"a": 1}),
        (Annotated[int, About(ge=2**60)], str(2**70), 2**70),
        (int | str, (1, "3"), "3"),
        (int | str, (0, 3), 3),
        (Cat | Dog, (1, {"kind": "dog", "name": "Rex", "good": True}), {"kind": "dog", "name": "Rex", "good": True}),
        (Secret[list[int]], "[1, 2]", [1, 2]),
        (Secret[str], "[1, 2]", "[1, 2]"),
        (Sender, {"name": "Ada", "email": "ada@example.org"}, {"name": "Ada", "email": "ada@example.org"}),
        (Sender, {"name": "Ada", "email": "hello@example.org"}, {"name": "Ada"}),
        (list[Sender], [{"name": "Ada"}, {"name": "Bob"}], [{"name": "Ada"}, {"name": "Bob"}]),
    ],
)
def test_what_a_widget_holds_becomes_json(hint: Any, raw: Any, value: Any) -> None:
    assert args_of(field_of(hint), raw) == {"value": value}


@pytest.mark.parametrize(
    ("hint", "default", "raw"),
    [
        (str, "hi", "hi"),
        (int, 50, 50),
        (bool, False, False),
        (list[str], ["a"], ["a"]),
        (dict[str, int], {"a": 1}, [("a", 1)]),
        (dict[str, Any], {"a": 1}, '{"a": 1}'),
        (datetime, "2026-11-24T08:30:15Z", HALF_PAST_NINE),
        (time, "09:30:15", time(9, 30)),
        (float, 3, 3.0),
        (date | None, None, None),
        (Sender, {"name": "Ada", "email": "hello@example.org"}, {"name": "Ada", "email": "hello@example.org"}),
    ],
)
def test_what_still_holds_its_default_is_left_to_the_task(hint: Any, default: Any, raw: Any) -> None:
    assert args_of(field_of(hint, default), raw) == {}


def test_a_group_that_still_holds_its_default_is_left_to_the_task() -> None:
    class Shop(BaseModel):
        name: str = "The Corner Shop"
        size: int = 3

    field = field_of(Shop, {"name": "The Corner Shop", "size": 3})
    assert args_of(field, {"name": "The Corner Shop", "size": 3}) == {}
    assert args_of(field, {"name": "Other", "size": 3}) == {"value": {"name": "Other"}}


def test_true_is_not_one() -> None:
    assert args_of(field_of(int, 1), 2) == {"value": 2}
    assert args_of(field_of(bool, False), True) == {"value": True}


def test_a_default_may_be_cleared() -> None:
    assert args_of(field_of(str, "hi"), "") == {"value": ""}
    assert args_of(field_of(int | None, 5), None) == {"value": None}


def test_what_may_be_null_and_must_be_there_is_sent_as_null() -> None:
    assert args_of(field_of(str | None), "") == {"value": None}


def test_a_group_that_is_switched_off_is_null() -> None:
    assert args_of(field_of(Sender | None), None) == {"value": None}


@pytest.mark.parametrize(
    ("hint", "raw"), [(str, "  "), (int, None), (date, None), (Colour, None), (dict[str, Any], "")]
)
def test_what_must_be_given_and_is_not_is_a_problem(hint: Any, raw: Any) -> None:
    assert problems_of(field_of(hint), raw) == [Problem(("value",), "needs a value")]


def test_a_problem_within_leads_to_its_place() -> None:
    rows = [{"name": "Ada"}, {"name": ""}]
    assert problems_of(field_of(list[Sender]), rows) == [Problem(("value", "1", "name"), "needs a value")]


def test_a_number_in_a_list_that_is_none_is_a_problem() -> None:
    (problem,) = problems_of(field_of(list[int]), ["1", "x"])
    assert problem == Problem(("value", "1"), "expected a whole number, got 'x'")


def test_json_that_is_none_is_a_problem() -> None:
    (problem,) = problems_of(field_of(dict[str, Any]), "{")
    assert problem.path == ("value",)
    assert problem.message.startswith("is not JSON: ")


@pytest.mark.parametrize(
    ("hint", "raw"),
    [(Sender | None, {"name": "Ada"}), (list[Colour], ["red", "blue"]), (datetime, HALF_PAST_NINE)],
)
def test_pydantic_accepts_what_the_form_makes(hint: Any, raw: Any) -> None:
    TypeAdapter(hint).validate_python(args_of(field_of(hint), raw)["value"])


def test_messages_about_no_field_are_kept_for_the_form() -> None:
    problems = [Problem(("args", "name"), "a"), Problem(("args", "rows", "0", "x"), "b"), Problem(("task",), "c")]
    assert without_place(problems, [("args", "name"), ("args", "rows")]) == ["c"]
