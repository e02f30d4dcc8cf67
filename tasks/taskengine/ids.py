"""Ids that sort by time and can be copied by a double click: TypeIDs.

An id is a prefix and a UUIDv7 (RFC 9562) in 26 characters of Crockford's base
32, as the TypeID specification 0.3 has it: ``job_01kb1y6ph2f1arx0h6wqk5v8s3``.
"""

import os
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_last_ms = 0
_counter = 0


def new_id(prefix: str) -> str:
    """Return a fresh id; those of one process rise."""
    return f"{prefix}_{_base32(_uuid7())}"


def _uuid7() -> int:
    global _last_ms, _counter
    now = time.time_ns() // 1_000_000
    if now > _last_ms:
        # Half of rand_a's range is left for the counter, which keeps ids of one millisecond in order.
        _last_ms, _counter = now, int.from_bytes(os.urandom(2)) & 0x7FF
    else:
        _counter += 1
        if _counter > 0xFFF:
            _last_ms, _counter = _last_ms + 1, 0
    random = int.from_bytes(os.urandom(8)) & 0x3FFF_FFFF_FFFF_FFFF
    return (_last_ms << 80) | (7 << 76) | (_counter << 64) | (2 << 62) | random


def _base32(number: int) -> str:
    return "".join(_ALPHABET[(number >> shift) & 31] for shift in range(125, -1, -5))
