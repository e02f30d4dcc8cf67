"""What one document may ask for, counted before anything runs.

How it is read is in ``documents.py``. Each fragment is measured once, however often it is spread: a document whose
fragments double each other is refused in the time it takes to read it.
"""

import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_operation_ast,
    validate,
)
from strawberry.extensions import SchemaExtension
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from taskengine_api.budgets import Balance
from taskengine_api.cost import LIMIT, Costs
from taskengine_api.documents import Document
from taskengine_api.errors import Code, coded
from taskengine_api.variables import excess_of_values


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The most that one document may hold, each counted through its fragments."""

    depth: int = 15
    fields: int = 1_000
    aliases: int = 50
    directives: int = 50
    length: int = 65_536
    """Bytes of its text. What is longer is not read at all: long values belong into variables."""
    tokens: int = 2_000
    repetitions: int = 1_000
    """Pairs of fields that would be answered under one name: validation compares each with each."""
    schemas: int = 3
    """Times that it has ``__schema``, which each time may tell of everything there is."""
    values: int = 20_000
    """Values in its variables that have a type of ours; what a JSON holds inside counts as one."""
    problems: int = 10
    """Things found wrong with it before the search ends."""


_NOTHING = SelectionSetNode(selections=())


@dataclass(frozen=True, slots=True)
class Measure:
    """What a selection asks for."""

    depth: int = 0
    fields: int = 0
    aliases: int = 0
    directives: int = 0

    def beside(self, other: "Measure") -> "Measure":
        """Return the measure of both, one beside the other."""
        return Measure(
            max(self.depth, other.depth),
            self.fields + other.fields,
            self.aliases + other.aliases,
            self.directives + other.directives,
        )


class _Measuring:
    """Measures the operations of one document."""

    def __init__(self, document: DocumentNode) -> None:
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
        self._known: dict[str, Measure] = {}
        self._within: list[str] = []
        self._circle: str | None = None

    def largest(self) -> Measure:
        """Return the measure of the largest operation in each respect."""
        found = [self._operation(node) for node in self._operations]
        return Measure(
            max((one.depth for one in found), default=0),
            max((one.fields for one in found), default=0),
            max((one.aliases for one in found), default=0),
            max((one.directives for one in found), default=0),
        )

    def misused_fragment(self) -> str | None:
        """Return what is wrong with a fragment that was not measured, or not to its end.

        Validation would say the same, but only after it has compared all of the fragment's fields.
        """
        if self._circle is not None:
            return f"fragment {self._circle!r} spreads itself"
        unused = next((name for name in self._fragments if name not in self._known), None)
        return None if unused is None else f"fragment {unused!r} is never used"

    def most_repetitions(self, enough: int) -> int:
        """Return the pairs of fields, in the operation with the most, that come to one place in the answer.

        Walks every field: to be asked only when they have been counted and no fragment is misused.
        """
        return max((self._repetitions([node.selection_set], enough) for node in self._operations), default=0)

    def _operation(self, node: OperationDefinitionNode) -> Measure:
        own = Measure(directives=len(node.directives or ()))
        return own.beside(self._selection(node.selection_set))

    def _selection(self, node: SelectionSetNode | None) -> Measure:
        total = Measure()
        for selection in node.selections if node else ():
            total = total.beside(Measure(directives=len(selection.directives or ())))
            if isinstance(selection, FieldNode):
                inner = self._selection(selection.selection_set)
                alias = int(selection.alias is not None)
                below = Measure(inner.depth + 1, inner.fields + 1, inner.aliases + alias, inner.directives)
                total = total.beside(below)
            elif isinstance(selection, FragmentSpreadNode):
                total = total.beside(self._fragment(selection.name.value))
            elif isinstance(selection, InlineFragmentNode):
                total = total.beside(self._selection(selection.selection_set))
        return total

    def _fragment(self, name: str) -> Measure:
        if name in self._within:
            self._circle = name
            return Measure()
        if name not in self._known:
            fragment = self._fragments.get(name)
            if fragment is None:
                return Measure()  # validation says that there is none
            self._within.append(name)
            own = Measure(directives=len(fragment.directives or ()))
            self._known[name] = own.beside(self._selection(fragment.selection_set))
            self._within.pop()
        return self._known[name]

    def _repetitions(self, sets: Sequence[SelectionSetNode], enough: int) -> int:
        places: dict[str, list[SelectionSetNode]] = {}
        pairs = 0
        for node in self._flat(sets, set()):
            place = places.setdefault(node.alias.value if node.alias else node.name.value, [])
            pairs += len(place)
            place.append(node.selection_set or _NOTHING)
        for place in places.values():
            if pairs > enough:
                break
            pairs += self._repetitions(place, enough - pairs) if place[0].selections else 0
        return pairs

    def _flat(self, sets: Sequence[SelectionSetNode], spread: set[str]) -> Iterator[FieldNode]:
        for node in (selection for one in sets for selection in one.selections):
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                yield from self._flat([node.selection_set], spread)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                spread.add(node.name.value)
                fragment = self._fragments.get(node.name.value)
                if fragment is not None:
                    yield from self._flat([fragment.selection_set], spread)


def measure(document: DocumentNode) -> Measure:
    """Return the measure of the largest operation in each respect."""
    return _Measuring(document).largest()


def excess(document: DocumentNode, limits: Limits) -> GraphQLError | None:
    """Return what is wrong with a document that asks for too much."""
    measuring = _Measuring(document)
    found = measuring.largest()
    for name in ("depth", "fields", "aliases", "directives"):
        asked, limit = getattr(found, name), getattr(limits, name)
        if asked > limit:
            asks = f"{asked:,}" if asked < 10**9 else "more than a thousand million"
            words = f"nests {asks} deep" if name == "depth" else f"asks for {asks} {name}"
            return coded(f"the operation {words}; at most {limit:,} are allowed", Code.QUERY_TOO_COMPLEX)
    misuse = measuring.misused_fragment()
    if misuse is not None:
        return coded(misuse, Code.BAD_REQUEST)
    if measuring.most_repetitions(limits.repetitions) > limits.repetitions:
        return coded("the operation asks for the same fields over and over; once is enough", Code.QUERY_TOO_COMPLEX)
    return None


_INTROSPECTION = re.compile(r"__(?:schema|type)\b")
_WHOLE_SCHEMA = re.compile(r"__schema\b")
_TELLING = frozenset({"__schema", "__type", "__typename"})


class Guard(SchemaExtension):
    """Refuses documents past the limits; validates each document once.

    Errors are set, not raised: what a hook raises is lost on a stream.
    """

    limits = Limits()
    _balance: Balance | None = None
    _telling: tuple[Any, ...] | None = None
    """What makes two requests for the schema the same, where one is asked for and nothing else."""

    async def on_validate(self) -> AsyncIterator[None]:
        context = self.execution_context
        assert context.query is not None
        assert context.graphql_document is not None
        found = self._schema.documents.get(context.query) or Document(context.graphql_document)
        # Strawberry keeps what the client said private and runs the first operation when it said nothing.
        named = getattr(context, "_provided_operation_name", None) is not None
        problem = None if named else _unnamed(found.node)
        if problem is None and found.problems is None:
            found.problems = self._problems(found.node, context.query)
        context.pre_execution_errors = [problem] if problem else list(found.problems or ())
        if not context.pre_execution_errors:
            problem = await self._pay(found)
            context.pre_execution_errors = [problem] if problem else []
        yield

    async def on_execute(self) -> AsyncIterator[None]:
        if self._telling is not None:
            self.execution_context.result = await self._schema.tell(self._telling, self.execution_context)
        yield

    def get_results(self) -> dict[str, Any]:
        """Say in the answer what it cost; events of a subscription cost nothing more."""
        return {} if self._balance is None else {"cost": self._balance.shown()}

    async def _pay(self, found: Document) -> GraphQLError | None:
        """Count what the operation holds and costs, and take that from what the viewer may spend."""
        execution = self.execution_context
        operation = get_operation_ast(found.node, execution.operation_name)
        assert operation is not None, "it is valid, and has one of that name"
        problem = excess_of_values(self._schema.core, operation, execution.variables or {}, self.limits.values)
        if problem is not None:
            return problem
        found.costs = found.costs or Costs(self._schema.core, found.node)
        points = found.costs.of(operation, execution.variables or {})
        if points > LIMIT:
            words = f"the operation costs up to {points:,} points; at most {LIMIT:,} are allowed: ask for smaller pages"
            return coded(words, Code.QUERY_TOO_COMPLEX)
        points += self._price_of_telling(operation)
        balance = await execution.context.budgets.spend(execution.context.viewer.name, points)
        if balance.retry_seconds:
            later = f"{points:,} are there in {balance.retry_seconds:g} s"
            words = f"the {balance.limit:,} points of a minute are spent; {later}"
            return coded(words, Code.RATE_LIMITED, retryAfterSeconds=balance.retry_seconds)
        execution.context.meters.points.labels(operation.operation.value).inc(points)
        execution.context = execution.context.having_paid(balance)
        self._balance = None if operation.operation is OperationType.SUBSCRIPTION else balance
        return None

    def _price_of_telling(self, operation: OperationDefinitionNode) -> int:
        """Return what introspection costs on top; nothing when the same was asked before."""
        execution = self.execution_context
        if not _INTROSPECTION.search(execution.query or ""):
            return 0
        if all(
            isinstance(node, FieldNode) and node.name.value in _TELLING for node in operation.selection_set.selections
        ):
            self._telling = (execution.query, execution.operation_name, repr(execution.variables))
            if self._schema.knows(self._telling):
                return 0
        return self._schema.price_of_introspection

    def _problems(self, document: DocumentNode, text: str) -> list[GraphQLError]:
        context = self.execution_context
        problem = excess(document, self.limits)
        if len(_WHOLE_SCHEMA.findall(text)) > self.limits.schemas:
            words = f"the document asks for the schema over and over; at most {self.limits.schemas} times are allowed"
            problem = problem or coded(words, Code.QUERY_TOO_COMPLEX)
        if problem is not None:
            return [problem]
        rules = (*context.validation_rules, *self._schema.more_rules, MaybeNullValidationRule, OneOfInputValidationRule)
        # Each may cost as much to tell as the document to read: of a long one fewer are told.
        most = max(2, min(self.limits.problems, 5_000 // max(document.token_count, 1)))
        # One more would say that there may be others, in words that are for a document too large to be looked at.
        return validate(self._schema.core, document, rules, max_errors=most)[:most]

    @property
    def _schema(self) -> Any:
        return self.execution_context.schema


def _unnamed(document: DocumentNode) -> GraphQLError | None:
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if len(operations) < 2:
        return None
    return coded("the document has several operations; operationName must say which one to run", Code.BAD_REQUEST)
