"""A task's arguments as the fields of a form, read from their JSON Schema; and back to arguments. Pure.

Whatever has no better field is a piece of JSON in a text area, so that every
task can be enqueued. A field that still holds its default is left out of the
arguments: the task's own default then counts, also after it has changed.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, tzinfo
from enum import StrEnum
from typing import Any

from taskengine_dashboard.shapes import is_list, is_object

Path = tuple[str, ...]
_DEEPEST = 6
"""Objects within objects; what is deeper (or recursive) is a piece of JSON."""


_LONG = 500
"""Characters; a text that may be longer gets a text area."""


class Kind(StrEnum):
    """Which widget a field is, and what it gives back."""

    TEXT = "text"
    SECRET = "secret"  # noqa: S105 - a kind of field
    EMAIL = "email"
    URL = "url"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    CHOICES = "choices"
    """Several of a fixed set."""
    LIST = "list"
    """Any number of texts or numbers."""
    DATE = "date"
    TIME = "time"
    DATETIME = "datetime"
    GROUP = "group"
    """An object with known fields."""
    ROWS = "rows"
    """Any number of such objects."""
    JSON = "json"


class _Unset:
    """There is no default, or nothing is to be sent."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET = _Unset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One argument, or one field within one."""

    name: str
    label: str
    kind: Kind
    required: bool
    nullable: bool = False
    default: Any = UNSET
    help: str | None = None
    choices: tuple[Any, ...] = ()
    item: Kind = Kind.TEXT
    """What a LIST is of."""
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = None
    long: bool = False
    """Whether a text may well have several lines."""
    fields: tuple["Field", ...] = field(default=())
    """Of a GROUP, or of each of the ROWS."""

    @property
    def must_be_given(self) -> bool:
        """Whether leaving it empty is a mistake."""
        return self.required and not self.nullable

    @property
    def can_be_absent(self) -> bool:
        """Whether doing without it is something else than taking its default."""
        return self.nullable or (not self.required and self.default is UNSET)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field. The path is as the API's: ``("recipients", "0")``."""

    path: Path
    message: str


def read_fields(schema: Mapping[str, Any]) -> tuple[Field, ...]:
    """Return the fields of an object's schema, required ones first."""
    return _fields_of(_resolved(schema, schema), schema, depth=0)


def collect(
    fields: Iterable[Field], raw: Mapping[str, Any], zone: tzinfo, at: Path = ()
) -> tuple[dict[str, Any], list[Problem]]:
    """Return the arguments that the widgets' values make, and what is wrong with them.

    A date and time is meant in ``zone``.
    """
    args: dict[str, Any] = {}
    problems: list[Problem] = []
    for one in fields:
        value, wrong = _value_of(one, raw.get(one.name), zone, (*at, one.name))
        problems += wrong
        if value is not UNSET:
            args[one.name] = value
    return args, problems


def without_place(problems: Iterable[Problem], known: Iterable[Path]) -> list[str]:
    """Return the messages that are about no field of the form."""
    paths = tuple(known)
    return [one.message for one in problems if not any(one.path[: len(path)] == path for path in paths)]


def _fields_of(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> tuple[Field, ...]:
    required = set(schema.get("required", ()))
    fields = [
        _field(name, part, root, required=name in required, depth=depth)
        for name, part in schema.get("properties", {}).items()
    ]
    return tuple(sorted(fields, key=lambda one: not one.required))


def _field(name: str, schema: Mapping[str, Any], root: Mapping[str, Any], *, required: bool, depth: int) -> Field:
    inner, nullable = _without_null(_resolved(schema, root), root)
    described = {**inner, **{key: schema[key] for key in ("description", "default") if key in schema}}
    kind = _kind(inner, root, depth)
    common: dict[str, Any] = {
        "name": name,
        "label": name.replace("_", " ").strip().capitalize(),
        "kind": kind,
        "required": required,
        "nullable": nullable,
        "default": described.get("default", UNSET),
        "help": described.get("description"),
    }
    return Field(**common, **_details(kind, inner, root, depth))


def _details(kind: Kind, schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> dict[str, Any]:
    if kind is Kind.CHOICE:
        return {"choices": _choices(schema)}
    if kind in {Kind.INTEGER, Kind.NUMBER}:
        return {"minimum": _bound(schema, "minimum", kind, +1), "maximum": _bound(schema, "maximum", kind, -1)}
    if kind is Kind.GROUP:
        return {"fields": _fields_of(schema, root, depth + 1)}
    if kind in {Kind.ROWS, Kind.CHOICES, Kind.LIST}:
        items = _resolved(schema["items"], root)
        if kind is Kind.ROWS:
            return {"fields": _fields_of(items, root, depth + 1)}
        return {"choices": _choices(items)} if kind is Kind.CHOICES else {"item": _kind(items, root, depth)}
    return {"max_length": schema.get("maxLength"), "long": _is_long(schema)} if kind is Kind.TEXT else {}


_FORMATS = {
    "date": Kind.DATE,
    "time": Kind.TIME,
    "date-time": Kind.DATETIME,
    "email": Kind.EMAIL,
    "uri": Kind.URL,
    "password": Kind.SECRET,
}
_SCALARS = {"integer": Kind.INTEGER, "number": Kind.NUMBER, "boolean": Kind.BOOLEAN}


def _kind(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Kind:
    if _choices(schema):
        return Kind.CHOICE
    match schema.get("type"):
        case "string":
            return Kind.SECRET if schema.get("writeOnly") else _FORMATS.get(schema.get("format", ""), Kind.TEXT)
        case "integer" | "number" | "boolean" as scalar:
            return _SCALARS[scalar]
        case "array" if isinstance(schema.get("items"), Mapping) and "prefixItems" not in schema:
            return _kind_of_list(_resolved(schema["items"], root), root, depth)
        case "object" if schema.get("properties") and depth < _DEEPEST:
            return Kind.GROUP
        case _:
            return Kind.TEXT if _is_decimal(schema) else Kind.JSON


def _is_long(schema: Mapping[str, Any]) -> bool:
    return "\n" in str(schema.get("default", "")) or ("pattern" not in schema and schema.get("maxLength", 0) > _LONG)


def _kind_of_list(items: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Kind:
    item = _kind(items, root, depth)
    if item is Kind.CHOICE:
        return Kind.CHOICES
    if item is Kind.GROUP:
        return Kind.ROWS
    return Kind.LIST if item in {Kind.TEXT, Kind.EMAIL, Kind.URL, Kind.INTEGER, Kind.NUMBER} else Kind.JSON


def _is_decimal(schema: Mapping[str, Any]) -> bool:
    """Whether this is a number that may be written as text, to lose no digit: what pydantic makes of Decimal."""
    parts: list[Any] = schema.get("anyOf", [])
    return {part["type"] for part in parts if is_object(part) and "type" in part} == {"number", "string"}


def _choices(schema: Mapping[str, Any]) -> tuple[Any, ...]:
    if "const" in schema:
        return (schema["const"],)
    return tuple(schema.get("enum", ()))


def _bound(schema: Mapping[str, Any], name: str, kind: Kind, inward: int) -> float | None:
    """Return an inclusive bound. An exclusive one moves by one for whole numbers; for others the API is exact."""
    exclusive = schema.get(f"exclusive{name.capitalize()}")
    if exclusive is None:
        return schema.get(name)
    return exclusive + inward if kind is Kind.INTEGER else exclusive


def _resolved(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow ``$ref`` and a lone ``allOf``; what stands beside a reference is kept."""
    seen: set[str] = set()
    while True:
        parts = schema.get("allOf", ())
        if len(parts) == 1:
            schema = {**parts[0], **{key: value for key, value in schema.items() if key != "allOf"}}
        target = schema.get("$ref")
        if target is None or target in seen:
            return schema
        seen.add(target)
        found = root.get("$defs", {}).get(str(target).removeprefix("#/$defs/"), {})
        schema = {**found, **{key: value for key, value in schema.items() if key != "$ref"}}


def _without_null(schema: Mapping[str, Any], root: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    """Return the schema of what is not null, and whether null is allowed."""
    types = schema.get("type")
    if is_list(types):
        others = [name for name in types if name != "null"]
        only = others[0] if len(others) == 1 else others
        return {**schema, "type": only}, "null" in types
    options = schema.get("anyOf", schema.get("oneOf"))
    if not options:
        return schema, False
    others = [option for option in options if option.get("type") != "null"]
    nullable = len(others) < len(options)
    if len(others) == 1:
        return _resolved(others[0], root), nullable
    return {**schema, "anyOf": others}, nullable


def _value_of(one: Field, raw: Any, zone: tzinfo, path: Path) -> tuple[Any, list[Problem]]:
    if _is_empty(one, raw):
        return _nothing(one, path)
    value, problems = _read(one, raw, zone, path)
    if not problems and not one.required and _is_default(one, value):
        return UNSET, []
    return value, problems


def _is_default(one: Field, value: Any) -> bool:
    if one.kind is Kind.GROUP:
        own = {part.name: part.default for part in one.fields if part.default is not UNSET}
        value = {**own, **value}
    return value == one.default and type(value) is type(one.default)


def _is_empty(one: Field, raw: Any) -> bool:
    if raw is None:
        return True
    if isinstance(raw, str) and not raw.strip():
        # An empty text is a value where a default is there to be cleared; else nobody has typed anything.
        return one.kind is not Kind.TEXT or one.nullable or one.default is UNSET
    return False


def _nothing(one: Field, path: Path) -> tuple[Any, list[Problem]]:
    if one.must_be_given:
        return UNSET, [Problem(path, "needs a value")]
    if one.nullable and (one.required or one.default is not None):
        return None, []
    return UNSET, []


def _read(one: Field, raw: Any, zone: tzinfo, path: Path) -> tuple[Any, list[Problem]]:
    match one.kind:
        case Kind.GROUP:
            return collect(one.fields, raw, zone, path)
        case Kind.ROWS:
            return _read_rows(one, raw, zone, path)
        case Kind.LIST:
            return _read_list(one, raw, path)
        case Kind.JSON:
            return _read_json(raw, path)
        case Kind.DATE | Kind.TIME | Kind.DATETIME:
            return _iso(raw, zone), []
        case Kind.INTEGER:
            return int(raw), []
        case _:
            return raw, []


def _read_rows(one: Field, raw: Sequence[Any], zone: tzinfo, path: Path) -> tuple[list[Any], list[Problem]]:
    rows: list[Any] = []
    problems: list[Problem] = []
    for number, row in enumerate(raw):
        value, wrong = collect(one.fields, row, zone, (*path, str(number)))
        rows.append(value)
        problems += wrong
    return rows, problems


def _read_list(one: Field, raw: Sequence[Any], path: Path) -> tuple[list[Any], list[Problem]]:
    readers: dict[Kind, Any] = {Kind.INTEGER: int, Kind.NUMBER: float}
    read = readers.get(one.item, str)
    values: list[Any] = []
    problems: list[Problem] = []
    for number, text in enumerate(raw):
        try:
            values.append(read(text))
        except ValueError:
            wanted = "a whole number" if one.item is Kind.INTEGER else "a number"
            problems.append(Problem((*path, str(number)), f"expected {wanted}, got {text!r}"))
    return values, problems


def _read_json(raw: str, path: Path) -> tuple[Any, list[Problem]]:
    try:
        return json.loads(raw), []
    except ValueError as problem:
        return UNSET, [Problem(path, f"is not JSON: {problem}")]


def _iso(raw: Any, zone: tzinfo) -> str:
    if isinstance(raw, datetime):
        return (raw if raw.tzinfo else raw.replace(tzinfo=zone)).isoformat()
    if isinstance(raw, date | time):
        return raw.isoformat()
    return str(raw)
