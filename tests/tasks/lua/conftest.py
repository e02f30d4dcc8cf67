"""After every test of a script, every index says what the records say."""

from collections.abc import Iterator

import pytest
from redis import Redis

from support.jobs import KEYS
from taskengine.check import check


@pytest.fixture(autouse=True)
def _indexes_agree_with_records(redis: Redis) -> Iterator[None]:
    yield
    assert [str(difference) for difference in check(redis, KEYS)] == []
