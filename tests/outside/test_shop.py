"""A project that only uses TaskEngine: a module of its own, in a folder of its own, typed as its author wrote it."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import taskengine
from support.clients import a_client, run_job
from support.workers import TESTS, WorkerProcess, worker_env
from taskengine.errors import InvalidInput
from taskengine.jobs import JobState

SHOP = TESTS / "outside" / "shop"
ORDER = {
    "id": "0195f1a2-0000-7000-8000-000000000007",
    "placed_on": "2025-03-01",
    "items": [{"sku": "KIT-1007", "unit_price": "9.90", "quantity": 2}, {"sku": "OFF-1175", "unit_price": 74.9}],
    "shipping": "exp",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The shop's folder, somewhere else."""
    shutil.copytree(SHOP, tmp_path / "project" / "shop", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "project"


@pytest.fixture
def worker(project: Path, redis_url: str) -> Iterator[WorkerProcess]:
    """A worker that was started in the project's folder and knows no other path."""
    with WorkerProcess("shop.tasks:engine", redis_url, data_dir=project, path=()) as worker:
        yield worker


@pytest.mark.usefixtures("worker")
async def test_a_model_goes_in_as_json_and_a_model_comes_out(redis_url: str) -> None:
    job = await run_job(redis_url, "orders.invoice", {"order": ORDER, "discount": "1.10"})
    assert (job.state, job.queue, job.priority) == (JobState.COMPLETED, "orders", 7)
    assert job.result == {"order": ORDER["id"], "total": "106.10", "arrives_on": "2025-03-02"}
    assert job.progress is not None
    assert (job.progress.current, job.progress.message) == (2, "OFF-1175")


@pytest.mark.usefixtures("worker")
async def test_what_is_wrong_deep_inside_is_named(redis_url: str) -> None:
    order = ORDER | {"items": [{"sku": "KIT-1007", "unit_price": "9.90", "quantity": 0}]}
    async with a_client(redis_url) as client:
        with pytest.raises(InvalidInput) as refused:
            await client.enqueue_job("orders.invoice", {"order": order})
        assert refused.value.path == ("args", "order", "items", "0", "quantity")
        assert (await client.count_jobs()).total == 0


@pytest.mark.usefixtures("worker")
async def test_an_error_of_the_users_own_is_recorded_by_its_name(redis_url: str) -> None:
    job = await run_job(redis_url, "stock.reserve", {"sku": "KIT-1007", "quantity": 99})
    assert (job.state, job.attempt_count) == (JobState.FAILED, 1)
    assert job.error is not None
    assert (job.error.exception, job.error.retryable) == ("shop.tasks.OutOfStock", False)
    assert job.error.message == "99 of KIT-1007 ordered from north, 10 there"


@pytest.mark.usefixtures("worker")
async def test_a_task_without_options_has_its_functions_name_and_the_defaults(redis_url: str) -> None:
    async with a_client(redis_url) as client:
        (weigh,) = [task for task in await client.list_tasks() if task.name == "weigh"]
    assert (weigh.queue, weigh.priority, weigh.max_attempts) == ("default", 5, 1)
    assert weigh.description is not None
    assert weigh.description.startswith("Return the weight of a parcel in grams.")


def test_the_users_own_code_enqueues_and_gets_its_own_types_back(
    worker: WorkerProcess, redis_url: str, project: Path
) -> None:
    script = f"""
from shop.orders import Order
from shop.tasks import invoice, weigh
order = Order.model_validate({ORDER!r})
print(repr(invoice(order).get(blocking=True, timeout=20)))
print(weigh.enqueue_many([(order.items, {{}}, 7), {{"items": [], "grams": {{}}}}])[0].get(blocking=True, timeout=20))
"""
    ran = subprocess.run(
        [sys.executable, "-c", script],
        env=worker_env(redis_url, data_dir=project, path=()),
        cwd=project,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stderr == ""
    bill, grams = ran.stdout.splitlines()
    assert bill.startswith("Invoice(order=UUID('0195f1a2-")
    assert "total=Decimal('107.20'), arrives_on=datetime.date(2025, 3, 2)" in bill
    assert grams == "21"


def test_a_type_checker_finds_the_calls_that_are_wrong_and_no_others(tmp_path: Path) -> None:
    usage = SHOP / "usage.py"
    lines = usage.read_text(encoding="utf-8").splitlines()
    wrong = {number for number, line in enumerate(lines, start=1) if line.endswith("# wrong")}
    assert len(wrong) >= 8
    assert {problem["line"] for problem in _complaints(usage, tmp_path)} == wrong


# Help


def _complaints(file: Path, folder: Path) -> list[dict[str, Any]]:
    """Return what a strict type checker says of a file, with lines from 1."""
    package = Path(taskengine.__file__).parent.parent
    config = {
        "include": [str(file)],
        "extraPaths": [str(package), str(file.parent.parent)],
        "typeCheckingMode": "strict",
        "pythonVersion": "3.11",
    }
    (folder / "pyrightconfig.json").write_text(json.dumps(config), encoding="utf-8")
    command = [sys.executable, "-m", "basedpyright", "--outputjson", "--project", str(folder)]
    command += ["--pythonpath", sys.executable]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, timeout=120, check=False).stdout)
    assert said["summary"]["filesAnalyzed"] == 1
    return [
        {"line": problem["range"]["start"]["line"] + 1, "message": problem["message"]}
        for problem in said["generalDiagnostics"]
    ]
