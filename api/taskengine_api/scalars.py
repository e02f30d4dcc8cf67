"""Values that GraphQL has no type for: how each is written, and what is refused.

``DateTime`` and ``JSON`` are used everywhere. The others exist for the
arguments of tasks; they check what came and hand on plain JSON.
"""

import base64
import binascii
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any, NewType
from uuid import UUID

import strawberry
from graphql import FloatValueNode, GraphQLError, GraphQLScalarType, IntValueNode, StringValueNode, ValueNode
from strawberry.types.scalar import ScalarDefinition

Json = NewType("Json", object)
"""Any JSON value."""

MAX_DIGITS = 1_000
"""Longer numbers are refused: reading them costs more than they can mean."""


def write_instant(value: datetime) -> str:
    """Write an instant in UTC, with its offset."""
    return value.astimezone(UTC).isoformat()


def read_instant(value: object) -> datetime:
    """Read an instant; without an offset it would mean another time on every machine, so it is refused."""
    if isinstance(value, str):
        try:
            instant = datetime.fromisoformat(value)
            if instant.tzinfo is not None:
                return instant.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise GraphQLError(f"expected an ISO 8601 time with its offset, such as 2030-01-31T12:00:00Z, got {value!r:.60}")


def read_json(value: object) -> object:
    """Return a JSON value as it is: what is no JSON, such as NaN, came through neither a body nor a document."""
    return value


SCALAR_MAP: dict[object, ScalarDefinition] = {
    datetime: strawberry.scalar(
        name="DateTime",
        description="ISO 8601 instant, always UTC with offset.",
        specified_by_url="https://scalars.graphql.org/andimarek/date-time",
        serialize=write_instant,
        parse_value=read_instant,
    ),
    Json: strawberry.scalar(
        name="JSON",
        description="Any JSON value; only for arguments, results and metadata of tasks.",
        parse_value=read_json,
    ),
}
"""What Strawberry makes of Python's types."""


def _text(read: Callable[[str], str | None], expected: str) -> Callable[[object], str]:
    """Make a reader of text: ``read`` returns it as it is handed on, or ``None``, or raises ``ValueError``."""

    def check(value: object) -> str:
        if isinstance(value, str):
            try:
                kept = read(value)
            except ValueError:
                kept = None
            if kept is not None:
                return kept
        raise GraphQLError(f"expected {expected}, got {value!r:.60}")

    return check


def _date(text: str) -> str:
    return date.fromisoformat(text).isoformat()


def _time(text: str) -> str:
    return time.fromisoformat(text).isoformat()


_DURATION = re.compile(
    r"[-+]?P(?!$)(\d+(\.\d+)?Y)?(\d+(\.\d+)?M)?(\d+(\.\d+)?W)?(\d+(\.\d+)?D)?"
    r"(T(?=\d)(\d+(\.\d+)?H)?(\d+(\.\d+)?M)?(\d+(\.\d+)?S)?)?"
)


def _duration(text: str) -> str | None:
    return text if _DURATION.fullmatch(text) else None


def _uuid(text: str) -> str:
    return str(UUID(text))


def _base64(text: str) -> str:
    try:
        base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error as error:
        raise ValueError from error
    return text


def read_big_int(value: object) -> int:
    """Read a whole number of any size, also from text: JavaScript's numbers end at 2^53."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and len(value) <= MAX_DIGITS and re.fullmatch(r"-?\d+", value, re.ASCII):
        return int(value)
    raise GraphQLError(f"expected a whole number, got {value!r:.60}")


def read_decimal(value: object) -> str:
    """Read an exact decimal number from a number or text; it is handed on as text."""
    if isinstance(value, (int, float, str)) and not isinstance(value, bool) and len(str(value)) <= MAX_DIGITS:
        try:
            number = Decimal(str(value))
        except InvalidOperation:
            number = Decimal("NaN")
        if number.is_finite():
            return str(value).strip()
    raise GraphQLError(f"expected a decimal number, got {value!r:.60}")


def _digits(read: Callable[[object], Any]) -> Callable[[ValueNode], Any]:
    """Make a reader of literals that keeps every digit that was written."""

    def literal(node: ValueNode) -> Any:
        if isinstance(node, (IntValueNode, FloatValueNode, StringValueNode)):
            return read(node.value)
        raise GraphQLError("expected a number", nodes=[node])

    return literal


def _scalar(name: str, description: str, read: Callable[[object], Any], url: str | None = None) -> GraphQLScalarType:
    return GraphQLScalarType(name, description=description, coerce_input_value=read, specified_by_url=url)


_GUILD = "https://scalars.graphql.org/andimarek/"

BIG_INT = GraphQLScalarType(
    "BigInt",
    description="A whole number of any size. Write it as text where your language's numbers end at 2^53.",
    coerce_input_value=read_big_int,
    coerce_input_literal=_digits(read_big_int),
)
DECIMAL = GraphQLScalarType(
    "Decimal",
    description="An exact decimal number. Write it as text where your language would round it.",
    coerce_input_value=read_decimal,
    coerce_input_literal=_digits(read_decimal),
)
DATE = _scalar("Date", "A day, such as 2030-01-31.", _text(_date, "a day such as 2030-01-31"), _GUILD + "local-date")
TIME = _scalar("Time", "A time of day, such as 12:30:00.", _text(_time, "a time of day such as 12:30:00"))
DURATION = _scalar("Duration", "An ISO 8601 duration, such as PT90S.", _text(_duration, "a duration such as PT90S"))
UUID_TEXT = _scalar("UUID", "A UUID.", _text(_uuid, "a UUID"), "https://tools.ietf.org/html/rfc4122")
BASE64 = _scalar("Base64", "Bytes, in base64.", _text(_base64, "bytes in base64"))
