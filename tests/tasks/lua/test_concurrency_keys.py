"""Concurrency keys: of the jobs of a task with the same key, so many run at once, and the others cost nobody."""

import pytest
from redis import Redis

from support.jobs import (
    KEYS,
    QUEUED,
    READS,
    RETRYING,
    RUNNING,
    STORE,
    enqueue,
    expire_leases,
    finish,
    get,
    register,
    row,
    take,
)
from taskengine.errors import JobNotFound, LeaseLost
from taskengine.records import with_fields
from taskengine.rules import KEEP, Kind
from taskengine.store import Ending
from taskengine.waiting import WaitingReason


@pytest.fixture(autouse=True)
def one_a_key(redis: Redis) -> None:
    STORE.declare_key_limits({"t": 1}).run(redis)
    register(redis, "t", "u")


def enqueue_keyed(redis: Redis, *jobs: tuple[str, str], **facts: object) -> None:
    STORE.enqueue_jobs([with_fields(row(job_id, **facts), {"key": key}) for job_id, key in jobs]).run(redis)


def taken(redis: Redis, count: int = 10) -> list[str]:
    return [job.id for job in take(redis, count).jobs]


def test_one_of_each_key_runs_at_once(redis: Redis) -> None:
    enqueue_keyed(redis, ("a1", "a"), ("a2", "a"), ("b1", "b"))
    assert taken(redis) == ["a1", "b1"]
    assert get(redis, "a2").state is QUEUED


@pytest.mark.parametrize("ending", [Ending.COMPLETED, Ending.FAILED, Ending.RELEASED, Ending.UNSTARTED])
def test_every_end_of_an_attempt_lets_the_next_one_in(redis: Redis, ending: Ending) -> None:
    enqueue_keyed(redis, ("a1", "a"), ("a2", "a"), priority=5)
    (job,) = take(redis, 10).jobs
    finish(redis, job, ending)
    assert len(taken(redis)) == 1


def test_parked_jobs_keep_their_order(redis: Redis) -> None:
    enqueue_keyed(redis, ("a1", "a"), ("a2", "a"), ("a3", "a"))
    enqueue_keyed(redis, ("urgent", "a"), priority=9)
    order: list[str] = []
    while claimed := take(redis, 10).jobs:
        order += [job.id for job in claimed]
        for job in claimed:
            finish(redis, job)
    assert order == ["urgent", "a1", "a2", "a3"]


def test_a_thousand_blocked_jobs_at_the_head_are_passed_once(redis: Redis) -> None:
    enqueue_keyed(redis, *((f"a{number}", "a") for number in range(1_000)), priority=10)
    enqueue(redis, "other", task="u", priority=1)
    assert taken(redis) == ["a0", "other"]
    assert redis.zcard(KEYS.ready("q", "t")) == 0


def pause(redis: Redis, queue: str) -> None:
    STORE.pause(Kind.QUEUE, queue, by="", reason="").run(redis)


def test_a_place_that_becomes_free_passes_by_jobs_of_a_paused_queue(redis: Redis) -> None:
    enqueue_keyed(redis, ("a1", "a"))
    enqueue_keyed(redis, ("held", "a"), ("held too", "a"), queue="p")
    enqueue_keyed(redis, ("a2", "a"), ("a3", "a"))
    (job,) = take(redis, 10).jobs
    pause(redis, "p")
    finish(redis, job)
    assert [job.id for job in take(redis, 10).jobs] == ["a2"]
    STORE.resume(Kind.QUEUE, "p").run(redis)
    assert take(redis, 10).jobs == []


def test_pausing_the_queue_of_a_job_that_is_next_with_its_key_lets_one_of_another_queue_in(redis: Redis) -> None:
    enqueue_keyed(redis, ("a1", "a"))
    enqueue_keyed(redis, ("held", "a"), queue="p")
    enqueue_keyed(redis, ("a2", "a"))
    (job,) = take(redis, 10).jobs
    finish(redis, job)
    pause(redis, "p")
    assert [job.id for job in take(redis, 10).jobs] == ["a2"]


def test_a_dead_holder_gives_its_place_back_with_its_lease(redis: Redis) -> None:
    enqueue_keyed(redis, ("a1", "a"), ("a2", "a"))
    (job,) = take(redis, 10).jobs
    expire_leases(redis, KEYS, (job.id, job.lease))
    STORE.rescue_jobs(max_losses=1, limit=1).run(redis)
    assert taken(redis) == ["a2"]


def test_the_limit_is_live(redis: Redis) -> None:
    enqueue_keyed(redis, *((f"a{number}", "a") for number in range(5)))
    assert taken(redis) == ["a0"]
    STORE.set_limits(Kind.TASK, "t", concurrency=KEEP, rate=KEEP, per_key=3).run(redis)
    assert taken(redis) == ["a1", "a2"]
    STORE.set_limits(Kind.TASK, "t", concurrency=KEEP, rate=KEEP, per_key=None).run(redis)
    assert taken(redis) == []


def test_a_parked_job_can_be_cancelled_deleted_and_given_another_priority(redis: Redis) -> None:
    enqueue_keyed(redis, ("a1", "a"), ("a2", "a"), ("a3", "a"), ("a4", "a"))
    (job,) = take(redis, 10).jobs
    STORE.cancel_job("a2", terminate=False, reason="").run(redis)
    STORE.delete_job("a3").run(redis)
    STORE.change_priority("a4", 9).run(redis)
    finish(redis, job)
    assert taken(redis) == ["a4"]


def test_it_says_which_job_holds_its_key(redis: Redis) -> None:
    enqueue_keyed(redis, ("a1", "a"), ("a2", "a"))
    taken(redis)
    STORE.register_worker("w", '{"queues":["*"]}', {"t": "{}"}).run(redis)
    found = READS.explain_job("a2").run(redis)
    assert found is not None
    assert found.reason is WaitingReason.CONCURRENCY_LIMIT
    assert (found.message, found.job_ids) == ("task t for 'a' runs 1 job at once: a1", ("a1",))
    assert get(redis, "a2").concurrency_key == "a"


def test_the_backoff_of_a_failed_job_holds_no_place(redis: Redis) -> None:
    enqueue_keyed(redis, ("a1", "a"), ("a2", "a"))
    (job,) = take(redis, 10).jobs
    finish(redis, job, Ending.FAILED, retry_ms=60_000)
    assert get(redis, "a1").state is RETRYING
    assert taken(redis) == ["a2"]


# A key that is known only where the task's code is


def test_a_job_that_gets_its_key_late_begins_when_there_is_place(redis: Redis) -> None:
    enqueue(redis, "j1")
    (job,) = take(redis).jobs
    assert STORE.assign_key(job.id, job.lease, "a").run(redis)
    assert redis.smembers(KEYS.keyed("t", "a")) == {"j1"}


def test_and_goes_back_as_if_never_claimed_when_there_is_none(redis: Redis) -> None:
    enqueue(redis, "j1", "j2")
    first, second = take(redis, 2).jobs
    STORE.assign_key(first.id, first.lease, "a").run(redis)
    assert not STORE.assign_key(second.id, second.lease, "a").run(redis)
    assert (get(redis, "j2").state, get(redis, "j2").attempt_count, get(redis, "j2").run_count) == (QUEUED, 0, 0)
    finish(redis, first)
    assert taken(redis) == ["j2"]


def test_only_the_holder_of_the_lease_assigns_a_key(redis: Redis) -> None:
    enqueue(redis, "j1")
    take(redis)
    with pytest.raises(LeaseLost):
        STORE.assign_key("j1", "another", "a").run(redis)
    with pytest.raises(JobNotFound):
        STORE.assign_key("gone", "1", "a").run(redis)
    assert get(redis).state is RUNNING


# Those that leave the line


def a_free_place_and_two_that_wait(redis: Redis) -> None:
    """j1 had the key and is done, j2 stands in line for its place, j3 and j4 stand aside."""
    enqueue_keyed(redis, *((f"j{number}", "a") for number in (1, 2, 3, 4)))
    (job,) = take(redis, 10).jobs
    finish(redis, job)
    assert redis.zrange(KEYS.ready("q", "t"), 0, -1) == ["j2"]


def test_one_that_is_cancelled_in_line_lets_the_next_one_stand_there(redis: Redis) -> None:
    a_free_place_and_two_that_wait(redis)
    STORE.cancel_job("j2", terminate=False, reason="").run(redis)
    assert taken(redis) == ["j3"]


def test_one_that_is_deleted_in_line_lets_the_next_one_stand_there(redis: Redis) -> None:
    a_free_place_and_two_that_wait(redis)
    STORE.delete_job("j2").run(redis)
    assert taken(redis) == ["j3"]


def test_one_that_is_put_off_in_line_lets_the_next_one_stand_there(redis: Redis) -> None:
    a_free_place_and_two_that_wait(redis)
    seconds, _ = redis.time()
    STORE.reschedule_job("j2", run_at_ms=(seconds + 3600) * 1000).run(redis)
    assert taken(redis) == ["j3"]


def test_the_last_one_that_leaves_while_it_stands_aside_leaves_nothing_behind(redis: Redis) -> None:
    enqueue_keyed(redis, ("j1", "a"), ("j2", "a"))
    assert taken(redis) == ["j1"]
    STORE.cancel_job("j2", terminate=False, reason="").run(redis)
    assert redis.exists(KEYS.parked("t", "a"), KEYS.parked_keys("t")) == 0
