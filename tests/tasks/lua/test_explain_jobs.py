"""``explain_jobs.lua``: why jobs are not running, each reason in its turn, and when they may start."""

from datetime import timedelta

import pytest
from redis import Redis

from support.jobs import (
    COMPLETED,
    KEYS,
    MINUTE,
    READS,
    RETRYING,
    RUNNING,
    STORE,
    WORKER,
    a_job,
    enqueue,
    finish_all,
    now_ms,
    outcome,
    take,
    writes,
)
from taskengine.errors import JobNotFound
from taskengine.rules import KEEP, Kind, Rate
from taskengine.waiting import Waiting, WaitingReason


def explain(redis: Redis, job_id: str = "j1") -> Waiting:
    with writes(redis) as written:
        found = READS.explain_job(job_id).run(redis)
    assert written == set()
    assert found is not None
    return found


def a_worker(redis: Redis, *tasks: str, queues: str = '["*"]', name: str = WORKER) -> None:
    descriptions = dict.fromkeys(tasks or ("t",), "{}")
    STORE.register_worker(name, f'{{"queues":{queues}}}', descriptions).run(redis)


def test_a_time_that_has_not_come(redis: Redis) -> None:
    enqueue(redis, "j1", delay=60)
    found = explain(redis)
    assert found.reason is WaitingReason.RUN_AT
    assert found.until is not None


def test_a_backoff(redis: Redis) -> None:
    a_job(redis, RETRYING)
    found = explain(redis)
    assert found.reason is WaitingReason.BACKOFF
    assert found.until is not None


def test_jobs_that_have_not_completed(redis: Redis) -> None:
    enqueue(redis, "a", "b")
    enqueue(redis, "j1", depends_on=("a", "b"))
    found = explain(redis)
    assert found.reason is WaitingReason.DEPENDENCY
    assert found.job_ids == ("a", "b")
    assert found.message == "it waits for 2 jobs to complete: a, b"


def test_a_paused_queue_with_who_and_why(redis: Redis) -> None:
    enqueue(redis, "j1")
    STORE.pause(Kind.QUEUE, "q", by="ops@", reason="incident 7").run(redis)
    found = explain(redis)
    assert found.reason is WaitingReason.QUEUE_PAUSED
    assert "queue q is paused since" in found.message
    assert found.message.endswith("by ops@: incident 7")


def test_a_paused_task(redis: Redis) -> None:
    enqueue(redis, "j1")
    STORE.pause(Kind.TASK, "t", by="", reason="").run(redis)
    assert explain(redis).reason is WaitingReason.TASK_PAUSED


def test_no_worker_at_all(redis: Redis) -> None:
    enqueue(redis, "j1")
    found = explain(redis)
    assert (found.reason, found.message) == (WaitingReason.NO_WORKER, "no worker is online")


def test_no_worker_of_its_queue(redis: Redis) -> None:
    enqueue(redis, "j1")
    a_worker(redis, queues='["other"]')
    assert explain(redis).message == "none of the 1 online workers serves queue q"


def test_no_worker_that_knows_its_task(redis: Redis) -> None:
    enqueue(redis, "j1")
    a_worker(redis, "another")
    assert explain(redis).message == "no online worker of queue q knows task t"


def test_a_silent_worker_is_not_online(redis: Redis) -> None:
    enqueue(redis, "j1")
    a_worker(redis)
    redis.zadd(KEYS.heartbeats, {WORKER: 1})
    assert explain(redis).message == "no worker is online"


def test_a_rate_with_its_next_token(redis: Redis) -> None:
    enqueue(redis, "j0", "j1")
    a_worker(redis)
    STORE.set_limits(Kind.QUEUE, "q", concurrency=KEEP, rate=Rate(jobs=1, per_seconds=60)).run(redis)
    take(redis)
    found = explain(redis)
    assert found.reason is WaitingReason.RATE_LIMIT
    assert found.message.startswith("queue q may start 1 jobs in 60 s; the next one at")
    assert found.until is not None


def test_a_concurrency_limit_with_its_holders(redis: Redis) -> None:
    enqueue(redis, "j0", "j1")
    a_worker(redis)
    STORE.set_limits(Kind.TASK, "t", concurrency=1, rate=KEEP).run(redis)
    take(redis)
    found = explain(redis)
    assert found.reason is WaitingReason.CONCURRENCY_LIMIT
    assert (found.message, found.job_ids) == ("task t runs 1 job at once: j0", ("j0",))


def test_jobs_ahead_over_all_tasks_of_its_queue(redis: Redis) -> None:
    enqueue(redis, "a", "b", task="u", priority=6)
    enqueue(redis, "j1")
    enqueue(redis, "behind")
    a_worker(redis, "t", "u")
    found = explain(redis)
    assert (found.reason, found.jobs_ahead) == (WaitingReason.JOBS_AHEAD, 2)
    assert found.message == "2 jobs are ahead of it in queue q"


def test_nothing_but_a_free_worker(redis: Redis) -> None:
    enqueue(redis, "j1")
    a_worker(redis)
    assert explain(redis).reason is WaitingReason.STARTING


@pytest.mark.parametrize("state", [RUNNING, COMPLETED])
def test_a_job_that_does_not_wait_has_no_reason(redis: Redis, state: object) -> None:
    a_job(redis, state)  # pyright: ignore[reportArgumentType]
    assert READS.explain_job("j1").run(redis) is None


def test_an_unknown_id_is_refused(redis: Redis) -> None:
    with pytest.raises(JobNotFound):
        READS.explain_job("gone").run(redis)


def test_what_it_says_agrees_with_what_a_claim_does(redis: Redis) -> None:
    enqueue(redis, "j1")
    a_worker(redis)
    STORE.pause(Kind.QUEUE, "q", by="", reason="").run(redis)
    assert take(redis).jobs == []
    STORE.resume(Kind.QUEUE, "q").run(redis)
    assert explain(redis).reason is WaitingReason.STARTING
    assert [job.id for job in take(redis, lease_ms=MINUTE).jobs] == ["j1"]


def test_many_are_explained_in_one_look(redis: Redis) -> None:
    enqueue(redis, "j1", "j2")
    enqueue(redis, "later", delay=60)
    a_worker(redis)
    found = READS.explain_jobs(["later", "gone", "j2", "j1"]).run(redis)
    reasons = [one and one.reason for one in found]
    assert reasons == [WaitingReason.RUN_AT, None, WaitingReason.JOBS_AHEAD, WaitingReason.STARTING]


def test_jobs_of_other_queues_and_tasks_have_facts_of_their_own(redis: Redis) -> None:
    enqueue(redis, "j1")
    enqueue(redis, "j2", queue="r")
    enqueue(redis, "j3", task="u")
    a_worker(redis, queues='["q"]')
    STORE.pause(Kind.QUEUE, "r", by="", reason="").run(redis)
    found = READS.explain_jobs(["j1", "j2", "j3"]).run(redis)
    reasons = [one and one.reason for one in found]
    assert reasons == [WaitingReason.STARTING, WaitingReason.QUEUE_PAUSED, WaitingReason.NO_WORKER]


def complete(redis: Redis, count: int, **facts: str) -> None:
    enqueue(redis, *(f"done{number}" for number in range(count)), **facts)
    finish_all(redis, [outcome(job) for job in take(redis, count).jobs])


def test_a_queue_that_does_not_move_gives_no_estimate(redis: Redis) -> None:
    a_worker(redis)
    enqueue(redis, "a", "j1")
    assert explain(redis).estimated_start_at is None


def test_another_queue_that_moves_gives_no_estimate(redis: Redis) -> None:
    a_worker(redis)
    complete(redis, 10, queue="elsewhere")
    enqueue(redis, "a", "j1")
    assert explain(redis).estimated_start_at is None


@pytest.mark.parametrize(("ended", "seconds"), [(10, 2), (100, 0.2), (2, 60)])
def test_a_queue_that_moves_estimates_by_its_pace(redis: Redis, ended: int, seconds: float) -> None:
    """What ended within moments counts as the work of ten seconds; few as that of a minute."""
    a_worker(redis)
    complete(redis, ended)
    enqueue(redis, "a", "b", "j1")
    before = now_ms(redis)
    found = explain(redis)
    assert found.estimated_start_at is not None
    ahead = found.estimated_start_at.timestamp() * 1000 - before
    assert seconds * 1000 <= ahead < seconds * 1000 * 6 + 2_000


def test_an_estimate_is_never_before_the_known_end(redis: Redis) -> None:
    a_worker(redis)
    complete(redis, 100)
    STORE.set_limits(Kind.QUEUE, "q", concurrency=KEEP, rate=Rate(jobs=1, per_seconds=3_600)).run(redis)
    enqueue(redis, "a", "j1")
    take(redis)
    found = explain(redis)
    assert found.until is not None
    assert found.estimated_start_at is not None
    assert found.estimated_start_at - found.until < timedelta(milliseconds=1)


def test_a_paused_queue_gives_no_estimate(redis: Redis) -> None:
    a_worker(redis)
    complete(redis, 10)
    enqueue(redis, "a", "j1")
    STORE.pause(Kind.QUEUE, "q", by="", reason="").run(redis)
    assert explain(redis).estimated_start_at is None
