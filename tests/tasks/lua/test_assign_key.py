"""``assign_key.lua``: what it writes; what it means is in ``test_concurrency_keys.py``."""

from redis import Redis

from support.jobs import STORE, enqueue, register, take, writes


def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    STORE.declare_key_limits({"t": 1}).run(redis)
    enqueue(redis, "j1", "j2")
    register(redis)
    first, second = take(redis, 2).jobs
    with writes(redis, "assign_key") as written:
        STORE.assign_key(first.id, first.lease, "a").run(redis)
    assert written == {"job:j1", "keyed:t:a"}
    with writes(redis, "assign_key") as written:
        STORE.assign_key(second.id, second.lease, "a").run(redis)
    assert {"parked:t:a", "parked_keys:t", "leases"} <= written
