"""``trim_jobs.lua``: retention by age and by number."""

import pytest
from redis import Redis

from support.jobs import (
    COMPLETED,
    FAILED,
    FINAL,
    GROUP,
    KEYS,
    MINUTE,
    RETRYING,
    RUNNING,
    SCHEDULED,
    STORE,
    a_job,
    find,
    now_ms,
    writes,
)
from taskengine.jobs import JobState

MANY = 1_000_000


def trim(redis: Redis, *, keep_ms: int = MINUTE, keep_jobs: int = MANY, limit: int = 100) -> int:
    return STORE.trim_jobs(keep_ms=keep_ms, keep_jobs=keep_jobs, limit=limit).run(redis)


def finished_ago(redis: Redis, job_id: str, ms: int, state: JobState = COMPLETED) -> None:
    """A job that ended so long ago."""
    a_job(redis, state, job_id)
    at = now_ms(redis) - ms
    redis.hset(KEYS.job(job_id), "finished_at", at)
    redis.zadd(KEYS.finished(state), {job_id: at})


def left(redis: Redis, job_ids: str) -> str:
    return "".join(job_id for job_id in job_ids if find(redis, job_id) is not None)


@pytest.mark.parametrize("state", FINAL)
def test_what_finished_too_long_ago_goes(redis: Redis, state: JobState) -> None:
    finished_ago(redis, "a", 2 * MINUTE, state)
    finished_ago(redis, "b", 1000, state)
    assert trim(redis) == 1
    assert left(redis, "ab") == "b"


def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    finished_ago(redis, "a", 2 * MINUTE, FAILED)
    with writes(redis, "trim_jobs") as written:
        trim(redis)
    assert written == {
        "job:a",
        "attempts:a",
        "lane:q:t:FAILED",
        "lanes",
        "queues",
        "finished:FAILED",
        f"failed:{GROUP}",
    }


def test_no_more_are_kept_of_a_state_than_allowed_the_oldest_go_first(redis: Redis) -> None:
    for ago, job_id in enumerate("abc", 1):
        finished_ago(redis, job_id, 1000 * ago)
    finished_ago(redis, "d", 1000, FAILED)
    assert trim(redis, keep_jobs=2) == 1
    assert left(redis, "abcd") == "abd"


def test_no_more_go_in_a_call_than_the_limit(redis: Redis) -> None:
    for job_id in "abcde":
        finished_ago(redis, job_id, 2 * MINUTE)
    assert [trim(redis, limit=2) for _ in range(4)] == [2, 2, 1, 0]


def test_age_and_number_share_the_limit(redis: Redis) -> None:
    finished_ago(redis, "a", 2 * MINUTE)
    for job_id in "bcd":
        finished_ago(redis, job_id, 1000)
    assert trim(redis, keep_jobs=1, limit=2) == 2
    assert trim(redis, keep_jobs=1, limit=2) == 1


@pytest.mark.parametrize("state", [SCHEDULED, RUNNING, RETRYING])
def test_what_has_not_ended_stays(redis: Redis, state: JobState) -> None:
    a_job(redis, state)
    with writes(redis) as written:
        assert trim(redis, keep_ms=0, keep_jobs=1) == 0
    assert written == set()
