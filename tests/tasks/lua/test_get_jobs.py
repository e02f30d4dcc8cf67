"""``get_jobs.lua``: records by id, in one look."""

from redis import Redis

from support.jobs import COMPLETED, QUEUED, READS, a_job, enqueue, writes


def test_jobs_come_in_the_order_of_their_ids(redis: Redis) -> None:
    enqueue(redis, "a", "b", "c")
    assert [job.id for job in READS.get_jobs(["c", "a", "b"]).run(redis)] == ["c", "a", "b"]


def test_one_that_is_not_there_is_none(redis: Redis) -> None:
    enqueue(redis, "a")
    assert [job and job.id for job in READS.get_jobs(["gone", "a", "gone too"]).run(redis)] == [None, "a", None]


def test_an_id_may_be_asked_for_twice(redis: Redis) -> None:
    enqueue(redis, "a")
    assert [job.id for job in READS.get_jobs(["a", "a"]).run(redis)] == ["a", "a"]


def test_each_has_its_own_state(redis: Redis) -> None:
    a_job(redis, COMPLETED, "a")
    a_job(redis, QUEUED, "b")
    assert [job.state for job in READS.get_jobs(["a", "b"]).run(redis)] == [COMPLETED, QUEUED]


def test_looking_changes_nothing(redis: Redis) -> None:
    enqueue(redis, "a")
    with writes(redis, "get_jobs") as written:
        READS.get_jobs(["a", "gone"]).run(redis)
    assert written == set()
