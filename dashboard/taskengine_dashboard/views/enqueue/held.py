"""Which JSON values a field can hold, and what its widget holds then. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any

from taskengine_dashboard import wording
from taskengine_dashboard.shapes import is_list, is_object
from taskengine_dashboard.views.enqueue.kinds import LARGEST, UNSET, Field, Kind

EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)
"""Between these the calendars let one choose."""
_LINE = 60
PLAINLY = (Kind.TEXT, Kind.EMAIL, Kind.URL, Kind.SECRET, Kind.CHOICE, Kind.DATE, Kind.TIME, Kind.DATETIME)
"""What is typed into the field of a SECRET as it is; all else as JSON."""


def fits(one: Field, value: Any) -> bool:
    """Whether the field can hold this JSON value, and so can what is in it."""
    if value is None:
        return one.nullable or one.kind is Kind.JSON
    match one.kind:
        case Kind.GROUP:
            known = {part.name: part for part in one.fields}
            return (
                is_object(value)
                and all(name in value for name, part in known.items() if part.required)
                and all(name in known and fits(known[name], part) for name, part in value.items())
            )
        case Kind.ROWS:
            return is_list(value) and all(fits(one.fields[0], part) for part in value)
        case Kind.ENTRIES:
            return is_object(value) and all(name.strip() and fits(one.fields[0], part) for name, part in value.items())
        case Kind.UNION:
            return any(fits(part, value) for part in one.fields)
        case _:
            return held(one, value) is not UNSET


def held(one: Field, value: Any, zone: tzinfo = UTC) -> Any:
    """Return what a field's widget holds when it stands for this JSON value; ``UNSET`` when it cannot.

    Not for fields that consist of others: those hold what their parts do.
    """
    match one.kind:
        case Kind.TEXT | Kind.EMAIL | Kind.URL:
            return _held_text(one, value)
        case Kind.SECRET:
            return value if one.item in PLAINLY and isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        case Kind.INTEGER | Kind.DIGITS | Kind.NUMBER:
            return _held_number(one, value)
        case Kind.BOOLEAN:
            return value if isinstance(value, bool) else UNSET
        case Kind.CHOICE:
            return value if _is_in(value, one.choices) else UNSET
        case Kind.CHOICES:
            several = is_list(value) and _are_apart(value) and not (one.can_be_absent and value == [])
            return value if several and all(_is_in(part, one.choices) for part in value) else UNSET
        case Kind.LIST if one.can_be_absent and value == []:
            return UNSET
        case Kind.LIST:
            return _held_list(one, value)
        case Kind.DATE | Kind.TIME | Kind.DATETIME:
            return _held_time(one.kind, value, zone)
        case _:
            text = json.dumps(value, ensure_ascii=False)
            return text if len(text) <= _LINE else wording.pretty(value)


def misfits(fields: Iterable[Field], given: Mapping[str, Any]) -> list[str]:
    """Return the names of given values that none of the fields can hold as they are."""
    known = {one.name: one for one in fields}
    return [name for name, value in given.items() if name not in known or not fits(known[name], value)]


def variant_of(union: Field, value: Any) -> int | None:
    """Return which of a UNION's fields this JSON value is one of."""
    return next((number for number, one in enumerate(union.fields) if fits(one, value)), None)


def _held_text(one: Field, value: Any) -> Any:
    if _is_whole(value) and one.example is not None:
        return str(value)  # a Decimal's default may be written as a number
    if not isinstance(value, str) or len(value) > (one.max_length or len(value)):
        return UNSET
    return UNSET if "\n" in value and not one.long else value


def _held_number(one: Field, value: Any) -> Any:
    if one.kind is Kind.DIGITS:
        return str(value) if _is_whole(value) else UNSET
    if not (_is_whole(value) if one.kind is Kind.INTEGER else _is_number(value)):
        return UNSET
    if abs(value) > LARGEST or not _is_within(one, value):
        return UNSET
    return value if one.kind is Kind.INTEGER else float(value)


def _held_list(one: Field, value: Any) -> Any:
    if not is_list(value):
        return UNSET
    if one.item is Kind.INTEGER:
        return [str(part) for part in value] if all(map(_is_whole, value)) else UNSET
    if one.item is Kind.NUMBER:
        return [str(part) for part in value] if all(map(_is_number, value)) else UNSET
    texts = all(isinstance(part, str) and part.strip() == part != "" and "\n" not in part for part in value)
    return value if texts and _are_apart(value) else UNSET


def _held_time(kind: Kind, value: Any, zone: tzinfo) -> Any:
    try:
        if kind is Kind.DATE:
            day = date.fromisoformat(value)
            return day if EARLIEST <= day <= LATEST else UNSET
        if kind is Kind.TIME:
            return time.fromisoformat(value).replace(tzinfo=None, second=0, microsecond=0)
        moment = datetime.fromisoformat(value)
        local = moment.astimezone(zone) if moment.tzinfo else moment
        shown = local.replace(tzinfo=None, second=0, microsecond=0)
        return shown if EARLIEST <= shown.date() <= LATEST else UNSET
    except (TypeError, ValueError, OverflowError):
        return UNSET


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_within(one: Field, value: float) -> bool:
    return (one.minimum is None or one.minimum <= value) and (one.maximum is None or value <= one.maximum)


def _is_in(value: Any, choices: Iterable[Any]) -> bool:
    return any(value == choice and type(value) is type(choice) for choice in choices)


def _are_apart(values: Sequence[Any]) -> bool:
    return len({repr(value) for value in values}) == len(values)
