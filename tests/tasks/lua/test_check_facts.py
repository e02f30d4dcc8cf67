"""``check_facts.lua``: whether what stands as JSON or a number can be read."""

import pytest
from redis import Redis

from support.jobs import KEYS
from support.oddities import FACTS, USES, furnish, is_left, is_mended
from taskengine.check import check


@pytest.mark.parametrize("name", sorted(FACTS))
def test_what_nobody_can_guess_is_named_and_left(redis: Redis, name: str) -> None:
    furnish(redis)
    is_left(redis, FACTS[name])


@pytest.mark.parametrize("name", sorted(USES))
def test_a_use_of_an_api_key_that_cannot_be_is_taken_out(redis: Redis, name: str) -> None:
    furnish(redis)
    is_mended(redis, USES[name])


def test_what_is_told_of_an_api_key_is_not_what_it_holds(redis: Redis) -> None:
    furnish(redis)
    redis.hset(KEYS.api_keys, "a1", '{"name":"hidden"}')
    assert "hidden" not in str(check(redis, KEYS)[0])
    redis.hdel(KEYS.api_keys, "a1")
