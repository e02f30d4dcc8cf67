"""Jobs in, outcomes out: what the threads of one process share on their way to Redis."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest
from redis import Redis

from support.bench import Bench
from support.jobs import (
    COMPLETED,
    KEYS,
    QUEUED,
    RUNNING,
    STORE,
    enqueue,
    expire_leases,
    get,
    outcome,
    register,
    row,
)
from support.redis_server import RedisServer
from support.waiting import wait_until
from taskengine.errors import JobCancelled, LeaseLost, RedisUnavailable
from taskengine.records import ClaimedJob
from taskengine.store import Answer, Ending
from taskengine.worker import dispatch
from taskengine.worker.dispatch import Dispatcher
from taskengine.worker.queue_choice import QueueChoice


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    """Threads that are as idle as a worker's."""
    with ThreadPoolExecutor(8) as threads:
        yield threads


@pytest.fixture
def _short_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle worker looks again after 50 ms."""
    monkeypatch.setattr(dispatch, "IDLE_SECONDS", 0.05)


@pytest.fixture
def _long_idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """An idle worker that nobody wakes looks again after 4 s: what happens sooner was a wake-up."""
    monkeypatch.setattr(dispatch, "IDLE_SECONDS", 4.0)


@pytest.fixture
def dispatcher(bench: Bench, redis: Redis) -> Dispatcher:
    """Of a worker that knows the task ``t``."""
    register(redis)
    return bench.dispatcher


def taken(dispatcher: Dispatcher) -> ClaimedJob:
    job = dispatcher.next()
    assert job is not None
    return job


def run(dispatcher: Dispatcher, job: ClaimedJob | None = None, **facts: Any) -> ClaimedJob:
    """Begin and end an attempt; its outcome waits."""
    job = job or taken(dispatcher)
    context = dispatcher.begin(job)
    dispatcher.finish(context, outcome(job, **facts))
    return job


def forget_wake_ups(redis: Redis) -> None:
    """A claim leaves the wake-ups of what it took: an idle worker then looks once more before it sleeps."""
    redis.delete(*redis.keys(KEYS.wake("*")))


def wake(redis: Redis) -> None:
    """Wake who sleeps, for nothing."""
    redis.rpush(KEYS.wake("*"), "1")
    redis.expire(KEYS.wake("*"), 60)


def quickly(dispatcher: Dispatcher) -> None:
    """Have it learn that jobs take no time."""
    dispatcher._average_seconds = 1e-5


def scripts_run(redis: Redis) -> int:
    stats = redis.info("commandstats")
    return sum(stats.get(f"cmdstat_{command}", {"calls": 0})["calls"] for command in ("evalsha", "eval"))


def calls(redis: Redis, action: Callable[[], Any]) -> int:
    """How many scripts an action runs."""
    before = scripts_run(redis)
    action()
    return scripts_run(redis) - before


# Jobs in


def test_a_job_that_is_ready_is_handed_out(redis: Redis, dispatcher: Dispatcher) -> None:
    enqueue(redis, "j1")
    assert taken(dispatcher).id == "j1"
    assert get(redis).state is RUNNING


@pytest.mark.usefixtures("_short_idle")
def test_nothing_comes_when_there_is_nothing(dispatcher: Dispatcher) -> None:
    assert dispatcher.next() is None


@pytest.mark.usefixtures("_long_idle")
def test_who_sleeps_is_woken_by_a_new_job(redis: Redis, dispatcher: Dispatcher, threads: ThreadPoolExecutor) -> None:
    enqueue(redis, "first")
    run(dispatcher)  # the queue is known
    forget_wake_ups(redis)
    waiting = threads.submit(dispatcher.next)
    wait_until(lambda: dispatcher._sleeping)
    begun = time.monotonic()
    enqueue(redis, "j1")
    assert waiting.result(5).id == "j1"
    assert time.monotonic() - begun < dispatch.IDLE_SECONDS / 2


@pytest.mark.usefixtures("_long_idle")
def test_who_sleeps_is_woken_by_a_queue_that_was_not_there(
    redis: Redis, dispatcher: Dispatcher, threads: ThreadPoolExecutor
) -> None:
    waiting = threads.submit(dispatcher.next)
    wait_until(lambda: dispatcher._sleeping)
    begun = time.monotonic()
    enqueue(redis, "j1", queue="new")
    assert waiting.result(5).id == "j1"
    assert time.monotonic() - begun < dispatch.IDLE_SECONDS / 2


@pytest.mark.usefixtures("_long_idle")
def test_who_sleeps_wakes_for_a_job_that_becomes_due(redis: Redis, dispatcher: Dispatcher) -> None:
    enqueue(redis, "j1", delay=0.05)
    forget_wake_ups(redis)
    begun = time.monotonic()
    assert taken(dispatcher).id == "j1"
    assert time.monotonic() - begun < dispatch.IDLE_SECONDS / 2


@pytest.mark.usefixtures("_short_idle")
def test_only_its_own_queues_are_served(bench: Bench, redis: Redis) -> None:
    register(redis)
    enqueue(redis, "theirs", queue="theirs", priority=10)
    enqueue(redis, "ours", queue="ours")
    dispatcher = bench.a_dispatcher(queues="ours,too")
    assert taken(dispatcher).id == "ours"
    assert dispatcher.next() is None


def test_of_four_jobs_three_come_from_the_queue_of_three_times_the_weight(bench: Bench, redis: Redis) -> None:
    register(redis)
    for queue in "ab":
        enqueue(redis, *(f"{queue}{number}" for number in range(40)), queue=queue, priority=10 if queue == "b" else 1)
    dispatcher = bench.a_dispatcher(queues="a=3,b=1")
    assert "".join(taken(dispatcher).id[0] for _ in range(40)) == "aaba" * 10


def test_no_turn_is_lost_on_a_queue_that_has_nothing(bench: Bench, redis: Redis) -> None:
    register(redis)
    enqueue(redis, *(f"b{number}" for number in range(10)), queue="b")
    dispatcher = bench.a_dispatcher(queues="a=3,b=1")
    assert [taken(dispatcher).id for _ in range(10)] == [f"b{number}" for number in range(10)]


def test_idle_threads_get_a_job_each_by_one_round_trip(
    bench: Bench, redis: Redis, dispatcher: Dispatcher, threads: ThreadPoolExecutor
) -> None:
    waiting = [threads.submit(dispatcher.next) for _ in range(4)]
    wait_until(lambda: dispatcher._sleeping and dispatcher._idle == 3)
    STORE.enqueue_jobs([row(job_id) for job_id in "abcd"]).run(redis)
    assert sorted(future.result(5).id for future in waiting) == list("abcd")


def test_nothing_is_fetched_ahead_before_it_knows_how_long_jobs_take(redis: Redis, dispatcher: Dispatcher) -> None:
    enqueue(redis, *"abc")
    taken(dispatcher)
    assert len(dispatcher.held()) == 1


def test_short_jobs_are_fetched_ahead_and_handed_out_without_asking_again(redis: Redis, dispatcher: Dispatcher) -> None:
    quickly(dispatcher)
    enqueue(redis, *(f"{number:02}" for number in range(40)))
    assert calls(redis, lambda: taken(dispatcher)) == 1
    assert len(dispatcher.held()) == dispatch.MAX_CLAIM
    assert calls(redis, lambda: [taken(dispatcher) for _ in range(dispatch.MAX_CLAIM - 1)]) == 0


def test_what_was_fetched_ahead_is_handed_out_in_order(redis: Redis, dispatcher: Dispatcher) -> None:
    quickly(dispatcher)
    enqueue(redis, *"abcde")
    assert [taken(dispatcher).id for _ in range(5)] == list("abcde")


def test_long_jobs_are_not_fetched_ahead(redis: Redis, dispatcher: Dispatcher) -> None:
    dispatcher._learn(10.0)
    enqueue(redis, *"abc")
    taken(dispatcher)
    assert len(dispatcher.held()) == 1


def test_one_long_job_ends_fetching_ahead_at_once(dispatcher: Dispatcher) -> None:
    quickly(dispatcher)
    assert dispatcher._wanted() == dispatch.MAX_CLAIM
    dispatcher._learn(10.0)
    assert dispatcher._wanted() == 1


def test_what_waits_too_long_to_begin_is_given_back(
    redis: Redis, dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    quickly(dispatcher)
    enqueue(redis, *"abc")
    running = taken(dispatcher)
    monkeypatch.setattr(dispatch, "STALE_SECONDS", -1.0)
    dispatcher.tend()
    assert [get(redis, job_id).state for job_id in "abc"] == [RUNNING, QUEUED, QUEUED]
    assert (get(redis, "b").attempt_count, get(redis, "b").run_count) == (0, 0)
    assert dispatcher.held() == [(running.id, running.lease)]


def test_what_has_just_come_is_not_given_back(redis: Redis, dispatcher: Dispatcher) -> None:
    quickly(dispatcher)
    enqueue(redis, *"abc")
    taken(dispatcher)
    dispatcher.tend()
    assert len(dispatcher.held()) == 3


# Outcomes out


def test_an_outcome_goes_with_the_next_fetch(redis: Redis, dispatcher: Dispatcher) -> None:
    enqueue(redis, "a", "b")
    run(dispatcher)
    assert get(redis, "a").state is RUNNING
    assert calls(redis, lambda: taken(dispatcher)) == 1
    assert get(redis, "a").state is COMPLETED


def test_many_outcomes_go_by_one_round_trip(redis: Redis, dispatcher: Dispatcher) -> None:
    quickly(dispatcher)
    enqueue(redis, *"abcde")
    for _ in range(5):
        run(dispatcher)
    assert calls(redis, dispatcher.flush) == 1
    assert [get(redis, job_id).state for job_id in "abcde"] == [COMPLETED] * 5


def test_an_outcome_can_be_sent_at_once(redis: Redis, dispatcher: Dispatcher) -> None:
    enqueue(redis, "j1")
    job = taken(dispatcher)
    dispatcher.finish(dispatcher.begin(job), outcome(job), now=True)
    assert get(redis).state is COMPLETED


@pytest.mark.usefixtures("_long_idle")
def test_outcomes_do_not_wait_for_a_thread_that_sleeps(
    redis: Redis, dispatcher: Dispatcher, threads: ThreadPoolExecutor
) -> None:
    enqueue(redis, "j1")
    job = taken(dispatcher)
    forget_wake_ups(redis)
    sleeping = threads.submit(dispatcher.next)
    wait_until(lambda: dispatcher._sleeping)
    begun = time.monotonic()
    run(dispatcher, job)
    idle = threads.submit(dispatcher.next)
    wait_until(lambda: get(redis).state is COMPLETED, every=0.005)
    assert time.monotonic() - begun < dispatch.IDLE_SECONDS / 2
    dispatcher.close()
    wake(redis)
    assert (sleeping.result(5), idle.result(5)) == (None, None)


def test_outcomes_do_not_wait_for_threads_that_are_busy(redis: Redis, dispatcher: Dispatcher) -> None:
    enqueue(redis, "j1")
    run(dispatcher)
    dispatcher.tend()
    assert get(redis).state is COMPLETED


def test_nothing_to_tell_is_no_round_trip(redis: Redis, dispatcher: Dispatcher) -> None:
    assert calls(redis, lambda: (dispatcher.flush(), dispatcher.tend())) == 0


def test_what_is_held_is_renewed_until_redis_knows_the_outcome(redis: Redis, dispatcher: Dispatcher) -> None:
    enqueue(redis, "j1")
    job = run(dispatcher)
    assert dispatcher.held() == [(job.id, job.lease)]
    dispatcher.flush()
    assert dispatcher.held() == []


def test_an_attempt_that_is_not_ours_any_more_sends_nothing(redis: Redis, dispatcher: Dispatcher) -> None:
    enqueue(redis, "j1")
    job = taken(dispatcher)
    dispatcher.finish(dispatcher.begin(job), None)
    assert dispatcher.held() == []
    assert calls(redis, dispatcher.flush) == 0


def test_an_outcome_that_is_refused_is_logged_and_forgotten(
    redis: Redis, dispatcher: Dispatcher, caplog: pytest.LogCaptureFixture
) -> None:
    enqueue(redis, "j1")
    job = taken(dispatcher)
    context = dispatcher.begin(job)
    expire_leases(redis, KEYS, (job.id, job.lease))
    STORE.rescue_jobs(max_losses=3, limit=1).run(redis)
    dispatcher.finish(context, outcome(job), now=True)
    assert "job j1: its COMPLETED was refused, LEASE_LOST" in caplog.text
    assert dispatcher.held() == []
    assert get(redis).state is QUEUED


# Being told to stop


def test_a_running_job_is_told_why_it_is_to_stop(redis: Redis, dispatcher: Dispatcher) -> None:
    enqueue(redis, "a", "b")
    first, second = taken(dispatcher), taken(dispatcher)
    contexts = dispatcher.begin(first), dispatcher.begin(second)
    assert dispatcher.obey((first.id, first.lease), Answer.CANCEL) is contexts[0]
    dispatcher.obey((second.id, second.lease), Answer.LEASE_LOST)
    assert isinstance(contexts[0].stopped, JobCancelled)
    assert isinstance(contexts[1].stopped, LeaseLost)


@pytest.mark.usefixtures("_short_idle")
def test_a_lease_that_was_lost_before_the_job_began_is_dropped(redis: Redis, dispatcher: Dispatcher) -> None:
    quickly(dispatcher)
    enqueue(redis, "a", "b")
    taken(dispatcher)
    (ahead,) = [pair for pair in dispatcher.held() if pair[0] == "b"]
    assert dispatcher.obey(ahead, Answer.LEASE_LOST) is None
    assert ahead not in dispatcher.held()
    assert dispatcher.next() is None


def test_what_is_not_held_cannot_be_stopped(dispatcher: Dispatcher) -> None:
    assert dispatcher.obey(("gone", "1"), Answer.CANCEL) is None


# The end


def test_a_closed_dispatcher_gives_back_what_has_not_begun(redis: Redis, dispatcher: Dispatcher) -> None:
    quickly(dispatcher)
    enqueue(redis, *"abc")
    job = taken(dispatcher)
    dispatcher.begin(job)
    dispatcher.close()
    assert [get(redis, job_id).state for job_id in "abc"] == [RUNNING, QUEUED, QUEUED]
    assert [context.job for context in dispatcher.running()] == [job]


def test_a_closed_dispatcher_sends_what_waits(redis: Redis, dispatcher: Dispatcher) -> None:
    enqueue(redis, "j1")
    run(dispatcher)
    dispatcher.close()
    assert get(redis).state is COMPLETED


def test_a_closed_dispatcher_takes_no_more(redis: Redis, dispatcher: Dispatcher) -> None:
    dispatcher.close()
    enqueue(redis, "j1")
    assert dispatcher.next() is None
    assert get(redis).state is QUEUED


@pytest.mark.usefixtures("_long_idle")
def test_who_waits_for_his_turn_is_let_go_when_it_closes(
    redis: Redis, dispatcher: Dispatcher, threads: ThreadPoolExecutor
) -> None:
    waiting = [threads.submit(dispatcher.next) for _ in range(3)]
    wait_until(lambda: dispatcher._sleeping and dispatcher._idle == 2)
    begun = time.monotonic()
    dispatcher.close()
    wait_until(lambda: sum(future.done() for future in waiting) >= 2, every=0.005)
    assert time.monotonic() - begun < dispatch.IDLE_SECONDS / 2
    wake(redis)
    assert [future.result(5) for future in waiting] == [None, None, None]


def test_what_a_claim_brings_after_it_closed_is_given_back(
    bench: Bench, redis: Redis, dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    enqueue(redis, "j1")
    storage = bench.engine.job_storage
    run_once = storage.run_once

    def closed_meanwhile(call: Any) -> Any:
        answer = run_once(call)
        monkeypatch.setattr(storage, "run_once", run_once)
        dispatcher.close()
        return answer

    monkeypatch.setattr(storage, "run_once", closed_meanwhile)
    assert dispatcher.next() is None
    dispatcher.flush()
    assert get(redis).state is QUEUED
    assert get(redis).run_count == 0
    assert dispatcher.held() == []


def test_a_worker_that_stops_takes_nothing_more(bench: Bench, redis: Redis) -> None:
    register(redis)
    enqueue(redis, "j1")
    dispatcher = Dispatcher(
        bench.engine.job_storage, worker="w", queues=QueueChoice(), threads=1, lease_ms=1000, stopping=lambda: True
    )
    assert dispatcher.next() is None
    assert get(redis).state is QUEUED


def test_what_still_runs_can_be_given_back(redis: Redis, dispatcher: Dispatcher) -> None:
    enqueue(redis, "j1")
    dispatcher.begin(taken(dispatcher))
    assert dispatcher.release_running() == 1
    assert (get(redis).state, get(redis).attempt_count) == (QUEUED, 0)


def test_a_thread_that_ends_after_its_job_was_given_back_changes_nothing(redis: Redis, dispatcher: Dispatcher) -> None:
    enqueue(redis, "j1")
    job = taken(dispatcher)
    context = dispatcher.begin(job)
    dispatcher.release_running()
    dispatcher.finish(context, outcome(job), now=True)
    assert get(redis).state is QUEUED


# Redis away


@pytest.fixture
def away(durable_redis: RedisServer) -> Iterator[Bench]:
    """A bench on a Redis that can be killed, with a job that runs."""
    with durable_redis.client() as client:
        client.config_set("appendfsync", "always")  # once a second is not enough: what is answered may be lost
        register(client)
        enqueue(client, "j1", "j2")
    bench = Bench(durable_redis.url)
    yield bench
    bench.close()


def test_an_outcome_is_kept_until_redis_is_back(
    away: Bench, durable_redis: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    job = taken(away.dispatcher)
    durable_redis.kill()
    away.dispatcher.finish(away.dispatcher.begin(job), outcome(job), now=True)
    assert "outcomes of jobs wait for Redis" in caplog.text
    assert away.dispatcher.held() == [(job.id, job.lease)]
    durable_redis.restart()
    away.dispatcher.flush()
    assert get(away.redis, job.id).state is COMPLETED
    assert away.dispatcher.held() == []


def test_who_wants_a_job_is_told_that_redis_is_away_and_may_ask_again(away: Bench, durable_redis: RedisServer) -> None:
    durable_redis.kill()
    for _ in range(2):
        with pytest.raises(RedisUnavailable):
            away.dispatcher.next()
    durable_redis.restart()
    assert taken(away.dispatcher).id == "j1"


def test_who_sleeps_when_redis_dies_is_told(
    away: Bench, durable_redis: RedisServer, threads: ThreadPoolExecutor
) -> None:
    run(away.dispatcher)
    run(away.dispatcher)
    forget_wake_ups(away.redis)
    waiting = threads.submit(away.dispatcher.next)
    wait_until(lambda: away.dispatcher._sleeping)
    durable_redis.kill()
    with pytest.raises(RedisUnavailable):
        waiting.result(5)


def test_outcomes_keep_their_order_over_a_failure(away: Bench, durable_redis: RedisServer) -> None:
    first, second = taken(away.dispatcher), taken(away.dispatcher)
    run(away.dispatcher, first)
    durable_redis.kill()
    away.dispatcher.flush()
    run(away.dispatcher, second)
    assert [waiting.job_id for waiting in away.dispatcher._outcomes] == ["j1", "j2"]
    durable_redis.restart()
    away.dispatcher.flush()
    assert [get(away.redis, job_id).state for job_id in ("j1", "j2")] == [COMPLETED, COMPLETED]


# Many threads


def test_many_threads_run_every_job_once(bench: Bench, redis: Redis, threads: ThreadPoolExecutor) -> None:
    register(redis)
    STORE.enqueue_jobs([row(f"j{number}") for number in range(400)]).run(redis)
    dispatcher = bench.a_dispatcher(threads=8)
    ran: list[str] = []
    enough = threading.Event()

    def work() -> None:
        while not enough.is_set():
            job = dispatcher.next()
            if job is not None:
                ran.append(job.id)
                run(dispatcher, job)
            if len(ran) >= 400:
                enough.set()

    futures: list[Future[None]] = [threads.submit(work) for _ in range(8)]
    for future in futures:
        future.result(30)
    dispatcher.close()
    assert sorted(ran) == sorted(f"j{number}" for number in range(400))
    assert redis.zcard(KEYS.finished("COMPLETED")) == 400
    assert redis.zcard(KEYS.leases) == 0


def test_an_ending_that_gives_back_is_an_outcome_like_others(redis: Redis, dispatcher: Dispatcher) -> None:
    enqueue(redis, "j1")
    run(dispatcher, ending=Ending.RELEASED)
    dispatcher.flush()
    assert get(redis).state is QUEUED
