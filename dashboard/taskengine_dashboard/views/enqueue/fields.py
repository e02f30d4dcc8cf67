"""A task's arguments as the fields of a form, read from their JSON Schema. Pure.

Whatever has no better field is a piece of JSON in a text area, so that every
task can be enqueued. What a field is made of is read when it is asked for: a
model that holds itself has no end, and nobody draws it to there.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from taskengine_dashboard.shapes import is_object
from taskengine_dashboard.views.enqueue import schemas
from taskengine_dashboard.views.enqueue.held import fits
from taskengine_dashboard.views.enqueue.kinds import LARGEST, UNSET, Field, Kind, Path
from taskengine_dashboard.views.enqueue.schemas import Schema

_DEEPEST = 6
"""Values within values; what is deeper is a piece of JSON, for want of room on the page."""
_LONG = 500
"""Characters; a text that may be longer gets a text area."""


def read_fields(schema: Schema) -> tuple[Field, ...]:
    """Return the fields of an object's schema, required ones first."""
    return _Reader(schema).fields(schema, (), 0)


class _Reader:
    """Reads one task's schema. ``at`` is where a value stands, with ``*`` for any in a list."""

    def __init__(self, root: Schema) -> None:
        self._root = root
        self._redacted = schemas.redacted(root)

    def fields(self, schema: Schema, at: Path, depth: int) -> tuple[Field, ...]:
        schema = schemas.resolved(schema, self._root)
        required = set(schema.get("required", ()))
        fields = [
            self._field(name, part, (*at, name), depth, required=name in required)
            for name, part in schema.get("properties", {}).items()
        ]
        return tuple(sorted(fields, key=lambda one: not one.required))

    def _field(self, name: str, schema: Any, at: Path, depth: int, *, required: bool) -> Field:
        schema = schema if is_object(schema) else {}
        inner, nullable = schemas.without_null(schemas.resolved(schema, self._root), self._root)
        described = {**inner, **{key: schema[key] for key in ("description", "default", "title") if key in schema}}
        kind = self._kind(described, depth)
        if self._is_secret(inner, at):
            kind = Kind.SECRET
        elif kind in {Kind.LIST, Kind.CHOICES} and self._is_secret({}, (*at, schemas.ANY)):
            kind = Kind.ROWS
        made = Field(
            name=name,
            label=_label(name, schema),
            kind=kind,
            required=required or "const" in inner,  # of several models it tells which one is meant
            nullable=nullable,
            default=described.get("default", inner.get("const", UNSET)),
            help=described.get("description"),
            schema=inner,
            **self._details(kind, described, at, depth),
        )
        if made.default is UNSET or made.default is None or fits(made, made.default):
            return made
        # A default that its field cannot hold is the task's own; as JSON it can be read and changed.
        return replace(made, kind=Kind.JSON)

    def _details(self, kind: Kind, schema: Schema, at: Path, depth: int) -> dict[str, Any]:
        match kind:
            case Kind.CHOICE:
                return {"choices": schemas.choices(schema)}
            case Kind.CHOICES:
                return {"choices": schemas.choices(schemas.resolved(schema["items"], self._root))}
            case Kind.INTEGER | Kind.DIGITS | Kind.NUMBER:
                return {"minimum": _bound(schema, "minimum", +1), "maximum": _bound(schema, "maximum", -1)}
            case Kind.LIST:
                item = self._kind(schemas.resolved(schema["items"], self._root), depth)
                return {"item": item, "unique": bool(schema.get("uniqueItems"))}
            case Kind.SECRET:
                return {"item": self._kind(schema, depth)}
            case Kind.TEXT:
                return {"max_length": schema.get("maxLength"), "long": _is_long(schema), "example": _example(schema)}
            case _:
                return {"read": lambda: tuple(self._below(kind, schema, at, depth + 1))}

    def _below(self, kind: Kind, schema: Schema, at: Path, depth: int) -> Iterator[Field]:
        """Yield what a field consists of."""
        within = (*at, schemas.ANY)
        match kind:
            case Kind.GROUP:
                yield from self.fields(schema, at, depth)
            case Kind.ROWS:
                yield self._field("", schema["items"], within, depth, required=True)
            case Kind.ENTRIES:
                yield self._field("value", schema["additionalProperties"], within, depth, required=True)
            case Kind.UNION:
                for one in schemas.branches(schema):
                    yield self._field(self._name_of(one), one, at, depth, required=True)
            case _:
                return

    def _kind(self, schema: Schema, depth: int) -> Kind:
        if schemas.choices(schema):
            return Kind.CHOICE
        if schemas.is_decimal(schema):
            return Kind.TEXT
        if len(schemas.branches(schema)) > 1:
            return Kind.UNION if depth < _DEEPEST else Kind.JSON
        match schema.get("type"):
            case "string":
                return _FORMATS.get(schema.get("format", ""), Kind.TEXT)
            case "integer":
                return Kind.INTEGER if _can_be_counted_to(schema) else Kind.DIGITS
            case "number" | "boolean" as scalar:
                return Kind(scalar)
            case "array" if schemas.has_items(schema) and depth < _DEEPEST:
                return self._kind_of_list(schema, depth)
            case "object" if schema.get("properties") and depth < _DEEPEST:
                return Kind.GROUP
            case "object" if is_object(schema.get("additionalProperties")) and depth < _DEEPEST:
                return Kind.ENTRIES
            case _:
                return Kind.JSON

    def _kind_of_list(self, schema: Schema, depth: int) -> Kind:
        items, nullable = schemas.without_null(schemas.resolved(schema["items"], self._root), self._root)
        item = self._kind(items, depth + 1)
        if nullable or schemas.is_secret(items):
            return Kind.ROWS
        if item is Kind.CHOICE and (schema.get("uniqueItems") or _are_texts(schemas.choices(items))):
            return Kind.CHOICES
        of_few = item in {Kind.TEXT, Kind.EMAIL, Kind.URL, Kind.INTEGER, Kind.NUMBER} and not _is_long(items)
        return Kind.LIST if of_few else Kind.JSON if item is Kind.JSON else Kind.ROWS

    def _is_secret(self, schema: Schema, at: Path) -> bool:
        return schemas.is_secret(schema) or any(schemas.fits_path(path, at) for path in self._redacted)

    def _name_of(self, branch: Schema) -> str:
        found = schemas.resolved(branch, self._root)
        kind = found.get("type")
        return str(found.get("title") or _NAMES.get(kind if isinstance(kind, str) else "", "Anything"))


_FORMATS = {
    "date": Kind.DATE,
    "time": Kind.TIME,
    "date-time": Kind.DATETIME,
    "email": Kind.EMAIL,
    "uri": Kind.URL,
    "password": Kind.SECRET,
}
_EXAMPLES = {
    "duration": "PT1H30M: an hour and a half",
    "uuid": "123e4567-e89b-12d3-a456-426614174000",
    "base64": "Base64",
    "base64url": "Base64",
    "binary": "Base64",
}
_NAMES = {
    "string": "Text",
    "integer": "Whole number",
    "number": "Number",
    "boolean": "Yes or no",
    "array": "List",
    "object": "Object",
}


def _example(schema: Schema) -> str | None:
    return "12.50" if schemas.is_decimal(schema) else _EXAMPLES.get(schema.get("format", ""))


def _label(name: str, schema: Schema) -> str:
    title = str(schema.get("title") or "")
    plain = name.replace("_", " ").strip()
    # Pydantic makes a title of each name, in capitals; only one that somebody wrote says more.
    return title if title and title.replace(" ", "").lower() != plain.replace(" ", "").lower() else plain.capitalize()


def _is_long(schema: Schema) -> bool:
    return "\n" in str(schema.get("default", "")) or ("pattern" not in schema and schema.get("maxLength", 0) > _LONG)


def _are_texts(choices: Sequence[Any]) -> bool:
    return all(isinstance(choice, str) for choice in choices)


def _can_be_counted_to(schema: Schema) -> bool:
    named = [schema.get(name) for name in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "default")]
    return all(abs(number) <= LARGEST for number in named if isinstance(number, int))


def _bound(schema: Mapping[str, Any], name: str, inward: int) -> float | None:
    """Return an inclusive bound. An exclusive one moves by one for whole numbers; for others the API is exact."""
    exclusive = schema.get(f"exclusive{name.capitalize()}")
    if exclusive is None:
        return schema.get(name)
    return exclusive + inward if schema.get("type") == "integer" else exclusive
