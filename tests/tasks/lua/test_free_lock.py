"""``free_lock.lua``: held by one -> free."""

from redis import Redis

from support.jobs import KEYS, everything, writes
from taskengine.scripts import call


def take(redis: Redis, owner: str = " me") -> bool:
    return call("take_lock", KEYS.prefix, bool, name="l", owner=owner, ttl_ms=60_000).run(redis)


def free(redis: Redis, owner: str = " me") -> bool:
    return call("free_lock", KEYS.prefix, bool, name="l", owner=owner).run(redis)


def test_its_owner_frees_it(redis: Redis) -> None:
    take(redis)
    with writes(redis, "free_lock"):
        assert free(redis)
    assert everything(redis) == {}


def test_who_lost_it_does_not_free_the_next_owners(redis: Redis) -> None:
    take(redis, " next")
    assert not free(redis, " me")
    assert redis.get(KEYS.lock("l")) == " next"


def test_a_star_frees_it_whoever_holds_it(redis: Redis) -> None:
    take(redis)
    assert free(redis, "*")
    assert not free(redis, "*")
