"""``retry_failed_jobs.lua``: some FAILED jobs of a group -> QUEUED."""

from redis import Redis

from support.failing import FAILURES, GROUP, a_failed_job, fail, failed_jobs
from support.jobs import FAILED, KEYS, QUEUED, claim, get, writes
from taskengine.check import check


def retry(redis: Redis, *, after: int | None = None, limit: int = 10, by: str = "") -> tuple[int, int | None]:
    return FAILURES.retry_jobs(GROUP, after=after, limit=limit, by=by).run(redis)


def test_they_are_queued_and_leave_the_group(redis: Redis) -> None:
    for job_id in "ab":
        a_failed_job(redis, job_id)
    a_failed_job(redis, "c", exception="KeyError")
    assert retry(redis) == (2, get(redis, "b").order)
    assert [get(redis, job_id).state for job_id in "abc"] == [QUEUED, QUEUED, FAILED]
    assert failed_jobs(redis) == []
    assert check(redis, KEYS) == []


def test_each_gets_as_many_attempts_as_it_was_enqueued_with(redis: Redis) -> None:
    a_failed_job(redis)
    retry(redis)
    assert get(redis).max_attempts == 2


def test_no_more_go_in_a_call_than_the_limit_the_oldest_first(redis: Redis) -> None:
    for job_id in "abc":
        a_failed_job(redis, job_id)
    assert retry(redis, limit=2) == (2, get(redis, "b").order)
    assert failed_jobs(redis) == ["c"]


def test_one_that_fails_again_meanwhile_is_not_retried_twice(redis: Redis) -> None:
    for job_id in "ab":
        a_failed_job(redis, job_id)
    _, behind = retry(redis, limit=1)
    fail(redis, claim(redis))
    assert retry(redis, after=behind, limit=1) == (1, get(redis, "b").order)
    assert get(redis, "a").state is FAILED


def test_of_an_empty_group_none_is_retried(redis: Redis) -> None:
    assert retry(redis, by="eve") == (0, None)
    assert redis.exists(KEYS.audit) == 0


def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    a_failed_job(redis)
    with writes(redis, "retry_failed_jobs") as written:
        retry(redis, by="eve")
    lanes = {"lane:q:t:FAILED", "lane:q:t:QUEUED", "ready:q:t", "heads:q", "wake:q"}
    assert written == {"job:j1", "finished:FAILED", f"failed:{GROUP}", "events", "audit"} | lanes
