"""``clear_jobs.lua``: finished jobs are removed, the longest finished first."""

import pytest
from redis import Redis

from support.jobs import (
    CANCELLED,
    COMPLETED,
    FAILED,
    FINAL,
    GROUP,
    KEYS,
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


def clear(redis: Redis, *states: JobState, before_ms: int | None = None, limit: int = 100) -> int:
    return STORE.clear_jobs(states, before_ms=before_ms, limit=limit).run(redis)


def finished_ago(redis: Redis, job_id: str, ms: int, state: JobState = COMPLETED) -> None:
    """A job that ended so long ago."""
    a_job(redis, state, job_id)
    at = now_ms(redis) - ms
    redis.hset(KEYS.job(job_id), "finished_at", at)
    redis.zadd(KEYS.finished(state), {job_id: at})


def left(redis: Redis, job_ids: str) -> str:
    return "".join(job_id for job_id in job_ids if find(redis, job_id) is not None)


@pytest.mark.parametrize("state", FINAL)
def test_a_finished_job_goes(redis: Redis, state: JobState) -> None:
    a_job(redis, state)
    assert clear(redis, state) == 1
    assert find(redis) is None


def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    a_job(redis, FAILED)
    with writes(redis, "clear_jobs") as written:
        clear(redis, FAILED)
    assert written == {
        "job:j1",
        "attempts:j1",
        "lane:q:t:FAILED",
        "lanes",
        "queues",
        "finished:FAILED",
        f"failed:{GROUP}",
    }


def test_other_states_stay(redis: Redis) -> None:
    for job_id, state in zip("abcdef", [COMPLETED, FAILED, RETRYING, RUNNING, CANCELLED, SCHEDULED], strict=True):
        a_job(redis, state, job_id)
    assert clear(redis, COMPLETED, CANCELLED) == 2
    assert left(redis, "abcdef") == "bcdf"


def test_only_what_finished_before_a_time_goes(redis: Redis) -> None:
    finished_ago(redis, "a", 5000)
    finished_ago(redis, "b", 1000)
    assert clear(redis, COMPLETED, before_ms=now_ms(redis) - 3000) == 1
    assert left(redis, "ab") == "b"


def test_that_time_itself_is_not_before_it(redis: Redis) -> None:
    finished_ago(redis, "a", 5000)
    at = int(redis.hget(KEYS.job("a"), "finished_at"))
    assert clear(redis, COMPLETED, before_ms=at) == 0
    assert clear(redis, COMPLETED, before_ms=at + 1) == 1


def test_no_more_go_than_the_limit_the_longest_finished_first(redis: Redis) -> None:
    finished_ago(redis, "a", 1000)
    finished_ago(redis, "b", 3000)
    finished_ago(redis, "c", 2000)
    assert clear(redis, COMPLETED, limit=2) == 2
    assert left(redis, "abc") == "a"


def test_the_limit_is_for_all_states_together(redis: Redis) -> None:
    for job_id, state in zip("abc", FINAL, strict=True):
        a_job(redis, state, job_id)
    assert clear(redis, *FINAL, limit=2) == 2
    assert clear(redis, *FINAL, limit=2) == 1
    assert clear(redis, *FINAL, limit=2) == 0


def test_nothing_to_clear_changes_nothing(redis: Redis) -> None:
    a_job(redis)
    with writes(redis) as written:
        assert clear(redis, *FINAL) == 0
    assert written == set()
