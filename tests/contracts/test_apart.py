"""Who loads what when it runs. ``make imports`` holds what the sources say; this, what happens."""

import subprocess
import sys

import pytest

LOADED = "import sys; print(*sorted({name.split('.')[0] for name in sys.modules}))"


def loaded_by(statement: str) -> set[str]:
    """Return the top-level modules that a fresh interpreter holds after a statement."""
    command = [sys.executable, "-c", f"{statement}; {LOADED}"]
    return set(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


def test_the_api_loads_neither_huey_nor_the_dashboard() -> None:
    assert loaded_by("import taskengine_api.serve") & {"huey", "taskengine_dashboard", "streamlit"} == set()


def test_the_client_side_loads_no_huey() -> None:
    assert "huey" not in loaded_by("import taskengine.client")


def test_the_dashboard_loads_nothing_of_the_engine() -> None:
    loaded = loaded_by("import taskengine_dashboard.serve")
    assert loaded & {"huey", "redis", "taskengine", "taskengine_api", "strawberry"} == set()


@pytest.mark.parametrize("module", ["taskengine.engine", "taskengine.worker.main"])
def test_a_worker_loads_neither_the_api_nor_the_dashboard(module: str) -> None:
    loaded = loaded_by(f"import {module}")
    assert loaded & {"taskengine_api", "taskengine_dashboard", "strawberry", "streamlit", "fastapi"} == set()
