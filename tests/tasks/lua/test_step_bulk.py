"""``step_bulk.lua``: the next jobs of a change to many, each step taken once."""

import threading

import pytest
from redis import Redis

from support.jobs import (
    CANCELLED,
    COMPLETED,
    FAILED,
    FINAL,
    GROUP,
    KEYS,
    QUEUED,
    RETRYING,
    SCHEDULED,
    a_bulk,
    a_job,
    a_running_job,
    enqueue,
    find,
    finish,
    get,
    list_bulks,
    now_ms,
    row,
    step_bulk,
    writes,
)
from support.redis_server import RedisServer
from support.schedules import SCHEDULES, a_schedule
from support.waiting import wait_until
from taskengine.bulk import BulkKind, BulkState
from taskengine.filters import JobFilter
from taskengine.jobs import JobState
from taskengine.records import ms_of, with_fields


@pytest.mark.parametrize("state", [FAILED, CANCELLED, RETRYING])
def test_a_retry_queues_what_failed_and_leaves_the_rest(redis: Redis, state: JobState) -> None:
    a_job(redis, state, "j1")
    a_job(redis, COMPLETED, "other")
    a_bulk(redis, BulkKind.RETRY)
    assert not step_bulk(redis)
    assert (get(redis, "j1").state, get(redis, "other").state) == (QUEUED, COMPLETED)


@pytest.mark.parametrize("state", [SCHEDULED, QUEUED, RETRYING])
def test_a_cancel_ends_what_waits_with_its_reason(redis: Redis, state: JobState) -> None:
    a_job(redis, state, "j1")
    a_bulk(redis, BulkKind.CANCEL, reason="not today")
    step_bulk(redis)
    assert (get(redis).state, get(redis).cancel_reason) == (CANCELLED, "not today")


def test_a_cancel_stops_what_runs_only_when_told_to(redis: Redis) -> None:
    a_running_job(redis)
    a_bulk(redis, BulkKind.CANCEL, bulk_id="b1")
    step_bulk(redis, "b1")
    assert not get(redis).cancel_requested
    a_bulk(redis, BulkKind.CANCEL, bulk_id="b2", terminate=True)
    step_bulk(redis, "b2")
    assert get(redis).cancel_requested


@pytest.mark.parametrize("state", [SCHEDULED, QUEUED, RETRYING, *FINAL])
def test_a_delete_removes_the_record(redis: Redis, state: JobState) -> None:
    a_job(redis, state, "j1")
    a_bulk(redis, BulkKind.DELETE)
    step_bulk(redis)
    assert find(redis) is None


def test_only_what_the_filter_finds_is_changed(redis: Redis) -> None:
    enqueue(redis, "yes", queue="q1", task="t")
    enqueue(redis, "other queue", queue="q2", task="t")
    enqueue(redis, "other task", queue="q1", task="u")
    a_bulk(redis, BulkKind.CANCEL, JobFilter(queues=("q1",), tasks=("t",)))
    step_bulk(redis)
    assert [get(redis, one).state for one in ("yes", "other queue", "other task")] == [CANCELLED, QUEUED, QUEUED]


@pytest.mark.parametrize(
    "wanted",
    [
        JobFilter(ids=("yes", "gone")),
        JobFilter(tags=("a", "b")),
        JobFilter(text="YES"),
        JobFilter(args_contain={"x": ["yes"]}),
        JobFilter(priority=(8, None)),
        JobFilter(priority=(8, 9), queues=("q",), tags=("a",), text="yes"),
    ],
)
def test_any_filter_finds_what_to_change(redis: Redis, wanted: JobFilter) -> None:
    enqueue(redis, "yes", args='{"x":["no","yes"]}', tags=("a", "b"), priority=9)
    enqueue(redis, "no", args='{"x":["no"]}', tags=("c",))
    a_bulk(redis, BulkKind.CANCEL, wanted)
    assert not step_bulk(redis)
    assert (get(redis, "yes").state, get(redis, "no").state) == (CANCELLED, QUEUED)


def test_only_what_was_created_in_time_is_changed(redis: Redis) -> None:
    enqueue(redis, *"abcd")
    a_bulk(
        redis,
        BulkKind.CANCEL,
        JobFilter(created_from=get(redis, "b").created_at, created_before=get(redis, "d").created_at),
    )
    step_bulk(redis)
    assert [get(redis, one).state for one in "abcd"] == [QUEUED, CANCELLED, CANCELLED, QUEUED]


def test_what_a_filter_by_finish_finds_goes_and_what_finishes_later_stays(redis: Redis) -> None:
    for job_id in "ab":
        a_job(redis, COMPLETED, job_id)
    later = a_running_job(redis, "later")
    a_bulk(redis, BulkKind.DELETE, JobFilter(finished_from=get(redis, "a").finished_at))
    wait_until(lambda: now_ms(redis) > ms_of(list_bulks(redis)[0].created_at), 5, "the clock goes on")
    finish(redis, later)
    assert not step_bulk(redis)
    assert [find(redis, one) for one in "ab"] == [None, None]
    assert get(redis, "later").state is COMPLETED


def test_the_jobs_of_a_schedule_are_changed(redis: Redis) -> None:
    a_schedule(redis)
    SCHEDULES.run_schedule("s", with_fields(row("its"), {"schedule": "s"})).run(redis)
    enqueue(redis, "other")
    a_bulk(redis, BulkKind.DELETE, JobFilter(schedule="s"))
    step_bulk(redis)
    assert (find(redis, "its"), get(redis, "other").state) == (None, QUEUED)


def test_a_filter_that_finds_little_looks_at_so_many_a_step_and_goes_on(redis: Redis) -> None:
    enqueue(redis, *(f"j{number}" for number in range(450)))
    enqueue(redis, "yes", args='{"x":"yes"}')
    a_bulk(redis, BulkKind.CANCEL, JobFilter(text="yes"))
    assert [step_bulk(redis) for _ in range(3)] == [True, True, False]
    (operation,) = list_bulks(redis)
    assert (operation.matched, operation.changed, operation.skipped) == (1, 1, 0)
    assert get(redis, "yes").state is CANCELLED


def test_with_the_last_failed_job_of_a_group_the_group_goes(redis: Redis) -> None:
    a_job(redis, FAILED)
    a_bulk(redis, BulkKind.DELETE, JobFilter(failure_group=GROUP))
    with writes(redis, "step_bulk") as written:
        step_bulk(redis)
    assert {f"failure:{GROUP}", f"failed:{GROUP}", "failures"} <= written
    assert find(redis) is None


def test_what_came_after_it_was_asked_for_is_left_alone(redis: Redis) -> None:
    enqueue(redis, "before")
    a_bulk(redis, BulkKind.CANCEL)
    enqueue(redis, "after")
    step_bulk(redis)
    assert (get(redis, "before").state, get(redis, "after").state) == (CANCELLED, QUEUED)


def test_it_goes_in_steps_and_ends_with_its_counts(redis: Redis) -> None:
    enqueue(redis, *(f"j{number}" for number in range(450)))
    a_bulk(redis, BulkKind.CANCEL, matched=450)
    assert [step_bulk(redis) for _ in range(4)] == [True, True, False, False]
    (operation,) = list_bulks(redis)
    assert (operation.state, operation.changed, operation.skipped) == (BulkState.DONE, 450, 0)
    assert operation.finished_at is not None
    assert 0 < redis.ttl(KEYS.bulk(operation.id)) <= 7 * 86_400
    assert list_bulks(redis, running=True) == []


def test_a_job_is_not_met_again_where_the_change_put_it(redis: Redis) -> None:
    """Cancelled jobs can be retried, retried ones cancelled: the walk is by creation, and goes on."""
    for number in range(250):
        a_job(redis, CANCELLED, f"j{number}")
    a_bulk(redis, BulkKind.RETRY)
    while step_bulk(redis):
        pass
    assert list_bulks(redis)[0].changed == 250


def test_steps_taken_at_the_same_time_change_each_job_once(redis: Redis, redis_server: RedisServer) -> None:
    enqueue(redis, *(f"j{number}" for number in range(1_000)))
    a_bulk(redis, BulkKind.CANCEL)

    def work() -> None:
        with redis_server.client() as client:
            while step_bulk(client):
                pass

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list_bulks(redis)[0].changed == 1_000
    assert redis.zcard(KEYS.finished(CANCELLED)) == 1_000


def test_it_writes_what_its_header_says(redis: Redis) -> None:
    enqueue(redis, "j1", idempotency_key="k")
    enqueue(redis, "j2", depends_on=("j1",))
    a_bulk(redis, BulkKind.DELETE)
    with writes(redis, "step_bulk") as written:
        step_bulk(redis)
    assert "job:j1" in written


def test_an_unknown_one_has_nothing_to_do(redis: Redis) -> None:
    assert not step_bulk(redis, "gone")
