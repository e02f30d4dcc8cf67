"""``huey_consumer shop.tasks.engine``: Huey's own command runs a worker of ours."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from support.waiting import wait_until
from support.workers import worker_env
from taskengine import InvalidInput, TaskEngine
from taskengine.worker.consumer import JobConsumer

MODULE = """
import os
from taskengine import TaskEngine

engine = TaskEngine("default")

@engine.on_startup()
def begin():
    print("began", flush=True)

@engine.on_shutdown()
def end():
    print("ended", flush=True)

@engine.task(context=True)
def where(task=None) -> int:
    return os.getpid()
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(MODULE)
    return tmp_path


@pytest.fixture
def engine(redis_url: str) -> Iterator[TaskEngine]:
    engine = TaskEngine("default", url=redis_url)
    yield engine
    engine.storage.close()


@pytest.mark.parametrize(("kind", "workers"), [("thread", 2), ("process", 1)])
def test_hueys_command_runs_tasks_and_stops_in_order(
    project: Path, engine: TaskEngine, redis_url: str, redis: Redis, kind: str, workers: int
) -> None:
    @engine.task()
    def where() -> int:
        raise AssertionError("it runs in the worker")

    command = [sys.executable, "-m", "huey.bin.huey_consumer", "app.engine", "-k", kind, "-w", str(workers), "-q"]
    log = project / "log"
    with log.open("wb") as output:
        worker = subprocess.Popen(
            command,
            cwd=project,
            env=worker_env(redis_url, data_dir=project, path=()) | {"PYTHONUNBUFFERED": "1"},
            stdout=output,
            stderr=output,
        )
    try:
        result = where()
        pid = result.get(blocking=True, timeout=30)
        assert (pid == worker.pid) == (kind == "thread")
        (facts,) = redis.hvals(engine.job_storage.keys.workers)
        assert f'"concurrency":{workers},"mode":"{kind}"' in facts
        worker.send_signal(signal.SIGINT)
        assert worker.wait(timeout=30) == 0, log.read_text()
        assert log.read_text().count("began") == workers
        assert log.read_text().count("ended") == workers
        assert redis.hlen(engine.job_storage.keys.workers) == 0
    finally:
        worker.kill()
        worker.wait()


def test_hueys_options_become_ours(engine: TaskEngine) -> None:
    consumer = engine.create_consumer(workers=3, worker_type="process", shutdown_timeout=7, initial_delay=0.1)
    assert isinstance(consumer, JobConsumer)
    assert (consumer.workers, consumer.facts.mode, engine.settings.grace_seconds) == (3, "process", 7)


def test_greenlets_are_refused(engine: TaskEngine) -> None:
    with pytest.raises(InvalidInput, match="expected thread or process, got 'greenlet'"):
        engine.create_consumer(worker_type="greenlet")


def test_locks_left_behind_are_freed_when_a_consumer_is_told_to(engine: TaskEngine) -> None:
    engine.lock_task("ours").acquire()
    engine.shelf.take_lock("theirs", " x", ttl_ms=60_000)
    engine.create_consumer(workers=1, flush_locks=True, extra_locks="theirs")
    assert not engine.is_locked("ours")
    assert not engine.is_locked("theirs")


def test_a_child_is_replaced_after_so_many_tasks(project: Path, engine: TaskEngine, redis_url: str) -> None:
    @engine.task()
    def where() -> int:
        raise AssertionError("it runs in the worker")

    command = [sys.executable, "-m", "huey.bin.huey_consumer", "app.engine", "-k", "process", "-w", "1", "-M", "2"]
    with (project / "log").open("wb") as output:
        env = worker_env(redis_url, data_dir=project, path=())
        worker = subprocess.Popen(command, cwd=project, env=env, stdout=output, stderr=output)
    try:
        results = [where() for _ in range(6)]
        wait_until(lambda: all(result.is_ready() for result in results), 40, "all have run")
        assert len({result.get() for result in results}) >= 2
        assert os.getpid() not in {result.get() for result in results}
    finally:
        worker.kill()
        worker.wait()
