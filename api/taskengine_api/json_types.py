"""JSON Schema (draft 2020-12, as pydantic writes it) -> GraphQL input types.

What comes out of these types is the JSON that the schema describes: fields go
by the schema's own names, enum values are its values. Whatever has no sound
GraphQL type becomes ``JSON``, which the schema still checks on enqueueing.

Python's ``int`` has no bounds and GraphQL's ``Int`` has 32 bits. An integer is
an ``Int`` only where the schema's own bounds say that it fits, else a
``BigInt``: a typed mutation must be able to say everything that the task takes.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import graphql
from graphql import (
    GraphQLBoolean,
    GraphQLDefaultInput,
    GraphQLEnumType,
    GraphQLEnumValue,
    GraphQLFloat,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLScalarType,
    GraphQLString,
    Undefined,
)
from graphql import utilities as graphql_utilities

from taskengine_api import scalars
from taskengine_api.names import TypeNames, camel, enum_names, field_names, is_name, pascal
from taskengine_api.wording import bounds_of, in_words

NullableType = GraphQLScalarType | GraphQLEnumType | GraphQLInputObjectType | GraphQLList[Any]
InputType = NullableType | GraphQLNonNull[Any]
Schema = Mapping[str, Any]

_INT_MIN, _INT_MAX = -(2**31), 2**31 - 1
_PYDANTIC_DECIMAL = "^(?!^[-+.]*$)[+-]?0*"
_TEXT_FORMATS = {
    "date": scalars.DATE,
    "time": scalars.TIME,
    "duration": scalars.DURATION,
    "uuid": scalars.UUID_TEXT,
    "binary": scalars.BASE64,
    "base64": scalars.BASE64,
    "base64url": scalars.BASE64,
}


class Untypable(Exception):
    """A schema that gives no input type; the message says why."""


class Member(dict[str, Any]):
    """The object that was given for a union, which remembers the field it was given in."""

    field: str = ""


@dataclass(frozen=True, slots=True)
class _Kind:
    type: NullableType
    nullable: bool = False


class InputTypes:
    """Makes the input types of one task. ``json`` and ``instant`` are the schema's JSON and DateTime."""

    def __init__(
        self, prefix: str, names: TypeNames, root: Schema, *, json: GraphQLScalarType, instant: GraphQLScalarType
    ) -> None:
        self._prefix = prefix
        self._names = names
        self._root = root
        self._json = json
        self._text_formats = {**_TEXT_FORMATS, "date-time": instant}
        self._by_ref: dict[str, _Kind] = {}

    def args_type(self, *, task: str) -> GraphQLInputObjectType | None:
        """Return the type of all arguments, ``None`` when there are none; raise ``Untypable``."""
        properties: Any = self._root.get("properties", {})
        if self._root.get("type") != "object" or not isinstance(properties, dict):
            raise Untypable("its arguments are not described as an object")
        if not properties:
            return None
        parameters = list(cast("dict[str, Any]", properties))
        names = field_names(parameters)
        if names is None:
            raise Untypable(f"its parameters cannot be told apart as GraphQL names: {', '.join(parameters)}")
        return self._object(self._root, self._names.new(f"{self._prefix}Args"), names, f"Arguments of `{task}`.")

    def _kind(self, schema: object, hint: str) -> _Kind:
        """Return the type of one value; ``hint`` names a type that has no name of its own."""
        if not isinstance(schema, Mapping):
            return _Kind(self._json, nullable=True)
        schema = cast(Schema, schema)
        if "$ref" in schema:
            return self._referred(schema["$ref"])
        if "enum" in schema or "const" in schema:
            return self._enum(schema, hint)
        for union in ("anyOf", "oneOf"):
            if union in schema:
                return self._union(schema[union], hint)
        if "allOf" in schema:
            return self._kind(schema["allOf"][0], hint) if len(schema["allOf"]) == 1 else _Kind(self._json)
        return self._plain(schema, hint)

    def _plain(self, schema: Schema, hint: str) -> _Kind:
        kind: Any = schema.get("type")
        match kind:
            case "string":
                return _Kind(self._text_formats.get(schema.get("format", ""), GraphQLString))
            case "integer":
                low, high = bounds_of(schema)
                fits = low is not None and high is not None and low >= _INT_MIN and high <= _INT_MAX
                return _Kind(GraphQLInt if fits else scalars.BIG_INT)
            case "number":
                return _Kind(GraphQLFloat)
            case "boolean":
                return _Kind(GraphQLBoolean)
            case "array":
                return self._array(schema, hint)
            case "object":
                return self._inline_object(schema, hint)
            case list():
                return self._union([{**schema, "type": name} for name in cast("list[str]", kind)], hint)
            case None:
                return _Kind(self._json, nullable=True)
            case _:
                return _Kind(self._json)

    def _array(self, schema: Schema, hint: str) -> _Kind:
        items = schema.get("items")
        if "prefixItems" in schema:
            fixed = schema["prefixItems"]
            same = all(one == fixed[0] for one in fixed) and len(fixed) == schema.get("maxItems")
            if not same or items:
                return _Kind(self._json)
            items = fixed[0]
        kind = self._kind(items, hint)
        return _Kind(GraphQLList(_nonnull(kind)))

    def _inline_object(self, schema: Schema, hint: str) -> _Kind:
        names = field_names(schema.get("properties", {}))
        if not names:
            return _Kind(self._json)
        name = self._names.new(f"{self._prefix}{pascal(hint)}Input")
        return _Kind(self._object(schema, name, names, _describe(schema, schema.get("title") or pascal(hint))))

    def _referred(self, ref: str) -> _Kind:
        if ref not in self._by_ref:
            schema = self._resolve(ref)
            hint = pascal(ref.rsplit("/", 1)[-1])
            names = field_names(schema.get("properties", {})) if schema.get("type") == "object" else None
            if names:
                # Known before its fields are, for a model may hold itself.
                fields: dict[str, GraphQLInputField] = {}
                made = GraphQLInputObjectType(
                    self._names.new(f"{self._prefix}{hint}Input"),
                    fields=lambda: fields,
                    description=_describe(schema, schema.get("title") or hint),
                    out_type=_object_reader(fields),
                )
                self._by_ref[ref] = _Kind(made)
                fields.update(self._fields(schema, names, hint))
            else:
                # A name for a union that holds itself would not end: inside itself it is JSON.
                self._by_ref[ref] = _Kind(self._json, nullable=True)
                self._by_ref[ref] = self._kind(schema, hint)
        return self._by_ref[ref]

    def _resolve(self, ref: str) -> Schema:
        found = self._root.get("$defs", {}).get(ref.removeprefix("#/$defs/"))
        if not isinstance(found, Mapping):
            raise Untypable(f"{ref} is not there")
        return cast(Schema, found)

    def _object(self, schema: Schema, name: str, names: Mapping[str, str], description: str) -> GraphQLInputObjectType:
        fields = self._fields(schema, names, "")
        return GraphQLInputObjectType(name, fields, description=description, out_type=_object_reader(fields))

    def _fields(self, schema: Schema, names: Mapping[str, str], hint: str) -> dict[str, GraphQLInputField]:
        required = frozenset(schema.get("required", ()))
        return {
            names[name]: self._field(name, value, f"{hint}{pascal(name)}", required=name in required)
            for name, value in schema["properties"].items()
        }

    def _field(self, name: str, schema: object, hint: str, *, required: bool) -> GraphQLInputField:
        kind = self._kind(schema, hint)
        facts: Schema = cast(Schema, schema) if isinstance(schema, Mapping) else {}
        words = in_words(facts) or f"`{name}`."
        default = facts.get("default", facts.get("const", Undefined))
        if required and default is Undefined:
            return GraphQLInputField(_nonnull(kind), description=words, out_name=name)
        given = Undefined if default is Undefined else _external(default, _nonnull(kind))
        if given is Undefined:
            shown = "" if default is Undefined else f" Default: `{json.dumps(default):.200}`."
            extensions = {} if kind.nullable else {"null-is-absent": True}
            return GraphQLInputField(kind.type, description=words + shown, out_name=name, extensions=extensions)
        return GraphQLInputField(
            _nonnull(kind), description=words, out_name=name, default=GraphQLDefaultInput(value=given)
        )

    def _enum(self, schema: Schema, hint: str) -> _Kind:
        values = list(schema["enum"]) if "enum" in schema else [schema["const"]]
        said = [value for value in values if value is not None]
        nullable = len(said) < len(values)
        plain = all(isinstance(value, (str, int, float)) for value in said)
        named = enum_names(said) if plain and said else None
        if named is None:
            texts = all(isinstance(value, str) for value in said)
            return _Kind(GraphQLString if said and texts else self._json, nullable)
        made = GraphQLEnumType(
            self._names.new(f"{self._prefix}{pascal(hint)}"),
            {name: GraphQLEnumValue(value, description=f"`{json.dumps(value)}`.") for name, value in named.items()},
            description=_describe(schema, f"Values of `{schema.get('title') or hint}`."),
        )
        return _Kind(made, nullable)

    def _union(self, branches: list[Schema], hint: str) -> _Kind:
        said = [branch for branch in branches if branch.get("type") != "null"]
        nullable = len(said) < len(branches)
        if len(said) == 1:
            kind = self._kind(said[0], hint)
            return _Kind(kind.type, nullable or kind.nullable)
        if _is_decimal(said):
            return _Kind(scalars.DECIMAL, nullable)
        return _Kind(self._one_of(said, hint) or self._json, nullable)

    def _one_of(self, branches: list[Schema], hint: str) -> GraphQLInputObjectType | None:
        """Return an input with a field per model, exactly one to be given; ``None`` if they are not all models."""
        members: dict[str, NullableType] = {}
        for branch in branches:
            kind = self._referred(branch["$ref"]) if "$ref" in branch else None
            if kind is None or kind.nullable or not isinstance(kind.type, GraphQLInputObjectType):
                return None
            title = branch["$ref"].rsplit("/", 1)[-1]
            members[camel(title[:1].lower() + title[1:])] = kind.type
        if len(members) < max(2, len(branches)) or not all(map(is_name, members)):
            return None
        return GraphQLInputObjectType(
            self._names.new(f"{self._prefix}{pascal(hint)}OneOf"),
            {name: GraphQLInputField(type_, description=f"A `{type_}`.") for name, type_ in members.items()},
            description="Exactly one of these.",
            out_type=_one_of_reader,
            is_one_of=True,
        )


def _nonnull(kind: _Kind) -> InputType:
    return kind.type if kind.nullable else GraphQLNonNull(kind.type)


def _nullable(type_: InputType) -> NullableType:
    return cast("NullableType", type_.of_type) if isinstance(type_, GraphQLNonNull) else type_


def _describe(schema: Schema, otherwise: str) -> str:
    words = schema.get("description") or otherwise
    more = " Takes other properties as well; only `enqueueJob` can give those."
    return words + more if schema.get("additionalProperties") else words


def _is_decimal(branches: list[Schema]) -> bool:
    """Whether this is how pydantic describes a Decimal; ``float | str`` looks alike but for these marks."""
    texts = [branch for branch in branches if branch.get("type") == "string"]
    numbers = [branch for branch in branches if branch.get("type") == "number"]
    if len(branches) != 2 or len(texts) != 1 or len(numbers) != 1:
        return False
    return texts[0].get("format") == "decimal" or texts[0].get("pattern", "").startswith(_PYDANTIC_DECIMAL)


def _object_reader(fields: Mapping[str, GraphQLInputField]) -> Any:
    """Make the step from what GraphQL coerced to JSON."""

    def read(value: dict[str, Any]) -> dict[str, Any]:
        absent = {field.out_name for field in fields.values() if "null-is-absent" in field.extensions}
        instants = {field.out_name for field in fields.values() if f"{field.type}".strip("[]!") == "DateTime"}
        return {
            name: _written(part) if name in instants else part
            for name, part in value.items()
            if part is not None or name not in absent
        }

    return read


def _one_of_reader(value: dict[str, Any]) -> Member:
    ((field, given),) = value.items()
    member = Member(given)
    member.field = field
    return member


def _written(value: Any) -> Any:
    """Write an instant, or a list of some."""
    if isinstance(value, datetime):
        return scalars.write_instant(value)
    if isinstance(value, list):
        return [_written(part) for part in cast("list[Any]", value)]
    return value


def _external(value: object, type_: InputType) -> Any:
    """Return a JSON default as a client would write it, or ``Undefined`` if GraphQL cannot show it so."""
    given = _as_given(value, type_)
    if given is Undefined or graphql.coerce_input_value(given, type_) is Undefined:
        return Undefined
    return Undefined if graphql_utilities.value_to_literal(given, type_) is None else given


def _as_given(value: object, type_: InputType) -> Any:
    if value is None:
        return None
    type_ = _nullable(type_)
    if isinstance(type_, GraphQLEnumType):
        return next(
            (n for n, v in type_.values.items() if v.value == value and type(v.value) is type(value)), Undefined
        )
    if isinstance(type_, GraphQLList) and isinstance(value, list):
        parts = [_as_given(part, type_.of_type) for part in cast("list[object]", value)]
        return Undefined if Undefined in parts else parts
    if isinstance(type_, GraphQLInputObjectType):
        return _object_as_given(value, type_)
    return value


def _object_as_given(value: object, type_: GraphQLInputObjectType) -> Any:
    if type_.is_one_of or not isinstance(value, Mapping):
        return Undefined
    by_name = {field.out_name: (name, field) for name, field in type_.fields.items()}
    given: dict[str, Any] = {}
    for key, part in cast("Mapping[str, object]", value).items():
        if key not in by_name:
            return Undefined
        name, field = by_name[key]
        given[name] = _as_given(part, field.type)
    return Undefined if Undefined in given.values() else given


def path_as_given(path: tuple[str, ...], value: object, type_: InputType) -> tuple[str, ...]:
    """Turn a path into JSON arguments into the path into the input that they were given in."""
    given: list[str] = []
    for position, part in enumerate(path):
        type_ = _nullable(type_)
        if isinstance(value, Member) and isinstance(type_, GraphQLInputObjectType) and type_.is_one_of:
            given.append(value.field)
            type_ = _nullable(type_.fields[value.field].type)
        if isinstance(type_, GraphQLInputObjectType):
            found = next(((n, f) for n, f in type_.fields.items() if f.out_name == part), None)
            if found is None:
                return (*given, *path[position:])
            given.append(found[0])
            type_ = found[1].type
            value = cast("Mapping[str, object]", value).get(part) if isinstance(value, Mapping) else None
        elif isinstance(type_, GraphQLList):
            given.append(part)
            type_ = type_.of_type
            value = _item(value, part)
        else:
            return (*given, *path[position:])
    return tuple(given)


def _item(value: object, position: str) -> object:
    items = cast("list[object]", value) if isinstance(value, list) else []
    return items[int(position)] if position.isdecimal() and int(position) < len(items) else None
