"""``claim_jobs.lua``: QUEUED -> RUNNING under a lease, best first."""

from redis import Redis

from support.jobs import (
    KEYS,
    MINUTE,
    QUEUED,
    RUNNING,
    SCHEDULED,
    STORE,
    a_running_job,
    claim,
    enqueue,
    everything,
    finish,
    get,
    moves,
    now_ms,
    record,
    register,
    take,
    writes,
)
from support.waiting import wait_until
from taskengine.rules import KEEP, Kind
from taskengine.store import Ending


def ids(redis: Redis, count: int = 100, queues: str = "*") -> list[str]:
    return [job.id for job in take(redis, count, queues=queues).jobs]


def test_a_claimed_job_runs_under_a_lease(redis: Redis) -> None:
    enqueue(redis, "j1")
    before = now_ms(redis)
    job = claim(redis)
    assert get(redis).state is RUNNING
    assert record(redis)["lease"] == job.lease
    assert before + MINUTE <= redis.zscore(KEYS.leases, "j1") <= now_ms(redis) + MINUTE
    assert moves(redis) == [("", "QUEUED"), ("QUEUED", "RUNNING")]


def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    enqueue(redis, "j1")
    register(redis)
    with writes(redis, "claim_jobs") as written:
        take(redis)
    assert written == {
        "job:j1",
        "lane:q:t:QUEUED",
        "lane:q:t:RUNNING",
        "ready:q:t",
        "heads:q",
        "leases",
        "clock",
        "events",
    }


def test_the_record_tells_who_runs_it_since_when_and_how_often(redis: Redis) -> None:
    enqueue(redis, "j1")
    claim(redis)
    job = get(redis)
    assert (job.worker, job.attempt_count, job.run_count) == ("w", 1, 1)
    assert job.started_at is not None
    assert job.created_at.timestamp() - 0.001 <= job.started_at.timestamp() <= now_ms(redis) / 1000


def test_the_worker_gets_to_know_what_it_needs(redis: Redis) -> None:
    enqueue(redis, "j1", args='{"x":1}', priority=7, max_attempts=4, timeout=2.5, tags=("a", "b"))
    job = claim(redis)
    assert (job.id, job.task, job.queue, job.priority, job.args) == ("j1", "t", "q", 7, '{"x":1}')
    assert (job.attempt, job.max_attempts, job.run) == (1, 4, 1)
    assert (job.timeout_ms, job.tags, job.created_us) == (2500, ("a", "b"), get(redis).order)


def test_what_was_not_given_is_not_there(redis: Redis) -> None:
    enqueue(redis, "j1", max_attempts=1)
    job = claim(redis)
    assert (job.timeout_ms, job.tags, job.max_attempts) == (None, (), 1)


def test_nothing_to_claim_changes_nothing(redis: Redis) -> None:
    register(redis)
    with writes(redis, "claim_jobs") as written:
        assert take(redis, 10).jobs == []
    assert written == set()


def test_no_more_are_claimed_than_asked_for(redis: Redis) -> None:
    register(redis)
    enqueue(redis, *"abcde")
    assert ids(redis, 3) == ["a", "b", "c"]
    assert redis.zcard(KEYS.leases) == 3


def test_every_lease_is_another(redis: Redis) -> None:
    register(redis)
    enqueue(redis, *"abcde")
    leases = [job.lease for job in take(redis, 5).jobs]
    assert len(set(leases)) == 5


def test_a_job_is_claimed_once(redis: Redis) -> None:
    enqueue(redis, "j1")
    claim(redis)
    assert take(redis).jobs == []


def test_priority_goes_before_arrival_in_all_queues_and_tasks(redis: Redis) -> None:
    register(redis, "t", "u")
    enqueue(redis, "late", priority=1)
    enqueue(redis, "first", queue="b", task="u", priority=10)
    enqueue(redis, "third", task="u", priority=5)
    enqueue(redis, "fourth", queue="b", priority=5)
    enqueue(redis, "second", priority=10)
    assert ids(redis) == ["first", "second", "third", "fourth", "late"]


def test_tasks_take_turns_by_arrival(redis: Redis) -> None:
    register(redis, "t", "u")
    for number in range(6):
        enqueue(redis, f"j{number}", task="tu"[number % 2])
    assert ids(redis) == [f"j{number}" for number in range(6)]


def test_only_the_named_queues_are_served(redis: Redis) -> None:
    register(redis)
    for queue in "abc":
        enqueue(redis, queue, queue=queue)
    assert ids(redis, queues="a,c") == ["a", "c"]
    assert get(redis, "b").state is QUEUED


def two_queues(redis: Redis) -> None:
    """Three jobs of low priority in queue ``a``, three of high priority in ``b``."""
    register(redis, "t", "u")
    for number, task in enumerate("tut"):
        enqueue(redis, f"a{number}", queue="a", task=task, priority=1)
        enqueue(redis, f"b{number}", queue="b", task=task, priority=10)


def test_one_queue_goes_before_another_whatever_the_priorities(redis: Redis) -> None:
    two_queues(redis)
    assert ids(redis, 4, queues="a>b") == ["a0", "a1", "a2", "b0"]


def test_a_job_that_arrives_in_the_first_queue_goes_before_all_of_the_second(redis: Redis) -> None:
    two_queues(redis)
    assert ids(redis, 4, queues="a>b") == ["a0", "a1", "a2", "b0"]
    enqueue(redis, "a3", queue="a", priority=1)
    assert ids(redis, 2, queues="a>b") == ["a3", "b1"]


def test_each_job_of_a_claim_has_its_own_turn(redis: Redis) -> None:
    two_queues(redis)
    assert ids(redis, 3, queues="a>b|b>a") == ["a0", "b0", "a1"]


def test_a_turn_whose_queue_has_nothing_takes_the_next(redis: Redis) -> None:
    two_queues(redis)
    assert ids(redis, 6, queues="a>b|a>b|a>b|b>a") == ["a0", "a1", "a2", "b0", "b1", "b2"]


def test_a_queue_at_its_limit_loses_its_turn_to_the_next(redis: Redis) -> None:
    two_queues(redis)
    STORE.set_limits(Kind.QUEUE, "a", concurrency=1, rate=KEEP).run(redis)
    assert ids(redis, 3, queues="a>b") == ["a0", "b0", "b1"]


def test_a_group_within_a_turn_is_served_by_priority(redis: Redis) -> None:
    two_queues(redis)
    enqueue(redis, "c", queue="c", priority=5)
    assert ids(redis, 5, queues="c>a,b") == ["c", "b0", "b1", "b2", "a0"]


def test_a_queue_that_has_no_jobs_is_no_error(redis: Redis) -> None:
    register(redis)
    assert take(redis, queues="nowhere").jobs == []


def test_only_tasks_that_the_worker_knows_are_claimed(redis: Redis) -> None:
    register(redis, "known")
    enqueue(redis, "unknown", task="unknown", priority=10)
    enqueue(redis, "known", task="known", priority=1)
    assert ids(redis) == ["known"]
    assert get(redis, "unknown").state is QUEUED


def test_many_unknown_tasks_before_a_known_one_do_not_hide_it(redis: Redis) -> None:
    register(redis, "known")
    for number in range(25):
        enqueue(redis, f"j{number}", task=f"unknown{number}", priority=10)
    enqueue(redis, "known", task="known")
    assert ids(redis) == ["known"]


def test_a_worker_that_is_not_registered_gets_nothing(redis: Redis) -> None:
    enqueue(redis, "j1")
    assert take(redis, worker="stranger").jobs == []


def test_what_is_due_is_claimed_too(redis: Redis) -> None:
    register(redis)
    enqueue(redis, "j1", delay=0.02)
    wait_until(lambda: take(redis).jobs, every=0.005)
    assert moves(redis) == [("", "SCHEDULED"), ("SCHEDULED", "QUEUED"), ("QUEUED", "RUNNING")]


def test_what_is_not_due_is_not_claimed(redis: Redis) -> None:
    register(redis)
    enqueue(redis, "j1", delay=60)
    assert take(redis).jobs == []
    assert get(redis).state is SCHEDULED


def test_it_says_when_the_next_one_is_due(redis: Redis) -> None:
    register(redis)
    assert take(redis).next_due_ms is None
    enqueue(redis, "late", delay=600)
    enqueue(redis, "soon", delay=60)
    due = take(redis).next_due_ms
    assert due is not None
    assert 50_000 < due <= MINUTE


def test_a_scheduled_job_arrives_when_it_is_due(redis: Redis) -> None:
    register(redis)
    enqueue(redis, "early", delay=0.005)
    enqueue(redis, "here already")
    wait_until(lambda: STORE.promote_jobs(limit=10).run(redis), every=0.005)
    assert ids(redis) == ["here already", "early"]


def test_a_second_run_forgets_the_progress_of_the_first(redis: Redis) -> None:
    job = a_running_job(redis)
    progress = '{"current":1}'
    finish(redis, job, Ending.FAILED, retry_ms=0, progress=progress)
    assert get(redis).progress is not None
    claim(redis)
    assert get(redis).progress is None
    assert get(redis).run_count == 2


def test_an_empty_redis_is_no_error(redis: Redis) -> None:
    assert take(redis, 10).jobs == []
    assert everything(redis) == {}
