"""A notice board in shared memory: what one process wrote last, another reads, also after the writer was killed."""

import json
import mmap
import struct
import zlib
from typing import Any

_HEADER = struct.Struct("<II")  # length and checksum of what follows
_SIZE = 64 * 1024


class Board:
    """One writer, any readers that forked from one process. Holds one JSON value."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, _SIZE)

    def write(self, value: Any) -> None:
        """Replace what is written."""
        data = json.dumps(value).encode()
        if len(data) > _SIZE - _HEADER.size:
            raise ValueError(f"{len(data)} bytes do not fit on a board of {_SIZE}")
        self._memory[_HEADER.size : _HEADER.size + len(data)] = data
        self._memory[: _HEADER.size] = _HEADER.pack(len(data), zlib.crc32(data))

    def read(self) -> Any:
        """Return what is written; ``None`` for nothing, or for half of something."""
        length, checksum = _HEADER.unpack(self._memory[: _HEADER.size])
        data = self._memory[_HEADER.size : _HEADER.size + length]
        if not length or length > _SIZE - _HEADER.size or zlib.crc32(data) != checksum:
            return None
        return json.loads(data)
