"""Idempotency keys and ``start_before``: what an enqueue may say besides when and where."""

import threading

from redis import Redis

from support.jobs import (
    CANCELLED,
    COMPLETED,
    KEYS,
    QUEUED,
    RUNNING,
    STORE,
    a_job,
    enqueue,
    finish,
    get,
    now_ms,
    register,
    row,
    take,
)
from support.redis_server import RedisServer
from taskengine.records import instant
from taskengine.store import Added, Ending


def test_the_second_enqueue_with_a_key_returns_the_first_job(redis: Redis) -> None:
    first = STORE.enqueue_jobs([row("j1", idempotency_key="order-7")]).run(redis)
    second = STORE.enqueue_jobs([row("j2", idempotency_key="order-7")]).run(redis)
    assert (first, second) == ([Added("j1", True)], [Added("j1", False)])
    assert redis.exists(KEYS.job("j2")) == 0


def test_a_key_is_a_tasks_own(redis: Redis) -> None:
    enqueue(redis, "j1", idempotency_key="k", task="t")
    assert STORE.enqueue_jobs([row("j2", idempotency_key="k", task="u")]).run(redis) == [Added("j2", True)]


def test_twice_in_one_batch_is_one_job(redis: Redis) -> None:
    rows = [row("j1", idempotency_key="k"), row("j2", idempotency_key="k")]
    assert STORE.enqueue_jobs(rows).run(redis) == [Added("j1", True), Added("j1", False)]


def test_a_finished_job_still_stands_for_its_key_and_a_removed_one_does_not(redis: Redis) -> None:
    a_job(redis, COMPLETED, "j1", idempotency_key="k")
    assert STORE.enqueue_jobs([row("j2", idempotency_key="k")]).run(redis) == [Added("j1", False)]
    STORE.delete_job("j1").run(redis)
    assert STORE.enqueue_jobs([row("j3", idempotency_key="k")]).run(redis) == [Added("j3", True)]


def test_of_many_at_the_same_time_one_is_first(redis: Redis, redis_server: RedisServer) -> None:
    barrier, answers = threading.Barrier(8), list[Added]()

    def enqueue_one(number: int) -> None:
        with redis_server.client() as client:
            barrier.wait()
            answers.extend(STORE.enqueue_jobs([row(f"j{number}", idempotency_key="k")]).run(client))

    threads = [threading.Thread(target=enqueue_one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(new for _, new in answers) == 1
    assert len({job_id for job_id, _ in answers}) == 1


def test_what_did_not_start_in_time_is_cancelled_by_the_claim_that_meets_it(redis: Redis) -> None:
    enqueue(redis, "j1", start_before=instant(now_ms(redis) - 1))
    enqueue(redis, "j2")
    register(redis)
    assert [job.id for job in take(redis, 2).jobs] == ["j2"]
    assert (get(redis).state, get(redis).cancel_reason) == (CANCELLED, "expired")


def test_and_by_the_sweep_when_nobody_claims(redis: Redis) -> None:
    past = instant(now_ms(redis) - 1)
    enqueue(redis, "j1", start_before=past)
    enqueue(redis, "j2", start_before=past, delay=60)
    STORE.promote_jobs(limit=10).run(redis)
    assert (get(redis, "j1").state, get(redis, "j2").state) == (CANCELLED, CANCELLED)


def test_what_started_in_time_may_take_as_long_as_it_likes(redis: Redis) -> None:
    enqueue(redis, "j1", start_before=instant(now_ms(redis) + 60_000))
    register(redis)
    take(redis)
    assert get(redis).state is RUNNING
    assert redis.exists(KEYS.expiring) == 0


def test_what_was_given_back_before_it_began_can_still_be_too_late(redis: Redis) -> None:
    enqueue(redis, "j1", start_before=instant(now_ms(redis) + 60_000))
    register(redis)
    (job,) = take(redis).jobs
    finish(redis, job, Ending.UNSTARTED)
    assert get(redis).state is QUEUED
    assert redis.zscore(KEYS.expiring, "j1") is not None


def test_a_retry_of_an_expired_job_has_no_such_time_any_more(redis: Redis) -> None:
    enqueue(redis, "j1", start_before=instant(now_ms(redis) - 1))
    STORE.promote_jobs(limit=10).run(redis)
    STORE.retry_job("j1", attempts=None).run(redis)
    register(redis)
    assert [job.id for job in take(redis).jobs] == ["j1"]
