"""Documents that nobody would think of, made from a schema, and what has to hold of every answer.

hypothesis-graphql makes documents with any values. Few of those mean anything here, so ``a_request`` puts names in
their place: ``@job:3`` is one of the jobs that are there when it is sent. It leaves out arguments that may be left out,
since all of them together are mostly refused, and gives some as variables instead.
"""

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from graphql import (
    REMOVE,
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInputType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    NameNode,
    Node,
    ObjectFieldNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    StringValueNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    is_non_null_type,
    parse,
    parse_type,
    print_ast,
    value_from_ast_untyped,
    visit,
)
from hypothesis import strategies as st
from hypothesis_graphql import Mode, mutations, nodes, queries

from taskengine_api.errors import Code
from taskengine_api.schema.errors import UserErrorCode

N = TypeVar("N", bound=Node)

_TEXTS = st.text(max_size=30)
_NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,8}", fullmatch=True)
_NUMBERS = st.integers() | st.integers(-(2**70), 2**70)
_SCALARS = (
    st.just(nodes.Null)
    | st.booleans().map(nodes.Boolean)
    | _NUMBERS.map(nodes.Int)
    | st.floats(allow_nan=False, allow_infinity=False).map(nodes.Float)
    | _TEXTS.map(nodes.String)
)


def _object(parts: Mapping[str, Any]) -> Any:
    return nodes.Object([ObjectFieldNode(name=NameNode(value=name), value=value) for name, value in parts.items()])


_JSON = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4).map(nodes.List)
        | st.dictionaries(_NAMES | st.sampled_from(["value", "to", "times"]), inner, max_size=4).map(_object)
    ),
    max_leaves=8,
)
_INSTANTS = st.datetimes(timezones=st.timezones() | st.none()).map(lambda at: at.isoformat()) | st.sampled_from(
    ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2030-01-31T12:00:00Z", "1969-12-31T23:59:59.999999Z"]
)
SCALARS: Mapping[str, st.SearchStrategy[Any]] = {
    "JSON": _JSON | _JSON.map(lambda value: _object({"value": value})) | st.just(_object({})),
    "DateTime": (_INSTANTS | _TEXTS).map(nodes.String),
    "Date": (st.dates().map(str) | _TEXTS).map(nodes.String),
    "Time": (st.times().map(str) | _TEXTS).map(nodes.String),
    "Duration": (st.sampled_from(["PT90S", "P1DT2H", "-PT0.5S", "P", "PT999999999999H"]) | _TEXTS).map(nodes.String),
    "UUID": (st.uuids().map(str) | _TEXTS).map(nodes.String),
    "Base64": (st.sampled_from(["", "QQ==", "!!!", "QQ"]) | _TEXTS).map(nodes.String),
    "BigInt": _NUMBERS.map(nodes.Int) | _NUMBERS.map(str).map(nodes.String) | _TEXTS.map(nodes.String),
    "Decimal": st.decimals().map(str).map(nodes.String) | _NUMBERS.map(nodes.Int),
}

_MEANT: Mapping[str, Sequence[str]] = {
    "id": ("@job", "@queue", "@task", "@schedule", "@group", "@bulk", "@worker", "@attempt"),
    "ids": ("@job", "@queue", "@task", "@schedule", "@group", "@worker"),
    "scheduleId": ("@schedule",),
    "failureGroupId": ("@group",),
    "dependsOn": ("@job",),
    "after": ("@cursor", "@event", "1"),
    "before": ("@cursor", "@event", "2"),
    "task": ("@task",),
    "tasks": ("@task",),
    "queue": ("@queue",),
    "queues": ("@queue",),
    "name": ("@task", "@queue", "@schedule"),
    "tags": ("red", "blue"),
    "text": ("as told", "red", "value"),
    "cron": ("*/5 * * * *", "@daily", "0 3 31 2 *", "* * * * * *"),
    "timezone": ("UTC", "Europe/Berlin", "America/New_York"),
    "idempotencyKey": ("once",),
}
"""By the name of the argument or field: what its texts might be."""
_COUNTS: Mapping[str, Sequence[int]] = {
    "first": (1, 2, 3, 50, 100, 101, 0, -1),
    "last": (1, 2, 3, 100, 0),
    "priority": (1, 5, 10, 11, 0),
    "attempts": (1, 3, 0),
}
_MEANT_TOKEN = re.compile(r"@(job|queue|task|schedule|group|bulk|worker|attempt|cursor|event):(\d+)")
_SECONDS: Mapping[str, Sequence[float]] = {
    "delaySeconds": (0.5, 60.0, 0.0),
    "timeoutSeconds": (0.5, 30.0),
    "everySeconds": (1.0, 3600.0),
    "perSeconds": (1.0, 60.0),
}
_OF_FIELD = ("Job", "Schedule", "Worker", "Bulk", "FailureGroup")
"""What a mutation is about stands in its name."""
LEFT_OUT, MEANT, AS_VARIABLE = 0.6, 0.7, 0.4


@dataclass(frozen=True, slots=True, repr=False)
class Request:
    """A document and its variables, in which names stand for what is there when it is sent."""

    document: DocumentNode
    variables: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"{print_ast(self.document)}\n{json.dumps(self.variables)}"

    def body(self, there: Mapping[str, Sequence[str]]) -> bytes:
        """Return it as JSON, with each name replaced by what it stands for; by nothing when there is none."""

        def known(token: re.Match[str]) -> str:
            values = there.get(token[1]) or ["none"]
            return values[int(token[2]) % len(values)]

        text = json.dumps({"query": print_ast(self.document), "variables": self.variables})
        return _MEANT_TOKEN.sub(known, text).encode()


@st.composite
def a_request(
    draw: st.DrawFn, schema: GraphQLSchema, kind: str, fields: Sequence[str] | None = None, *, wrong: bool = False
) -> Request:
    """One operation on some of the fields of ``Query`` or ``Mutation``; ``wrong``: it breaks the schema somewhere."""
    made = queries if kind == "Query" else mutations
    mode = Mode.NEGATIVE if wrong else Mode.POSITIVE
    document: DocumentNode = draw(
        made(schema, fields=fields, custom_scalars=SCALARS, print_ast=lambda node: node, mode=mode)
    )
    chance = random.Random(draw(st.integers(0, 2**32)))
    document = visit(document, _Meaning(chance))
    document = _telling_errors(document) if kind == "Mutation" else document
    if wrong:
        return Request(document, {})
    info = TypeInfo(schema)
    document = visit(document, TypeInfoVisitor(info, _LeavingOut(info, chance)))
    variables = _Variables(info := TypeInfo(schema), chance)
    document = visit(document, TypeInfoVisitor(info, variables))
    return Request(_defining(document, variables.types), variables.values)


_ERRORS = parse("{ errors { code message path } }").definitions[0]


def _telling_errors(document: DocumentNode) -> DocumentNode:
    """Return the document asking each payload what went wrong."""
    assert isinstance(_ERRORS, OperationDefinitionNode)

    def telling(node: SelectionNode) -> SelectionNode:
        if not isinstance(node, FieldNode) or node.selection_set is None:
            return node
        selections = (*node.selection_set.selections, *_ERRORS.selection_set.selections)
        return _changed(node, selection_set=SelectionSetNode(selections=selections))

    (operation,) = (node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    fields = tuple(telling(node) for node in operation.selection_set.selections)
    told = _changed(operation, selection_set=SelectionSetNode(selections=fields))
    return DocumentNode(definitions=tuple(told if node is operation else node for node in document.definitions))


def _changed(node: N, **parts: Any) -> N:
    return type(node)(**{**{key: getattr(node, key) for key in node.keys}, **parts})


class _Meaning(Visitor):
    """Puts what might be meant in the place of many texts and numbers."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self._chance = chance
        self._within: list[str] = []
        self._about: str | None = None

    def enter_field(self, node: FieldNode, *_: object) -> None:
        if self._about is None:
            kind = next((kind for kind in _OF_FIELD if kind in node.name.value), "")
            self._about = {"FailureGroup": "@group", "": ""}.get(kind, f"@{kind.lower()}")

    def enter_argument(self, node: ArgumentNode, *_: object) -> None:
        self._within.append(node.name.value)

    def leave_argument(self, *_: object) -> None:
        self._within.pop()

    def enter_object_field(self, node: ObjectFieldNode, *_: object) -> None:
        self._within.append(node.name.value)

    def leave_object_field(self, *_: object) -> None:
        self._within.pop()

    def enter_string_value(self, *_: object) -> StringValueNode | None:
        return self._text()

    def _text(self) -> StringValueNode | None:
        words = _MEANT.get(self._within[-1]) if self._within else None
        if words is None or self._chance.random() > MEANT:
            return None
        word = self._chance.choice(words)
        if self._within[-1] == "id" and self._about and self._chance.random() < MEANT:
            word = self._about
        is_name = word.startswith("@") and word != "@daily"
        return StringValueNode(value=f"{word}:{self._chance.randrange(50)}" if is_name else word)

    def enter_int_value(self, *_: object) -> IntValueNode | StringValueNode | None:
        """A number may be an id, too."""
        counts = _COUNTS.get(self._within[-1]) if self._within else None
        if self._within and self._within[-1] in {"id", "ids", "dependsOn"}:
            return self._text()
        if counts is None or self._chance.random() > MEANT:
            return None
        return IntValueNode(value=str(self._chance.choice(counts)))

    def enter_float_value(self, *_: object) -> FloatValueNode | None:
        seconds = _SECONDS.get(self._within[-1]) if self._within else None
        if seconds is None or self._chance.random() > MEANT:
            return None
        return FloatValueNode(value=str(self._chance.choice(seconds)))


class _LeavingOut(Visitor):
    """Leaves out much that may be left out."""

    def __init__(self, info: TypeInfo, chance: random.Random) -> None:
        super().__init__()
        self._info = info
        self._chance = chance

    def enter_argument(self, *_: object) -> Any:
        return self._maybe(self._info.get_input_type())

    def enter_object_field(self, *_: object) -> Any:
        return self._maybe(self._info.get_input_type())

    def _maybe(self, kind: GraphQLInputType | None) -> Any:
        may = kind is not None and not is_non_null_type(kind) and "Call" not in str(kind)
        return REMOVE if may and self._chance.random() < LEFT_OUT else None


class _Variables(Visitor):
    """Takes the values of some arguments out into variables."""

    def __init__(self, info: TypeInfo, chance: random.Random) -> None:
        super().__init__()
        self._info = info
        self._chance = chance
        self.types: dict[str, str] = {}
        self.values: dict[str, Any] = {}

    def enter_argument(self, node: ArgumentNode, *_: object) -> ArgumentNode | None:
        kind = self._info.get_input_type()
        if kind is None or self._chance.random() > AS_VARIABLE:
            return None
        name = f"v{len(self.types)}"
        self.types[name] = str(kind)
        self.values[name] = value_from_ast_untyped(node.value)
        return ArgumentNode(name=node.name, value=VariableNode(name=NameNode(value=name)))


def _defining(document: DocumentNode, types: Mapping[str, str]) -> DocumentNode:
    """Return the document with its variables defined."""
    defined = tuple(
        VariableDefinitionNode(variable=VariableNode(name=NameNode(value=name)), type=parse_type(kind), directives=())
        for name, kind in types.items()
    )

    class Defining(Visitor):
        def enter_operation_definition(self, node: OperationDefinitionNode, *_: object) -> OperationDefinitionNode:
            return _changed(node, variable_definitions=defined)

    return visit(document, Defining()) if defined else document


# What comes back

CODES = {str(code) for code in Code}
USER_CODES = {code.value for code in UserErrorCode}
NEVER = {Code.INTERNAL, Code.UNAVAILABLE, Code.TIMEOUT, Code.RATE_LIMITED, Code.UNAUTHENTICATED}
"""Not from a process that is well, with a Redis that is there, asked by who may do all."""


@dataclass(slots=True)
class Tally:
    """What was answered, by kind."""

    answers: dict[str, int] = field(default_factory=dict[str, int])

    def count(self, kind: str) -> None:
        self.answers[kind] = self.answers.get(kind, 0) + 1


def check_answer(status: int, answer: Any, document: DocumentNode) -> str:
    """Hold an answer to GraphQL's own form and to our codes; return of what kind it is."""
    assert status in {200, 400}, (status, answer)
    assert isinstance(answer, dict)
    assert answer
    assert set(answer) <= {"data", "errors", "extensions"}
    codes: list[str] = []
    for error in answer.get("errors", []):
        assert isinstance(error["message"], str)
        assert error["message"]
        assert set(error) <= {"message", "locations", "path", "extensions"}
        codes.append(error["extensions"]["code"])
    assert set(codes) <= CODES, answer
    assert not set(codes) & NEVER, answer
    if answer.get("data") is None:
        assert codes, answer
        return codes[0]
    operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    _check_object(answer["data"], [(operation.selection_set, True)], fragments)
    if codes:
        return f"data and {codes[0]}"
    refused = {one["code"] for part in answer["data"].values() for one in _errors_of(part)}
    assert refused <= USER_CODES, answer
    return f"data that says {min(refused)}" if refused else "data"


def _errors_of(payload: Any) -> list[Mapping[str, Any]]:
    return payload.get("errors") or [] if isinstance(payload, dict) else []


Sets = Sequence[tuple[SelectionSetNode, bool]]
"""Selections of an object, each with whether it holds for this object, whatever its type is."""


def _check_object(value: Mapping[str, Any], sets: Sets, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
    """Whether an object has every field that was asked for, and no other."""
    asked: dict[str, list[tuple[FieldNode, bool]]] = {}
    waiting: list[tuple[Node, bool]] = [(node, sure) for one, sure in sets for node in one.selections]
    while waiting:
        node, sure = waiting.pop()
        if isinstance(node, FieldNode):
            name = node.alias.value if node.alias else node.name.value
            asked.setdefault(name, []).append((node, sure and not node.directives))
        elif isinstance(node, InlineFragmentNode | FragmentSpreadNode):
            inner = node if isinstance(node, InlineFragmentNode) else fragments[node.name.value]
            waiting.extend((one, False) for one in inner.selection_set.selections)
    surely = {name for name, nodes in asked.items() if any(sure for _, sure in nodes)}
    assert surely <= set(value) <= set(asked), (surely, set(value))
    for name, part in value.items():
        inner_sets = [(node.selection_set, sure) for node, sure in asked[name] if node.selection_set is not None]
        for one in _objects(part) if inner_sets else ():
            _check_object(one, inner_sets, fragments)


def _objects(value: Any) -> list[Mapping[str, Any]]:
    if isinstance(value, dict):
        return [value]
    return [one for part in value for one in _objects(part)] if isinstance(value, list) else []
