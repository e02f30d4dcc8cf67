"""``renew_leases.lua``: a worker's heartbeat."""

import json

import pytest
from redis import Redis

from support.jobs import KEYS, MINUTE, STORE, WORKER, a_running_job, finish, now_ms, register, writes
from taskengine.store import Answer

FACTS = '{"pid":7}'


def beat(redis: Redis, *held: tuple[str, str], worker: str = WORKER) -> tuple[bool, list[Answer]]:
    heard = STORE.renew_leases(worker, held, FACTS, lease_ms=MINUTE).run(redis)
    assert heard.drained_by is None
    return heard.registered, heard.answers


def test_a_lease_that_is_held_runs_on(redis: Redis) -> None:
    job = a_running_job(redis, lease_ms=1000)
    before = now_ms(redis)
    assert beat(redis, (job.id, job.lease)) == (True, [Answer.OK])
    assert before + MINUTE <= redis.zscore(KEYS.leases, "j1") <= now_ms(redis) + MINUTE


def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    job = a_running_job(redis, lease_ms=1000)
    redis.zadd(KEYS.heartbeats, {WORKER: 1})
    with writes(redis, "renew_leases") as written:
        beat(redis, (job.id, job.lease))
    assert written == {"leases", "workers", "heartbeats"}


def test_the_heartbeat_is_noted_with_its_facts_also_when_nothing_is_held(redis: Redis) -> None:
    register(redis)
    before = now_ms(redis)
    assert beat(redis) == (True, [])
    assert redis.zscore(KEYS.heartbeats, WORKER) >= before
    assert json.loads(redis.hget(KEYS.workers, WORKER)) == {"pid": 7}


def test_what_the_worker_can_run_is_remembered_as_long_as_it_beats(redis: Redis) -> None:
    register(redis)
    redis.expire(KEYS.knows(WORKER), 10)
    beat(redis)
    assert redis.ttl(KEYS.knows(WORKER)) > 80_000


def test_a_lease_that_was_lost_is_not_renewed(redis: Redis) -> None:
    job = a_running_job(redis)
    deadline = redis.zscore(KEYS.leases, "j1")
    assert beat(redis, (job.id, "another")) == (True, [Answer.LEASE_LOST])
    assert redis.zscore(KEYS.leases, "j1") == deadline


def test_a_finished_jobs_lease_does_not_come_back(redis: Redis) -> None:
    job = a_running_job(redis)
    finish(redis, job)
    assert beat(redis, (job.id, job.lease))[1] == [Answer.LEASE_LOST]
    assert redis.zcard(KEYS.leases) == 0


def test_a_job_that_is_gone_is_a_lost_lease(redis: Redis) -> None:
    register(redis)
    assert beat(redis, ("gone", "1")) == (True, [Answer.LEASE_LOST])


def test_who_is_to_stop_a_job_learns_of_it_and_still_holds_it(redis: Redis) -> None:
    job = a_running_job(redis, lease_ms=1000)
    STORE.cancel_job("j1", terminate=True, reason="").run(redis)
    before = now_ms(redis)
    assert beat(redis, (job.id, job.lease))[1] == [Answer.CANCEL]
    assert redis.zscore(KEYS.leases, "j1") >= before + MINUTE


def test_each_lease_has_its_answer(redis: Redis) -> None:
    first, second = a_running_job(redis, "j1"), a_running_job(redis, "j2")
    answers = beat(redis, (first.id, "another"), (second.id, second.lease))[1]
    assert answers == [Answer.LEASE_LOST, Answer.OK]


def test_a_worker_that_was_forgotten_is_told_so_and_not_listed(redis: Redis) -> None:
    with writes(redis, "renew_leases") as written:
        assert beat(redis, worker="stranger") == (False, [])
    assert written == set()


def test_a_forgotten_workers_leases_run_on_all_the_same(redis: Redis) -> None:
    job = a_running_job(redis, lease_ms=1000)
    STORE.forget_workers(WORKER).run(redis)
    assert beat(redis, (job.id, job.lease)) == (False, [Answer.OK])


@pytest.mark.parametrize("by", ["ops@example.org", ""])
def test_who_is_to_drain_hears_it_with_every_heartbeat_and_from_whom(redis: Redis, by: str) -> None:
    register(redis)
    STORE.drain_worker(WORKER, lease_ms=MINUTE, by=by).run(redis)
    for _ in range(2):
        assert STORE.renew_leases(WORKER, [], FACTS, lease_ms=MINUTE).run(redis).drained_by == by
