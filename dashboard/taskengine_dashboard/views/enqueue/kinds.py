"""What a form consists of: fields, what kind each is of, and what can be wrong with one. Plain data."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from taskengine_dashboard.views.enqueue.schemas import Schema

Path = tuple[str, ...]
LARGEST = 2**53 - 1
"""Browsers know no larger whole number."""


class Kind(StrEnum):
    """Which widget a field is, and what it gives back."""

    TEXT = "text"
    SECRET = "secret"  # noqa: S105 - a kind of field
    EMAIL = "email"
    URL = "url"
    INTEGER = "integer"
    DIGITS = "digits"
    """A whole number that browsers cannot count to, as text."""
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
    """Any number of anything else, each one a field of its own."""
    ENTRIES = "entries"
    """Any number of the same, each with a name: an object whose fields are not known."""
    UNION = "union"
    """One of several fields."""
    JSON = "json"


class _Unset:
    """There is no default, or nothing is to be sent."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET = _Unset()


def _nothing() -> tuple["Field", ...]:
    return ()


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
    """What a LIST is of, and what is typed into a SECRET."""
    unique: bool = False
    minimum: float | None = None
    maximum: float | None = None
    max_length: int | None = None
    example: str | None = None
    """How it is written, where that is not plain."""
    long: bool = False
    """Whether a text may well have several lines."""
    schema: Schema = field(default_factory=dict[str, Any], compare=False)
    read: Callable[[], tuple["Field", ...]] = field(default=_nothing, compare=False)

    @property
    def fields(self) -> tuple["Field", ...]:
        """Those of a GROUP; the one that each of ROWS or ENTRIES is; those that a UNION is one of."""
        return self.read()

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
    """What is wrong with one field. The path is as in JSON: ``("args", "recipients", "0")``."""

    path: Path
    message: str
