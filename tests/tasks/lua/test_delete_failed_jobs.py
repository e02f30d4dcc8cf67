"""``delete_failed_jobs.lua``: removes FAILED jobs of a group, and with the last of them the group."""

from redis import Redis

from support.failing import FAILURES, GROUP, a_failed_job, failed_jobs
from support.jobs import KEYS, STORE, find, writes
from taskengine.check import check


def delete(redis: Redis, *, limit: int = 10, by: str = "") -> int:
    return FAILURES.delete_jobs(GROUP, limit=limit, by=by).run(redis)


def test_nothing_is_left_of_them_nor_of_the_group(redis: Redis) -> None:
    for job_id in "ab":
        a_failed_job(redis, job_id)
    assert delete(redis) == 2
    assert (find(redis, "a"), find(redis, "b")) == (None, None)
    assert FAILURES.get_groups([GROUP]).run(redis) == [None]
    assert redis.exists(KEYS.failed(GROUP), KEYS.failure(GROUP)) == 0
    assert redis.zcard(KEYS.failures) == 0
    assert check(redis, KEYS) == []


def test_the_group_stays_until_the_last_is_gone(redis: Redis) -> None:
    for job_id in "abc":
        a_failed_job(redis, job_id)
    assert delete(redis, limit=2) == 2
    assert failed_jobs(redis) == ["c"]
    assert FAILURES.get_groups([GROUP]).run(redis) != [None]
    assert delete(redis, limit=2) == 1
    assert FAILURES.get_groups([GROUP]).run(redis) == [None]


def test_a_group_without_failed_jobs_can_be_deleted(redis: Redis) -> None:
    a_failed_job(redis)
    STORE.retry_job("j1", attempts=None).run(redis)
    assert delete(redis) == 0
    assert FAILURES.get_groups([GROUP]).run(redis) == [None]
    assert find(redis) is not None


def test_other_groups_stay(redis: Redis) -> None:
    a_failed_job(redis, "a")
    a_failed_job(redis, "b", exception="KeyError")
    delete(redis)
    assert find(redis, "b") is not None
    assert redis.zcard(KEYS.failures) == 1


def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    a_failed_job(redis)
    with writes(redis, "delete_failed_jobs") as written:
        delete(redis, by="eve")
    indexes = {"lane:q:t:FAILED", "lanes", "queues", "finished:FAILED", f"failed:{GROUP}"}
    assert written == {"job:j1", "attempts:j1", "failures", f"failure:{GROUP}", "audit"} | indexes
