"""Huey's calls, with what each stands for here: options per call, other times, revoking, and reading results."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from huey.constants import EmptyData
from huey.contrib.asyncio import aget_result
from huey.exceptions import TaskException
from huey.utils import Error
from redis import Redis

from support.bench import Bench
from support.jobs import CANCELLED, COMPLETED, FAILED, QUEUED, RETRYING, SCHEDULED
from taskengine import InvalidInput, TaskEngine
from taskengine.huey_side import JsonSerializer
from taskengine.task import Task


@pytest.fixture
def add(engine: TaskEngine) -> Task[..., int]:
    @engine.task()
    def add(a: int, b: int = 0) -> int:
        return a + b

    return add


# Options of a call


def test_options_among_the_arguments_are_the_jobs(add: Task[..., int]) -> None:
    job = add(1, b=2, priority=9, retries=2, timeout=1.5, id="order-7").job()
    assert (job.id, job.priority, job.max_attempts, job.timeout_seconds) == ("order-7", 9, 3, 1.5)
    assert job.args == {"a": 1, "b": 2}


def test_a_parameter_of_that_name_is_the_tasks_own(engine: TaskEngine) -> None:
    @engine.task()
    def paint(priority: str, delay: int = 0) -> None: ...

    job = paint("high", delay=3).job()
    assert (job.args, job.priority, job.state) == ({"priority": "high", "delay": 3}, 5, QUEUED)


def test_a_delay_counts_from_now_by_rediss_clock(add: Task[..., int]) -> None:
    job = add(1, delay=60).job()
    assert job.state is SCHEDULED
    assert job.run_at is not None
    assert job.run_at - job.created_at == pytest.approx(timedelta(seconds=60), abs=timedelta(milliseconds=2))


@pytest.mark.parametrize(
    "arguments",
    [((1,), {"delay": 60}), ((60,), {}), ((timedelta(minutes=1),), {}), ((), {"kwargs": {"a": 1}, "delay": 60})],
)
def test_schedule_takes_what_hueys_takes(engine: TaskEngine, arguments: tuple[tuple[Any, ...], dict[str, Any]]) -> None:
    @engine.task()
    def add(a: int = 0) -> int:
        return a

    args, options = arguments
    job = add.schedule(*(args if args != (1,) else ((1,),)), **options).job()
    assert job.state is SCHEDULED


def test_a_time_without_a_zone_is_local(add: Task[..., int]) -> None:
    at = datetime.now() + timedelta(hours=1)  # noqa: DTZ005 - as Huey's users write it
    job = add.schedule((1,), eta=at).job()
    assert job.run_at is not None
    assert job.run_at.astimezone().replace(tzinfo=None) == pytest.approx(at, abs=timedelta(milliseconds=2))


def test_schedule_without_a_time_is_refused(add: Task[..., int]) -> None:
    with pytest.raises(ValueError, match=r"schedule\(\) missing required eta= or delay="):
        add.schedule((1,))
    with pytest.raises(TypeError, match="unexpected keyword argument 'colour'"):
        add.schedule((1,), delay=1, colour="red")


def test_a_call_that_expires_is_cancelled_when_it_has_not_started_by_then(bench: Bench, add: Task[..., int]) -> None:
    result = add(1, expires=datetime.now(UTC) - timedelta(seconds=1))
    other = add(2)
    assert bench.run().id == other.id
    assert result.job().state is CANCELLED
    assert result.job().cancel_reason == "expired"


def test_a_tasks_expiry_holds_for_every_call(engine: TaskEngine) -> None:
    @engine.task(expires=60)
    def report() -> None: ...

    job = report().job()
    assert job.start_before is not None
    assert 55 < (job.start_before - job.created_at).total_seconds() < 65


def test_a_calls_own_delay_between_attempts_wins_over_the_tasks(bench: Bench, engine: TaskEngine) -> None:
    @engine.task(retries=3, retry_delay=1000)
    def fails() -> None:
        raise ValueError("no")

    fails(retry_delay=20, retry_backoff=3)
    job = bench.run()
    assert (job.state, job.run_at and round((job.run_at - job.created_at).total_seconds())) == (RETRYING, 20)


def test_retries_without_a_delay_follow_at_once_as_with_huey(bench: Bench, engine: TaskEngine) -> None:
    @engine.task(retries=1)
    def fails() -> None:
        raise ValueError("no")

    fails()
    bench.run()
    assert bench.run().state is FAILED


def test_map_enqueues_a_call_for_each_item_and_a_tuple_is_several_arguments(bench: Bench, add: Task[..., int]) -> None:
    results = add.map([1, (2, 3)])
    bench.run()
    bench.run()
    assert results() == [1, 5]
    assert list(results.as_completed()) == [1, 5]


# Priorities


def test_priorities_of_ours_are_1_to_10_and_others_are_refused(add: Task[..., int]) -> None:
    with pytest.raises(InvalidInput, match=r"options\.priority: expected a whole number from 1 to 10"):
        add(1, priority=50)


@pytest.mark.parametrize(("hueys", "ours"), [(None, 1), (0, 1), (50, 5), (60, 6), (100, 10), (1000, 10), (-5, 1)])
def test_an_engine_that_knows_an_applications_numbers_keeps_their_order(
    redis_url: str, hueys: int | None, ours: int
) -> None:
    engine = TaskEngine("test", url=redis_url, huey_priorities=(0, 100))
    assert engine.priority_of(hueys) == ours
    engine.storage.close()


# Revoking


def test_jobs_of_a_revoked_task_end_instead_of_starting_until_it_is_restored(
    bench: Bench, engine: TaskEngine, add: Task[..., int]
) -> None:
    add.revoke()
    revoked = add(1)
    assert add.is_revoked()
    assert revoked.is_revoked()
    bench.publish()
    assert bench.dispatcher.next_now() is None
    assert (revoked.job().state, revoked.job().cancel_reason) == (CANCELLED, "its task is revoked")
    assert add.restore()
    assert not add.restore()
    add(2)
    assert bench.run().result == 2


def test_a_task_revoked_once_is_so_for_one_job(bench: Bench, add: Task[..., int]) -> None:
    add.revoke(revoke_once=True)
    first, second = add(1), add(2)
    assert bench.run().id == second.id
    assert first.job().state is CANCELLED
    assert not add.is_revoked()


def test_a_task_revoked_until_a_time_that_has_passed_runs(bench: Bench, redis: Redis, add: Task[..., int]) -> None:
    add.revoke(revoke_until=datetime.now(UTC) - timedelta(seconds=1))
    assert not add.is_revoked()
    add(1)
    assert bench.run().state is COMPLETED
    assert redis.exists(bench.engine.job_storage.keys.revoked) == 0


def test_a_revoked_call_is_a_cancelled_job_and_a_restored_one_runs(bench: Bench, add: Task[..., int]) -> None:
    result = add(1)
    result.revoke()
    assert result.is_revoked()
    assert result.job().state is CANCELLED
    assert result.restore()
    assert not result.restore()
    assert bench.run().state is COMPLETED


def test_what_runs_or_has_ended_is_not_revoked(bench: Bench, engine: TaskEngine, add: Task[..., int]) -> None:
    result = add(1)
    bench.run()
    engine.revoke_by_id(result.id)
    engine.revoke_by_id("no-such-job")
    assert result.get() == 1
    assert not engine.is_revoked(result.id)


# Results


def test_a_job_that_waits_is_given_another_time_and_stays_the_job_it_is(bench: Bench, add: Task[..., int]) -> None:
    result = add(1, delay=3600)
    assert result.reschedule(priority=9).id == result.id
    job = bench.run()
    assert (job.id, job.priority, job.result) == (result.id, 9, 1)


def test_a_job_that_has_ended_is_enqueued_anew(bench: Bench, add: Task[..., int]) -> None:
    result = add(1, 2, priority=8)
    bench.run()
    again = result.reschedule(delay=60)
    assert again.id != result.id
    assert (again.job().args, again.job().priority, again.job().state) == ({"a": 1, "b": 2}, 8, SCHEDULED)


def test_a_result_that_was_read_is_not_read_again_until_reset(bench: Bench, redis: Redis, add: Task[..., int]) -> None:
    result = add(1)
    bench.run()
    assert result.get() == 1
    redis.hset(bench.engine.job_storage.keys.job(result.id), "result", "2")
    assert result.get() == 1
    result.reset()
    assert result.get() == 2


def test_a_wait_that_ends_without_a_result_may_revoke_the_job(add: Task[..., int]) -> None:
    result = add(1)
    with pytest.raises(Exception, match=r"has not ended after 0\.02 s; it is QUEUED|CANCELLED"):
        result.get(blocking=True, timeout=0.02, revoke_on_timeout=True)
    assert result.job().state is CANCELLED


def test_a_raw_result_has_the_error_instead_of_raising_it(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def fails() -> None:
        raise ValueError("no")

    result = fails()
    assert result._get() is EmptyData
    bench.run()
    raw = result.get_raw_result()
    assert isinstance(raw, Error)
    assert raw.metadata["error"] == "ValueError: no"


async def test_hueys_asynchronous_helper_reads_our_results(
    bench: Bench, engine: TaskEngine, add: Task[..., int]
) -> None:
    result = add(1)
    bench.run()
    assert await aget_result(result) == 1

    @engine.task()
    def fails() -> None:
        raise ValueError("no")

    failed = fails()
    bench.run()
    with pytest.raises(TaskException, match="ValueError: no"):
        await aget_result(failed)


def test_a_results_task_is_the_call(add: Task[..., int]) -> None:
    task = add(1, b=2, retries=3).task
    assert (task.name, task.kwargs, task.retries) == ("add", {"a": 1, "b": 2}, 3)


# Looking


def test_what_waits_can_be_looked_at(engine: TaskEngine, add: Task[..., int]) -> None:
    add(1)
    add(2)
    add(3, delay=60)
    assert [task.kwargs["a"] for task in engine.pending()] == [1, 2]
    assert [task.kwargs["a"] for task in engine.pending(limit=1)] == [1]
    (later,) = engine.scheduled()
    assert later.eta is not None
    assert (len(engine), engine.pending_count(), engine.scheduled_count(), engine.result_count()) == (2, 2, 1, 0)


def test_more_than_a_page_can_be_looked_at(engine: TaskEngine, add: Task[..., int]) -> None:
    add.enqueue_many([(number,) for number in range(205)])
    assert [task.kwargs["a"] for task in engine.pending()] == list(range(205))


def test_flush_removes_everything_of_this_namespace_and_nothing_else(
    engine: TaskEngine, redis: Redis, redis_url: str, add: Task[..., int]
) -> None:
    redis.set("te:{tes?}:not-ours", "1", ex=60)
    other = TaskEngine("test2", url=redis_url)
    other.put_if_empty("x", 1, ttl=60)
    add(1)
    engine.put("x", 1)
    engine.flush()
    assert sorted(redis.keys()) == ["te:{tes?}:not-ours", "te:{test2}:data:x"]
    other.storage.close()


# An application's own data


def test_data_is_put_got_once_or_peeked_at_and_deleted(engine: TaskEngine) -> None:
    engine.put("k", {"a": [1, "é"]})
    assert engine.get("k", peek=True) == {"a": [1, "é"]}
    assert engine.get("k") == {"a": [1, "é"]}
    assert engine.get("k") is None
    assert engine.put_if_empty("k", 1)
    assert not engine.put_if_empty("k", 2)
    assert engine.delete("k")
    assert not engine.delete("k")


def test_data_is_json_in_redis(engine: TaskEngine, redis: Redis) -> None:
    engine.put("k", {"a": 1})
    assert redis.get(engine.job_storage.keys.data("k")) == '{"a":1}'


def test_data_may_have_an_end(engine: TaskEngine, redis: Redis) -> None:
    engine.put_if_empty("k", 1, ttl=60)
    assert 50_000 < redis.pttl(engine.job_storage.keys.data("k")) <= 60_000


def test_data_that_is_no_json_is_refused(engine: TaskEngine) -> None:
    with pytest.raises(TypeError, match="not JSON serializable"):
        engine.put("k", object())


def test_counters_and_several_keys_at_once(engine: TaskEngine) -> None:
    shelf = engine.shelf
    assert [shelf.incr("n"), shelf.incr("n", 5), shelf.incr("n", -2)] == [1, 6, 4]
    shelf.delete_counter("n")
    assert shelf.incr("n") == 1
    shelf.put_data("a", b"\xff")
    assert shelf.peek_many(["a", "b"]) == {"a": b"\xff"}
    assert shelf.peek_many([]) == {}
    assert shelf.has_data_for_key("a")


# The constructor


def test_redis_may_be_named_as_hueys_are() -> None:
    engine = TaskEngine("shop", host="redis.example", port=6380, db=2, password="a b", results=True, utc=True)
    assert engine.settings.redis_url == "redis://:a%20b@redis.example:6380/2"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"url": "redis://x/0", "host": "y"}, "give either a url, or host"),
        ({"connection_pool": object()}, "TaskEngine does not take 'connection_pool'"),
        ({"serializer": object()}, "a huey SignedSerializer"),
    ],
)
def test_what_the_constructor_does_not_take_is_said(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(TypeError, match=problem):
        TaskEngine("shop", **options)


def test_a_serializer_of_ours_is_json() -> None:
    assert JsonSerializer().deserialize(JsonSerializer().serialize({"a": None})) == {"a": None}
