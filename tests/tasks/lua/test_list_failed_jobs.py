"""``list_failed_jobs.lua``: the FAILED jobs of a group, oldest first."""

from redis import Redis

from support.failing import FAILURES, GROUP, a_failed_job, failed_jobs
from support.jobs import get, writes


def test_they_come_oldest_first_and_go_on_behind_a_job(redis: Redis) -> None:
    for job_id in "abcde":
        a_failed_job(redis, job_id)
    assert failed_jobs(redis, limit=2) == ["a", "b"]
    assert failed_jobs(redis, after=get(redis, "b").order, limit=2) == ["c", "d"]
    assert failed_jobs(redis, after=get(redis, "e").order) == []


def test_each_comes_with_its_order(redis: Redis) -> None:
    a_failed_job(redis)
    assert FAILURES.list_failed_jobs(GROUP, after=None, limit=1).run(redis) == [("j1", get(redis).order)]


def test_those_of_other_groups_are_not_among_them(redis: Redis) -> None:
    a_failed_job(redis, "a")
    a_failed_job(redis, "b", exception="KeyError")
    assert failed_jobs(redis) == ["a"]


def test_looking_changes_nothing(redis: Redis) -> None:
    a_failed_job(redis)
    with writes(redis, "list_failed_jobs") as written:
        failed_jobs(redis)
    assert written == set()
