"""The shop's own tests, run as its author runs them: pytest in their project, with taskengine's plugin."""

import os
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from support.workers import TESTS
from taskengine import pytest_plugin

PACKAGE = Path(pytest_plugin.__file__).resolve().parent.parent
# The plugin comes with the package where that is installed; from a bare checkout it is named.
INSTALLED = bool(entry_points(group="pytest11", name="taskengine"))


def run_tests(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest in a project with an environment that knows nothing of us but where the package is."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("TASKENGINE_", "PYTEST_"))}
    env["PYTHONPATH"] = str(PACKAGE)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *arguments]
    command += [] if INSTALLED else ["-p", "taskengine.pytest_plugin"]
    return subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The shop and its configuration, somewhere else."""
    shutil.copytree(TESTS / "outside" / "shop", tmp_path / "shop", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\npythonpath = ["."]\ntaskengine_engine = "shop.tasks:engine"\n'
        'asyncio_default_fixture_loop_scope = "function"\n'
    )
    return tmp_path


def test_the_shops_tests_pass(project: Path) -> None:
    ran = run_tests(project, "shop/test_tasks.py")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "7 passed" in ran.stdout


def test_the_redis_of_a_run_ends_with_it(project: Path) -> None:
    (project / "test_server.py").write_text(
        "def test_it(taskengine_redis, tmp_path):\n    print('REDIS', taskengine_redis)\n"
    )
    ran = run_tests(project, "-s", "test_server.py")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    url = next(line for line in ran.stdout.splitlines() if "REDIS" in line).split("REDIS ")[1].split()[0]
    probe = "import redis, sys; redis.Redis.from_url(sys.argv[1], socket_timeout=2).ping()"
    assert subprocess.run([sys.executable, "-c", probe, url], capture_output=True, check=False).returncode != 0


def test_an_engine_that_is_not_named_is_asked_for(project: Path) -> None:
    (project / "pyproject.toml").write_text('[tool.pytest.ini_options]\npythonpath = ["."]\n')
    ran = run_tests(project, "shop/test_tasks.py", "-k", "drained")
    assert ran.returncode != 0
    assert 'taskengine_engine = "shop.tasks:engine"' in ran.stdout


def test_a_test_that_enqueues_without_end_is_stopped(project: Path) -> None:
    (project / "endless.py").write_text(
        "from taskengine import TaskEngine\nengine = TaskEngine('endless')\n"
        "@engine.task()\ndef again() -> None:\n    again()\n"
    )
    (project / "test_endless.py").write_text(
        "import pytest\nfrom taskengine import testing\nfrom endless import again, engine\n"
        "def test_it(taskengine_redis, monkeypatch):\n"
        "    monkeypatch.setattr(testing, 'MAX_RUNS', 20)\n"
        "    with testing.bound(engine, taskengine_redis):\n"
        "        again()\n"
        "        with pytest.raises(testing.StillBusy, match=\"after 20 runs .* job of 'again'\"):\n"
        "            testing.drain(engine)\n"
    )
    ran = run_tests(project, "test_endless.py")
    assert ran.returncode == 0, ran.stdout + ran.stderr
