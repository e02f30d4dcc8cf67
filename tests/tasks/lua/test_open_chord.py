"""``open_chord.lua``, and what the ends of its members do: the last to end enqueues the callback, in the same move."""

import json
from typing import Any

import pytest
from redis import Redis

from support.jobs import (
    CANCELLED,
    ERROR,
    KEYS,
    MINUTE,
    QUEUED,
    STORE,
    a_running_job,
    an_orphan,
    claim,
    find,
    finish,
    get,
    register,
    row,
    take,
    writes,
)
from taskengine.records import call_of, dumps, with_fields
from taskengine.store import Ending

CALLBACK = call_of(row("after"), '{"more":1,"values":', "}")


def open_chord(redis: Redis, size: int = 2) -> int:
    return STORE.open_chord("c", size, dumps(CALLBACK), ttl_ms=MINUTE).run(redis)


def a_member(redis: Redis, number: int, **follows: str) -> None:
    says = {"follows": dumps({"chord": "c", "number": str(number), **follows})}
    STORE.enqueue_jobs([with_fields(row(f"m{number}"), says)]).run(redis)


def two_members(redis: Redis) -> None:
    open_chord(redis)
    a_member(redis, 0)
    a_member(redis, 1)


def values(redis: Redis) -> Any:
    return get(redis, "after").args["values"]


def test_it_is_there_for_some_time(redis: Redis) -> None:
    with writes(redis, "open_chord") as written:
        assert open_chord(redis) == 1
    assert written == {"chord:c"}
    assert 0 < redis.pttl(KEYS.chord("c")) <= MINUTE


def test_sent_twice_it_is_opened_once(redis: Redis) -> None:
    two_members(redis)
    finish(redis, claim(redis))
    assert open_chord(redis) == 0
    finish(redis, claim(redis))
    assert get(redis, "after").state is QUEUED


def test_the_last_member_enqueues_the_callback_with_results_in_the_members_order(redis: Redis) -> None:
    two_members(redis)
    first, second = claim(redis), claim(redis)
    finish(redis, second, value="[12345678901234567890]")
    assert find(redis, "after") is None
    with writes(redis, "finish_jobs"):
        finish(redis, first, value='{"a":[]}')
    assert get(redis, "after").args == {"more": 1, "values": [{"a": []}, [12345678901234567890]]}
    assert redis.exists(KEYS.chord("c")) == 0


def test_a_member_without_a_result_counts_as_null(redis: Redis) -> None:
    two_members(redis)
    finish(redis, claim(redis))
    finish(redis, claim(redis))
    assert values(redis) == [None, None]


def test_a_member_that_failed_counts_with_its_error(redis: Redis) -> None:
    two_members(redis)
    finish(redis, claim(redis), Ending.FAILED)
    finish(redis, claim(redis), value="1")
    assert values(redis) == [{"error": json.loads(ERROR)}, 1]


def test_a_member_that_is_to_be_tried_again_has_not_ended(redis: Redis) -> None:
    two_members(redis)
    finish(redis, claim(redis), Ending.FAILED, retry_ms=0)
    finish(redis, take(redis, 2).jobs[1])
    assert find(redis, "after") is None


def test_a_member_that_was_cancelled_counts_with_the_reason(redis: Redis) -> None:
    two_members(redis)
    with writes(redis, "cancel_job"):
        STORE.cancel_job("m0", terminate=False, reason="not wanted").run(redis)
    finish(redis, claim(redis), value="1")
    said = {"exception": "JobCancelled", "message": "not wanted", "retryable": False}
    assert values(redis) == [{"error": said}, 1]


def test_a_member_that_was_deleted_before_it_ran_counts(redis: Redis) -> None:
    two_members(redis)
    with writes(redis, "delete_job"):
        STORE.delete_job("m0").run(redis)
    finish(redis, claim(redis), value="1")
    assert values(redis)[0]["error"]["message"] == "deleted"


def test_a_member_whose_worker_was_lost_too_often_counts(redis: Redis) -> None:
    open_chord(redis, 1)
    register(redis)
    a_member(redis, 0)
    take(redis, lease_ms=0)
    with writes(redis, "rescue_jobs"):
        STORE.rescue_jobs(max_losses=1, limit=1).run(redis)
    assert values(redis)[0]["error"]["exception"] == "WorkerLost"


def test_a_member_reports_once_also_when_it_is_run_again(redis: Redis) -> None:
    two_members(redis)
    STORE.cancel_job("m0", terminate=False, reason="").run(redis)
    STORE.retry_job("m0", attempts=None).run(redis)
    finish(redis, claim(redis))
    assert find(redis, "after") is None


def test_one_that_a_later_call_reports_for_does_so_only_when_it_does_not_complete(redis: Redis) -> None:
    open_chord(redis, 2)
    a_member(redis, 0, later="1")
    a_member(redis, 1, later="1")
    finish(redis, claim(redis))
    finish(redis, claim(redis), Ending.FAILED)
    assert redis.hget(KEYS.chord("c"), "left") == "1"


@pytest.mark.parametrize("size", [1, 1000, 2001])
def test_results_of_many_are_all_there(redis: Redis, size: int) -> None:
    open_chord(redis, size)
    redis.hset(KEYS.chord("c"), mapping={str(number): str(number) for number in range(size - 1)} | {"left": "1"})
    a_member(redis, size - 1)
    finish(redis, claim(redis), value=str(size - 1))
    assert values(redis) == list(range(size))


# The other things that follow


def follows(redis: Redis, **fields: Any) -> None:
    STORE.enqueue_jobs([with_fields(row("j1"), {"follows": dumps(fields)})]).run(redis)


def test_a_handler_of_errors_follows_the_last_failure_with_the_error(redis: Redis) -> None:
    follows(redis, error=call_of(row("after"), '{"values":', "}"))
    finish(redis, claim(redis), Ending.FAILED, retry_ms=0)
    assert find(redis, "after") is None
    finish(redis, claim(redis), Ending.FAILED)
    assert values(redis) == json.loads(ERROR)


def test_a_handler_of_errors_follows_nothing_else(redis: Redis) -> None:
    follows(redis, error=call_of(row("after"), '{"values":', "}"))
    STORE.cancel_job("j1", terminate=False, reason="").run(redis)
    assert get(redis).state is CANCELLED
    assert find(redis, "after") is None


def test_what_follows_a_success_is_enqueued_with_it_and_once(redis: Redis) -> None:
    job = a_running_job(redis)
    calls = dumps([call_of(row("after", args='{"a":1}', priority=9))])
    finish(redis, job, calls=calls)
    finish(redis, job, calls=calls)
    after = get(redis, "after")
    assert (after.args, after.priority, after.state) == ({"a": 1}, 9, QUEUED)


def test_who_lost_its_lease_enqueues_nothing(redis: Redis) -> None:
    orphan = an_orphan(redis)
    STORE.rescue_jobs(max_losses=3, limit=1).run(redis)
    finish(redis, orphan, calls=dumps([call_of(row("after"))]))
    assert find(redis, "after") is None
