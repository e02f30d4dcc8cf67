"""``resume.lua``: a paused queue or task goes on."""

import pytest
from redis import Redis

from support.jobs import KEYS, STORE, enqueue, register, take, writes
from taskengine.rules import Kind


@pytest.mark.parametrize(("kind", "name"), [(Kind.QUEUE, "q"), (Kind.TASK, "t")])
def test_its_jobs_are_claimed_again_in_their_order(redis: Redis, kind: Kind, name: str) -> None:
    enqueue(redis, "j1", "j2")
    register(redis)
    STORE.pause(kind, name, by="", reason="").run(redis)
    assert STORE.resume(kind, name).run(redis) == 1
    assert [job.id for job in take(redis, 2).jobs] == ["j1", "j2"]


def test_a_sleeping_worker_is_woken(redis: Redis) -> None:
    enqueue(redis, "j1")
    STORE.pause(Kind.TASK, "t", by="", reason="").run(redis)
    redis.delete(KEYS.wake("q"))
    with writes(redis, "resume") as written:
        STORE.resume(Kind.TASK, "t").run(redis)
    assert written == {"paused", "wake:q"}


def test_resuming_what_goes_on_is_no_error(redis: Redis) -> None:
    assert STORE.resume(Kind.QUEUE, "q").run(redis) == 0
