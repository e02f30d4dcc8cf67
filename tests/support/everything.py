"""All that the API can tell: documents made from its schema that ask for every field there is."""

import json
from collections.abc import Iterator

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    is_composite_type,
    is_required_argument,
)

from support.api import Api

DEEPEST = 3
_PLUMBING = {"pageInfo", "edges"}


async def all_that_is_told(api: Api, schema: GraphQLSchema, **ids: str) -> str:
    """Return the answers to every query as one text; ``ids``: of a field that needs one."""
    assert schema.query_type is not None
    texts: list[str] = []
    for name, field in schema.query_type.fields.items():
        needed = [name for name, argument in field.args.items() if is_required_argument(argument)]
        if needed and name not in ids:
            continue
        given = f"({needed[0]}: {json.dumps(ids[name])})" if needed else ""
        deeper_first = zip(*(_parts(field, depth) for depth in range(DEEPEST, 0, -1)), strict=True)
        texts += [
            await _first_answered(api, [f"{{ {name}{given} {part} }}" for part in parts]) for parts in deeper_first
        ]
    return "\n".join(texts)


async def _first_answered(api: Api, documents: list[str]) -> str:
    """Return the answer to the first that is not too complex."""
    for document in documents:
        answer = await api.answer(document)
        codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
        if not codes:
            return json.dumps(answer, ensure_ascii=False)
        assert codes == {"QUERY_TOO_COMPLEX"}, (document[:200], answer["errors"])
    raise AssertionError(f"too complex: {documents[-1][:200]}")


def _parts(field: GraphQLField, depth: int) -> Iterator[str]:
    """Yield selections that have all fields of a type between them, one field of it a time."""
    type_ = get_named_type(field.type)
    if not is_composite_type(type_):
        yield ""
        return
    assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
    for name, inner in type_.fields.items():
        if not any(map(is_required_argument, inner.args.values())):
            yield f"{{ {name} {_selection(inner.type, depth)} }}"


def _selection(type_: GraphQLOutputType, depth: int) -> str:
    named = get_named_type(type_)
    if not isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
        return "" if not is_composite_type(named) else "{ __typename }"
    fields = ["__typename"]
    for name, field in named.fields.items():
        leaf = not is_composite_type(get_named_type(field.type))
        if any(map(is_required_argument, field.args.values())) or name in _PLUMBING:
            continue
        if leaf or depth > 1:
            fields.append(f"{name} {_selection(field.type, depth - 1)}")
    return f"{{ {' '.join(fields)} }}"
