"""What an operation costs: one point an object or leaf, as often as the page sizes above it say.

Counted from the document and its variables, before anything runs: what it may
cost at most. Lists that have no page size count as a few. Introspection has a
price of its own, by the size of the schema that it walks.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
)

from taskengine_api.paging import DEFAULT_PAGE, MAX_PAGE

LIMIT = 5_000
"""The most that one operation may cost."""
_LIST = 3
"""Objects that a list without a page size is taken to have."""
_MANY = 100
"""What is asked of each of many jobs in the input counts for so many of them: a thousand may be enqueued at once."""
_PAGED = frozenset({"nodes", "edges", "results"})
"""Fields with as many objects as the page above them has."""
_WALK = 10
"""Points for each thing in the schema that introspection may have to tell of."""


@dataclass(slots=True)
class Costs:
    """Measures the operations of one document. Which variables matter is the same whatever they hold."""

    schema: GraphQLSchema
    document: DocumentNode
    _known: dict[object, int] = field(default_factory=dict[object, int])
    _read: dict[str, int | None] = field(default_factory=dict[str, "int | None"])
    """The variables that matter to the sum, and what they were at the last measure."""

    def of(self, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> int:
        """Return what an operation of a valid document costs with these variables."""
        name = operation.name.value if operation.name else ""
        if self._known:
            known = self._known.get((name, *(_length(variables.get(one)) for one in self._read)))
            if known is not None:
                return known
        measure = _Measure(self, operation, variables)
        points = max(1, measure.total())
        if len(self._known) < 100:
            self._read = {**self._read, **measure.read}
            self._known[name, *(_length(variables.get(one)) for one in self._read)] = points
        return points


class _Measure:
    """One walk through one operation."""

    def __init__(self, costs: Costs, operation: OperationDefinitionNode, variables: Mapping[str, Any]) -> None:
        self.read: dict[str, int | None] = {}
        self._schema = costs.schema
        self._operation = operation
        self._fragments = {
            node.name.value: node for node in costs.document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._defaults = {node.variable.name.value: node.default_value for node in operation.variable_definitions or ()}
        self._variables = variables

    def total(self) -> int:
        root = self._schema.get_root_type(self._operation.operation)
        return self._selection(self._operation.selection_set, root, None)

    def _selection(self, node: SelectionSetNode | None, parent: GraphQLNamedType | None, page: int | None) -> int:
        total = 0
        for selection in node.selections if node else ():
            if isinstance(selection, FieldNode):
                total += self._field(selection, parent, page)
                continue
            inner = selection if isinstance(selection, InlineFragmentNode) else self._fragments[selection.name.value]  # type: ignore[attr-defined]
            on = inner.type_condition
            total += self._selection(inner.selection_set, self._schema.get_type(on.name.value) if on else parent, page)
        return total

    def _field(self, node: FieldNode, parent: GraphQLNamedType | None, page: int | None) -> int:
        name = node.name.value
        definition = parent.fields.get(name) if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else None
        if definition is None:
            return 0  # __typename, and introspection, which has its own price
        named = cast(GraphQLNamedType, get_named_type(definition.type))  # pyright: ignore[reportUnknownArgumentType]
        if not isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
            return 1 if node.selection_set is None else 1 + self._selection(node.selection_set, named, None)
        times = self._times(node, definition, page)
        return times * (1 + self._selection(node.selection_set, named, self._page(node, named, page)))

    def _times(self, node: FieldNode, definition: GraphQLField, page: int | None) -> int:
        if not _is_list(definition.type):
            return 1
        if node.name.value in _PAGED and page is not None:
            return page
        given = self._argument(node, "ids")
        return _LIST if given is None else min(given, MAX_PAGE)

    def _page(self, node: FieldNode, named: GraphQLNamedType, page: int | None) -> int | None:
        """Return how many objects lie below a field: a page of a connection, or one for each job of the input."""
        if named.name.endswith("Connection"):
            sizes = [self._argument(node, name) for name in ("first", "last")]
            given = [size for size in sizes if size is not None]
            return min(max(0, *given), MAX_PAGE) if given else DEFAULT_PAGE
        many = self._argument(node, "input")
        return page if many is None else min(many, _MANY)

    def _argument(self, node: FieldNode, name: str) -> int | None:
        value = next((argument.value for argument in node.arguments or () if argument.name.value == name), None)
        return self._size(value)

    def _size(self, value: ValueNode | None) -> int | None:
        """Return a number as it is, a list's length, and of an input object the length of its longest list."""
        if isinstance(value, VariableNode):
            name = value.name.value
            self.read[name] = _length(self._variables.get(name))
            return self._size(self._defaults.get(name)) if name not in self._variables else self.read[name]
        if isinstance(value, IntValueNode):
            return int(value.value)
        if isinstance(value, ListValueNode):
            return len(value.values)
        if isinstance(value, ObjectValueNode):
            sizes = [self._size(part.value) for part in value.fields if not isinstance(part.value, IntValueNode)]
            return max((size for size in sizes if size is not None), default=None)
        return None


def _length(value: Any) -> int | None:
    """What ``_Measure._size`` returns, of a value instead of its text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, list):
        return len(value)  # pyright: ignore[reportUnknownArgumentType]
    if isinstance(value, dict):
        sizes = [len(part) for part in value.values() if isinstance(part, list)]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        return max(sizes, default=None)
    return None


def _is_list(type_: Any) -> bool:
    return isinstance(type_.of_type if isinstance(type_, GraphQLNonNull) else type_, GraphQLList)


def price_of_introspection(schema: GraphQLSchema) -> int:
    """Return what it costs to have the schema told: more than any query may cost, if the schema is large."""
    parts = 0
    for type_ in schema.type_map.values():
        inner: Any = getattr(type_, "fields", None) or getattr(type_, "values", None) or {}
        parts += 1 + len(inner) + sum(len(getattr(one, "args", ()) or ()) for one in inner.values())
    return parts * _WALK
