"""``list_bulks.lua``: changes to many jobs, the newest first."""

from redis import Redis

from support.jobs import BULKS, a_bulk, list_bulks, step_bulk
from support.waiting import wait_until
from taskengine.bulk import BulkKind


def test_the_newest_is_first_and_those_under_way_can_be_asked_for_alone(redis: Redis) -> None:
    a_bulk(redis, BulkKind.RETRY, bulk_id="first")
    begun = redis.time()
    wait_until(lambda: redis.time() > (begun[0], begun[1] + 2_000), 5)
    a_bulk(redis, BulkKind.DELETE, bulk_id="second")
    step_bulk(redis, "first")
    assert [one.id for one in list_bulks(redis)] == ["second", "first"]
    assert [one.id for one in list_bulks(redis, running=True)] == ["second"]


def test_one_can_be_asked_for(redis: Redis) -> None:
    a_bulk(redis, BulkKind.RETRY)
    assert [one.id for one in BULKS.list(bulk_id="b1").run(redis)] == ["b1"]
    assert BULKS.list(bulk_id="gone").run(redis) == []
