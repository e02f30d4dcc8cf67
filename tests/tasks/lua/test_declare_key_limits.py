"""``declare_key_limits.lua``: what it writes; what it means is in ``test_concurrency_keys.py``."""

from redis import Redis

from support.jobs import KEYS, STORE, writes


def test_the_newest_word_of_the_code_counts(redis: Redis) -> None:
    with writes(redis, "declare_key_limits") as written:
        STORE.declare_key_limits({"t": 1, "u": 2}).run(redis)
        STORE.declare_key_limits({"t": 3}).run(redis)
    assert written == {"key_limits"}
    assert redis.hgetall(KEYS.key_limits) == {"t": "3", "u": "2"}
