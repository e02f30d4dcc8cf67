"""``promote_jobs.lua``: SCHEDULED and RETRYING whose time has come -> QUEUED."""

from redis import Redis

from support.jobs import (
    KEYS,
    MINUTE,
    QUEUED,
    RETRYING,
    SCHEDULED,
    STORE,
    a_job,
    a_running_job,
    enqueue,
    finish,
    get,
    moves,
    now_ms,
    record,
    take,
    writes,
)
from taskengine.store import Ending


def promote(redis: Redis, limit: int = 100) -> int:
    return STORE.promote_jobs(limit=limit).run(redis)


def a_due_job(redis: Redis, job_id: str = "j1", *, since_ms: int = 1) -> None:
    """A SCHEDULED job whose time came a while ago."""
    a_job(redis, SCHEDULED, job_id)
    due = now_ms(redis) - since_ms
    redis.zadd(KEYS.waiting, {job_id: due})
    redis.hset(KEYS.job(job_id), "run_at", due)


def test_a_scheduled_job_that_is_due_is_queued(redis: Redis) -> None:
    a_due_job(redis)
    assert promote(redis) == 1
    assert get(redis).state is QUEUED
    assert moves(redis) == [("", "SCHEDULED"), ("SCHEDULED", "QUEUED")]


def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    a_due_job(redis)
    with writes(redis, "promote_jobs") as written:
        promote(redis)
    assert written == {
        "job:j1",
        "lane:q:t:SCHEDULED",
        "lane:q:t:QUEUED",
        "waiting",
        "ready:q:t",
        "heads:q",
        "wake:q",
        "clock",
        "events",
    }


def test_what_is_not_due_is_left_alone(redis: Redis) -> None:
    a_job(redis, SCHEDULED)
    with writes(redis) as written:
        assert promote(redis) == 0
    assert written == set()


def test_a_scheduled_job_arrives_when_it_is_due(redis: Redis) -> None:
    a_due_job(redis, "scheduled")
    enqueue(redis, "here already")
    promote(redis)
    assert redis.zrange(KEYS.ready("q", "t"), 0, -1) == ["here already", "scheduled"]


def test_a_scheduled_job_keeps_its_place_on_pages(redis: Redis) -> None:
    a_due_job(redis)
    order = get(redis).order
    promote(redis)
    assert get(redis).order == order


def test_a_job_whose_backoff_is_over_takes_its_old_place(redis: Redis) -> None:
    finish(redis, a_running_job(redis, "first"), Ending.FAILED, retry_ms=0)
    enqueue(redis, "second")
    assert promote(redis) == 1
    assert get(redis, "first").state is QUEUED
    assert [job.id for job in take(redis, 2).jobs] == ["first", "second"]


def test_a_backoff_that_is_not_over_goes_on(redis: Redis) -> None:
    finish(redis, a_running_job(redis), Ending.FAILED, retry_ms=MINUTE)
    assert promote(redis) == 0
    assert get(redis).state is RETRYING


def test_no_more_are_promoted_than_the_limit_the_longest_due_first(redis: Redis) -> None:
    for ago, job_id in enumerate("abc", 1):
        a_due_job(redis, job_id, since_ms=1000 * ago)
    assert promote(redis, limit=2) == 2
    assert [get(redis, job_id).state for job_id in "abc"] == [SCHEDULED, QUEUED, QUEUED]


def test_it_is_ready_since_then(redis: Redis) -> None:
    a_due_job(redis)
    assert get(redis).ready_at is None
    before = now_ms(redis)
    promote(redis)
    assert before <= int(record(redis)["ready_at"]) <= now_ms(redis)
