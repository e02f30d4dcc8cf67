"""Takes the values of secrets out of words that a task says: messages of errors, tracebacks, lines of its log."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from functools import cached_property
from typing import Any, Final, cast
from urllib.parse import quote, quote_plus

from pydantic import BaseModel

from taskengine.secrets import MARKER, Secret

LEAST: Final = 4
"""Shorter values are not looked for in words: they would be found everywhere."""
_LEAST_LINE = 8
_LONG = 1_000
"""Longer texts are looked for as they are, and as Python and JSON quote them once."""
_ESCAPED = {"\n": "n", "\r": "r", "\t": "t"}


class Mask:
    """Puts ``********`` where words have the value of a secret, as it is or as Python, JSON and URLs write it."""

    def __init__(self, values: Iterable[Any]) -> None:
        """``values``: of any shape; their texts and numbers are looked for."""
        words, numbers = set[str](), set[str]()
        for leaf in leaves(list(values)):
            if isinstance(leaf, str):
                words.update(_lines(leaf))
            elif not isinstance(leaf, bool):
                numbers.add(str(leaf))
        self._words = _longest_first(word for word in words if len(word) <= _LONG)
        self._numbers = _longest_first(numbers)
        self._long = _longest_first(written for word in words if len(word) > _LONG for written in _writings(word))
        self._signs = [_sign(word) for word in (*self._words, *self._numbers)]

    def __call__(self, words: str) -> str:
        for text in self._long:
            words = words.replace(text, MARKER)
        # What a pattern costs to make is only spent where there is something to find.
        return self._pattern.sub(MARKER, words) if any(sign in words for sign in self._signs) else words

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        found = [_written(word) for word in self._words]
        found += [rf"(?<![\w.]){re.escape(number)}(?![\w.]*\w)" for number in self._numbers]
        return re.compile("|".join(found))

    def plain(self, value: Any) -> Any:
        """Mask every text and number in JSON of any shape."""
        if isinstance(value, str):
            return self(value)
        if isinstance(value, dict):
            return {self(str(name)): self.plain(part) for name, part in cast("dict[Any, Any]", value).items()}
        if isinstance(value, list):
            return [self.plain(part) for part in cast("list[Any]", value)]
        if isinstance(value, (int, float)) and not isinstance(value, bool) and self(str(value)) == MARKER:
            return MARKER
        return value


def leaves(value: Any) -> Iterator[str | int | float]:
    """Yield the texts and numbers in a value of any shape: what JSON has, and what a task is given."""
    if isinstance(value, (str, int, float)):
        yield value
    elif isinstance(value, Secret):
        yield from leaves(cast("Any", value).reveal())
    elif isinstance(value, bytes):
        yield value.decode(errors="backslashreplace")
    elif isinstance(value, BaseModel) or is_dataclass(value):
        yield from leaves(_fields(value))
    elif isinstance(value, Mapping):
        for part in cast("Mapping[Any, Any]", value).values():
            yield from leaves(part)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for part in cast("Iterable[Any]", value):
            yield from leaves(part)
    elif value is not None:
        yield str(value)


def secrets_of(value: Any) -> Iterator[Any]:
    """Yield every ``Secret`` in a value that a task is given."""
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, BaseModel) or is_dataclass(value):
        yield from secrets_of(_fields(value))
    elif isinstance(value, Mapping):
        yield from secrets_of(list(cast("Mapping[Any, Any]", value).values()))
    elif isinstance(value, (list, tuple)):
        for part in cast("Iterable[Any]", value):
            yield from secrets_of(part)


def _fields(value: Any) -> list[Any]:
    names: Iterable[str] = type(value).model_fields if isinstance(value, BaseModel) else value.__dataclass_fields__
    return [getattr(value, name, None) for name in names]


def _longest_first(texts: Iterable[str]) -> list[str]:
    return sorted((text for text in texts if len(text) >= LEAST), key=len, reverse=True)


def _lines(text: str) -> set[str]:
    """Return a text, and its longer lines, which may be told one by one."""
    lines = [line.strip() for line in text.splitlines()]
    return {text} | ({line for line in lines if len(line) >= _LEAST_LINE} if len(lines) > 1 else set())


def _sign(text: str) -> str:
    """Return what is in a text however it is written; ``""`` when nothing surely is."""
    return max(re.findall(r"[A-Za-z0-9]+", text), key=len, default="")


def _writings(text: str) -> set[str]:
    """Return the usual ways to write a text that is too long for a pattern."""
    escaped = repr(text)[1:-1]
    return {
        text,
        escaped,
        escaped.replace("'", "\\'"),
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
    }


def _written(text: str) -> str:
    """Return a pattern of a text as it is, quoted in Python or JSON however often, or in a URL."""
    safe = text.encode("utf-8", "backslashreplace").decode()
    urls = {quote(safe, safe=""), quote(safe), quote_plus(safe)} - {text}
    return "|".join([_quoted(text), *map(re.escape, sorted(urls, key=len, reverse=True))])


def _quoted(text: str) -> str:
    """Return a pattern of a text as it is, or quoted: backslashes double, others get some before them.

    All backslashes before a character are one run, taken as a whole: two quantifiers side by side could share a run in
    many ways, and to try all of them takes longer than anyone waits.
    """
    parts, backslashes = list[str](), 0
    for one in text:
        if one == "\\":
            backslashes += 1
        else:
            parts.append(_character(one, backslashes, first=not parts))
            backslashes = 0
    return "".join(parts) + (_run(backslashes, first=not parts) if backslashes else "")


def _run(least: int, *, first: bool) -> str:
    """Return a pattern of a whole run of backslashes. One at the beginning is not looked for from its middle on."""
    return (r"(?<!\\)" if first else "") + rf"\\{{{least},}}+"


def _character(one: str, backslashes: int, *, first: bool) -> str:
    """Return a pattern of a character that so many backslashes stand before."""
    before = _run(backslashes, first=first) if backslashes else ""
    escaped = _run(backslashes + 1, first=first)
    if one in "'\"/":
        return _run(backslashes, first=first) + one
    if one in _ESCAPED:
        return f"(?:{before}{re.escape(one)}|{escaped}{_ESCAPED[one]})"
    if one.isascii() and one.isprintable():
        return before + re.escape(one)
    code, in_json = ord(one), json.dumps(one)[1:-1].split("\\")[1:]
    in_bytes = [f"x{byte:02x}" for byte in one.encode("utf-8", "surrogatepass")]
    ways = {(f"x{code:02x}",), (f"u{code:04x}",), (f"U{code:08x}",), tuple(in_json), tuple(in_bytes)} - {()}
    # The longest first: what begins like another way would leave its rest standing. Each once: two ways to match the
    # same would be tried in all combinations with those of other characters.
    written = [escaped + _run(1, first=False).join(way) for way in sorted(ways, key=lambda way: (-len(way), way))]
    return f"(?:{before}{re.escape(one)}|{'|'.join(written)})"


NO_MASK: Final = Mask(())
