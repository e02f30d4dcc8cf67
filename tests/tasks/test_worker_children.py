"""Children of a worker in process mode, when one of them dies and when their parent does."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.universal import engine
from support.workers import worker_env
from taskengine.worker.consumer import JobConsumer
from taskengine.worker.processes import Slot

ORPHAN = """
import os, time
from support.universal import engine
from taskengine.worker.consumer import JobConsumer

consumer = JobConsumer(engine, workers=1, worker_type="process")
parent = os.getpid()
if os.fork():
    os._exit(0)
while os.getppid() == parent:
    time.sleep(0.01)
print("orphaned", flush=True)
consumer.environment.init_child(consumer.worker_threads[0][0])
print("lives on", flush=True)
"""


def test_a_child_whose_parent_died_before_it_could_look_ends(tmp_path: Path) -> None:
    env = worker_env("redis://127.0.0.1:1/0", data_dir=tmp_path)
    said = subprocess.run(
        [sys.executable, "-c", ORPHAN], env=env, capture_output=True, text=True, timeout=30, check=True
    )
    assert (said.stdout, said.stderr) == ("orphaned\n", ""), "the output ends when the orphan has ended too"


class Child:
    """Stands for a child process that Huey finds dead although we just saw it alive."""

    pid, exitcode = 1, -9

    def __init__(self, looks: list[bool]) -> None:
        self._looks = looks

    def is_alive(self) -> bool:
        return self._looks.pop(0) if self._looks else False

    def start(self) -> None:
        self._looks = [True] * 100


def test_a_child_that_dies_between_two_looks_is_not_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    consumer = JobConsumer(engine, workers=1, worker_type="process")
    (worker, _), surrendered = consumer.worker_threads[0], list[Slot]()
    monkeypatch.setattr(consumer, "scheduler", Child([True] * 100))
    monkeypatch.setattr(consumer, "worker_threads", [(worker, Child([True, False]))])

    def keep(slot: Slot, _process: Any) -> None:
        surrendered.append(slot)

    def create(_worker: Any, _name: str) -> Child:
        return Child([True] * 100)

    monkeypatch.setattr(consumer, "_create_process", create)
    monkeypatch.setattr(consumer, "_surrender", keep)
    while not surrendered and consumer.worker_threads[0][0] is worker:
        consumer.check_worker_health()
    assert surrendered == [worker.slot]
