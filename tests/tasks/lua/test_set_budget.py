"""``set_budget.lua``: how much memory Redis may use; at the budget enqueue refuses, and nothing is evicted."""

import pytest
from redis import Redis

from support.jobs import KEYS, STORE, enqueue, get, writes
from support.waiting import wait_until
from taskengine.errors import QueueFull


def test_at_the_budget_nothing_more_is_taken_in_and_nothing_is_evicted(redis: Redis) -> None:
    enqueue(redis, "here")
    STORE.set_budget(1).run(redis)
    with pytest.raises(QueueFull, match=r"Redis uses \d+ bytes of the 1 it may"):
        enqueue(redis, "more")
    assert get(redis, "here").id == "here"
    assert redis.exists(KEYS.job("more")) == 0


def test_below_the_budget_all_is_well(redis: Redis) -> None:
    STORE.set_budget(10**12).run(redis)
    assert enqueue(redis, "j1") == [True]


def test_a_higher_budget_holds_at_once(redis: Redis) -> None:
    STORE.set_budget(1).run(redis)
    with pytest.raises(QueueFull):
        enqueue(redis, "j1")
    STORE.set_budget(10**12).run(redis)
    assert enqueue(redis, "j1") == [True]


def test_the_memory_is_looked_at_again_after_a_second(redis: Redis) -> None:
    STORE.set_budget(10**12).run(redis)
    enqueue(redis, "j1")
    redis.set(KEYS.budget, 1)  # as if the memory had grown meanwhile

    def refused() -> bool:
        try:
            enqueue(redis, "j2")
        except QueueFull:
            return True
        return False

    wait_until(refused, 5)


def test_without_a_budget_there_is_none(redis: Redis) -> None:
    STORE.set_budget(1).run(redis)
    with writes(redis, "set_budget") as written:
        STORE.set_budget(None).run(redis)
    assert written == {"budget"}
    assert enqueue(redis, "j1") == [True]


def test_setting_the_same_again_changes_nothing(redis: Redis) -> None:
    STORE.set_budget(10**12).run(redis)
    enqueue(redis, "j1")
    with writes(redis) as written:
        STORE.set_budget(10**12).run(redis)
    assert written == set()
