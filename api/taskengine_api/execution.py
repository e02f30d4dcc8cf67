"""How a document is carried out: as graphql-core does it, with a short way for what most fields are.

A plain field is an attribute that is written as a scalar or enum. Nothing runs for it, so nothing has to be made ready:
no resolve info, no look whether its value can be awaited. Half of a page's time goes into these otherwise. Whatever is
unusual about one, from a null that may not be to a value that cannot be written, takes the long way and ends there.
"""

from collections.abc import Callable
from typing import Any, cast

from graphql import GraphQLField, GraphQLNonNull, GraphQLObjectType, GraphQLSchema, is_leaf_type
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from typing_extensions import override

_PLAIN = "taskengine-plain-fields"
_NONE: dict[str, "PlainField"] = {}

PlainField = tuple[str, bool, Callable[[Any], Any]]
"""The attribute, whether it may be null, and how it is written."""


def note_plain_fields(schema: GraphQLSchema) -> None:
    """Find the plain fields of each type, once."""
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not type_.name.startswith("__"):
            found = {name: plain for name, field in type_.fields.items() if (plain := _plain(field)) is not None}
            type_.extensions[_PLAIN] = found


def plain_fields(type_: GraphQLObjectType) -> dict[str, PlainField]:
    """Return the plain fields of a type, by name."""
    return type_.extensions.get(_PLAIN, _NONE)


def _plain(field: GraphQLField) -> PlainField | None:
    """Return how to answer a field, if it is plain: Strawberry marks those without resolver and extension."""
    definition = field.extensions.get("strawberry-definition")
    kind = cast("Any", field.type)
    may_be_null = not isinstance(kind, GraphQLNonNull)
    written = cast("Any", kind if may_be_null else kind.of_type)
    if definition is None or not getattr(field.resolve, "_is_default", False) or not is_leaf_type(written):
        return None
    return definition.python_name, may_be_null, written.coerce_output_value


class Execution(StrawberryGraphQLCoreExecutionContext):
    """Strawberry's, with the short way."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._plain_ways = self.middleware_manager is None or not self.middleware_manager.middlewares

    @override
    def execute_field(
        self, parent_type: GraphQLObjectType, source: Any, field_details_list: Any, path: Any, position_context: Any
    ) -> Any:
        plain = parent_type.extensions.get(_PLAIN, _NONE).get(field_details_list[0].node.name.value)
        if plain is not None and self._plain_ways:
            attribute, may_be_null, write = plain
            try:
                value = getattr(source, attribute)
                if value is None and may_be_null:
                    return None
                written = None if value is None else write(value)
            except Exception:  # noqa: BLE001 - it is raised again on the long way, which knows how to tell of it
                written = None
            if written is not None:
                return written
        return super().execute_field(parent_type, source, field_details_list, path, position_context)
