"""The clients in ``examples/``, run as their README says, on the API with a worker for the sample tasks."""

import json
import os
import shutil
import sys
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from support.api import has_field, running_api, serving
from support.node import MODULES, node_path, run
from support.workers import WorkerProcess

EXAMPLES = Path(__file__).parents[2] / "examples"
FOUND = ["folder", "unit", "files", "bytes", "unreadable", "total", "distinct", "top", "written_to"]


@pytest.fixture
async def url(redis_url: str, tmp_path: Path) -> AsyncGenerator[str]:
    """What an API serves whose worker runs the sample tasks."""
    with WorkerProcess("taskengine.samples:engine", redis_url, data_dir=tmp_path / "worker"):
        async with running_api(redis_url) as api, serving(api.app) as address:
            await has_field(api, "enqueueReportBuild")
            yield f"http://{address}/graphql"


def check(output: str) -> None:
    """Whether a client has told of the whole life of its job, and of what was found."""
    *told, result = output.splitlines()
    states = [line.strip() for line in told if " of " not in line]
    assert states == ["QUEUED", "RUNNING", "COMPLETED"]
    assert any(" of 5 " in line for line in told), told
    report = json.loads(result)
    assert list(report) == FOUND
    assert (report["folder"], report["files"], len(report["top"])) == ("stdlib/json", 5, 3)


def a_project(folder: Path) -> Path:
    """The example in TypeScript, in a folder of its own, with the packages that are here."""
    node_path()
    project = folder / "typescript"
    made = shutil.ignore_patterns("node_modules", "dist", "generated")
    shutil.copytree(EXAMPLES / "typescript", project, ignore=made)
    (project / "node_modules").symlink_to(MODULES)
    return project


async def test_the_client_in_python(url: str) -> None:
    program = EXAMPLES / "python" / "report.py"
    check(await run(sys.executable, str(program), env={**os.environ, "TASKENGINE_URL": url}))


async def test_the_client_in_typescript_is_generated_compiled_strictly_and_runs(url: str, tmp_path: Path) -> None:
    project = a_project(tmp_path)
    assert json.loads((project / "tsconfig.json").read_text("utf-8"))["compilerOptions"]["strict"] is True
    output = await run("npm", "--silent", "start", cwd=project, env={**os.environ, "TASKENGINE_URL": url})
    check(output[output.index("QUEUED") :])

    # And the types are real: a field that is not there does not compile.
    source = project / "src" / "report.ts"
    source.write_text(source.read_text("utf-8").replace("event.progress.current", "event.progress.percent"), "utf-8")
    with pytest.raises(AssertionError, match="Property 'percent' does not exist"):
        await run("npm", "exec", "tsc", cwd=project)
