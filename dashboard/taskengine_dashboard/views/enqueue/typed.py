"""A task's own mutation: what it is called, how arguments are written for it, and where its errors lead. Pure.

The API makes one input type a task of the same JSON Schema that the form is
made of, with names that GraphQL allows. Which names those are is read from
the API itself, by introspection.
"""

import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from taskengine_dashboard.client import Operation
from taskengine_dashboard.model.json_values import Json
from taskengine_dashboard.shapes import is_list, is_object
from taskengine_dashboard.views.enqueue import schemas
from taskengine_dashboard.views.enqueue.fields import read_fields
from taskengine_dashboard.views.enqueue.held import fits
from taskengine_dashboard.views.enqueue.kinds import Path
from taskengine_dashboard.views.enqueue.schemas import Schema

_ANSWER = "{\n    job { id state task { name } }\n    deduplicated\n    errors { code message path }\n  }"


class Unsayable(Exception):
    """The task's own mutation has no words for these arguments; ``enqueueJob`` takes any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Types:
    """The input types of an API, and the type of each mutation's input."""

    inputs: Mapping[str, Json]
    input_of: Mapping[str, str]

    @classmethod
    def read(cls, data: Json) -> Self:
        schema = data["__schema"]
        kinds = {"INPUT_OBJECT", "ENUM", "SCALAR"}
        fields = schema["mutationType"]["fields"]
        return cls(
            inputs={one["name"]: one for one in schema["types"] if one["kind"] in kinds},
            input_of={one["name"]: _name(one["args"][0]["type"]) for one in fields if len(one["args"]) == 1},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedMutation:
    """The mutation that enqueues one task."""

    field: str
    input_type: str
    types: Types
    schema: Schema
    is_draft: bool = False
    """Whether arguments may still lack something: nobody sends them so, but they can be looked at."""

    @classmethod
    def of(cls, field: str, schema: Schema, types: Types | None) -> Self | None:
        """Return a task's own mutation; ``None`` where it has none, or the API does not tell of it."""
        if types is None or field == "enqueueJob" or types.input_of.get(field) not in types.inputs:
            return None
        return cls(field=field, input_type=types.input_of[field], types=types, schema=schema)

    @property
    def operation(self) -> Operation:
        """What is sent."""
        name = self.field[:1].upper() + self.field[1:]
        text = f"mutation {name}($input: {self.input_type}!) {{\n  {self.field}(input: $input) {_ANSWER}\n}}"
        return Operation(name, f"\n{text}\n")

    def args(self, args: Any, hidden: Collection[Path] = ()) -> dict[str, Any]:
        """Return the input's part for these arguments, ``********`` in the hidden places; raise ``Unsayable``."""
        ref = self._args_ref
        if ref is None and args:
            raise Unsayable("it takes no arguments")
        return {} if ref is None else {"args": self._say(args, ref, self.schema, (), hidden)}

    def json_path(self, path: Sequence[str]) -> Path:
        """Return where in JSON an error is that the mutation tells of."""
        if self._args_ref is None or path[:1] != ("args",):
            return tuple(path)
        return ("args", *self._back(tuple(path[1:]), self._args_ref, self.schema))

    @property
    def _args_ref(self) -> Json | None:
        fields = _fields(self.types.inputs[self.input_type])
        return fields.get("args")

    def _say(self, value: Any, ref: Json, node: Schema, path: Path, hidden: Collection[Path]) -> Any:
        ref = _nullable(ref)
        if value is None:
            return None
        said = self._said(value, ref, node, path, hidden)
        return schemas.MARKER if path in hidden else said

    def _said(self, value: Any, ref: Json, node: Schema, path: Path, hidden: Collection[Path]) -> Any:
        node, _ = schemas.without_null(schemas.resolved(node, self.schema), self.schema)
        if ref["kind"] == "LIST":
            if not is_list(value):
                raise Unsayable("expected a list")
            item = _item(node)
            return [self._say(one, ref["ofType"], item, (*path, str(n)), hidden) for n, one in enumerate(value)]
        if ref["kind"] == "ENUM":
            return self._enum(value, ref)
        if ref["kind"] == "INPUT_OBJECT":
            type_ = self.types.inputs[ref["name"]]
            say = self._one_of if type_["isOneOf"] else self._object
            return say(value, type_, node, path, hidden)
        return schemas.with_masked(_scalar(value, ref["name"]), path, hidden)

    def _object(self, value: Any, type_: Json, node: Schema, path: Path, hidden: Collection[Path]) -> dict[str, Any]:
        if not is_object(value):
            raise Unsayable("expected an object")
        fields, names = _fields(type_), _names(node, type_)
        if not value.keys() <= names.keys():
            raise Unsayable("it has fields that the type does not know")
        missing = _required(type_) - {names[name] for name in value}
        if missing and not self.is_draft:
            raise Unsayable(f"it lacks {', '.join(sorted(missing))}")  # which the API tells of better by name
        return {
            names[name]: self._say(part, fields[names[name]], node["properties"][name], (*path, name), hidden)
            for name, part in value.items()
        }

    def _one_of(self, value: Any, type_: Json, node: Schema, path: Path, hidden: Collection[Path]) -> dict[str, Any]:
        fields = _fields(type_)
        for member, branch in _members(node):
            if member in fields and (self._is(value, branch) or (self.is_draft and self._may_become(value, branch))):
                return {member: self._said(value, _nullable(fields[member]), branch, path, hidden)}
        raise Unsayable("it is none of the models")

    def _is(self, value: Any, branch: Schema) -> bool:
        (one,) = read_fields({**self.schema, "properties": {"it": branch}, "required": ["it"]})
        return fits(one, value)

    def _may_become(self, value: Any, branch: Schema) -> bool:
        """Whether it is this model as far as it goes."""
        properties = schemas.resolved(branch, self.schema).get("properties", {})
        return is_object(value) and all(
            name in properties and properties[name].get("const", part) == part for name, part in value.items()
        )

    def _enum(self, value: Any, ref: Json) -> str:
        said = f"`{json.dumps(value)}`."
        for one in self.types.inputs[ref["name"]]["enumValues"]:
            if one["description"] == said:
                return one["name"]
        raise Unsayable("it is none of the values")

    def _back(self, path: Path, ref: Json, node: Schema) -> Iterator[str]:
        ref = _nullable(ref)
        node, _ = schemas.without_null(schemas.resolved(node, self.schema), self.schema)
        if not path:
            return
        if ref["kind"] == "LIST":
            yield path[0]
            yield from self._back(path[1:], ref["ofType"], _item(node))
            return
        type_ = self.types.inputs[ref["name"]] if ref["kind"] == "INPUT_OBJECT" else None
        if type_ is None:
            yield from path
        elif type_["isOneOf"]:
            member = dict(_members(node)).get(path[0], node)
            yield from self._back(path[1:], _fields(type_).get(path[0], ref), member)
        else:
            names = {said: name for name, said in _names(node, type_).items()}
            name = names.get(path[0])
            if name is None:
                yield from path
                return
            yield name
            yield from self._back(path[1:], _fields(type_)[path[0]], node["properties"][name])


def _name(ref: Json) -> str:
    return _name(ref["ofType"]) if ref["ofType"] else ref["name"]


def _nullable(ref: Json) -> Json:
    return ref["ofType"] if ref["kind"] == "NON_NULL" else ref


def _fields(type_: Json) -> dict[str, Json]:
    return {one["name"]: one["type"] for one in type_["inputFields"] or ()}


def _required(type_: Json) -> set[str]:
    fields = type_["inputFields"] or ()
    return {one["name"] for one in fields if one["type"]["kind"] == "NON_NULL" and one["defaultValue"] is None}


def _item(node: Schema) -> Schema:
    fixed = node.get("prefixItems")
    return fixed[0] if fixed else node.get("items", {})


def _members(node: Schema) -> Iterator[tuple[str, Schema]]:
    """Yield the models of a union, each by the field that it is given in."""
    for branch in schemas.branches(node):
        title = str(branch.get("$ref", "")).rsplit("/", 1)[-1]
        yield _camel(title[:1].lower() + title[1:]), branch


def _names(node: Schema, type_: Json) -> dict[str, str]:
    """Return what each property is called in GraphQL: in camelCase, or as it stands where two would be one."""
    known = _fields(type_).keys()
    for rule in (_camel, str):
        names = {name: rule(name) for name in node.get("properties", {})}
        if set(names.values()) == known:
            return names
    raise Unsayable("the type and the schema are not of one version")


def _camel(text: str) -> str:
    return re.sub(r"(?<=[A-Za-z0-9])_+([A-Za-z0-9])", lambda found: found[1].upper(), text)


def _scalar(value: Any, name: str) -> Any:
    """Return a value as its scalar is written. What is no such value is for ``enqueueJob`` to refuse, at its field."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    right = {
        "Int": whole and -(2**31) <= value < 2**31,
        "BigInt": whole,
        "Float": whole or isinstance(value, float),
        "Boolean": isinstance(value, bool),
        "Decimal": isinstance(value, str) or whole or isinstance(value, float),
        "JSON": True,
    }.get(name, isinstance(value, str))
    if not right:
        raise Unsayable(f"expected a {name}")
    if name == "BigInt" and abs(int(value)) >= 2**53:
        return str(value)  # programs in between may count no further
    return value
