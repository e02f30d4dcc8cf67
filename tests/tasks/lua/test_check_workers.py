"""``check_workers.lua``: who is here, who is to drain, who can run and declares what."""

import pytest
from redis import Redis

from support.oddities import WORKERS, furnish, is_mended


@pytest.mark.parametrize("name", sorted(WORKERS))
def test_what_is_odd_is_named_and_mended(redis: Redis, name: str) -> None:
    furnish(redis)
    is_mended(redis, WORKERS[name])
