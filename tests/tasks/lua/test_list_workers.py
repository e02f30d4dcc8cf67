"""``list_workers.lua``: who is or was here."""

import pytest
from redis import Redis

from support.jobs import KEYS, READS, STORE, now_ms, writes
from taskengine.jobs import WorkerInfo
from taskengine.worker.facts import WorkerFacts


def register(redis: Redis, name: str, *, silent_ms: int = 0) -> None:
    """A worker, last heard of so long ago."""
    facts = WorkerFacts(name=name, queues=("mail", "*"), concurrency=4, mode="thread", started_at_ms=1_700_000_000_000)
    STORE.register_worker(name, facts.as_json(["j1"]), {}).run(redis)
    redis.zadd(KEYS.heartbeats, {name: now_ms(redis) - silent_ms})


def listed(redis: Redis) -> list[WorkerInfo]:
    return READS.list_workers().run(redis)


def test_no_workers_is_an_empty_list(redis: Redis) -> None:
    assert listed(redis) == []


def test_it_tells_what_the_worker_said_of_itself(redis: Redis) -> None:
    register(redis, "w")
    (worker,) = listed(redis)
    assert (worker.name, worker.queues, worker.concurrency, worker.mode) == ("w", ("mail", "*"), 4, "thread")
    assert (worker.running, worker.draining) == (("j1",), False)
    assert worker.started_at.timestamp() == 1_700_000_000
    assert worker.pid > 0


def test_they_are_listed_by_name(redis: Redis) -> None:
    for name in "bca":
        register(redis, name)
    assert [worker.name for worker in listed(redis)] == ["a", "b", "c"]


@pytest.mark.parametrize(("silent_ms", "online"), [(0, True), (9_000, True), (11_000, False)])
def test_one_is_online_as_long_as_a_lease(redis: Redis, silent_ms: int, online: bool) -> None:
    register(redis, "w", silent_ms=silent_ms)
    assert [worker.online for worker in listed(redis)] == [online]


def test_looking_changes_nothing(redis: Redis) -> None:
    register(redis, "w")
    with writes(redis, "list_workers") as written:
        listed(redis)
    assert written == set()
