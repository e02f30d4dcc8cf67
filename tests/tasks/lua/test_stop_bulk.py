"""``stop_bulk.lua``: a change to many jobs goes no further."""

from redis import Redis

from support.jobs import BULKS, CANCELLED, KEYS, QUEUED, a_bulk, enqueue, get, list_bulks, step_bulk, writes
from taskengine.bulk import BulkKind, BulkState


def test_what_it_has_done_stays_done_and_the_rest_is_left(redis: Redis) -> None:
    enqueue(redis, *(f"j{number}" for number in range(201)))
    a_bulk(redis, BulkKind.CANCEL)
    step_bulk(redis)
    with writes(redis, "stop_bulk") as written:
        assert BULKS.stop("b1").run(redis) == 1
    assert written == {"bulk:b1", "bulking"}
    assert step_bulk(redis) == 0
    assert (get(redis, "j0").state, get(redis, "j200").state) == (CANCELLED, QUEUED)
    (operation,) = list_bulks(redis)
    assert (operation.state, operation.changed) == (BulkState.STOPPED, 200)
    assert redis.ttl(KEYS.bulk("b1")) > 0


def test_one_that_has_ended_stays_as_it_ended(redis: Redis) -> None:
    a_bulk(redis, BulkKind.CANCEL)
    step_bulk(redis)
    assert BULKS.stop("b1").run(redis) == 1
    assert list_bulks(redis)[0].state is BulkState.DONE


def test_an_unknown_one_is_said_to_be(redis: Redis) -> None:
    assert BULKS.stop("gone").run(redis) == 0
