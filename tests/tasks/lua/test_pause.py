"""``pause.lua``: a queue or task starts nothing more; what runs goes on."""

import pytest
from redis import Redis

from support.jobs import QUEUED, READS, RUNNING, STORE, enqueue, finish, get, register, take, writes
from taskengine.rules import Kind


def pause(redis: Redis, kind: Kind = Kind.QUEUE, name: str = "q", by: str = "ops", reason: str = "incident") -> int:
    return STORE.pause(kind, name, by=by, reason=reason).run(redis)


@pytest.mark.parametrize(("kind", "name"), [(Kind.QUEUE, "q"), (Kind.TASK, "t")])
def test_nothing_of_it_is_claimed(redis: Redis, kind: Kind, name: str) -> None:
    enqueue(redis, "j1")
    register(redis)
    pause(redis, kind, name)
    assert take(redis).jobs == []
    assert get(redis).state is QUEUED


def test_what_runs_goes_on(redis: Redis) -> None:
    enqueue(redis, "j1")
    register(redis)
    (job,) = take(redis).jobs
    pause(redis)
    assert get(redis).state is RUNNING
    finish(redis, job)


def test_others_are_claimed_past_it(redis: Redis) -> None:
    enqueue(redis, "held", task="t", priority=10)
    enqueue(redis, "free", task="u", priority=1)
    register(redis, "t", "u")
    pause(redis, Kind.TASK, "t")
    assert [job.id for job in take(redis, 2).jobs] == ["free"]


def test_it_is_kept_who_paused_when_and_why(redis: Redis) -> None:
    assert pause(redis) == 1
    said = READS.list_rules().run(redis).pause_of(Kind.QUEUE, "q")
    assert said is not None
    assert (said.by, said.reason) == ("ops", "incident")


def test_pausing_twice_keeps_the_first_word(redis: Redis) -> None:
    pause(redis, by="first")
    assert pause(redis, by="second") == 0
    said = READS.list_rules().run(redis).pause_of(Kind.QUEUE, "q")
    assert said is not None
    assert said.by == "first"


def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    with writes(redis, "pause") as written:
        pause(redis)
    assert written == {"paused", "audit"}
