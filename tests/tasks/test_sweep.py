"""What any worker does every second: due jobs, dead workers' jobs, old records."""

from dataclasses import replace

import pytest
from redis import Redis

from support.bench import Bench
from support.jobs import (
    COMPLETED,
    FAILED,
    KEYS,
    MINUTE,
    QUEUED,
    STORE,
    a_job,
    a_running_job,
    an_orphan,
    enqueue,
    find,
    finish,
    get,
    now_ms,
    register,
    row,
    take,
)
from support.redis_server import RedisServer
from support.waiting import wait_until
from taskengine import Settings
from taskengine.store import Ending
from taskengine.worker.sweep import FORGET_WORKERS_MS, sweep


def swept(bench: Bench, **settings: float) -> None:
    sweep(bench.engine.job_storage, replace(Settings(), **settings))


def test_what_is_due_is_queued(bench: Bench, redis: Redis) -> None:
    enqueue(redis, "scheduled", delay=0.001)
    finish(redis, a_running_job(redis, "failed"), Ending.FAILED, retry_ms=1)
    wait_until(lambda: swept(bench) or redis.zcard(KEYS.waiting) == 0, every=0.005)
    assert [get(redis, job_id).state for job_id in ("scheduled", "failed")] == [QUEUED, QUEUED]


def test_what_lost_its_worker_is_given_to_others(bench: Bench, redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    an_orphan(redis)
    swept(bench)
    assert get(redis).state is QUEUED
    assert "1 jobs had lost their worker and were given to others" in caplog.text


def test_what_lost_its_worker_too_often_fails(bench: Bench, redis: Redis) -> None:
    an_orphan(redis)
    swept(bench, max_worker_losses=1)
    assert get(redis).state is FAILED


def test_what_is_past_its_time_is_removed(bench: Bench, redis: Redis) -> None:
    a_job(redis, COMPLETED)
    swept(bench)
    assert find(redis) is not None
    wait_until(lambda: swept(bench, keep_finished_seconds=0.001) or find(redis) is None, every=0.005)


def test_what_is_over_the_number_is_removed(bench: Bench, redis: Redis) -> None:
    for job_id in "abc":
        a_job(redis, COMPLETED, job_id)
    swept(bench, keep_finished_jobs=1)
    assert redis.zcard(KEYS.finished("COMPLETED")) == 1


def test_each_final_state_can_be_kept_for_its_own_time_and_number(bench: Bench, redis: Redis) -> None:
    for job_id in "abc":
        a_job(redis, COMPLETED, f"completed-{job_id}")
        a_job(redis, FAILED, f"failed-{job_id}")
    swept(bench, keep_completed_jobs=1, keep_failed_seconds=3600)
    assert (redis.zcard(KEYS.finished("COMPLETED")), redis.zcard(KEYS.finished("FAILED"))) == (1, 3)


def test_near_the_memory_budget_the_oldest_finished_jobs_make_place(bench: Bench, redis: Redis) -> None:
    a_job(redis, COMPLETED, "finished")
    enqueue(redis, "waiting")
    used = redis.info("memory")["used_memory"]
    swept(bench, max_redis_bytes=used)  # it is over nine tenths
    assert (find(redis, "finished"), get(redis, "waiting").state) == (None, QUEUED)


def test_more_than_a_batch_is_done_in_one_sweep(bench: Bench, redis: Redis) -> None:
    register(redis)
    STORE.enqueue_jobs([row(f"j{number}") for number in range(450)]).run(redis)
    take(redis, 450, lease_ms=0)
    swept(bench)
    assert redis.zcard(KEYS.ready("q", "t")) == 450


def test_workers_that_were_silent_for_an_hour_are_forgotten(bench: Bench, redis: Redis) -> None:
    register(redis, worker="gone")
    register(redis, worker="here")
    redis.zadd(KEYS.heartbeats, {"gone": now_ms(redis) - FORGET_WORKERS_MS - 1})
    redis.zadd(KEYS.heartbeats, {"here": now_ms(redis) - FORGET_WORKERS_MS + MINUTE})
    swept(bench)
    assert redis.hkeys(KEYS.workers) == ["here"]


def test_a_redis_that_is_away_is_no_reason_to_end(durable_redis: RedisServer, caplog: pytest.LogCaptureFixture) -> None:
    bench = Bench(durable_redis.url)
    durable_redis.kill()
    swept(bench)
    assert "the sweep waits for Redis" in caplog.text
    bench.close()


def test_hueys_scheduler_does_the_sweep_and_is_handed_nothing(bench: Bench, redis: Redis) -> None:
    an_orphan(redis)
    assert bench.engine.read_schedule() == []
    assert bench.engine.read_periodic(None) == []
    assert get(redis).state is QUEUED
