"""TaskEngine in some short files, to be read in their order; each test shows one thing.

``engine`` is what a project writes as ``engine = TaskEngine.from_env()``. ``worker`` stands for
``taskengine worker shop.tasks:engine``, except that it takes a job when told: ``worker.run()``.
"""

from collections.abc import Iterator

import pytest

from support.bench import Bench
from taskengine import TaskEngine


@pytest.fixture
def worker(redis_url: str) -> Iterator[Bench]:
    """A worker that runs the next job when told."""
    worker = Bench(redis_url)
    yield worker
    worker.close()


@pytest.fixture
def engine(worker: Bench) -> TaskEngine:
    """The project's engine."""
    return worker.engine
