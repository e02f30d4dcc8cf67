"""``look_at_lock.lua``: whether somebody holds a lock."""

from redis import Redis

from support.jobs import KEYS, a_running_job, finish, writes
from taskengine.scripts import call


def take(redis: Redis, owner: str) -> bool:
    return call("take_lock", KEYS.prefix, bool, name="l", owner=owner, ttl_ms=60_000).run(redis)


def is_held(redis: Redis) -> bool:
    return call("look_at_lock", KEYS.prefix, bool, name="l").run(redis)


def test_a_lock_that_was_never_taken_is_free(redis: Redis) -> None:
    assert not is_held(redis)


def test_looking_changes_nothing(redis: Redis) -> None:
    take(redis, " me")
    with writes(redis, "look_at_lock") as written:
        assert is_held(redis)
    assert written == set()


def test_a_job_holds_it_as_long_as_it_runs(redis: Redis) -> None:
    job = a_running_job(redis)
    take(redis, f"{job.id} {job.lease} t")
    assert is_held(redis)
    finish(redis, job)
    assert not is_held(redis)
