"""The contract of the API, kept here as text: what we serve has all of it, named and typed as it says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLSchema,
    build_schema,
    is_required_input_field,
    is_specified_scalar_type,
    print_ast,
)

from taskengine_api.schema.build import Schema

CONTRACT = Path(__file__).with_name("contract.graphql")


def differences(wanted: GraphQLSchema, ours: GraphQLSchema) -> Iterator[str]:
    """Everything of the contract that is not there, or is another thing."""
    for name, type_ in wanted.type_map.items():
        found = ours.type_map.get(name)
        if name.startswith("__") or is_specified_scalar_type(type_):
            continue
        if found is None:
            yield name
        elif type(found) is not type(type_):
            yield f"{name} is a {type(found).__name__}"
        else:
            yield from _of_type(type_, found)


def _of_type(wanted: GraphQLNamedType, found: Any) -> Iterator[str]:
    if isinstance(wanted, GraphQLEnumType):
        yield from (f"{wanted.name}.{value}" for value in wanted.values if value not in found.values)
        return
    implemented = {one.name for one in getattr(found, "interfaces", ())}
    for interface in getattr(wanted, "interfaces", ()):
        if interface.name not in implemented:
            yield f"{wanted.name} implements {interface.name}"
    fields: dict[str, Any] = getattr(wanted, "fields", {})
    for name, field in fields.items():
        if name not in found.fields:
            yield f"{wanted.name}.{name}"
            continue
        yield from _of_value(f"{wanted.name}.{name}", field, found.fields[name])
        arguments = found.fields[name].args if hasattr(field, "args") else {}
        for argument, value in getattr(field, "args", {}).items():
            place = f"{wanted.name}.{name}({argument}:)"
            if argument not in arguments:
                yield place
            else:
                yield from _of_value(place, value, arguments[argument])
    if isinstance(wanted, GraphQLInputObjectType):
        added = found.fields.keys() - fields.keys()
        yield from (
            f"{wanted.name}.{name} is required" for name in added if is_required_input_field(found.fields[name])
        )


def _of_value(place: str, wanted: Any, found: Any) -> Iterator[str]:
    if str(wanted.type) != str(found.type):
        yield f"{place} is {found.type}, not {wanted.type}"
    if _default(wanted) != _default(found):
        yield f"{place} is {_default(found)} by default, not {_default(wanted)}"


def _default(value: Any) -> str | None:
    literal = getattr(value.ast_node, "default_value", None)
    return None if literal is None else print_ast(literal)


def test_all_of_the_contract_is_served() -> None:
    ours = build_schema(Schema().sdl())
    assert list(differences(build_schema(CONTRACT.read_text("utf-8")), ours)) == []


@pytest.mark.parametrize(
    ("wanted", "served", "missing"),
    [
        ("a: Int b: Int", "a: Int", "Query.b"),
        ("a: Int!", "a: Int", "Query.a is Int, not Int!"),
        ("a(b: Int): Int", "a: Int", "Query.a(b:)"),
        ("a(b: Int = 1): Int", "a(b: Int = 2): Int", "Query.a(b:) is 2 by default, not 1"),
    ],
)
def test_what_differs_is_named(wanted: str, served: str, missing: str) -> None:
    schemas = [build_schema(f"type Query {{ {fields} }}") for fields in (wanted, served)]
    assert list(differences(*schemas)) == [missing]
