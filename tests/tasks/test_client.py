"""The async door: enqueue by name and JSON, read, steer; each failure is an error that says what and where."""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis

from support.bench import Bench
from support.jobs import (
    CANCELLED,
    COMPLETED,
    FAILED,
    FINAL,
    QUEUED,
    RETRYING,
    RUNNING,
    SCHEDULED,
    STORE,
    WORKER,
    a_job,
    a_running_job,
    enqueue,
    everything,
    finish,
    get,
    register,
)
from support.redis_server import RedisServer
from taskengine import Client, IllegalMove, InvalidInput, JobFilter, JobNotFound, NewJob, Options, UnknownTask
from taskengine.bulk import BulkKind, BulkState
from taskengine.client import MAX_PAGE, MAX_REASON
from taskengine.enqueue_client import Enqueued
from taskengine.errors import InvalidInputs, RedisUnavailable, TooLarge
from taskengine.filters import OLDEST_FIRST
from taskengine.jobs import AttemptOutcome, JobState, StateCounts, cursor_of
from taskengine.metrics import MetricsWindow, Subject
from taskengine.store import Ending
from taskengine.worker.facts import WorkerFacts


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Client]:
    client = Client(redis_url, namespace="test")
    yield client
    await client.close()


@pytest.fixture
def mail(bench: Bench) -> Bench:
    """A worker that published the task ``mail.send``."""

    @bench.engine.task(name="mail.send", queue="mail", priority=7, max_attempts=3, timeout=30)
    def send(to: str, copies: int = 1) -> str:
        """Send one mail."""
        return to * copies

    bench.publish()
    return bench


def jobs_in(redis: Redis) -> int:
    return len([key for key in everything(redis) if key.startswith("job:")])


# Enqueueing


@pytest.mark.usefixtures("mail")
async def test_a_job_is_enqueued_with_the_tasks_values(client: Client) -> None:
    job = await client.enqueue_job("mail.send", {"to": "a@b"})
    assert (job.task, job.state, job.args) == ("mail.send", QUEUED, {"to": "a@b"})
    assert (job.queue, job.priority, job.max_attempts, job.timeout_seconds) == ("mail", 7, 3, 30)
    assert job.id.startswith("job_")


async def test_it_runs_as_one_that_python_enqueued(client: Client, mail: Bench) -> None:
    job = await client.enqueue_job("mail.send", {"to": "ab", "copies": 2})
    await asyncio.to_thread(mail.run)
    done = await client.get_job(job.id)
    assert done is not None
    assert (done.state, done.result) == (COMPLETED, "abab")


@pytest.mark.usefixtures("mail")
async def test_options_go_before_the_tasks_values(client: Client) -> None:
    options = Options(queue="bulk", priority=1, max_attempts=9, timeout=1.5, tags=("a",), delay=60, id="order-7")
    job = await client.enqueue_job("mail.send", {"to": "a@b"}, options)
    assert (job.id, job.queue, job.priority, job.max_attempts) == ("order-7", "bulk", 1, 9)
    assert (job.timeout_seconds, job.tags, job.state) == (1.5, ("a",), SCHEDULED)


@pytest.mark.usefixtures("mail")
async def test_each_way_to_enqueue_says_who_it_was(client: Client) -> None:
    one = NewJob(task="mail.send", args={"to": "a@b"})
    first = await client.enqueue_job("mail.send", {"to": "a@b"}, by="eve")
    jobs = [first, (await client.enqueue(one, by="eve")).job, await client.rerun_job(first.id, by="eve")]
    jobs += await client.enqueue_jobs([one], by="eve")
    jobs += [answer.job for answer in await client.enqueue_all([one], by="eve")]
    jobs += [answer.job for answer in await client.enqueue_each([one], by="eve") if isinstance(answer, Enqueued)]
    assert [job.enqueued_by for job in jobs] == ["eve"] * 6


@pytest.mark.usefixtures("mail")
async def test_who_named_nobody_is_nobody(client: Client, mail: Bench) -> None:
    first = await client.enqueue_job("mail.send", {"to": "a@b"}, by="eve")
    repeated = await client.rerun_job(first.id)
    by_call = await client.get_job(mail.engine.tasks["mail.send"]("a@b").id)
    assert by_call is not None
    assert [repeated.enqueued_by, by_call.enqueued_by] == [None, None]


@pytest.mark.usefixtures("mail")
async def test_a_retry_leaves_who_enqueued_it(client: Client) -> None:
    job = await client.enqueue_job("mail.send", {"to": "a@b"}, by="eve")
    await client.cancel_job(job.id, by="adam")
    assert (await client.retry_job(job.id, by="adam")).enqueued_by == "eve"


@pytest.mark.usefixtures("mail")
async def test_the_first_with_an_idempotency_key_keeps_its_name(client: Client) -> None:
    one = NewJob(task="mail.send", args={"to": "a@b"}, options=Options(idempotency_key="order-7"))
    await client.enqueue(one, by="eve")
    assert (await client.enqueue(one, by="adam")).job.enqueued_by == "eve"


@pytest.mark.usefixtures("mail")
@pytest.mark.parametrize("name", ["", "x" * 101])
async def test_a_name_that_cannot_be_one_is_refused_and_nothing_enqueued(
    client: Client, redis: Redis, name: str
) -> None:
    one = NewJob(task="mail.send", args={"to": "a@b"})
    for call in (
        client.enqueue_job("mail.send", {"to": "a@b"}, by=name),
        client.enqueue(one, by=name),
        client.enqueue_jobs([one], by=name),
        client.enqueue_all([one], by=name),
        client.enqueue_each([one], by=name),
    ):
        with pytest.raises(InvalidInput, match=r"^by: expected "):
            await call
    assert jobs_in(redis) == 0


@pytest.mark.usefixtures("mail")
async def test_the_same_id_twice_is_one_job(client: Client) -> None:
    first = await client.enqueue_job("mail.send", {"to": "a@b"}, Options(id="order-7"))
    second = await client.enqueue_job("mail.send", {"to": "c@d"}, Options(id="order-7"))
    assert second == first


@pytest.mark.usefixtures("mail")
async def test_an_unknown_task_is_refused_with_the_nearest_name(client: Client, redis: Redis) -> None:
    with pytest.raises(UnknownTask) as caught:
        await client.enqueue_job("mail.sent", {"to": "a@b"})
    assert str(caught.value) == "task: there is no task 'mail.sent'; did you mean 'mail.send'?"
    assert jobs_in(redis) == 0


async def test_a_task_that_was_published_a_moment_ago_is_known(client: Client, bench: Bench) -> None:
    with pytest.raises(UnknownTask):
        await client.enqueue_job("late", {})

    @bench.engine.task()
    def late() -> None: ...

    bench.publish()
    assert (await client.enqueue_job("late", {})).task == "late"


@pytest.mark.parametrize(
    ("args", "path"),
    [
        ({}, ("args", "to")),
        ({"to": 7}, ("args", "to")),
        ({"to": "a", "copies": "2"}, ("args", "copies")),
        ({"to": "a", "copy": 2}, ("args", "copy")),
        ([], ("args",)),
        ({"to": "caf\udce9"}, ("args",)),
        ({"to": float("nan")}, ("args",)),
    ],
)
@pytest.mark.usefixtures("mail")
async def test_wrong_arguments_are_refused_and_nothing_has_changed(
    client: Client, redis: Redis, args: Any, path: tuple[str, ...]
) -> None:
    before = everything(redis)
    with pytest.raises(InvalidInput) as caught:
        await client.enqueue_job("mail.send", args)
    assert caught.value.path == path
    assert everything(redis) == before


@pytest.mark.parametrize(
    ("options", "path"),
    [
        (Options(priority=0), "priority"),
        (Options(priority=11), "priority"),
        (Options(queue="a b"), "queue"),
        (Options(delay=-1), "delaySeconds"),
        (Options(max_attempts=0), "maxAttempts"),
        (Options(tags=("",)), "tags"),
    ],
)
@pytest.mark.usefixtures("mail")
async def test_wrong_options_are_refused_and_nothing_has_changed(
    client: Client, redis: Redis, options: Options, path: str
) -> None:
    before = everything(redis)
    with pytest.raises(InvalidInput) as caught:
        await client.enqueue_job("mail.send", {"to": "a@b"}, options)
    assert caught.value.path[:2] == ("options", path)
    assert everything(redis) == before


@pytest.mark.usefixtures("mail")
async def test_arguments_of_ten_megabytes_are_refused(client: Client, redis: Redis) -> None:
    with pytest.raises(TooLarge, match="args: expected at most 262,144 bytes of JSON, got 10,000,009"):
        await client.enqueue_job("mail.send", {"to": "x" * 10_000_000})
    assert jobs_in(redis) == 0


@pytest.mark.usefixtures("mail")
async def test_many_are_enqueued_in_their_order(client: Client) -> None:
    made = await client.enqueue_jobs([NewJob(task="mail.send", args={"to": f"{n}"}) for n in range(1201)])
    assert [job.args["to"] for job in made] == [f"{n}" for n in range(1201)]
    assert [job.order for job in made] == sorted({job.order for job in made})


@pytest.mark.usefixtures("mail")
async def test_one_wrong_job_refuses_them_all(client: Client, redis: Redis) -> None:
    with pytest.raises(InvalidInput, match="args.to"):
        await client.enqueue_jobs(
            [NewJob(task="mail.send", args={"to": "a"}), NewJob(task="mail.send", args={"to": 1})]
        )
    assert jobs_in(redis) == 0


async def test_no_jobs_are_no_jobs(client: Client) -> None:
    assert await client.enqueue_jobs([]) == []


# Reading


async def test_jobs_are_found_in_the_order_of_their_ids(client: Client, redis: Redis) -> None:
    enqueue(redis, "a", "b")
    found = await client.get_jobs(["b", "gone", "a"])
    assert [job and job.id for job in found] == ["b", None, "a"]
    assert await client.get_jobs([]) == []
    assert await client.get_job("gone") is None


async def test_a_page_has_the_newest_first_and_knows_of_more(client: Client, redis: Redis) -> None:
    enqueue(redis, *"abcde")
    page = await client.list_jobs(first=2)
    assert [job.id for job in page.jobs] == ["e", "d"]
    assert (page.has_next, page.has_previous, page.total) == (True, False, 5)
    after = await client.list_jobs(first=2, after=cursor_of(page.jobs[-1]))
    assert [job.id for job in after.jobs] == ["c", "b"]


async def test_a_page_may_be_read_backward(client: Client, redis: Redis) -> None:
    enqueue(redis, *"abcde")
    page = await client.list_jobs(last=2)
    assert [job.id for job in page.jobs] == ["b", "a"]
    before = await client.list_jobs(last=2, before=cursor_of(page.jobs[0]))
    assert [job.id for job in before.jobs] == ["d", "c"]
    assert (before.has_next, before.has_previous) == (True, True)


async def test_a_page_may_have_the_oldest_first(client: Client, redis: Redis) -> None:
    enqueue(redis, *"abc")
    assert [job.id for job in (await client.list_jobs(order=OLDEST_FIRST)).jobs] == ["a", "b", "c"]


async def test_a_page_may_be_of_some_jobs_only(client: Client, redis: Redis) -> None:
    a_job(redis, COMPLETED, "a")
    a_job(redis, FAILED, "b", queue="q2")
    enqueue(redis, "c", task="u")
    for wanted, ids in [
        (JobFilter(states=(COMPLETED, FAILED)), ["b", "a"]),
        (JobFilter(queues=("q",)), ["c", "a"]),
        (JobFilter(tasks=("u",)), ["c"]),
    ]:
        assert [job.id for job in (await client.list_jobs(wanted)).jobs] == ids


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"first": 0}, ("first",)),
        ({"first": MAX_PAGE + 1}, ("first",)),
        ({"last": -1}, ("last",)),
        ({"after": "?"}, ("after",)),
        ({"before": "ZZ"}, ("before",)),
        ({"first": 1, "last": 1}, ("last",)),
        ({"after": "a", "before": "b"}, ("last",)),
        ({"filter": JobFilter(queues=("a,b",))}, ("filter", "queues", "0")),
        ({"filter": JobFilter(tasks=("",))}, ("filter", "tasks", "0")),
    ],
)
async def test_a_page_that_cannot_be_is_refused(
    client: Client, arguments: dict[str, Any], path: tuple[str, ...]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        await client.list_jobs(**arguments)
    assert caught.value.path == path


async def test_fifty_jobs_and_their_attempts_are_two_round_trips(client: Client, redis: Redis) -> None:
    enqueue(redis, *(f"j{number}" for number in range(50)))
    await client.list_attempts((await client.list_jobs(first=50)).jobs)  # Redis knows the scripts from here on
    before = redis.info("commandstats")["cmdstat_evalsha"]["calls"]
    await client.list_attempts((await client.list_jobs(first=50)).jobs)
    assert redis.info("commandstats")["cmdstat_evalsha"]["calls"] - before == 2


async def test_attempts_come_with_their_tracebacks(client: Client, redis: Redis) -> None:
    job = a_running_job(redis)
    finish(redis, job, Ending.FAILED, traceback='"Traceback"')
    found = await client.list_attempts([get(redis), get(redis)])
    assert [[attempt.outcome for attempt in of_job] for of_job in found] == [[AttemptOutcome.FAILED]] * 2
    assert found[0][0].error.traceback == "Traceback"
    assert await client.list_attempts([]) == []


async def test_jobs_are_counted_by_state(client: Client, redis: Redis) -> None:
    for number, state in enumerate(JobState):
        a_job(redis, state, f"{state}", priority=number + 1)
    assert await client.count_jobs() == StateCounts(1, 1, 1, 1, 1, 1, 1)


async def test_no_jobs_are_counted_too(client: Client) -> None:
    assert await client.count_jobs() == StateCounts()


@pytest.mark.usefixtures("mail")
async def test_queues_are_those_with_jobs_and_those_that_tasks_name(client: Client, redis: Redis) -> None:
    enqueue(redis, "a", "b", queue="bulk")
    queues = await client.list_queues()
    assert [(queue.name, queue.counts.queued, queue.oldest_ready_at is None) for queue in queues] == [
        ("bulk", 2, False),
        ("mail", 0, True),
    ]


async def test_tasks_come_with_their_counts(client: Client, mail: Bench, redis: Redis) -> None:
    enqueue(redis, "a", queue="q1", task="mail.send")
    enqueue(redis, "b", queue="q2", task="mail.send")
    (task,) = await client.list_tasks()
    assert (task.name, task.queue, task.priority, task.max_attempts) == ("mail.send", "mail", 7, 3)
    assert (task.description, task.counts.queued) == ("Send one mail.", 2)
    assert task.args_schema == mail.engine.tasks["mail.send"].info.args_schema


async def test_workers_are_listed(client: Client, redis: Redis) -> None:
    facts = WorkerFacts(name=WORKER, queues=("*",), concurrency=4, mode="thread")
    STORE.register_worker(WORKER, facts.as_json([]), {}).run(redis)
    (worker,) = await client.list_workers()
    assert (worker.name, worker.concurrency, worker.online) == (WORKER, 4, True)


async def test_the_version_of_the_catalogue_rises_when_it_changes(client: Client, redis: Redis) -> None:
    assert await client.catalogue_version() == 0
    register(redis, "a")
    first = await client.catalogue_version()
    register(redis, "a")
    assert await client.catalogue_version() == first
    register(redis, "b")
    assert await client.catalogue_version() > first


async def test_redis_says_what_it_is(client: Client) -> None:
    info = await client.ping()
    assert int(info.version.split(".")[0]) >= 6
    assert info.memory_bytes > 0
    assert info.memory_limit_bytes is None
    assert info.persistence == "none"
    assert abs(info.now - datetime.now(UTC)) < timedelta(seconds=5)


async def test_redis_says_what_it_keeps_on_disk(durable_redis: RedisServer) -> None:
    client = Client(durable_redis.url)
    assert (await client.ping()).persistence == "aof"
    with durable_redis.client() as redis:
        redis.config_set("save", "3600 1")
    assert (await client.ping()).persistence == "aof+rdb"
    await client.close()


# Steering


async def test_a_waiting_job_is_cancelled(client: Client, redis: Redis) -> None:
    enqueue(redis, "j1")
    job = await client.cancel_job("j1", reason="not needed")
    assert (job.state, job.cancel_reason) == (CANCELLED, "not needed")


async def test_a_running_job_is_asked_to_stop(client: Client, redis: Redis) -> None:
    a_running_job(redis)
    with pytest.raises(IllegalMove, match="ask to terminate it as well"):
        await client.cancel_job("j1")
    job = await client.cancel_job("j1", terminate=True)
    assert (job.state, job.cancel_requested) == (RUNNING, True)


async def test_a_completed_job_cannot_be_cancelled_and_nothing_has_changed(client: Client, redis: Redis) -> None:
    a_job(redis, COMPLETED)
    before = everything(redis)
    with pytest.raises(IllegalMove, match="job 'j1' is COMPLETED, so it cannot become CANCELLED"):
        await client.cancel_job("j1")
    assert everything(redis) == before


@pytest.mark.parametrize("reason", ["x" * (MAX_REASON + 1), "caf\udce9"])
async def test_a_reason_is_some_text(client: Client, redis: Redis, reason: str) -> None:
    enqueue(redis, "j1")
    with pytest.raises(InvalidInput, match="reason: expected 0 to 500 characters of text"):
        await client.cancel_job("j1", reason=reason)
    assert get(redis).state is QUEUED


async def test_a_failed_job_is_retried(client: Client, redis: Redis) -> None:
    a_job(redis, FAILED, max_attempts=1)
    job = await client.retry_job("j1", attempts=4)
    assert (job.state, job.attempt_count, job.max_attempts) == (QUEUED, 1, 5)


@pytest.mark.parametrize("attempts", [0, -1, 1001])
async def test_attempts_that_make_no_sense_are_refused(client: Client, redis: Redis, attempts: int) -> None:
    a_job(redis, FAILED)
    with pytest.raises(InvalidInput, match="attempts: expected a whole number from 1 to 1,000"):
        await client.retry_job("j1", attempts=attempts)
    assert get(redis).state is FAILED


async def test_a_job_is_deleted(client: Client, redis: Redis) -> None:
    enqueue(redis, "j1")
    await client.delete_job("j1")
    assert await client.get_job("j1") is None


@pytest.mark.parametrize("steer", ["cancel_job", "retry_job", "delete_job"])
async def test_a_job_that_is_not_there_is_said_so(client: Client, steer: str) -> None:
    with pytest.raises(JobNotFound, match="there is no job 'gone'"):
        await getattr(client, steer)("gone")


@pytest.mark.parametrize("steer", ["cancel_job", "retry_job", "delete_job"])
async def test_an_id_that_no_job_can_have_is_refused(client: Client, steer: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        await getattr(client, steer)("a b\n")
    assert caught.value.path == ("id",)


async def test_history_is_counted_and_cleared(client: Client, redis: Redis) -> None:
    for state in FINAL:
        a_job(redis, state, f"{state}")
    a_job(redis, RETRYING, "stays")
    assert await client.count_history([COMPLETED, FAILED]) == 2
    operation = await client.clear_history([COMPLETED, FAILED])
    assert (operation.kind, operation.state) == (BulkKind.DELETE, BulkState.DONE)
    assert (operation.matched, operation.changed, operation.skipped) == (2, 2, 0)
    assert (await client.clear_history([COMPLETED, FAILED])).matched == 0
    assert (await client.count_jobs()).total == 2


async def test_history_may_be_cleared_up_to_a_time(client: Client, redis: Redis) -> None:
    a_job(redis, COMPLETED)
    at = get(redis).finished_at
    assert at is not None
    assert await client.count_history([COMPLETED], finished_before=at) == 0
    assert (await client.clear_history([COMPLETED], finished_before=at)).changed == 0
    later = at + timedelta(milliseconds=1)
    assert await client.count_history([COMPLETED], finished_before=later) == 1
    assert (await client.clear_history([COMPLETED], finished_before=later)).changed == 1


async def test_no_states_are_no_history(client: Client, redis: Redis) -> None:
    a_job(redis, COMPLETED)
    for ask in (client.clear_history, client.count_history):
        with pytest.raises(InvalidInput, match="states: expected at least one of COMPLETED, FAILED and CANCELLED"):
            await ask([])
    assert get(redis).state is COMPLETED


async def test_only_what_ended_is_history(client: Client, redis: Redis) -> None:
    enqueue(redis, "j1")
    for ask in (client.clear_history, client.count_history):
        with pytest.raises(InvalidInputs, match="states: expected COMPLETED, FAILED or CANCELLED, got QUEUED"):
            await ask([COMPLETED, QUEUED])
    assert get(redis).state is QUEUED


# Redis away


@pytest.fixture
async def stranded() -> AsyncIterator[Client]:
    """A client of a Redis that is not there."""
    client = Client("redis://127.0.0.1:1/0")
    yield client
    await client.close()


@pytest.mark.parametrize(
    ("method", "arguments"),
    [
        ("ping", ()),
        ("enqueue_job", ("mail.send", {})),
        ("get_job", ("j1",)),
        ("list_jobs", ()),
        ("count_jobs", ()),
        ("list_queues", ()),
        ("list_tasks", ()),
        ("list_workers", ()),
        ("catalogue_version", ()),
        ("cancel_job", ("j1",)),
        ("retry_job", ("j1",)),
        ("delete_job", ("j1",)),
        ("clear_history", ([COMPLETED],)),
        ("count_history", ([COMPLETED],)),
        ("newest_cursor", ()),
    ],
)
async def test_every_method_says_that_redis_is_away(stranded: Client, method: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(RedisUnavailable, match="Redis does not answer"):
        await getattr(stranded, method)(*arguments)


async def test_a_listener_is_told_that_redis_is_away(stranded: Client) -> None:
    with pytest.raises(RedisUnavailable):
        await anext(stranded.events())


async def test_a_redis_that_is_silent_is_given_up_after_two_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        client = Client(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        begun = time.monotonic()
        with pytest.raises(RedisUnavailable, match="Redis does not answer"):
            await client.get_job("j1")
        assert time.monotonic() - begun < 5
        await client.close()


async def test_the_error_does_not_tell_the_password() -> None:
    client = Client("redis://user:secret@127.0.0.1:1/0")
    with pytest.raises(RedisUnavailable) as caught:
        await client.ping()
    assert "secret" not in str(caught.value)
    await client.close()


async def test_a_client_goes_on_when_redis_is_back(durable_redis: RedisServer) -> None:
    client = Client(durable_redis.url, namespace="test")
    await client.count_jobs()
    durable_redis.kill()
    with pytest.raises(RedisUnavailable):
        await client.count_jobs()
    durable_redis.restart()
    assert await client.count_jobs() == StateCounts()
    await client.close()


async def test_a_full_redis_refuses_and_nothing_has_changed(client: Client, mail: Bench, redis: Redis) -> None:
    before = everything(redis)
    redis.config_set("maxmemory", 1)
    try:
        with pytest.raises(RedisUnavailable, match="Redis refuses: OOM"):
            await client.enqueue_job("mail.send", {"to": "a@b"})
    finally:
        redis.config_set("maxmemory", 0)
    assert everything(redis) == before


async def test_clients_of_two_namespaces_do_not_see_each_other(client: Client, redis_url: str, redis: Redis) -> None:
    other = Client(redis_url, namespace="other")
    enqueue(redis, "j1")
    assert await client.get_job("j1") is not None
    assert await other.get_job("j1") is None
    assert (await other.count_jobs()).total == 0
    await other.close()


def test_the_client_needs_no_huey() -> None:
    code = "import sys; from taskengine import Client; sys.exit('huey' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_many_reads_go_as_one_also_when_redis_forgot_the_scripts(client: Client, redis: Redis) -> None:
    wanted = [
        Subject(MetricsWindow.MINUTE),
        Subject(MetricsWindow.HOUR, queue="q"),
        Subject(MetricsWindow.DAY, task="t"),
    ]
    for _ in range(2):
        redis.script_flush()
        found = await client.list_metrics(wanted)
        assert [metrics.window for metrics in found] == [MetricsWindow.MINUTE, MetricsWindow.HOUR, MetricsWindow.DAY]
    assert await client.list_metrics([]) == []


async def test_no_more_than_a_page_of_jobs_is_explained_at_once(client: Client) -> None:
    for ask in (client.explain_jobs, client.list_dependencies):
        assert await ask([]) == []
        with pytest.raises(InvalidInput, match="expected at most 100 ids, got 101"):
            await ask(["x"] * 101)
