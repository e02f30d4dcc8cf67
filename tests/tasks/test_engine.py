"""``TaskEngine``: how functions become tasks, how they are called, and what is refused."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from huey import crontab
from huey.api import ResultGroup
from redis import Redis

from support.bench import Bench
from support.jobs import COMPLETED, KEYS, QUEUED, SCHEDULED, everything, get, now_ms
from taskengine import Backoff, InvalidInput, InvalidTask, Options, RedisUnavailable, Result, Settings, TaskEngine
from taskengine.errors import InvalidInputs, TooLarge
from taskengine.jobs import TaskInfo
from taskengine.keys import Keys


@pytest.fixture
def unused() -> TaskEngine:
    """An engine whose Redis nobody asks."""
    return TaskEngine("shop", url="redis://127.0.0.1:1/0", settings=Settings())


def waiting(redis: Redis) -> int:
    """How many jobs there are."""
    return len([key for key in everything(redis) if key.startswith("job:")])


# Definition


def test_a_function_becomes_a_task_with_the_values_that_it_is_given(unused: TaskEngine) -> None:
    @unused.task(name="mail.send", queue="mail", priority=7, max_attempts=5, timeout=30)
    def send(to: str) -> None:
        """Send one mail.

        To one person.
        """

    info = send.info
    assert (info.name, info.queue, info.priority) == ("mail.send", "mail", 7)
    assert (info.max_attempts, info.timeout_seconds) == (5, 30)
    assert info.description == "Send one mail.\n\nTo one person."
    assert info.args_schema["required"] == ["to"]


def test_by_default_it_has_the_functions_name_and_one_attempt_in_the_middle(unused: TaskEngine) -> None:
    @unused.task()
    def send() -> None: ...

    assert send.info == TaskInfo(
        name="send", args_schema=send.info.args_schema, queue="default", priority=5, max_attempts=1
    )


def test_the_function_can_still_be_called_here_and_now(unused: TaskEngine) -> None:
    @unused.task()
    def double(x: int) -> int:
        return 2 * x

    assert double.call_local(2) == 4


def test_a_task_may_be_a_task_of_another_engine_too(unused: TaskEngine) -> None:
    other = TaskEngine("other", url="redis://127.0.0.1:1/0", settings=Settings())

    @other.task(name="there")
    @unused.task(name="here")
    def double(x: int) -> int:
        return 2 * x

    assert (list(unused.tasks), list(other.tasks)) == (["here"], ["there"])
    assert double.call_local(2) == 4


def test_hueys_words_for_retries_are_understood(unused: TaskEngine) -> None:
    @unused.task(retries=2, retry_delay=10, retry_backoff=3)
    def send() -> None: ...

    assert send.info.max_attempts == 3
    assert [send.task_class.backoff.delay_seconds(failed, 0.5) for failed in (1, 2, 3)] == [10, 30, 90]


def test_a_task_can_be_taken_back_and_its_name_used_again(unused: TaskEngine) -> None:
    @unused.task(name="send")
    def first() -> None: ...

    first.unregister()
    assert unused.tasks == {}

    @unused.task(name="send")
    def second() -> None: ...

    assert list(unused.tasks.values()) == [second]


def refused(engine: TaskEngine, function: Callable[..., Any] | None = None, **options: Any) -> str:
    def send() -> None: ...

    with pytest.raises(InvalidTask) as caught:
        engine.task(**options)(function or send)
    assert engine.tasks == {}
    return str(caught.value)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"priority": 0}, "priority: expected a whole number from 1 to 10 (10 runs first), got 0"),
        ({"priority": 11}, "priority: expected a whole number from 1 to 10 (10 runs first), got 11"),
        ({"max_attempts": 0}, "max_attempts: expected a whole number from 1 to 1,000, got 0"),
        ({"retries": -1}, "retries: expected a whole number from 1 to 1,000, got 0"),
        ({"retries": 1, "max_attempts": 2}, "max_attempts: give either retries or max_attempts, not both"),
        ({"queue": "a:b"}, "queue: expected 1 to 100 of the characters A-Z a-z 0-9 _ . -, got 'a:b'"),
        ({"timeout": -1}, "options.timeoutSeconds: expected 0.001 to 2,592,000 seconds, got -1"),
        (
            {"retry_delay": 1, "backoff": Backoff()},
            "backoff: give either a backoff or retry_delay and retry_backoff, not both",
        ),
        ({"retry_delay": -1}, "backoff.base_seconds: expected a number of at least 0, got -1"),
        ({"retry_on": "ValueError"}, "retry_on: expected exception classes, got 'ValueError'"),
        ({"fail_on": (ValueError, 3)}, "fail_on: expected exception classes, got 3"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(unused: TaskEngine, options: dict[str, Any], message: str) -> None:
    assert refused(unused, **options) == f"task 'send': {message}"


def test_a_name_that_keys_cannot_hold_is_refused(unused: TaskEngine) -> None:
    message = "task 'send mail': name: expected 1 to 100 of the characters A-Z a-z 0-9 _ . -, got 'send mail'"
    assert refused(unused, name="send mail") == message


def test_a_lambda_needs_a_name(unused: TaskEngine) -> None:
    assert "name: expected 1 to 100" in refused(unused, lambda: None)
    unused.task(name="nothing")(lambda: None)


def test_a_signature_that_cannot_be_typed_is_refused(unused: TaskEngine) -> None:
    def send(*to: str) -> None: ...

    assert refused(unused, send).startswith("task 'send', parameter 'to': ")


def test_a_coroutine_function_is_a_task_like_any_other(unused: TaskEngine) -> None:
    async def send() -> None: ...

    task = unused.task()(send)
    assert (task.info.name, task.task_class.is_async) == ("send", True)


def test_what_yields_is_refused(unused: TaskEngine) -> None:
    def send() -> Iterator[int]:
        yield 1

    async def listen() -> AsyncIterator[int]:
        yield 1

    assert "it yields, and a task returns" in refused(unused, send)
    assert "it yields, and a task returns" in refused(unused, listen)


def test_forgotten_parentheses_are_said(unused: TaskEngine) -> None:
    def send() -> None: ...

    with pytest.raises(InvalidTask, match=r"task 'send': write @engine.task\(\) with parentheses"):
        unused.task(send)  # pyright: ignore[reportArgumentType]


def test_a_second_task_of_the_same_name_is_refused(unused: TaskEngine) -> None:
    @unused.task()
    def send() -> None: ...

    with pytest.raises(InvalidTask, match="there is another task of that name; give this one a name= of its own"):
        unused.task(name="send")(lambda: None)


def test_hueys_periodic_task_is_a_task_with_a_schedule(unused: TaskEngine) -> None:
    @unused.periodic_task(crontab(minute="*/5"), name="tick", queue="ticks")
    def tick() -> None: ...

    assert tick.info.queue == "ticks"
    assert unused.schedules["tick"].definition.cron == "*/5 * * * *"


# Calls


def test_a_call_enqueues_a_job_with_the_tasks_values(engine: TaskEngine, redis: Redis) -> None:
    @engine.task(name="mail.send", queue="mail", priority=7, max_attempts=5, timeout=30)
    def send(to: str, subject: str = "Hello") -> None: ...

    result = send("a@b", subject="Hi")
    job = get(redis, result.id)
    assert (job.task, job.queue, job.priority, job.state) == ("mail.send", "mail", 7, QUEUED)
    assert (job.max_attempts, job.timeout_seconds) == (5, 30)
    assert job.args == {"to": "a@b", "subject": "Hi"}


def test_a_job_gets_an_id_of_ours(engine: TaskEngine) -> None:
    @engine.task()
    def send() -> None: ...

    assert send().id.startswith("job_")


def test_options_go_before_the_tasks_values(engine: TaskEngine, redis: Redis) -> None:
    @engine.task(queue="mail", priority=7, max_attempts=5)
    def send(to: str) -> None: ...

    options = Options(queue="bulk", priority=1, max_attempts=2, timeout=1.5, tags=("a", "b"), id="order-7")
    assert send.enqueue("a@b", options=options).id == "order-7"
    job = get(redis, "order-7")
    assert (job.queue, job.priority, job.max_attempts) == ("bulk", 1, 2)
    assert (job.timeout_seconds, job.tags) == (1.5, ("a", "b"))


def test_a_delay_is_in_seconds(engine: TaskEngine, redis: Redis) -> None:
    @engine.task()
    def send() -> None: ...

    before = now_ms(redis)
    job = send.enqueue(options=Options(delay=60)).job()
    assert job.state is SCHEDULED
    assert job.run_at is not None
    assert 60_000 <= job.run_at.timestamp() * 1000 - before < 65_000


def test_a_time_to_run_at_is_kept(engine: TaskEngine) -> None:
    @engine.task()
    def send() -> None: ...

    at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    assert send.enqueue(options=Options(run_at=at)).job().run_at == at


def test_a_wrong_argument_is_refused_and_nothing_is_enqueued(engine: TaskEngine, redis: Redis) -> None:
    @engine.task()
    def send(to: str) -> None: ...

    with pytest.raises(InvalidInput, match=r"args.to: input should be a valid string, got 7"):
        send(7)  # pyright: ignore[reportArgumentType]
    assert everything(redis) == {}


def test_a_wrong_option_is_refused_and_nothing_is_enqueued(engine: TaskEngine, redis: Redis) -> None:
    @engine.task()
    def send() -> None: ...

    with pytest.raises(InvalidInput, match="options.priority: expected a whole number from 1 to 10"):
        send.enqueue(options=Options(priority=11))
    assert everything(redis) == {}


def test_an_argument_of_ten_megabytes_is_refused_and_nothing_is_enqueued(engine: TaskEngine, redis: Redis) -> None:
    @engine.task()
    def send(body: str) -> None: ...

    with pytest.raises(TooLarge, match="args: expected at most 262,144 bytes of JSON, got 10,000,011"):
        send("x" * 10_000_000)
    assert everything(redis) == {}


def test_the_same_id_twice_is_one_job(engine: TaskEngine, redis: Redis) -> None:
    @engine.task()
    def send(to: str) -> None: ...

    first = send.enqueue("a@b", options=Options(id="order-7"))
    second = send.enqueue("c@d", options=Options(id="order-7"))
    assert first.id == second.id
    assert get(redis, "order-7").args == {"to": "a@b"}


def test_a_parameter_may_be_called_options(engine: TaskEngine) -> None:
    @engine.task()
    def build(options: dict[str, int]) -> None: ...

    assert build(options={"a": 1}).job().args == {"options": {"a": 1}}
    assert build.enqueue({"a": 2}, options=Options(priority=9)).job().args == {"options": {"a": 2}}


def test_options_of_another_kind_are_refused(engine: TaskEngine) -> None:
    @engine.task()
    def send() -> None: ...

    with pytest.raises(InvalidInput, match="options: expected Options, got dict"):
        send.enqueue(options={"priority": 9})  # pyright: ignore[reportArgumentType]


# Many at once


def test_many_calls_are_many_jobs_in_their_order(engine: TaskEngine, redis: Redis) -> None:
    @engine.task()
    def send(to: str, copies: int = 1) -> None: ...

    results = send.enqueue_many([("a",), {"to": "b"}, ("c", 2), {"to": "d", "copies": 3}], Options(tags=("bulk",)))
    jobs = [result.job() for result in results]
    assert [job.args for job in jobs] == [
        {"to": "a"},
        {"to": "b"},
        {"to": "c", "copies": 2},
        {"to": "d", "copies": 3},
    ]
    assert [job.order for job in jobs] == sorted(job.order for job in jobs)
    assert {job.tags for job in jobs} == {("bulk",)}


def test_more_than_one_batch_is_enqueued_whole(engine: TaskEngine, redis: Redis) -> None:
    @engine.task()
    def count(number: int) -> None: ...

    results = count.enqueue_many((number,) for number in range(1201))
    assert len({result.id for result in results}) == 1201
    assert redis.zcard(KEYS.ready("default", "count")) == 1201
    assert json.loads(redis.hget(KEYS.job(results[-1].id), "args")) == {"number": 1200}


def test_one_wrong_call_refuses_all_and_says_which(engine: TaskEngine, redis: Redis) -> None:
    @engine.task()
    def send(to: str, copies: int = 1) -> None: ...

    with pytest.raises(InvalidInputs) as caught:
        send.enqueue_many([("a",), {"to": 1, "copies": "x"}])
    assert [problem.path for problem in caught.value.problems] == [("1", "args", "to"), ("1", "args", "copies")]
    assert everything(redis) == {}


def test_a_call_is_a_tuple_or_a_dict(engine: TaskEngine) -> None:
    @engine.task()
    def send(to: str) -> None: ...

    with pytest.raises(InvalidInput, match="0.args: expected a tuple of arguments or a dict of them by name, got str"):
        send.enqueue_many(["a@b"])  # pyright: ignore[reportArgumentType]


def test_one_id_cannot_be_that_of_many_jobs(engine: TaskEngine, redis: Redis) -> None:
    @engine.task()
    def send(to: str) -> None: ...

    with pytest.raises(InvalidInput, match="options.id: one id cannot be that of 2 jobs; leave it out"):
        send.enqueue_many([("a",), ("b",)], Options(id="order-7"))
    assert everything(redis) == {}


def test_no_calls_are_no_jobs(engine: TaskEngine, redis: Redis) -> None:
    @engine.task()
    def send(to: str) -> None: ...

    assert send.enqueue_many([]) == []
    assert everything(redis) == {}


# As with Huey


def test_an_instance_of_a_call_can_be_enqueued_later(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def add(a: int, b: int) -> int:
        return a + b

    call = add.s(1, b=2)
    result = engine.enqueue(call)
    assert result.id == call.id
    bench.run()
    assert result.get() == 3


def test_an_instance_of_a_call_may_have_options_of_its_own(engine: TaskEngine) -> None:
    @engine.task(max_attempts=9)
    def add(a: int) -> int:
        return a

    job = engine.enqueue(add.s(1, priority=9, retries=2, timeout=1.5, id="order-7")).job()
    assert (job.id, job.priority, job.max_attempts, job.timeout_seconds) == ("order-7", 9, 3, 1.5)
    assert job.args == {"a": 1}


def test_schedule_takes_a_delay(engine: TaskEngine) -> None:
    @engine.task()
    def add(a: int) -> int:
        return a

    job = add.schedule((1,), delay=60).job()
    assert job.state is SCHEDULED
    assert job.run_at is not None
    assert timedelta(seconds=55) < job.run_at - datetime.now(UTC) < timedelta(seconds=61)


def test_schedule_takes_a_time(engine: TaskEngine) -> None:
    @engine.task()
    def add(a: int) -> int:
        return a

    at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    assert add.schedule(kwargs={"a": 1}, eta=at).job().run_at == at


def test_map_enqueues_a_job_for_each_and_gathers_the_results(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def add(a: int, b: int = 10) -> int:
        return a + b

    results = add.map([(1, 2), 3])
    assert isinstance(results, ResultGroup)
    bench.run(), bench.run()
    assert results.get() == [3, 13]


def test_a_wrong_argument_of_an_instance_is_refused_when_it_is_enqueued(engine: TaskEngine, redis: Redis) -> None:
    @engine.task()
    def add(a: int) -> int:
        return a

    with pytest.raises(InvalidInput, match="args.a"):
        engine.enqueue(add.s("x"))
    assert everything(redis) == {}


def test_what_is_no_call_of_a_task_cannot_be_enqueued(engine: TaskEngine) -> None:
    with pytest.raises(TypeError, match=r"expected a call of a task such as send_mail.s\(...\), got int"):
        engine.enqueue(1)


def test_hueys_counts_are_those_of_the_records(engine: TaskEngine) -> None:
    @engine.task()
    def send() -> None: ...

    send.enqueue_many([(), ()])
    send.enqueue(options=Options(delay=60))
    assert (engine.storage.queue_size(), engine.storage.schedule_size()) == (2, 1)


# Reading


def test_a_job_can_be_asked_for_by_its_id(bench: Bench, engine: TaskEngine) -> None:
    @engine.task()
    def send() -> None: ...

    result = send()
    bench.run()
    job = engine.get_job(result.id)
    assert job is not None
    assert job.state is COMPLETED
    assert engine.get_job("gone") is None


def test_an_id_that_no_job_can_have_is_refused(engine: TaskEngine) -> None:
    with pytest.raises(InvalidInput, match="id: expected 1 to 64 of the characters"):
        engine.get_job("a b")


# Where it is


def test_the_environment_says_which_namespace_and_redis(redis_url: str, redis: Redis) -> None:
    engine = TaskEngine.from_env({"TASKENGINE_REDIS_URL": redis_url, "TASKENGINE_NAMESPACE": "shop"})

    @engine.task()
    def send() -> None: ...

    result = send()
    assert redis.exists(Keys("shop").job(result.id))
    engine.job_storage.close()


def test_namespaces_do_not_see_each_other(redis_url: str) -> None:
    engines = [TaskEngine(name, url=redis_url, settings=Settings()) for name in ("a", "b")]

    @engines[0].task()
    def send() -> None: ...

    result = send()
    assert [engine.get_job(result.id) is not None for engine in engines] == [True, False]
    for engine in engines:
        engine.job_storage.close()


def test_a_redis_that_does_not_answer_is_said_so(unused: TaskEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    @unused.task()
    def send() -> None: ...

    monkeypatch.setattr("redis.backoff.ExponentialWithJitterBackoff.compute", lambda *_: 0.0)
    with pytest.raises(RedisUnavailable, match="Redis does not answer"):
        send()


def test_only_a_worker_claims(engine: TaskEngine) -> None:
    engine.dispatcher = None
    with pytest.raises(RuntimeError, match="only a worker claims jobs"):
        engine.dequeue()


def test_results_are_handles_of_ours(engine: TaskEngine) -> None:
    @engine.task()
    def send() -> None: ...

    assert isinstance(send(), Result)
