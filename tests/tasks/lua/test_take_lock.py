"""``take_lock.lua``: a lock that nobody holds -> held by one."""

from redis import Redis

from support.jobs import KEYS, STORE, a_running_job, finish, writes
from taskengine.records import ClaimedJob
from taskengine.scripts import call


def take(redis: Redis, owner: str = " me", *, name: str = "l", ttl_ms: int = 60_000) -> bool:
    return call("take_lock", KEYS.prefix, bool, name=name, owner=owner, ttl_ms=ttl_ms).run(redis)


def owner_of(job: ClaimedJob, token: str = "t") -> str:
    return f"{job.id} {job.lease} {token}"


def test_the_first_one_gets_it_and_nobody_else(redis: Redis) -> None:
    assert take(redis)
    assert not take(redis, " you")


def test_sent_twice_it_says_the_same(redis: Redis) -> None:
    assert take(redis)
    assert take(redis)


def test_locks_of_two_names_are_two(redis: Redis) -> None:
    assert take(redis)
    assert take(redis, " you", name="other")


def test_it_ends_by_itself(redis: Redis) -> None:
    take(redis, ttl_ms=60_000)
    assert 0 < redis.pttl(KEYS.lock("l")) <= 60_000


def test_a_running_job_keeps_it(redis: Redis) -> None:
    job = a_running_job(redis)
    take(redis, owner_of(job))
    assert not take(redis, owner_of(job, "again"))


def test_a_job_that_ended_holds_it_no_more(redis: Redis) -> None:
    job = a_running_job(redis)
    take(redis, owner_of(job))
    finish(redis, job)
    assert take(redis)


def test_a_job_that_lost_its_worker_holds_it_no_more(redis: Redis) -> None:
    job = a_running_job(redis, lease_ms=0)
    take(redis, owner_of(job))
    STORE.rescue_jobs(max_losses=3, limit=1).run(redis)
    assert take(redis)


def test_it_writes_the_lock_alone(redis: Redis) -> None:
    with writes(redis, "take_lock") as written:
        take(redis)
    assert written == {"lock:l"}
