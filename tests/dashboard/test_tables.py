"""Rows as Arrow tables."""

from dataclasses import replace

import pytest

from support.fake_api import NOW, FakeApi
from taskengine_dashboard import tables
from taskengine_dashboard.model.jobs import JobRow, Progress
from taskengine_dashboard.model.workers import WorkerRow
from taskengine_dashboard.views.overview import questions
from taskengine_dashboard.views.overview import tables as overview_tables


def a_row(**facts: object) -> JobRow:
    row = JobRow(
        id="job_01jdxk3m5qexxrrz8n0d2a7f4c",
        state="RUNNING",
        task="greet",
        queue="default",
        priority=5,
        attempt_count=1,
        max_attempts=3,
        created_at=NOW,
    )
    return replace(row, **facts)  # type: ignore[arg-type]


def a_worker(**facts: object) -> WorkerRow:
    worker = WorkerRow(
        name="w1",
        hostname="house",
        pid=1,
        version="0.1.0",
        queues=("mail", "default"),
        concurrency=4,
        running=1,
        online=True,
        draining=False,
        started_at=NOW,
        last_heartbeat_at=NOW,
    )
    return replace(worker, **facts)  # type: ignore[arg-type]


def test_a_job_is_a_row() -> None:
    (row,) = tables.jobs([a_row(run_seconds=1.5)]).to_pylist()
    assert row == {
        "job": "…0d2a7f4c",
        "state": ["RUNNING"],
        "task": "greet",
        "queue": "default",
        "progress": None,
        "error": None,
        "attempts": "1 / 3",
        "priority": 5,
        "created": NOW,
        "due": None,
        "finished": None,
        "waited": "—",
        "ran": "1.5 s",
    }


def test_no_jobs_are_a_table_all_the_same() -> None:
    assert tables.jobs([]).num_rows == 0


def test_only_a_running_job_has_a_bar() -> None:
    progress = Progress(current=1, total=3, message=None)
    rows = tables.jobs([a_row(progress=progress), a_row(progress=progress, state="COMPLETED")])
    assert rows.column("progress").to_pylist() == [0.33, None]


def test_a_worker_shows_its_load() -> None:
    (row,) = overview_tables.workers([a_worker()], NOW).to_pylist()
    assert row == {
        "worker": "w1",
        "state": ["Online"],
        "busy": "1 / 4",
        "load": 0.25,
        "queues": "mail, default",
        "seen": "just now",
    }


def test_a_dead_worker_carries_nothing() -> None:
    (row,) = overview_tables.workers([a_worker(online=False)], NOW).to_pylist()
    assert (row["state"], row["busy"], row["load"]) == (["Offline"], "—", 0.0)


@pytest.mark.parametrize(
    ("queues", "words"),
    [(("*",), "all"), (("mail",), "mail"), (("a", "b"), "a, b"), (("a", "b", "c", "d"), "a, b + 2"), ((), "")],
)
def test_a_worker_names_the_queues_that_it_serves(queues: tuple[str, ...], words: str) -> None:
    assert overview_tables.workers([a_worker(queues=queues)], NOW).column("queues").to_pylist() == [words]


def test_queues_show_depth_and_wait(api: FakeApi) -> None:
    api.add_job("QUEUED")
    api.add_job("FAILED")
    overview = questions.overview("HOUR", "HOUR").value
    assert overview is not None
    assert overview.queue_table.to_pylist() == [
        {"queue": "default", "state": [], "queued": 1, "wait": "12 s", "running": 0, "retrying": 0, "failed": 1}
    ]
