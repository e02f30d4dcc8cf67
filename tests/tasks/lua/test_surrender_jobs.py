"""``surrender_jobs.lua``: what a dead child held is rescued at once."""

from redis import Redis

from support.jobs import KEYS, MINUTE, QUEUED, RUNNING, STORE, WORKER, enqueue, finish, get, now_ms, register, writes
from taskengine.records import ClaimedJob


def claimed_by_child(redis: Redis, slot: str, job_id: str = "j1") -> ClaimedJob:
    enqueue(redis, job_id)
    register(redis)
    (job,) = STORE.claim_jobs(WORKER, "*", 1, lease_ms=MINUTE, slot=slot).run(redis).jobs
    return job


def surrender(redis: Redis, slot: str, worker: str = WORKER) -> int:
    return STORE.surrender_jobs(worker, slot).run(redis)


def test_a_surrendered_lease_has_run_out(redis: Redis) -> None:
    claimed_by_child(redis, "1")
    assert surrender(redis, "1") == 1
    assert redis.zscore(KEYS.leases, "j1") < now_ms(redis)


def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    claimed_by_child(redis, "1")
    with writes(redis, "surrender_jobs") as written:
        surrender(redis, "1")
    assert written == {"leases"}


def test_the_next_rescue_gives_it_to_others(redis: Redis) -> None:
    claimed_by_child(redis, "1")
    surrender(redis, "1")
    assert STORE.rescue_jobs(max_losses=3, limit=10).run(redis) == 1
    assert get(redis).state is QUEUED


def test_what_other_children_hold_is_left_alone(redis: Redis) -> None:
    claimed_by_child(redis, "1")
    with writes(redis) as written:
        assert surrender(redis, "2") == 0
        assert surrender(redis, "1", worker="another") == 0
    assert written == set()
    assert get(redis).state is RUNNING


def test_what_ended_is_not_held(redis: Redis) -> None:
    finish(redis, claimed_by_child(redis, "1"))
    with writes(redis) as written:
        assert surrender(redis, "1") == 0
    assert written == set()
