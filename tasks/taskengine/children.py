"""Processes that we start: each in a group of its own, tied to us, its output read line by line.

Knows nothing of Redis or of what the processes do. Start them from the main
thread: Linux ties a child to the thread that started it.
"""

import asyncio
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

_TETHER = str(Path(__file__).with_name("tether.py"))
_POLL_SECONDS = 0.1
_HURRY_SECONDS = 3.0
_LAST_READS = 64
_LONGEST_LINE = 16_384
"""Bytes after which a line without an end is handed on all the same."""


class Child:
    """A running process, with all that it starts. ``stdin`` is all that it can read there."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        env: Mapping[str, str],
        on_line: Callable[[str], None],
        stdin: bytes = b"",
        pass_fds: Sequence[int] = (),
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", _TETHER, str(os.getpid()), *command],
            stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=dict(env),
            pass_fds=pass_fds,
            process_group=0,  # Ctrl-C in a terminal reaches us alone, and we stop all in order
        )
        assert self._process.stdout is not None
        self.last_lines: deque[str] = deque(maxlen=20)
        self._swept = False
        self._output = _Lines(self._process.stdout, self._keep(on_line))
        if self._process.stdin is not None:
            with suppress(BrokenPipeError), self._process.stdin as pipe:  # it ended at once: its exit code tells
                pipe.write(stdin)

    @property
    def pid(self) -> int:
        """Its process id, which is the id of its process group too."""
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """Its exit code (negative: the signal that killed it), or ``None`` while it runs."""
        return self._process.poll()

    async def wait(self) -> int:
        """Wait until it has ended; then end what it left of its group, and hand on its last lines."""
        while (code := self._process.poll()) is None:
            await asyncio.sleep(_POLL_SECONDS)
        if not self._swept:  # once: later its group's id may be another's
            self._swept = True
            self._signal_group(signal.SIGKILL)
            self._output.close()
        return code

    async def stop(self, *, grace_seconds: float, hurry: asyncio.Event) -> int:
        """Ask it to end and wait; ask again once ``hurry`` is set; kill it when its time is over."""
        ended = asyncio.create_task(self.wait())
        hurried = asyncio.create_task(hurry.wait())
        self.terminate()
        await asyncio.wait([ended, hurried], timeout=grace_seconds, return_when=asyncio.FIRST_COMPLETED)
        if hurried.done() and not ended.done():
            self.terminate()
            await asyncio.wait([ended], timeout=_HURRY_SECONDS)
        hurried.cancel()
        if not ended.done():
            self.kill()
        return await ended

    def terminate(self) -> None:
        """Ask it to end. What it started itself is its own to end."""
        self._process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and its whole group at once."""
        if self._process.poll() is None:
            self._signal_group(signal.SIGKILL)

    def _signal_group(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):  # nobody is left
            os.killpg(self._process.pid, number)

    def _keep(self, on_line: Callable[[str], None]) -> Callable[[str], None]:
        def keep(line: str) -> None:
            self.last_lines.append(line)
            on_line(line)

        return keep


class _Lines:
    """Hands on what comes out of a pipe, line by line, as it comes."""

    def __init__(self, pipe: IO[bytes], on_line: Callable[[str], None]) -> None:
        self._pipe = pipe
        self._on_line = on_line
        self._rest = b""
        self._loop = asyncio.get_running_loop()
        os.set_blocking(pipe.fileno(), False)
        self._loop.add_reader(pipe.fileno(), self._read)

    def close(self) -> None:
        """Hand on what is left and stop reading, even if someone still holds the other end."""
        for _ in range(_LAST_READS):
            if self._pipe.closed or not self._read():
                break
        self._end()

    def _read(self) -> bool:
        try:
            data = os.read(self._pipe.fileno(), 65_536)
        except BlockingIOError:
            return False
        if not data:
            self._end()
            return False
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._hand_on(line)
        if len(self._rest) >= _LONGEST_LINE:
            self._flush()
        return True

    def _end(self) -> None:
        if not self._pipe.closed:
            self._loop.remove_reader(self._pipe.fileno())
            self._pipe.close()
            self._flush()

    def _flush(self) -> None:
        if self._rest:
            self._hand_on(self._rest)
            self._rest = b""

    def _hand_on(self, line: bytes) -> None:
        self._on_line(line.decode("utf-8", "replace").rstrip("\r"))
