"""Which parts of a task's arguments are secret, and how they are kept apart from those that are shown.

The JSON Schema says it: ``writeOnly`` at a ``Secret[...]``, and a list ``redact`` of paths at its top. So whoever
has the published schema can part arguments without the task's code. What is shown has ``********`` in place
of a secret; the secrets themselves are one more text, a list of ``[path, how it is kept, what is kept]``.

Plain data; no Redis.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

from taskengine.encryption import PLAIN, Keyring
from taskengine.errors import InvalidInput, UnreadableSecret, did_you_mean
from taskengine.secrets import MARKER

Path = tuple[str | int, ...]
Schema = Mapping[str, Any]

REDACT: Final = "redact"
"""The keyword of a schema that lists paths to secrets, with dots between names and ``*`` for any."""
ANY: Final = "*"
_UNIONS = ("anyOf", "oneOf", "allOf")
_ANYTHING: Schema = {}


class Parted(NamedTuple):
    """Arguments in two texts of JSON."""

    shown: str
    secrets: str
    """``""`` when there are none."""


class Redaction:
    """The secrets of one task, by its JSON Schema."""

    def __init__(self, schema: Schema) -> None:
        self._root = schema
        self._paths = tuple(tuple(path.split(".")) for path in schema.get(REDACT, ()))
        properties: Mapping[str, Any] = schema.get("properties", {})
        first = {path[0] for path in self._paths}
        self.parameters = frozenset(
            name
            for name, node in properties.items()
            if name in first or ANY in first or any(map(_is_secret, self._below(node)))
        )
        """Those that are secret or have secrets in them."""

    def places(self, args: Any) -> list[Path]:
        """Return where in these arguments secrets are, each as a path; never one inside the other."""
        found = set(self._marked([self._root], args, ()))
        for path in self._paths:
            found.update(_matches(path, args, ()))
        return [place for place in sorted(found, key=_order) if not any(place[:n] in found for n in range(len(place)))]

    def values(self, args_json: str) -> list[Any]:
        """Return the secrets themselves."""
        args = json.loads(args_json)
        return [_at(args, place) for place in self.places(args)]

    def part(self, args_json: str, keyring: Keyring, before: "Before | None" = None) -> Parted:
        """Take the secrets out of arguments; ``before`` has those that a ``********`` in its place stands for.

        Raises ``InvalidInput`` where a ``********`` stands for nothing.
        """
        if not self.parameters and before is None:
            return Parted(args_json, "")
        args = json.loads(args_json)
        places = self.places(args)
        for place in before.kept(args) if before else ():
            if any(place[:length] in places for length in range(len(place))):
                raise _hidden(place)
            places += [] if place in places else [place]
        if not places:
            return Parted(args_json, "")
        entries: list[list[Any]] = []
        for place in places:
            value = _at(args, place)
            if value == MARKER:
                entries.append(_same(place, args, before, keyring))
            else:
                entries.append([place, *keyring.seal(_dumps(value))])
        for place in places:
            args = _put(args, place, MARKER)
        return Parted(_dumps(args), _dumps(entries))

    def cut(self, path: Sequence[str]) -> tuple[str, ...]:
        """Return a path into arguments up to the secret that it leads into: what is in there has no names outside."""
        nodes = self._alternatives([self._root])
        for length, name in enumerate(path, start=1):
            nodes = self._alternatives(child for node in nodes for child in _children(node, name))
            if any(map(_is_secret, nodes)) or any(_fits(redacted, path[:length]) for redacted in self._paths):
                return tuple(path[:length])
            if not nodes:
                # A name of pydantic's for a branch of a union, perhaps: what comes after it cannot be followed.
                return tuple(path[: max(length - 1, 1)]) if path[0] in self.parameters else tuple(path)
        return tuple(path)

    def unknown(self, path: str) -> str | None:
        """Return what is wrong with a path that is to be redacted; ``None`` when it can lead somewhere."""
        names = path.split(".")
        nodes = self._alternatives([self._root])
        for position, name in enumerate(names):
            children = [child for node in nodes for child in _children(node, name)]
            if not children:
                near = did_you_mean(name, {known for node in nodes for known in node.get("properties", {})})
                near = near.replace("'", "'" + "".join(f"{one}." for one in names[:position]), 1) if near else near
                what = f"of {'.'.join(names[:position])!r}" if position else "of the task"
                return f"redact: {path!r} leads nowhere, there is no {name!r} {what}{near or _star(nodes)}"
            nodes = self._alternatives(children)
        return None

    def nodes_at(self, path: str) -> list[dict[str, Any]]:
        """Return what the schema has at the end of a path, to be changed by who made the schema."""
        nodes: list[Any] = [self._root]
        for name in path.split("."):
            below = self._alternatives(nodes)
            nodes = [child for node in below for child in _children(node, name) if isinstance(child, dict)]
        return nodes

    def _marked(self, nodes: Iterable[Any], value: Any, path: Path) -> Iterator[Path]:
        """Yield the places of values that the schema marks. Of a union every branch counts.

        All schemas that may hold at a place are walked at once: one after the other, models that hold each other
        would double the work with each level.
        """
        here = self._alternatives(nodes, value)
        if any(map(_is_secret, here)):
            yield path
            return
        for name, part in _items(value):
            yield from self._marked((child for node in here for child in _children(node, name)), part, (*path, name))

    def _alternatives(self, nodes: Iterable[Any], value: Any = ANY) -> list[Schema]:
        """Return nodes and what they refer to or are one of, each once; of those that may be null nothing for null."""
        found: dict[int, Schema] = {}
        waiting = list(nodes)
        while waiting:
            node = waiting.pop()
            node = _ANYTHING if node is True else node
            if not isinstance(node, Mapping) or id(cast("Schema", node)) in found:
                continue
            node = cast("Schema", node)
            found[id(node)] = node
            if not (value is None and _allows_null(node)):
                waiting += self._branches(node)
        return list(found.values())

    def _branches(self, node: Schema) -> Iterator[Any]:
        if isinstance(ref := node.get("$ref"), str):
            yield self._resolve(ref)
        for union in _UNIONS:
            yield from node.get(union, ())

    def _below(self, node: Any) -> Iterator[Schema]:
        """Yield every node of a schema that values in it can have, each definition once."""
        seen: set[str] = set()
        waiting = [node]
        while waiting:
            part = waiting.pop()
            if isinstance(part, Mapping):
                part = cast("Schema", part)
                yield part
                ref = part.get("$ref")
                if isinstance(ref, str) and ref not in seen:
                    seen.add(ref)
                    waiting.append(self._resolve(ref))
                waiting += [child for name, child in part.items() if name != "default"]
            elif isinstance(part, list):
                waiting += cast("list[Any]", part)

    def _resolve(self, ref: str) -> Any:
        return self._root.get("$defs", {}).get(ref.removeprefix("#/$defs/"), {})


class Before:
    """Arguments of a job as they are shown, and its secrets: what ``********`` stands for when they are given again."""

    def __init__(self, shown: Any, secrets: str) -> None:
        self._shown = shown
        self._entries = {tuple(entry[0]): entry for entry in json.loads(secrets or "[]")}

    def kept(self, args: Any) -> list[Path]:
        """Return the places that are ``********`` as they were before, whatever the schema says by now."""
        return [place for place in self._entries if _at(args, place) == MARKER]

    def entry(self, place: Path, args: Any) -> list[Any] | None:
        """Return what is kept of the secret at a place.

        ``None`` when there is none, or when a list on the way has another length: then it may be another's.
        """
        for length in range(len(place)):
            now, then = _at(args, place[:length]), _at(self._shown, place[:length])
            if isinstance(now, list) and (
                not isinstance(then, list) or len(cast("Any", now)) != len(cast("Any", then))
            ):
                return None
        return self._entries.get(place)


def joined(shown: str, secrets: str, keyring: Keyring) -> str:
    """Return arguments with their secrets in place; raise ``UnreadableSecret``."""
    if not secrets:
        return shown
    args = json.loads(shown)
    for place, value in opened(secrets, keyring):
        args = _put(args, place, value)
    return _dumps(args)


def opened(secrets: str, keyring: Keyring) -> list[tuple[Path, Any]]:
    """Return secrets by their places; raise ``UnreadableSecret``."""
    values: list[tuple[Path, Any]] = []
    for place, how, kept in json.loads(secrets or "[]"):
        try:
            values.append((tuple(place), json.loads(keyring.open(how, kept))))
        except UnreadableSecret as problem:
            raise UnreadableSecret(problem.problem, dotted(place)) from None
    return values


def redacted_in(secrets: str) -> tuple[str, ...]:
    """Return the places of secrets, with dots between names."""
    return tuple(dotted(entry[0]) for entry in json.loads(secrets)) if secrets else ()


def plain_in(secrets: str) -> tuple[str, ...]:
    """Return the places of secrets that are not encrypted."""
    return tuple(dotted(place) for place, how, _ in json.loads(secrets or "[]") if how == PLAIN)


def fingerprints(secrets: str, keyring: Keyring) -> str:
    """Return a text that is the same for the same secrets, though each time they are sealed otherwise."""
    return _dumps([[place, keyring.fingerprint(_dumps(value))] for place, value in opened(secrets, keyring)])


def dotted(place: Iterable[str | int]) -> str:
    """Return a path as text."""
    return ".".join(map(str, place))


def _same(place: Path, args: Any, before: Before | None, keyring: Keyring) -> list[Any]:
    """Return what is kept of a secret from before, unopened; what was kept plainly is sealed if there is a key now."""
    entry = None if before is None else before.entry(place, args)
    if entry is None:
        raise _hidden(place)
    _, how, kept = entry
    return [place, *keyring.seal(kept)] if how == PLAIN else entry


def _hidden(place: Path) -> InvalidInput:
    problem = f"{MARKER} stands for a secret that is not shown; give the secret itself"
    return InvalidInput(("args", *map(str, place)), problem, "secret")


def _is_secret(node: Any) -> bool:
    return isinstance(node, Mapping) and cast("Schema", node).get("writeOnly") is True


def _allows_null(node: Schema) -> bool:
    branches: list[Any] = [branch for union in _UNIONS for branch in node.get(union, ())]
    return {"type": "null"} in branches


def _items(value: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return cast("dict[str, Any]", value).items()
    return enumerate(cast("list[Any]", value)) if isinstance(value, list) else ()


def _children(node: Schema, name: str | int) -> list[Any]:
    """Return the schemas of a part of a value; of any part of that kind with ``*``."""
    found: list[Any] = []
    named: Mapping[str, Any] = node.get("properties", {})
    if isinstance(name, str):
        found += [child for known, child in named.items() if name in (known, ANY)]
        found += [
            child for rule, child in node.get("patternProperties", {}).items() if name == ANY or re.search(rule, name)
        ]
        if name not in named and node.get("type", "object") == "object":
            others = node.get("additionalProperties", not named and not (set(node) & {"$ref", *_UNIONS}))
            found += [] if others is False else [others]
    if isinstance(name, int) or name == ANY or name.isdecimal():
        fixed = node.get("prefixItems", [])
        at = None if name == ANY else int(name)
        found += fixed if at is None else fixed[at : at + 1]
        if "items" in node and node["items"] is not False and (at is None or at >= len(fixed)):
            found.append(node["items"])
    return found


def _star(nodes: Sequence[Schema]) -> str:
    return f"; write {ANY} for the items of a list" if any(node.get("type") == "array" for node in nodes) else ""


def _matches(pattern: Sequence[str], value: Any, path: Path) -> Iterator[Path]:
    if not pattern:
        yield path
        return
    for name, part in _items(value):
        if pattern[0] in (ANY, str(name)):
            yield from _matches(pattern[1:], part, (*path, name))


def _fits(pattern: Sequence[str], path: Sequence[str]) -> bool:
    return len(pattern) == len(path) and all(a in (ANY, b) for a, b in zip(pattern, path, strict=True))


def _at(value: Any, place: Path) -> Any:
    for name in place:
        try:
            value = value[name]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _put(value: Any, place: Path, new: Any) -> Any:
    """Return a value with another part in one place. What is not on the way there is shared."""
    if not place:
        return new
    copied: Any = list(cast("list[Any]", value)) if isinstance(value, list) else dict(value)
    copied[place[0]] = _put(copied[place[0]], place[1:], new)
    return copied


def _order(place: Path) -> list[tuple[bool, str | int]]:
    return [(isinstance(name, int), name) for name in place]


def _dumps(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
