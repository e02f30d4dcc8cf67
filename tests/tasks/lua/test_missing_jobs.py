"""``missing_jobs.lua``: which of these jobs there is no record of."""

from redis import Redis

from support.jobs import READS, enqueue, writes


def test_only_those_without_a_record_are_named(redis: Redis) -> None:
    enqueue(redis, "here")
    with writes(redis) as written:
        assert READS.missing_jobs(["gone", "here", "lost"]).run(redis) == ["gone", "lost"]
    assert written == set()
