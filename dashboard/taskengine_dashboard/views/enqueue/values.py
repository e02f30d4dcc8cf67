"""From what the widgets hold to arguments, and back. Pure.

A field that still holds its default is left out of the arguments: the task's
own default then counts, also after it has changed.
"""

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, tzinfo
from typing import Any

from taskengine_dashboard.shapes import is_object
from taskengine_dashboard.views.enqueue.held import PLAINLY, held
from taskengine_dashboard.views.enqueue.kinds import UNSET, Field, Kind, Path, Problem
from taskengine_dashboard.views.enqueue.schemas import MARKER

_NUMBER_TEXT = re.compile(r"[-+]?\d+", re.ASCII)


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


def _value_of(one: Field, raw: Any, zone: tzinfo, path: Path) -> tuple[Any, list[Problem]]:
    if _is_empty(one, raw):
        return _nothing(one, path)
    if not one.required and _still_holds_default(one, raw, zone):
        return UNSET, []
    value, problems = _READERS[one.kind](one, raw, zone, path)
    if not problems and not one.required and _is_default(one, value):
        return UNSET, []
    return value, problems


def _still_holds_default(one: Field, raw: Any, zone: tzinfo) -> bool:
    """Whether nobody has touched it, though what it holds would be written otherwise: a time in another zone."""
    if one.default is UNSET or one.kind not in {Kind.DATE, Kind.TIME, Kind.DATETIME, Kind.TEXT, Kind.LIST, Kind.NUMBER}:
        return False
    shown = held(one, one.default, zone)
    return shown == raw and type(shown) is type(raw)


def _is_default(one: Field, value: Any) -> bool:
    if one.kind is Kind.GROUP:
        own = {part.name: part.default for part in one.fields if part.default is not UNSET}
        value = {**own, **value}
    return value == one.default and type(value) is type(one.default)


def _is_empty(one: Field, raw: Any) -> bool:
    if raw is None or (raw == [] and one.can_be_absent and one.kind in {Kind.LIST, Kind.CHOICES}):
        return True  # of a list that need not be given, nothing chosen is none
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


def _read_group(one: Field, raw: Any, zone: tzinfo, path: Path) -> tuple[Any, list[Problem]]:
    return collect(one.fields, raw, zone, path)


def _read_rows(one: Field, raw: Any, zone: tzinfo, path: Path) -> tuple[Any, list[Problem]]:
    (item,) = one.fields
    rows: list[Any] = []
    problems: list[Problem] = []
    for number, row in enumerate(raw):
        value, wrong = _value_of(item, row, zone, (*path, str(number)))
        rows.append(value)
        problems += wrong
    return rows, problems


def _read_entries(one: Field, raw: Any, zone: tzinfo, path: Path) -> tuple[Any, list[Problem]]:
    (item,) = one.fields
    entries: dict[str, Any] = {}
    problems: list[Problem] = []
    for number, (name, part) in enumerate(raw):
        if not name.strip():
            problems.append(Problem((*path, f"#{number}"), "needs a name"))
        elif name in entries:
            problems.append(Problem((*path, f"#{number}"), f"there is another {name}"))
        else:
            value, wrong = _value_of(item, part, zone, (*path, name))
            entries[name] = value
            problems += wrong
    return entries, problems


def _read_union(one: Field, raw: Any, zone: tzinfo, path: Path) -> tuple[Any, list[Problem]]:
    number: int = raw[0]
    variant, value = one.fields[number], raw[1]
    read, problems = _value_of(variant, value, zone, path)
    if variant.kind is Kind.GROUP and is_object(read):
        # What is left out tells it from no other: so here nothing is.
        own: dict[str, Any] = {part.name: part.default for part in variant.fields if part.default is not UNSET}
        return own | read, problems
    return read, problems


def _read_list(one: Field, raw: Any, _zone: tzinfo, path: Path) -> tuple[Any, list[Problem]]:
    readers: dict[Kind, Any] = {Kind.INTEGER: int, Kind.NUMBER: _number}
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


def _read_secret(one: Field, raw: Any, zone: tzinfo, path: Path) -> tuple[Any, list[Problem]]:
    if one.item in PLAINLY or raw == MARKER:
        return raw, []
    value, problems = _read_json(one, raw, zone, path)
    return value, [Problem(path, "is not JSON, as it must be written here")] if problems else []


def _read_digits(_one: Field, raw: Any, _zone: tzinfo, path: Path) -> tuple[Any, list[Problem]]:
    if _NUMBER_TEXT.fullmatch(raw.strip()) and len(raw) < 1_000:
        return int(raw), []
    return UNSET, [Problem(path, f"expected a whole number, got {raw!r:.60}")]


def _read_json(_one: Field, raw: Any, _zone: tzinfo, path: Path) -> tuple[Any, list[Problem]]:
    try:
        return read_json(raw), []
    except ValueError as problem:
        return UNSET, [Problem(path, f"is not JSON: {problem}")]


def read_json(text: str) -> Any:
    """Return JSON as it was written; raise ``ValueError``, also for NaN and what else JSON does not have."""

    def refuse(constant: str) -> Any:
        raise ValueError(f"there is no {constant}")

    return json.loads(text, parse_constant=refuse)


def _read_time(_one: Field, raw: Any, zone: tzinfo, _path: Path) -> tuple[Any, list[Problem]]:
    return iso(raw, zone), []


def _read_as_it_is(_one: Field, raw: Any, _zone: tzinfo, _path: Path) -> tuple[Any, list[Problem]]:
    return raw, []


def _read_whole(_one: Field, raw: Any, _zone: tzinfo, _path: Path) -> tuple[Any, list[Problem]]:
    return int(raw), []


def _number(text: str) -> float | int:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return int(text) if _NUMBER_TEXT.fullmatch(text) else number


def iso(raw: datetime | date | time, zone: tzinfo) -> str:
    """Return a time as JSON has it; a date and time without a zone is meant in this one."""
    if isinstance(raw, datetime):
        return (raw if raw.tzinfo else raw.replace(tzinfo=zone)).isoformat()
    return raw.isoformat()


_Reader = Callable[[Field, Any, tzinfo, Path], tuple[Any, list[Problem]]]
_READERS: dict[Kind, _Reader] = {
    **dict.fromkeys(Kind, _read_as_it_is),
    Kind.SECRET: _read_secret,
    Kind.INTEGER: _read_whole,
    Kind.DIGITS: _read_digits,
    Kind.LIST: _read_list,
    Kind.DATE: _read_time,
    Kind.TIME: _read_time,
    Kind.DATETIME: _read_time,
    Kind.GROUP: _read_group,
    Kind.ROWS: _read_rows,
    Kind.ENTRIES: _read_entries,
    Kind.UNION: _read_union,
    Kind.JSON: _read_json,
}
