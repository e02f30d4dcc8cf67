"""From a Python signature's JSON Schema to GraphQL input types, and back to JSON."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

import graphql
import pytest
from graphql import GraphQLInputObjectType, GraphQLScalarType, GraphQLSchema, Undefined, parse_value, print_type
from pydantic import BaseModel, Field
from typing_extensions import TypedDict

from taskengine.signatures import Signature
from taskengine_api import scalars
from taskengine_api.json_types import InputTypes, Member, Untypable, path_as_given
from taskengine_api.names import TypeNames

JSON = GraphQLScalarType("JSON")
INSTANT = GraphQLScalarType(
    "DateTime", coerce_output_value=scalars.write_instant, coerce_input_value=scalars.read_instant
)


class Colour(Enum):
    RED = "red"
    SKY_BLUE = "sky-blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Circle(BaseModel):
    """A round thing."""

    kind: Literal["circle"] = "circle"
    radius: float


class Square(BaseModel):
    kind: Literal["square"]
    side_length: float = Field(gt=0, description="Of each side")


class Tree(BaseModel):
    value: str
    children: list["Tree"] = []
    parent: "Tree | None" = None


@dataclass
class Point:
    x: float
    y: float = 0.0


class Extra(TypedDict):
    a: str


class Pair(NamedTuple):
    a: int
    b: str


def types_of(schema: dict[str, Any]) -> InputTypes:
    return InputTypes("Demo", TypeNames(()), schema, json=JSON, instant=INSTANT)


def args_of(function: Callable[..., Any]) -> GraphQLInputObjectType:
    made = types_of(Signature("demo", function).args_schema).args_type(task="demo")
    assert made is not None
    # As a whole it has to be sound: GraphQL refuses what is not when the schema is made.
    problems = graphql.validate_schema(GraphQLSchema(types=[made]))
    assert [problem.message for problem in problems if "Query root type" not in problem.message] == []
    return made


def args_with(hint: Any, default: Any = ...) -> GraphQLInputObjectType:
    def demo(value: Any) -> None:
        """One parameter."""

    demo.__annotations__ = {"value": hint}
    if default is not ...:
        demo.__defaults__ = (default,)
    return args_of(demo)


def given(made: GraphQLInputObjectType, value: dict[str, Any]) -> Any:
    """What comes out for a value of a variable."""
    return graphql.coerce_input_value(value, made)


def written(made: GraphQLInputObjectType, literal: str) -> Any:
    """What comes out for a literal in a document."""
    return graphql.utilities.coerce_input_literal(parse_value(literal), made)


@pytest.mark.parametrize(
    ("hint", "type_"),
    [
        (str, "String!"),
        (bool, "Boolean!"),
        (float, "Float!"),
        (int, "BigInt!"),
        (Annotated[int, Field(ge=0, le=100)], "Int!"),
        (Annotated[int, Field(gt=-(2**31) - 1, lt=2**31)], "Int!"),
        (Annotated[int, Field(ge=0, le=2**31)], "BigInt!"),
        (Annotated[int, Field(ge=0)], "BigInt!"),
        (datetime, "DateTime!"),
        (date, "Date!"),
        (time, "Time!"),
        (timedelta, "Duration!"),
        (UUID, "UUID!"),
        (bytes, "Base64!"),
        (Decimal, "Decimal!"),
        (Annotated[Decimal, Field(gt=0, max_digits=9)], "Decimal!"),
        (Decimal | None, "Decimal"),
        (list[Decimal], "[Decimal!]!"),
        (float | str, "JSON!"),
        (Path, "String!"),
        (list[str], "[String!]!"),
        (set[int], "[BigInt!]!"),
        (tuple[str, ...], "[String!]!"),
        (tuple[str, str], "[String!]!"),
        (tuple[int, str], "JSON!"),
        (list[str | None], "[String]!"),
        (list[list[bool]], "[[Boolean!]!]!"),
        (dict[str, int], "JSON!"),
        (Any, "JSON"),
        (int | str, "JSON!"),
        (Colour, "DemoColour!"),
        (Level, "DemoLevel!"),
        (Literal["a", "b-c"], "DemoValue!"),
        (Literal["a", "b"] | None, "DemoValue"),
        (Literal["é", "è"], "String!"),
        (Circle, "DemoCircleInput!"),
        (Point, "DemoPointInput!"),
        (Extra, "DemoExtraInput!"),
        (Pair, "JSON!"),
        (Circle | Square, "DemoValueOneOf!"),
        (Annotated[Circle | Square, Field(discriminator="kind")], "DemoValueOneOf!"),
        (Circle | str, "JSON!"),
        (Circle | None, "DemoCircleInput"),
        (str | None, "String"),
        (Circle | Square | None, "DemoValueOneOf"),
    ],
    ids=str,
)
def test_a_hint_becomes_a_type(hint: Any, type_: str) -> None:
    assert str(args_with(hint).fields["value"].type) == type_


@pytest.mark.parametrize(
    "text",
    [{"type": "string", "format": "decimal"}, {"type": "string", "pattern": r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$"}],
    ids=["format", "pattern"],
)
def test_what_is_marked_as_a_decimal_is_one(text: dict[str, Any]) -> None:
    schema = {"type": "object", "properties": {"value": {"anyOf": [{"type": "number"}, text]}}, "required": ["value"]}
    made = types_of(schema).args_type(task="demo")
    assert made is not None
    assert str(made.fields["value"].type) == "Decimal!"
    assert written(made, "{value: 12.10}") == {"value": "12.10"}
    assert given(made, {"value": "0.30"}) == {"value": "0.30"}


@pytest.mark.parametrize(
    ("hint", "default", "field"),
    [
        (str, "x", 'String! = "x"'),
        (bool, False, "Boolean! = false"),
        (int, 3, "BigInt! = 3"),
        (float, 0.5, "Float! = 0.5"),
        (str | None, None, "String = null"),
        (Colour, Colour.SKY_BLUE, "DemoColour! = SKY_BLUE"),
        (Literal[1, True], True, "DemoValue! = TRUE"),
        (list[Colour], [Colour.RED], "[DemoColour!]! = [RED]"),
        (timedelta, timedelta(seconds=5), 'Duration! = "PT5S"'),
        (dict[str, int], {"a": 1}, "JSON! = { a: 1 }"),
        (Point, Point(1.0), "DemoPointInput! = { x: 1, y: 0 }"),
    ],
    ids=str,
)
def test_a_default_makes_a_field_optional_and_is_shown(hint: Any, default: Any, field: str) -> None:
    made = args_with(hint, default)
    assert f"value: {field}" in print_type(made).replace("1.0", "1").replace("0.0", "0")
    assert given(made, {}) is not Undefined


def test_a_default_that_graphql_cannot_write_is_in_the_description() -> None:
    field = args_with(Circle | Square, Circle(radius=2)).fields["value"]
    assert str(field.type) == "DemoValueOneOf"
    assert field.description is not None
    assert '"radius": 2.0' in field.description


def test_a_parameter_that_may_be_left_out_takes_null_as_left_out() -> None:
    # So pydantic describes a default that is made by a factory.
    schema = {"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "string"}}}}
    made = types_of(schema).args_type(task="demo")
    assert made is not None
    assert given(made, {"tags": None}) == {}
    assert given(made, {"tags": ["a"]}) == {"tags": ["a"]}


def test_a_null_that_the_task_takes_is_handed_on() -> None:
    assert given(args_with(str | None), {"value": None}) == {"value": None}


def test_enum_values_come_out_as_what_the_task_takes() -> None:
    assert given(args_with(Colour), {"value": "SKY_BLUE"}) == {"value": "sky-blue"}
    assert given(args_with(Level), {"value": "V_2"}) == {"value": 2}
    assert written(args_with(Literal["a", "b-c"]), "{value: B_C}") == {"value": "b-c"}


@pytest.mark.parametrize("number", [2**31, 2**53 + 1, -(10**40)])
def test_a_whole_number_of_any_size_comes_out_whole(number: int) -> None:
    made = args_with(int)
    assert given(made, {"value": number}) == {"value": number}
    assert given(made, {"value": str(number)}) == {"value": number}
    assert written(made, f"{{value: {number}}}") == {"value": number}


@pytest.mark.parametrize("wrong", [True, 1.5, "1.5", "", "1_000", "٣", "9" * 1001])
def test_what_is_no_whole_number_is_refused(wrong: Any) -> None:
    assert given(args_with(int), {"value": wrong}) is Undefined


@pytest.mark.parametrize(
    ("hint", "value", "json"),
    [
        (datetime, "2030-01-31T12:00:00+02:00", "2030-01-31T10:00:00+00:00"),
        (date, "2030-01-31", "2030-01-31"),
        (time, "12:30:00", "12:30:00"),
        (timedelta, "P1DT2H0.5S", "P1DT2H0.5S"),
        (UUID, "00000000-0000-0000-0000-00000000000A", "00000000-0000-0000-0000-00000000000a"),
        (bytes, "aGk=", "aGk="),
        (list[datetime], ["2030-01-31T12:00:00Z"], ["2030-01-31T12:00:00+00:00"]),
    ],
    ids=str,
)
def test_text_with_a_form_is_checked_and_comes_out_as_text(hint: Any, value: Any, json: Any) -> None:
    assert given(args_with(hint), {"value": value}) == {"value": json}


@pytest.mark.parametrize(
    ("hint", "wrong"),
    [
        (datetime, "2030-01-31T12:00:00"),
        (datetime, 5),
        (date, "yesterday"),
        (time, "25:00"),
        (timedelta, "P"),
        (timedelta, "PT"),
        (timedelta, 5),
        (UUID, "1"),
        (bytes, "!!!"),
    ],
    ids=str,
)
def test_text_of_another_form_is_refused(hint: Any, wrong: Any) -> None:
    assert given(args_with(hint), {"value": wrong}) is Undefined


def test_fields_are_in_camel_case_and_come_out_as_the_task_names_them() -> None:
    def demo(first_name: str, square: Square) -> None:
        """Two parameters."""

    made = args_of(demo)
    assert given(made, {"firstName": "A", "square": {"sideLength": 1.5}}) == {
        "first_name": "A",
        "square": {"kind": "square", "side_length": 1.5},
    }


def test_a_union_of_models_takes_exactly_one() -> None:
    made = args_with(Circle | Square)
    assert given(made, {"value": {"circle": {"radius": 1.0}}}) == {"value": {"kind": "circle", "radius": 1.0}}
    assert written(made, "{value: {square: {sideLength: 2}}}") == {"value": {"kind": "square", "side_length": 2.0}}
    assert given(made, {"value": {"circle": {"radius": 1.0}, "square": {"sideLength": 2.0}}}) is Undefined
    assert given(made, {"value": {"circle": None}}) is Undefined
    assert given(made, {"value": {}}) is Undefined


def test_a_model_may_hold_itself() -> None:
    tree = {"value": "a", "children": [{"value": "b", "children": [], "parent": None}], "parent": None}
    assert given(args_with(Tree), {"value": tree}) == {"value": tree}


def test_what_the_schema_says_of_a_value_is_in_its_description() -> None:
    def demo(
        name: Annotated[str, Field(min_length=1, max_length=9, pattern="^a", description="Who")],
        parts: Annotated[list[str], Field(max_length=3)],
        plain: bool,
    ) -> None:
        """Three parameters."""

    fields = args_of(demo).fields
    assert fields["name"].description == "Who. At least 1 characters. At most 9 characters. Matches `^a`."
    assert fields["parts"].description == "At most 3 items."
    assert fields["plain"].description == "`plain`."
    assert args_with(Circle).fields["value"].type.of_type.description == "A round thing."


def test_a_path_into_the_json_becomes_the_path_into_the_input() -> None:
    def demo(shapes: list[Circle | Square], home_town: dict[str, Any], tree: Tree) -> None:
        """Three parameters."""

    made = args_of(demo)
    member = Member({"kind": "square", "side_length": -1})
    member.field = "square"
    value = {"shapes": [member], "home_town": {}, "tree": {"value": "a", "children": [{"value": 1}]}}
    assert path_as_given(("shapes", "0", "side_length"), value, made) == ("shapes", "0", "square", "sideLength")
    assert path_as_given(("home_town", "zip_code"), value, made) == ("homeTown", "zip_code")
    assert path_as_given(("tree", "children", "0", "value"), value, made) == ("tree", "children", "0", "value")
    assert path_as_given(("no_such", "x"), value, made) == ("no_such", "x")


def test_a_task_without_parameters_has_no_type_of_arguments() -> None:
    def demo() -> None:
        """No parameters."""

    assert types_of(Signature("demo", demo).args_schema).args_type(task="demo") is None


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array"},
        {},
        {"type": "object", "properties": {"naïve": {}}},
        {"type": "object", "properties": {"a": {"$ref": "#/$defs/Gone"}}},
    ],
    ids=str,
)
def test_what_makes_no_type_says_why(schema: dict[str, Any]) -> None:
    with pytest.raises(Untypable, match="."):
        types_of(schema).args_type(task="demo")


@pytest.mark.parametrize("hint", [Decimal, float | str], ids=str)
def test_what_may_be_a_decimal_or_a_number_or_text_takes_each(hint: Any) -> None:
    assert given(args_with(hint), {"value": "1.50"}) == {"value": "1.50"}
    assert given(args_with(float | str), {"value": "any text"}) == {"value": "any text"}
