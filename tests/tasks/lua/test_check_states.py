"""``check_states.lua``: the log of events and the records at one moment, and where they disagree."""

from typing import Any

from redis import Redis

from support.jobs import COMPLETED, KEYS, QUEUED, RUNNING, STORE, a_job, enqueue
from taskengine.check import check
from taskengine.scripts import call


def look(redis: Redis, *job_ids: str) -> Any:
    return call("check_states", KEYS.prefix, lambda answer: answer, rows=job_ids).run(redis)


def told(redis: Redis, **fields: str) -> None:
    event = {"kind": "STATE", "task": "t", "queue": "q", "attempt": "0", "message": "", **fields}
    redis.xadd(KEYS.events, event)  # pyright: ignore[reportArgumentType]


def test_it_tells_states_and_the_newest_event(redis: Redis) -> None:
    a_job(redis, RUNNING)
    ((newest, _),) = redis.xrevrange(KEYS.events, count=1)
    assert look(redis, "j1", "nobody") == [newest, ["RUNNING", ""]]


def test_without_events_it_is_the_beginning(redis: Redis) -> None:
    assert look(redis) == ["0-0", []]


def test_a_move_that_no_record_shows_is_a_difference_that_cannot_be_mended(redis: Redis) -> None:
    a_job(redis, QUEUED)
    told(redis, job="j1", **{"from": "QUEUED", "to": "RUNNING"})
    (difference,) = check(redis, KEYS, mend=True)
    assert (difference.key, difference.job) == (KEYS.events, "j1")
    assert (difference.expected, difference.found) == ("a move to QUEUED", "a move to RUNNING as the last")
    assert difference.outcome == "the log tells of what is past"
    redis.delete(KEYS.events)


def test_a_move_that_does_not_follow_the_one_before_is_a_difference(redis: Redis) -> None:
    a_job(redis, COMPLETED)
    (_, _, (event_id, _)) = redis.xrange(KEYS.events)
    told(redis, job="j1", **{"from": "RUNNING", "to": "COMPLETED"})
    (difference,) = check(redis, KEYS)
    assert (difference.expected, difference.found) == ("a move from COMPLETED", "one from RUNNING")
    assert difference.member > event_id
    redis.delete(KEYS.events)


def test_a_move_that_there_is_not_is_a_difference(redis: Redis) -> None:
    enqueue(redis, "j1")
    redis.hset(KEYS.job("j1"), "state", "QUEUED")
    told(redis, job="gone", **{"from": "COMPLETED", "to": "FAILED"})
    (difference,) = check(redis, KEYS)
    assert (difference.expected, difference.found) == ("a move that there is from COMPLETED", "one to FAILED")
    redis.delete(KEYS.events)


def test_a_record_that_is_lost_while_it_ran_is_a_difference(redis: Redis) -> None:
    a_job(redis, RUNNING)
    kept = redis.dump(KEYS.job("j1"))
    redis.delete(KEYS.job("j1"))
    differences = check(redis, KEYS)
    assert (KEYS.job("j1"), "a record, as it was RUNNING last") in {(one.key, one.expected) for one in differences}
    redis.restore(KEYS.job("j1"), 0, kept)


def test_a_job_that_was_deleted_is_none(redis: Redis) -> None:
    a_job(redis, COMPLETED)
    STORE.delete_job("j1").run(redis)
    assert check(redis, KEYS) == []


def test_what_the_log_does_not_hold_any_more_is_none(redis: Redis) -> None:
    a_job(redis, COMPLETED)
    redis.xtrim(KEYS.events, maxlen=1)
    assert check(redis, KEYS) == []
    redis.delete(KEYS.events)
    assert check(redis, KEYS) == []
