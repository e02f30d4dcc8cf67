"""For any type hints: what the form makes of its widgets is what the task was to get, also by its own mutation."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from itertools import count
from typing import Any, Literal, Optional, Union
from uuid import UUID
from zoneinfo import ZoneInfo

import jsonschema
import pytest
from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema, GraphQLString, coerce_input_value, graphql_sync
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, create_model

from taskengine import Secret
from taskengine.jobs import TaskInfo
from taskengine.signatures import Signature
from taskengine_api.schema.build import Schema
from taskengine_api.typed_tasks import typed_tasks
from taskengine_dashboard.views.enqueue.fields import read_fields
from taskengine_dashboard.views.enqueue.held import held, misfits, variant_of
from taskengine_dashboard.views.enqueue.kinds import UNSET, Field, Kind
from taskengine_dashboard.views.enqueue.questions import TYPES
from taskengine_dashboard.views.enqueue.typed import TypedMutation, Types
from taskengine_dashboard.views.enqueue.values import collect

BERLIN = ZoneInfo("Europe/Berlin")


class Colour(Enum):
    RED = "bright red"
    BLUE = "blue"


class Tree(BaseModel):
    tree_name: str
    children: list["Tree"] = []


@dataclass(frozen=True)
class Hint:
    """A type hint, and the JSON values that its arguments can have."""

    type: Any
    values: st.SearchStrategy[Any]

    def __repr__(self) -> str:
        return str(self.type)


WORDS = st.text("abcdefg äß-_", min_size=1, max_size=8).map(str.strip).filter(bool)
WHOLE = st.integers(-(2**53) + 1, 2**53 - 1)
MINUTES = st.datetimes(datetime(1950, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001
    lambda moment: moment.replace(second=0, microsecond=0, tzinfo=UTC)
)
TREES = st.recursive(
    WORDS.map(lambda name: {"tree_name": name}),
    lambda below: st.builds(
        lambda name, rows: {"tree_name": name, "children": rows}, WORDS, st.lists(below, max_size=2)
    ),
    max_leaves=5,
)
LEAVES = [
    Hint(str, WORDS),
    Hint(int, WHOLE),
    Hint(float, st.floats(-1e9, 1e9)),
    Hint(bool, st.booleans()),
    Hint(Colour, st.sampled_from(["bright red", "blue"])),
    Hint(Literal["a", "b-c"], st.sampled_from(["a", "b-c"])),
    Hint(date, st.dates(date(1950, 1, 1), date(2100, 1, 1)).map(date.isoformat)),
    Hint(time, st.times().map(lambda at: at.replace(second=0, microsecond=0).isoformat())),
    Hint(datetime, MINUTES.map(datetime.isoformat)),
    Hint(timedelta, st.sampled_from(["PT1H", "P1DT2S"])),
    Hint(Decimal, st.sampled_from(["1.10", "-3", "0.000001"])),
    Hint(UUID, st.uuids().map(str)),
    Hint(bytes, st.sampled_from(["YWJj", "eA=="])),
    Hint(Secret[str], WORDS),
    Hint(Secret[int], WHOLE),
    Hint(Any, st.recursive(st.booleans() | WORDS, lambda below: st.lists(below, max_size=2), max_leaves=3)),
    Hint(Tree, TREES),
]
_numbers = count(1)


@st.composite
def models(draw: Callable[..., Any], below: st.SearchStrategy[Hint]) -> Hint:
    """A model of a few fields, some of which need not be given."""
    fields = draw(st.lists(st.tuples(below, st.booleans()), min_size=1, max_size=3))
    number = next(_numbers)
    tag = f"model-{number}"
    parts: dict[str, Any] = {"kind_of": (Literal[tag], ...)}  # type: ignore[valid-type]
    for place, (hint, is_optional) in enumerate(fields):
        parts[f"field_{place}"] = (Optional[hint.type], None) if is_optional else (hint.type, ...)  # noqa: UP045
    needed = {f"field_{n}": hint.values for n, (hint, is_optional) in enumerate(fields) if not is_optional}
    others = {f"field_{n}": hint.values for n, (hint, is_optional) in enumerate(fields) if is_optional}
    values = st.fixed_dictionaries({"kind_of": st.just(tag), **needed}, optional=others)
    return Hint(create_model(f"Model{number}", **parts), values)


def wider(below: st.SearchStrategy[Hint]) -> st.SearchStrategy[Hint]:
    def either(one: Hint, other: Hint) -> Hint:
        return Hint(Union[one.type, other.type], one.values | other.values)  # noqa: UP007

    return st.one_of(
        below.map(lambda hint: Hint(list[hint.type], st.lists(hint.values, max_size=3, unique_by=json.dumps))),
        below.map(lambda hint: Hint(dict[str, hint.type], st.dictionaries(WORDS, hint.values, max_size=2))),
        below.map(lambda hint: Hint(Optional[hint.type], st.none() | hint.values)),  # noqa: UP045
        below.map(lambda hint: Hint(tuple[int, hint.type], st.tuples(WHOLE, hint.values).map(list))),
        models(below),
        st.builds(either, models(below), models(below)),
    )


HINTS = st.recursive(st.sampled_from(LEAVES), wider, max_leaves=4)


def signature_of(hint: Any) -> Signature:
    def task(some_value: Any) -> None: ...

    task.__annotations__["some_value"] = hint
    return Signature("shop.task", task)


def raw_of(one: Field, value: Any) -> Any:
    """What the widgets hold when they stand for this JSON value: as ``Form`` draws them."""
    if value is UNSET:
        value = one.default
    absent = value is UNSET or value is None
    if one.kind is Kind.GROUP:
        given = {} if absent else value
        return (
            None if absent and one.can_be_absent else {p.name: raw_of(p, given.get(p.name, UNSET)) for p in one.fields}
        )
    if one.kind is Kind.UNION:
        number = None if absent else variant_of(one, value)
        return None if number is None else (number, raw_of(one.fields[number], value))
    if one.kind in {Kind.ROWS, Kind.ENTRIES} and absent and one.can_be_absent:
        return None
    if one.kind in {Kind.LIST, Kind.CHOICES} and absent:
        return []
    if one.kind is Kind.BOOLEAN and absent and not one.can_be_absent:
        return False
    if one.kind is Kind.ROWS:
        return [] if absent else [raw_of(one.fields[0], row) for row in value]
    if one.kind is Kind.ENTRIES:
        return [] if absent else [(name, raw_of(one.fields[0], part)) for name, part in value.items()]
    return None if absent else held(one, value, BERLIN)


def made_of(signature: Signature, args: Mapping[str, Any]) -> dict[str, Any]:
    """What the form makes when it is filled in with these arguments."""
    fields = read_fields(signature.args_schema)
    assume(not misfits(fields, args))
    made, problems = collect(fields, {one.name: raw_of(one, args[one.name]) for one in fields}, BERLIN)
    assert problems == []
    return made


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(HINTS.flatmap(lambda hint: st.tuples(st.just(hint), hint.values)))
def test_what_the_form_makes_is_valid_and_means_what_was_filled_in(case: tuple[Hint, Any]) -> None:
    hint, value = case
    signature = signature_of(hint.type)
    args = {"some_value": value}
    made = made_of(signature, args)
    jsonschema.validate(made, signature.args_schema)
    assert signature.load(json.dumps(made)) == signature.load(json.dumps(args))


@pytest.fixture(scope="module")
def base() -> Schema:
    return Schema()


def by_the_tasks_own_mutation(base: Schema, signature: Signature, args: Mapping[str, Any]) -> dict[str, Any]:
    """What reaches the engine when these arguments are sent by the task's own mutation."""
    info = TaskInfo(name="shop.task", args_schema=signature.args_schema)
    fields = typed_tasks([info], base.core.type_map, lambda *_: None).fields  # type: ignore[arg-type, return-value]
    query = GraphQLObjectType("Query", {"nothing": GraphQLField(GraphQLString)})
    schema = GraphQLSchema(query=query, mutation=GraphQLObjectType("Mutation", dict(fields)))
    types = Types.read(graphql_sync(schema, TYPES.text).data or {})
    mutation = TypedMutation.of("enqueueShopTask", signature.args_schema, types)
    assert mutation is not None
    sent = json.loads(json.dumps(mutation.args(args)))
    return coerce_input_value(sent, schema.type_map[mutation.input_type])["args"]  # type: ignore[arg-type]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(case=HINTS.flatmap(lambda hint: st.tuples(st.just(hint), hint.values)))
def test_the_tasks_own_mutation_says_the_same(base: Schema, case: tuple[Hint, Any]) -> None:
    hint, value = case
    signature = signature_of(hint.type)
    arrived = by_the_tasks_own_mutation(base, signature, {"some_value": value})
    assert signature.load(json.dumps(arrived)) == signature.load(json.dumps({"some_value": value}))
