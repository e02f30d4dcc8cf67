"""``forget_workers.lua``: who left, or has been silent too long, is off the list."""

from redis import Redis

from support.jobs import KEYS, MINUTE, STORE, everything, now_ms, register, writes


def silent(redis: Redis, worker: str, ms: int) -> None:
    """A worker that was last heard of so long ago."""
    register(redis, worker=worker)
    redis.zadd(KEYS.heartbeats, {worker: now_ms(redis) - ms})


def test_a_worker_that_leaves_is_off_the_list(redis: Redis) -> None:
    register(redis, worker="a")
    register(redis, worker="b")
    assert STORE.forget_workers("a").run(redis) == 1
    assert redis.hkeys(KEYS.workers) == ["b"]
    assert not redis.exists(KEYS.knows("a"))


def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    register(redis, worker="a")
    with writes(redis, "forget_workers") as written:
        STORE.forget_workers("a").run(redis)
    assert written == {"workers", "heartbeats", "knows:a"}


def test_who_was_silent_too_long_is_forgotten(redis: Redis) -> None:
    silent(redis, "long", 2 * MINUTE)
    silent(redis, "short", 1000)
    assert STORE.forget_workers(silent_ms=MINUTE).run(redis) == 1
    assert redis.hkeys(KEYS.workers) == ["short"]


def test_its_tasks_stay_in_the_catalogue(redis: Redis) -> None:
    register(redis, "report")
    STORE.forget_workers("w").run(redis)
    assert everything(redis).keys() == {"catalogue", "catalogue_version"}


def test_one_that_is_not_there_is_no_error(redis: Redis) -> None:
    with writes(redis) as written:
        STORE.forget_workers("stranger").run(redis)
    assert written == set()


def test_that_it_was_to_drain_is_forgotten_with_it(redis: Redis) -> None:
    register(redis, worker="a")
    STORE.drain_worker("a", lease_ms=MINUTE).run(redis)
    with writes(redis, "forget_workers") as written:
        STORE.forget_workers("a").run(redis)
    assert "draining" in written
    assert not redis.exists(KEYS.draining)
