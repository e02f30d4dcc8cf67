"""``read_totals.lua``: sums that only grow, the second that is not over included."""

from redis import Redis

from support.jobs import FAILED, KEYS, a_job, a_running_job, enqueue, finish, writes
from support.time_slots import age
from taskengine.store import Ending
from taskengine.totals import Totals, read_totals


def totals(redis: Redis) -> list[Totals]:
    return read_totals(KEYS).run(redis)


def enqueued(redis: Redis) -> dict[tuple[str, str], int]:
    return {(one.queue, one.task): one.enqueued for one in totals(redis)}


def close_the_second(redis: Redis) -> None:
    """Let what was counted be a minute old, and count something else: that closes its slot."""
    age(redis, 60)
    enqueue(redis, f"closing{redis.incr('test:closings')}", queue="default", task="closing")
    redis.expire("test:closings", 60)


def test_nothing_was_counted_at_first(redis: Redis) -> None:
    assert totals(redis) == []


def test_what_happens_is_there_at_once(redis: Redis) -> None:
    enqueue(redis, "j1", "j2", queue="mail", task="send")
    assert enqueued(redis) == {("mail", "send"): 2}


def test_it_stays_when_its_second_is_over(redis: Redis) -> None:
    enqueue(redis, "j1", queue="mail", task="send")
    close_the_second(redis)
    enqueue(redis, "j2", queue="mail", task="send")
    assert enqueued(redis)["mail", "send"] == 2
    close_the_second(redis)
    assert enqueued(redis)["mail", "send"] == 2
    assert enqueued(redis)["default", "closing"] == 2


def test_it_outlives_every_window(redis: Redis) -> None:
    enqueue(redis, "j1", queue="mail", task="send")
    close_the_second(redis)
    age(redis, 10 * 86_400)
    assert enqueued(redis)["mail", "send"] == 1


def test_attempts_are_told_by_outcome_and_by_how_long_they_waited_and_ran(redis: Redis) -> None:
    finish(redis, a_running_job(redis, "j1"))
    finish(redis, a_running_job(redis, "j2"), Ending.FAILED)
    (one,) = totals(redis)
    assert (one.completed.total(), one.failed.total(), one.retried.total()) == (1, 1, 0)
    assert one.waits.total() == 2
    assert sum(one.runs.values()) == 2


def test_past_its_most_it_begins_anew(redis: Redis) -> None:
    enqueue(redis, "j1", queue="mail", task="send")
    close_the_second(redis)
    redis.hset(KEYS.metrics_totals, mapping={f"q:t{number}:E": 1 for number in range(20_001)})
    close_the_second(redis)
    assert len(enqueued(redis)) < 10


def test_it_ends_some_time_after_the_last_job(redis: Redis) -> None:
    a_job(redis, FAILED)
    close_the_second(redis)
    assert 7 * 86_400 < redis.ttl(KEYS.metrics_totals) <= 8 * 86_400


def test_it_writes_nothing(redis: Redis) -> None:
    enqueue(redis, "j1")
    with writes(redis) as changed:
        totals(redis)
    assert changed == set()
