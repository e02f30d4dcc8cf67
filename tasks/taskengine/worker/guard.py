"""Keeps the secrets of the job that runs here: out of what it says, and out of what is kept of its way.

What a task hands to the standard ``logging`` is masked where the record is made, so that no handler, ours or
the user's, gets to see it.
"""

import json
import logging
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from traceback import format_exception
from typing import Any

from taskengine.encryption import Keyring
from taskengine.masks import NO_MASK, Mask
from taskengine.records import SEALED, dumps, is_sealed


class Guard:
    """What keeps the secrets of one job. Without a keyring it has none to keep."""

    def __init__(self, mask: Mask = NO_MASK, keyring: Keyring | None = None) -> None:
        self.mask = mask
        self._keyring = keyring

    def seal(self, checkpoint: str) -> str:
        """Return a checkpoint as it is kept: it may say anything that the task was given."""
        return checkpoint if self._keyring is None else SEALED + dumps(self._keyring.seal(checkpoint))

    def open(self, kept: str) -> str:
        """Return a checkpoint as it was saved; raise ``UnreadableSecret``."""
        if self._keyring is None or not is_sealed(kept):
            return kept
        return self._keyring.open(*json.loads(kept.removeprefix(SEALED)))


NO_GUARD = Guard()


_mask_here: ContextVar[Mask] = ContextVar("taskengine_mask", default=NO_MASK)


@contextmanager
def masking_ends() -> Generator[None]:
    """Around one job: what ``mask_records`` began inside ends with it."""
    token = _mask_here.set(NO_MASK)
    try:
        yield
    finally:
        _mask_here.reset(token)


def mask_records(mask: Mask) -> None:
    """Have every record of ``logging`` masked that is made here, and in coroutines and threads of the same context."""
    _mask_here.set(mask)
    make = logging.getLogRecordFactory()
    if mask is not NO_MASK and not isinstance(make, _MaskedRecords):
        logging.setLogRecordFactory(_MaskedRecords(make))


class _MaskedRecords:
    """Makes records as another factory does. One that stands around another finds nothing left to mask."""

    def __init__(self, make: Callable[..., logging.LogRecord]) -> None:
        self._make = make

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record, mask = self._make(*args, **kwargs), _mask_here.get()
        if mask is not NO_MASK:
            _mask(record, mask)
        return record


def _mask(record: logging.LogRecord, mask: Mask) -> None:
    """Take secrets out of a record: what has none stays as it was, for handlers that look at its parts."""
    try:
        words = record.getMessage()
    except Exception:  # noqa: BLE001 - logging's way: arguments that do not fit the format are told, with the rest
        words = f"{record.msg} {record.args!r}"
        record.msg, record.args = words, None
    if (masked := mask(words)) != words:
        record.msg, record.args = masked, None
    if record.exc_info and record.exc_info[1] is not None:
        text = "".join(format_exception(record.exc_info[1])).rstrip("\n")
        if (masked := mask(text)) != text:
            record.exc_text, record.exc_info = masked, None
