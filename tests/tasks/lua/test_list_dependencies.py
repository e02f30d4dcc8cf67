"""``list_dependencies.lua``: whom a job waits for, and who waits for it."""

from redis import Redis

from support.jobs import QUEUED, READS, a_job, claim, enqueue, finish, writes
from taskengine.jobs import Dependencies


def dependencies(redis: Redis, *job_ids: str, limit: int = 100) -> list[Dependencies]:
    return READS.list_dependencies(job_ids, limit=limit).run(redis)


def test_both_sides_know_each_other(redis: Redis) -> None:
    enqueue(redis, "a", "b")
    enqueue(redis, "j1", depends_on=("b", "a"))
    assert dependencies(redis, "j1", "a") == [Dependencies(("b", "a"), ()), Dependencies((), ("j1",))]


def test_a_job_keeps_those_that_it_waited_for(redis: Redis) -> None:
    enqueue(redis, "a")
    enqueue(redis, "j1", depends_on=("a",))
    finish(redis, claim(redis))
    assert dependencies(redis, "j1", "a") == [Dependencies(("a",), ()), Dependencies((), ())]


def test_a_job_on_its_own_and_one_that_is_not_there_have_none(redis: Redis) -> None:
    a_job(redis, QUEUED)
    assert dependencies(redis, "j1", "gone") == [Dependencies(), Dependencies()]


def test_no_more_are_told_than_asked_for(redis: Redis) -> None:
    enqueue(redis, "a", "b", "c")
    enqueue(redis, "j1", "j2", depends_on=("a", "b", "c"))
    assert dependencies(redis, "j1", "a", limit=1) == [Dependencies(("a",), ()), Dependencies((), ("j1",))]


def test_it_changes_nothing(redis: Redis) -> None:
    enqueue(redis, "a")
    with writes(redis, "list_dependencies") as written:
        dependencies(redis, "a")
    assert written == set()
