"""Reading JSON Schema as pydantic writes it: references, unions, null, and what is secret. Pure."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from taskengine_dashboard.shapes import is_list, is_object

Schema = Mapping[str, Any]
MARKER = "********"
"""Stands for a secret that is not shown, as in the API."""
ANY = "*"
"""Any item of a list, in a path to what is redacted."""
_UNIONS = ("anyOf", "oneOf")
_PYDANTIC_DECIMAL = "^(?!^[-+.]*$)[+-]?0*"


def resolved(schema: Schema, root: Schema) -> Schema:
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


def without_null(schema: Schema, root: Schema) -> tuple[Schema, bool]:
    """Return the schema of what is not null, and whether null is allowed."""
    types = schema.get("type")
    if is_list(types):
        others = [name for name in types if name != "null"]
        only = {"type": others[0]} if len(others) == 1 else {"anyOf": [{**schema, "type": name} for name in others]}
        return {**{key: value for key, value in schema.items() if key != "type"}, **only}, "null" in types
    values = schema.get("enum", ())
    if None in values:
        return {**schema, "enum": [value for value in values if value is not None]}, True
    options = branches(schema)
    others = [option for option in options if option.get("type") != "null"]
    nullable = len(others) < len(options)
    if len(others) == 1:
        inner, more = without_null(resolved(others[0], root), root)
        secret = {"writeOnly": True} if schema.get("writeOnly") else {}
        return {**inner, **secret}, nullable or more
    if not nullable:
        return schema, False
    return {**{key: value for key, value in schema.items() if key not in _UNIONS}, "anyOf": others}, True


def branches(schema: Schema) -> list[Schema]:
    """Return what a union is one of; nothing for what is none."""
    for union in _UNIONS:
        found = schema.get(union)
        if is_list(found):
            return [branch for branch in found if is_object(branch)]
    return []


def choices(schema: Schema) -> tuple[Any, ...]:
    """Return the fixed values that it may have; nothing where it may have others."""
    if "const" in schema:
        return (schema["const"],)
    return tuple(schema.get("enum", ()))


def has_items(schema: Schema) -> bool:
    """Whether it is a list of any number of the same."""
    return is_object(schema.get("items")) and "prefixItems" not in schema


def is_decimal(schema: Schema) -> bool:
    """Whether this is a number that may be written as text, to lose no digit: what pydantic makes of Decimal."""
    parts = branches(schema)
    texts = [part for part in parts if part.get("type") == "string"]
    numbers = [part for part in parts if part.get("type") == "number"]
    return len(parts) == 2 and len(texts) == len(numbers) == 1 and _says_decimal(texts[0])


def _says_decimal(text: Schema) -> bool:
    return text.get("format") == "decimal" or str(text.get("pattern", "")).startswith(_PYDANTIC_DECIMAL)


def is_secret(schema: Schema) -> bool:
    """Whether it is marked as one that is given and never shown."""
    return schema.get("writeOnly") is True


def redacted(root: Schema) -> tuple[tuple[str, ...], ...]:
    """Return the paths to secrets that a task names besides those that are marked."""
    return tuple(tuple(str(path).split(".")) for path in root.get("redact", ()))


def fits_path(pattern: Sequence[str], path: Sequence[str]) -> bool:
    """Whether a path is one of those that a pattern with ``*`` means."""
    return len(pattern) == len(path) and all(want in (ANY, got) for want, got in zip(pattern, path, strict=True))


def masked(args: Any, root: Schema) -> Any:
    """Return arguments as they may be shown: ``********`` in place of each secret."""
    return with_masked(args, (), frozenset(secret_places(args, root)))


def with_masked(value: Any, path: tuple[str, ...], places: Collection[tuple[str, ...]]) -> Any:
    """Return a value that stands at ``path``, with ``********`` in these places."""
    if path in places and value is not None:
        return MARKER
    if is_object(value):
        return {name: with_masked(part, (*path, name), places) for name, part in value.items()}
    if is_list(value):
        return [with_masked(part, (*path, str(number)), places) for number, part in enumerate(value)]
    return value


def secret_places(args: Any, root: Schema) -> Iterator[tuple[str, ...]]:
    """Yield where in these arguments secrets are, whatever stands there."""
    patterns = redacted(root)

    def walk(nodes: Iterable[Any], value: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        # All that may stand here at once: one after the other, models that hold each other would take for ever.
        here = _all_alternatives(nodes, root)
        if any(map(is_secret, here)) or any(fits_path(pattern, path) for pattern in patterns):
            yield path
            return
        for name, part in _items(value):
            yield from walk([_child(each, name) for each in here], part, (*path, name))

    yield from walk([root], args, ())


def _all_alternatives(nodes: Iterable[Any], root: Schema) -> list[Schema]:
    return list({id(each): each for node in nodes for each in _alternatives(node, root, frozenset())}.values())


def _alternatives(node: Any, root: Schema, seen: frozenset[str]) -> Iterator[Schema]:
    """Yield a schema, and what it refers to or is one of."""
    if not is_object(node):
        return
    yield node
    ref = node.get("$ref")
    if isinstance(ref, str) and ref not in seen:
        yield from _alternatives(root.get("$defs", {}).get(ref.removeprefix("#/$defs/")), root, seen | {ref})
    for union in (*_UNIONS, "allOf"):
        for branch in node.get(union, ()):
            yield from _alternatives(branch, root, seen)


def _child(node: Schema, name: str) -> Any:
    properties = node.get("properties", {})
    if name in properties:
        return properties[name]
    if name.isdecimal() and ("items" in node or "prefixItems" in node):
        fixed = node.get("prefixItems", [])
        return fixed[int(name)] if int(name) < len(fixed) else node.get("items")
    return node.get("additionalProperties")


def _items(value: Any) -> list[tuple[str, Any]]:
    if is_object(value):
        return list(value.items())
    return [(str(number), part) for number, part in enumerate(value)] if is_list(value) else []


def revealed(args: Any, before: Any, root: Schema) -> Any:
    """Return arguments in which ``********`` in a secret's place is again what it was in ``before``."""
    kept = {place: _at(before, place) for place in secret_places(args, root)}

    def put(value: Any, path: tuple[str, ...]) -> Any:
        if value == MARKER and kept.get(path) is not None:
            return kept[path]
        if is_object(value):
            return {name: put(part, (*path, name)) for name, part in value.items()}
        return [put(part, (*path, str(n))) for n, part in enumerate(value)] if is_list(value) else value

    return put(args, ())


def placed(path: Sequence[str], root: Schema) -> tuple[str, ...]:
    """Return a path into arguments without the names that pydantic gives the branches of a union."""
    found: list[str] = []
    nodes = _all_alternatives([root], root)
    for step in path:
        below = _all_alternatives([_child(node, step) for node in nodes], root)
        if below or not any(branches(node) for node in nodes):
            found.append(step)
            nodes = below
    return tuple(found)


def _at(value: Any, path: Sequence[str]) -> Any:
    for step in path:
        value = dict(_items(value)).get(step)
    return value
