"""Processes that we start: their output, their end, and that nothing of them is left."""

import asyncio
import os
import signal
import subprocess
import sys

import psutil
import pytest

from support.waiting import wait_until
from taskengine.children import Child


def python(code: str, lines: list[str], *, stdin: bytes = b"") -> Child:
    return Child([sys.executable, "-c", code], env=os.environ, on_line=lines.append, stdin=stdin)


_POLITE = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
print("ready", flush=True)
time.sleep(60)
"""
_DEAF = """
import signal, time
signal.signal(signal.SIGTERM, lambda *_: print("asked", flush=True))
print("ready", flush=True)
while True:
    time.sleep(1)
"""


async def line_of(lines: list[str], start: str) -> str:
    async with asyncio.timeout(10):
        while not (found := [line for line in lines if line.startswith(start)]):
            await asyncio.sleep(0.02)
    return found[0]


async def test_its_output_comes_line_by_line_and_the_last_one_needs_no_end() -> None:
    lines: list[str] = []
    code = await python(
        "import sys; print('one'); print('two', file=sys.stderr, flush=True); print('é', end='')", lines
    ).wait()
    assert code == 0
    assert sorted(lines) == sorted(["two", "one", "é"])


async def test_a_line_that_never_ends_is_handed_on_in_pieces() -> None:
    lines: list[str] = []
    await python("print('x' * 100_000, end='')", lines).wait()
    assert len(lines) > 1
    assert "".join(lines) == "x" * 100_000


async def test_bytes_that_are_no_text_are_replaced() -> None:
    lines: list[str] = []
    await python(r"import sys; sys.stdout.buffer.write(b'a\xffb\n')", lines).wait()
    assert lines == ["a\N{REPLACEMENT CHARACTER}b"]


async def test_it_reads_what_it_was_given_and_then_an_end() -> None:
    lines: list[str] = []
    await python("print(input()); print(repr(__import__('sys').stdin.read()))", lines, stdin=b"secret\n").wait()
    assert lines == ["secret", "''"]


async def test_its_last_lines_are_kept() -> None:
    child = python("for n in range(50): print(n)", [])
    await child.wait()
    assert list(child.last_lines) == [str(number) for number in range(30, 50)]


async def test_stopping_asks_first() -> None:
    lines: list[str] = []
    child = python(_POLITE, lines)
    await line_of(lines, "ready")
    assert await child.stop(grace_seconds=10, hurry=asyncio.Event()) == 7


async def test_who_does_not_listen_is_killed_when_its_time_is_over() -> None:
    lines: list[str] = []
    child = python(_DEAF, lines)
    await line_of(lines, "ready")
    assert await child.stop(grace_seconds=0.2, hurry=asyncio.Event()) == -signal.SIGKILL


async def test_in_a_hurry_it_is_asked_again_and_then_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("taskengine.children._HURRY_SECONDS", 0.5)
    lines: list[str] = []
    child = python(_DEAF, lines)
    await line_of(lines, "ready")
    hurry = asyncio.Event()
    stopping = asyncio.create_task(child.stop(grace_seconds=60, hurry=hurry))
    await line_of(lines, "asked")
    hurry.set()
    assert await stopping == -signal.SIGKILL
    assert lines.count("asked") == 2


async def test_what_it_started_ends_with_it() -> None:
    lines: list[str] = []
    child = python(
        "import subprocess, time; p = subprocess.Popen(['sleep', '60']); print('grandchild', p.pid, flush=True)", lines
    )
    await child.wait()
    grandchild = int((await line_of(lines, "grandchild")).split()[1])
    await asyncio.to_thread(wait_until, lambda: gone(grandchild), 5, "the grandchild is gone")


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing ties a process to its parent")
def test_it_dies_when_its_parent_is_killed() -> None:
    code = (
        "import asyncio, os\nfrom taskengine.children import Child\n"
        "async def main():\n"
        "    child = Child(['sleep', '60'], env=os.environ, on_line=print)\n"
        "    print(child.pid, flush=True)\n    await asyncio.sleep(60)\n"
        "asyncio.run(main())"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert psutil.pid_exists(child)
        parent.kill()
    wait_until(lambda: gone(child), 5, "the child died with its parent")


def gone(pid: int) -> bool:
    """Whether a process has ended, even if nobody has asked for its exit code yet."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
