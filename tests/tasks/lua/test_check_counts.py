"""``check_counts.lua``: whether what counts by field can be read."""

import pytest
from redis import Redis

from support.oddities import COUNTS, furnish, is_mended


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_what_is_odd_is_named_and_mended(redis: Redis, name: str) -> None:
    furnish(redis)
    is_mended(redis, COUNTS[name])
