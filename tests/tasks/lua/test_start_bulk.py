"""``start_bulk.lua``: a change to many jobs is asked for."""

from redis import Redis

from support.jobs import KEYS, a_bulk, list_bulks, writes
from taskengine.bulk import BulkKind, BulkState


def test_it_is_there_and_has_changed_nothing_yet(redis: Redis) -> None:
    with writes(redis, "start_bulk") as written:
        a_bulk(redis, BulkKind.RETRY, matched=7, by="ops@")
    assert {key.partition(":")[0] for key in written} == {"bulk", "bulks", "bulking", "clock", "audit"}
    (operation,) = list_bulks(redis)
    assert (operation.kind, operation.state, operation.requested_by) == (BulkKind.RETRY, BulkState.RUNNING, "ops@")
    assert (operation.matched, operation.changed, operation.skipped) == (7, 0, 0)


def test_the_newest_hundred_are_listed(redis: Redis) -> None:
    for number in range(103):
        a_bulk(redis, BulkKind.DELETE, bulk_id=f"b{number}")
    assert redis.zcard(KEYS.bulks) == 100
