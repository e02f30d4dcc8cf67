"""GraphQL clients and tools of the JavaScript world, run in Node against the API.

output = await run_node("audits.mjs", url)      a program of tests/node, to its end; it has to exit with 0
"""

import asyncio
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

PROGRAMS = Path(__file__).resolve().parents[1] / "node"
MODULES = PROGRAMS / "node_modules"
SECONDS = 120


def node_path() -> str:
    """Return Node's program. Without it or its packages the test is skipped, saying how to get them; in CI it fails."""
    node = shutil.which("node")
    if node is not None and (MODULES / ".installed").exists():
        return node
    reason = "needs Node 20 or newer with npm, and `make clients`"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


async def run_node(program: str | Path, *arguments: str | Path) -> str:
    """Run a program of ``tests/node``, or one anywhere, and return what it prints."""
    return await run(node_path(), str(PROGRAMS / program), *map(str, arguments))


async def run(*command: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> str:
    """Run a program to its end, which has to be a good one, and return what it prints. Other tasks run meanwhile."""
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=cwd,
        env=env,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(SECONDS):
            output, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    text = output.decode()
    assert process.returncode == 0, f"{command} ended with {process.returncode}:\n{text}\n{complaints.decode()}"
    return text
