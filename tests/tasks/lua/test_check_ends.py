"""``check_ends.lua``: whether what is to end by itself will."""

import pytest
from redis import Redis

from support.oddities import ENDLESS, furnish, is_mended


@pytest.mark.parametrize("name", sorted(ENDLESS))
def test_what_is_odd_is_named_and_mended(redis: Redis, name: str) -> None:
    furnish(redis)
    is_mended(redis, ENDLESS[name])
