"""What operators did: who, when, what. Read here; written by the scripts that do it (``lua/fragments/audit.lua``).

An action belongs to an operator when the caller of a client's method says ``by`` whom it is; what programs do
on their own account is not written down.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from taskengine.errors import InvalidInput
from taskengine.jobs import check_text
from taskengine.keys import Keys
from taskengine.records import instant, text
from taskengine.scripts import Call, call

KEPT = 10_000
"""The newest so many entries are kept, as in ``lua/fragments/audit.lua``."""
MAX_NAME = 100
_CURSOR = re.compile(r"[0-9]{1,19}-[0-9]{1,19}")
"""Redis takes no longer numbers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One action of an operator. ``id`` is its cursor in a page too."""

    id: str
    at: datetime
    by: str
    action: str
    """The client's method: ``cancel_job``, ``clear_history``, …"""
    subject: str
    """What it was done to: the id of a job or group, the name of a queue, …"""
    details: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    """A page of entries, newest first."""

    entries: tuple[AuditEntry, ...]
    has_next: bool
    has_previous: bool


def list_entries(keys: Keys, *, cursor: str | None, limit: int, backward: bool = False) -> Call[AuditPage]:
    """A page behind the entry ``cursor``; ``backward``, the page that ends before it."""

    def decode(reply: Sequence[Any]) -> AuditPage:
        more, before, rows = reply
        entries = [_read_entry(text(row[0]), row[1]) for row in rows]
        return AuditPage(
            entries=tuple(reversed(entries) if backward else entries),
            has_next=bool(before if backward else more),
            has_previous=bool(more if backward else before),
        )

    return call("list_audit_entries", keys.prefix, decode, backward=int(backward), cursor=cursor or "", limit=limit)


def check_by(by: str | None) -> str:
    """Return what scripts take for the name of who acts, ``""`` for ``None``; raise ``InvalidInput``."""
    return "" if by is None else check_text(by, ("by",), at_most=MAX_NAME)


def check_cursor(cursor: str, path: tuple[str, ...] = ("after",)) -> str:
    """Return the cursor of an entry, or raise ``InvalidInput``."""
    if _CURSOR.fullmatch(cursor):
        return cursor
    raise InvalidInput(path, f"expected a cursor that a page returned, got {cursor[:40]!r}")


def _read_entry(entry_id: str, pairs: Sequence[Any]) -> AuditEntry:
    flat = [text(item) for item in pairs]
    facts = dict(zip(flat[::2], flat[1::2], strict=True))
    return AuditEntry(
        id=entry_id,
        at=instant(int(entry_id.partition("-")[0])),
        by=facts["by"],
        action=facts["action"],
        subject=facts["subject"],
        details=json.loads(facts["details"]) if facts["details"] else {},
    )
