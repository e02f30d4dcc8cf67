"""``memory_over.lua``: how much Redis uses beyond a share of the budget."""

from redis import Redis

from support.jobs import STORE, writes


def test_it_is_nothing_without_a_budget_or_below_it(redis: Redis) -> None:
    with writes(redis) as written:
        assert STORE.memory_over(0.9).run(redis) == 0
        STORE.set_budget(10**12).run(redis)
        assert STORE.memory_over(0.9).run(redis) == 0
    assert written == {"budget"}


def test_it_is_what_is_used_beyond_the_share(redis: Redis) -> None:
    STORE.set_budget(1_000).run(redis)
    assert STORE.memory_over(0.5).run(redis) > 100_000
