"""Ids that sort by time and can be copied by a double click: TypeIDs.

An id is a prefix and a UUIDv7 (RFC 9562) in 26 characters of Crockford's base
32, as the TypeID specification 0.3 has it: ``job_01kb1y6ph2f1arx0h6wqk5v8s3``.
"""

import os
import threading
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"


class _Clock:
    """Milliseconds and a count within them, which rise from one id to the next."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ms = 0
        self._count = 0

    def next(self) -> tuple[int, int]:
        with self._lock:
            now = time.time_ns() // 1_000_000
            if now > self._ms:
                # Half of the range is left for counting on within the millisecond.
                self._ms, self._count = now, int.from_bytes(os.urandom(2), "big") & 0x7FF
            elif self._count < 0xFFF:
                self._count += 1
            else:
                self._ms, self._count = self._ms + 1, 0
            return self._ms, self._count


_clock = _Clock()


def new_id(prefix: str) -> str:
    """Return a fresh id; those of one process rise."""
    return f"{prefix}_{_base32(_uuid7())}"


def _uuid7() -> int:
    ms, count = _clock.next()
    random = int.from_bytes(os.urandom(8), "big") & 0x3FFF_FFFF_FFFF_FFFF
    return (ms << 80) | (7 << 76) | (count << 64) | (2 << 62) | random


def _base32(number: int) -> str:
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))
