"""``count_jobs.lua``: how many jobs there are of each queue, task and state."""

from redis import Redis

from support.jobs import (
    QUEUED,
    READS,
    STORE,
    a_job,
    a_running_job,
    enqueue,
    finish,
    get,
    now_ms,
    writes,
)
from taskengine.jobs import JobState, StateCounts
from taskengine.reads import Lanes, queues_of, total_of
from taskengine.store import Ending


def lanes(redis: Redis) -> Lanes:
    return READS.count_jobs().run(redis)


def test_no_jobs_have_no_lanes(redis: Redis) -> None:
    assert lanes(redis) == []
    assert total_of(lanes(redis)) == StateCounts()


def test_each_state_is_counted(redis: Redis) -> None:
    for number, state in enumerate([state for state in JobState if state is not QUEUED], 1):
        for copy in range(number):
            a_job(redis, state, f"{state}-{copy}")
    enqueue(redis, "last")
    assert total_of(lanes(redis)) == StateCounts(
        scheduled=1, queued=1, running=2, retrying=3, completed=4, failed=5, cancelled=6
    )


def test_counts_are_by_queue_and_task(redis: Redis) -> None:
    enqueue(redis, "a", queue="q1", task="t1")
    enqueue(redis, "b", "c", queue="q1", task="t2")
    enqueue(redis, "d", queue="q2", task="t1")
    found = {(queue, task): counts.queued for queue, task, counts, _ in lanes(redis)}
    assert found == {("q1", "t1"): 1, ("q1", "t2"): 2, ("q2", "t1"): 1}
    assert [(queue.name, queue.counts.queued) for queue in queues_of(lanes(redis))] == [("q1", 3), ("q2", 1)]


def test_it_says_since_when_the_oldest_ready_job_waits(redis: Redis) -> None:
    enqueue(redis, "old", priority=1)
    enqueue(redis, "new", priority=10)
    (queue,) = queues_of(lanes(redis))
    assert queue.oldest_ready_at is not None
    assert abs(queue.oldest_ready_at - get(redis, "old").created_at).total_seconds() <= 0.001


def test_a_job_that_was_given_back_waits_since_then(redis: Redis) -> None:
    job = a_running_job(redis)
    before = now_ms(redis)
    finish(redis, job, Ending.RELEASED)
    ((_, _, _, since),) = lanes(redis)
    assert before <= since <= now_ms(redis)


def test_nobody_waits_where_nothing_is_ready(redis: Redis) -> None:
    a_job(redis)
    STORE.cancel_job("j1", terminate=False, reason="").run(redis)
    ((_, _, _, since),) = lanes(redis)
    assert since == -1
    assert queues_of(lanes(redis))[0].oldest_ready_at is None


def test_looking_changes_nothing(redis: Redis) -> None:
    enqueue(redis, "a")
    with writes(redis, "count_jobs") as written:
        lanes(redis)
    assert written == set()
