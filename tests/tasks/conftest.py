"""What tests of the engine may ask for besides a Redis."""

from collections.abc import Iterator

import pytest

from support.bench import Bench
from taskengine import TaskEngine


@pytest.fixture
def bench(redis_url: str) -> Iterator[Bench]:
    """A worker that runs jobs in the test's own thread."""
    bench = Bench(redis_url)
    yield bench
    bench.close()


@pytest.fixture
def engine(bench: Bench) -> TaskEngine:
    """The bench's engine."""
    return bench.engine
