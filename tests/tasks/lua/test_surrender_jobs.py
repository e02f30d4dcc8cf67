"""``surrender_jobs.lua``: what a dead child held is rescued at once."""

from redis import Redis

from support.jobs import KEYS, QUEUED, RUNNING, STORE, a_running_job, finish, get, now_ms, writes


def surrender(redis: Redis, *held: tuple[str, str]) -> int:
    return STORE.surrender_jobs(held).run(redis)


def test_a_surrendered_lease_has_run_out(redis: Redis) -> None:
    job = a_running_job(redis)
    assert surrender(redis, (job.id, job.lease)) == 1
    assert redis.zscore(KEYS.leases, "j1") < now_ms(redis)


def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    job = a_running_job(redis)
    with writes(redis, "surrender_jobs") as written:
        surrender(redis, (job.id, job.lease))
    assert written == {"leases"}


def test_the_next_rescue_gives_it_to_others(redis: Redis) -> None:
    job = a_running_job(redis)
    surrender(redis, (job.id, job.lease))
    assert STORE.rescue_jobs(max_losses=3, limit=10).run(redis) == 1
    assert get(redis).state is QUEUED


def test_another_workers_lease_is_left_alone(redis: Redis) -> None:
    job = a_running_job(redis)
    with writes(redis) as written:
        assert surrender(redis, (job.id, "another")) == 0
    assert written == set()
    assert get(redis).state is RUNNING


def test_what_ended_or_is_gone_is_no_error(redis: Redis) -> None:
    job = a_running_job(redis)
    finish(redis, job)
    with writes(redis) as written:
        assert surrender(redis, (job.id, job.lease), ("gone", "1")) == 0
    assert written == set()
