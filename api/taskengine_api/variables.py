"""How much the variables of one operation hold, counted by their types before any value is read.

Reading a value costs some microseconds, and a body has room for a hundred thousand. What is inside a JSON is not
looked at: it is one value, and handed on as it is.
"""

from collections.abc import Mapping
from typing import Any, cast

from graphql import (
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    type_from_ast,  # pyright: ignore[reportUnknownVariableType]
)

from taskengine_api.errors import Code, coded


def excess_of_values(
    schema: GraphQLSchema, operation: OperationDefinitionNode, variables: Mapping[str, Any], limit: int
) -> GraphQLError | None:
    """Return what is wrong with variables that hold more than the operation may be given."""
    left = limit
    for definition in operation.variable_definitions or () if variables else ():
        name = definition.variable.name.value
        counted = _count(type_from_ast(schema, definition.type), variables.get(name), left)
        if isinstance(counted, str):
            return coded(f"variable ${name} {counted}", Code.BAD_USER_INPUT)
        left -= counted
        if left < 0:
            words = f"variable ${name} holds too much: at most {limit:,} values are allowed, in all variables together"
            return coded(words, Code.QUERY_TOO_COMPLEX)
    return None


def _count(wanted: Any, value: object, enough: int) -> int | str:
    """Return how many values there are, or some number above ``enough``, or in words why they cannot be read."""
    waiting: list[tuple[Any, object]] = [(wanted, value)]
    count = 0
    while waiting and count <= enough:
        outer, value = waiting.pop()
        kind: Any = cast("Any", outer).of_type if isinstance(outer, GraphQLNonNull) else outer
        count += 1
        if isinstance(kind, GraphQLList) and isinstance(value, list):
            items = cast("list[object]", value)
            if count + len(items) > enough:
                return count + len(items)
            waiting.extend((cast("Any", kind).of_type, item) for item in items)
        elif isinstance(kind, GraphQLInputObjectType) and isinstance(value, dict):
            parts = cast("dict[str, object]", value)
            if len(parts) > len(kind.fields):
                return f"has {len(parts):,} fields where a {kind.name} has {len(kind.fields)}"
            waiting.extend((kind.fields[name].type, part) for name, part in parts.items() if name in kind.fields)
    return count
