"""``count_use.lua``: so many uses in each stretch of time."""

from redis import Redis

from support.jobs import KEYS, writes
from taskengine.scripts import call

HOUR = 3_600_000


def use(redis: Redis, *, limit: int = 2, per_ms: int = HOUR) -> list[int]:
    return call("count_use", KEYS.prefix, list, name="u", limit=limit, per_ms=per_ms).run(redis)


def test_it_is_allowed_so_often_and_no_more(redis: Redis) -> None:
    assert [use(redis)[0] for _ in range(4)] == [1, 1, 0, 0]


def test_it_says_when_the_next_stretch_begins_by_rediss_clock(redis: Redis) -> None:
    seconds, _ = redis.time()
    _, wait_ms = use(redis)
    assert abs((seconds * 1000 + wait_ms) % HOUR - 0) < 2_000 or (seconds * 1000 + wait_ms) % HOUR > HOUR - 2_000


def test_what_is_refused_is_not_counted(redis: Redis) -> None:
    for _ in range(5):
        use(redis)
    assert redis.get(KEYS.uses("u")) == "2"


def test_it_is_forgotten_when_the_stretch_ends(redis: Redis) -> None:
    with writes(redis, "count_use") as written:
        _, wait_ms = use(redis)
    assert written == {"uses:u"}
    assert wait_ms - 1_000 < redis.pttl(KEYS.uses("u")) <= wait_ms
