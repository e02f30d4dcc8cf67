"""Secret arguments: the task gets them, and nobody else sees them; in Redis they are encrypted when there is a key."""

import asyncio
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from huey.api import chord
from redis import Redis

from support import safe
from support.bench import Bench
from support.jobs import COMPLETED, FAILED
from support.safe import Card, digest, everything_in
from taskengine import Client, InvalidInput, Secret, Settings
from taskengine.filters import JobFilter
from taskengine.jobs import Job, LogLevel
from taskengine.task import Task
from taskengine.testing import assert_enqueued, drain, engine_in_place

KEY, OTHER = "A" * 43 + "=", "b" * 42 + "A="
PASSWORD, TOKEN, NUMBER = "pass'wörd-5f2c9a", 'tok\\en"7b1e4d', "4111-9c3a-2222"
SECRETS = (PASSWORD, TOKEN, NUMBER)
GIVEN: dict[str, Any] = {"password": PASSWORD, "token": TOKEN, "card": {"number": NUMBER}}
SHOWN = {"password": "********", "token": "********", "card": {"number": "********", "holder": "Ada"}}
PARTS = ("5f2c9a", "7b1e4d", "9c3a")
"""Of each secret something that no escaping changes."""


@pytest.fixture(params=[(), (KEY,)], ids=["plain", "encrypted"])
def bench(redis_url: str, request: pytest.FixtureRequest) -> Iterator[Bench]:
    bench = Bench(redis_url, encryption_key=request.param)
    safe.define(bench.engine)
    bench.publish()
    yield bench
    bench.close()


@pytest.fixture
def indiscreet(bench: Bench) -> Task[..., str]:
    return bench.engine.tasks["indiscreet"]


def a_client(bench: Bench, *keys: str) -> Client:
    settings = Settings(encryption_key=keys or bench.engine.settings.encryption_key)
    return Client(str(bench.engine.settings.redis_url), namespace="test", settings=settings)


def assert_untold(text: object) -> None:
    assert [part for part in PARTS if part in str(text)] == []


def assert_kept(bench: Bench, redis: Redis) -> None:
    """No secret is anywhere in Redis; when there is no key, but in the one field for them, and in checkpoints."""
    but = () if bench.engine.keyring.encrypts else ("secrets", "checkpoint")
    assert_untold(everything_in(redis, but=but))


def assert_kept_encrypted(bench: Bench, redis: Redis) -> None:
    """As ``assert_kept``, where without a key they are in more places."""
    if bench.engine.keyring.encrypts:
        assert_kept(bench, redis)


def run_all(bench: Bench) -> dict[str, Job]:
    return {job.id: job for job in drain(bench.engine)}


# Every way in


def test_a_job_is_given_its_secrets_and_shows_none(bench: Bench, indiscreet: Task[..., str], redis: Redis) -> None:
    result = indiscreet(**GIVEN)
    assert bench.job(result.id).args == SHOWN
    assert bench.job(result.id).redacted == ("card.number", "password", "token")
    assert bench.run().result == digest(*SECRETS)
    assert_kept(bench, redis)


def test_many_and_wrapped_ones(bench: Bench, indiscreet: Task[..., str], redis: Redis) -> None:
    calls = [(Secret(PASSWORD), TOKEN, Card(number=Secret(NUMBER))), GIVEN]
    results = indiscreet.enqueue_many(calls)
    jobs = run_all(bench)
    assert [jobs[result.id].result for result in results] == [digest(*SECRETS)] * 2
    assert_kept(bench, redis)


async def test_by_name_and_json_without_the_tasks_code(bench: Bench, redis: Redis) -> None:
    client = a_client(bench)
    job = await client.enqueue_job("indiscreet", GIVEN)
    assert job.args == {**SHOWN, "card": {"number": "********"}}
    assert bench.run().result == digest(*SECRETS)
    (line, *_) = (await client.list_logs(job.id)).lines
    assert line.fields["values"] == ["********"] * 3
    await client.close()
    assert_kept(bench, redis)


def test_no_filter_finds_a_job_by_them(bench: Bench, indiscreet: Task[..., str]) -> None:
    job = bench.job(indiscreet(**GIVEN).id)
    filters = [JobFilter(text=part) for part in PARTS] + [JobFilter(args_contain={"password": PASSWORD})]
    assert [one.matches(job) for one in filters] == [False] * 4
    assert JobFilter(text="Ada").matches(job)


@pytest.mark.parametrize("bench", [(KEY,)], indirect=True)
async def test_who_has_no_key_is_refused_where_the_workers_have_one(bench: Bench, redis: Redis) -> None:
    client = Client(str(bench.engine.settings.redis_url), namespace="test")
    with pytest.raises(InvalidInput, match="args.password: is a secret that the workers of indiscreet keep encrypted"):
        await client.enqueue_job("indiscreet", {"password": PASSWORD})
    assert (await client.count_jobs()).queued == 0
    await client.close()


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        ({"password": [PASSWORD]}, "args.password: expected string"),
        ({"password": "x", "card": {"number": {"a": PASSWORD}}}, "args.card: expected Card or null"),
        ({"password": "x", "token": {PASSWORD: 1}}, "args.token: expected string"),
        (
            {"password": "********"},
            "args.password: ******** stands for a secret that is not shown; give the secret itself",
        ),
    ],
)
async def test_what_is_refused_is_not_told(bench: Bench, args: dict[str, Any], problem: str) -> None:
    client = a_client(bench)
    with pytest.raises(InvalidInput) as caught:
        await client.enqueue_job("indiscreet", args)
    assert str(caught.value) == problem
    await client.close()


# Every way out


@pytest.mark.parametrize("do", ["OK", "FAIL", "FAIL_ONCE", "SNOOZE_ONCE"])
async def test_nothing_that_a_task_says_tells_them(
    bench: Bench, indiscreet: Task[..., str], redis: Redis, do: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        job_id = indiscreet(**GIVEN, do=do).id
        jobs = run_all(bench)
    assert jobs[job_id].state is (FAILED if do == "FAIL" else COMPLETED)
    assert jobs[job_id].result == (None if do == "FAIL" else digest(*SECRETS))
    client = a_client(bench)
    logs = (await client.list_logs(job_id, min_level=LogLevel.DEBUG)).lines
    attempts = await client.list_attempts([jobs[job_id]])
    groups = await client.list_failure_groups()
    checkpoint = await client.get_checkpoint(job_id)
    await client.close()
    assert_untold([jobs, logs, attempts, groups])
    assert checkpoint == ("********" if do == "FAIL" else None)
    assert_untold(caplog.text)
    assert "the words are ******** and ******** and ********" in caplog.text
    assert_kept(bench, redis)
    if do == "FAIL":
        assert jobs[job_id].error.message == "wrong: '******** and ******** and ********'"  # pyright: ignore[reportOptionalMemberAccess]


def test_a_part_of_one_is_not_left_where_words_are_cut(bench: Bench) -> None:
    @bench.engine.task()
    def long(password: Secret[str]) -> None:
        raise ValueError("x" * 1_995 + password.reveal())

    long(Secret(PASSWORD))
    error = bench.run().error
    assert error is not None
    assert error.message.endswith("x" + "*" * 5)


def test_a_key_of_concurrency_may_not_be_made_of_one(bench: Bench) -> None:
    def of(password: str) -> str:
        return f"of {password}"

    @bench.engine.task(redact=("password",), concurrency_key=of)
    def login(password: str) -> None: ...

    with pytest.raises(InvalidInput, match="concurrency_key: holds a secret argument"):
        login(PASSWORD)


def test_a_key_of_concurrency_is_not_made_of_asterisks(bench: Bench) -> None:
    def of(password: Secret[str]) -> str:
        return f"of {password}"

    @bench.engine.task(concurrency_key=of)
    def login(password: Secret[str]) -> None: ...

    with pytest.raises(InvalidInput, match="concurrency_key: holds a secret argument"):
        login(Secret(PASSWORD))


def test_coroutines_and_their_threads_tell_them_neither(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("shop")

    @bench.engine.task()
    async def login(password: Secret[str]) -> None:
        logger.info("in the coroutine: %s", password.reveal())
        await asyncio.to_thread(logger.info, "in a thread: %s", password.reveal())
        await asyncio.create_task(asyncio.to_thread(logger.info, "in a task: %s", password.reveal()))

    with caplog.at_level(logging.INFO, "shop"):
        login(Secret(PASSWORD))
        assert bench.run().state is COMPLETED
    assert [record.getMessage() for record in caplog.records if record.name == "shop"] == [
        "in the coroutine: ********",
        "in a thread: ********",
        "in a task: ********",
    ]


def test_a_handler_of_signals_that_fails_tells_them_neither(
    bench: Bench, indiscreet: Task[..., str], caplog: pytest.LogCaptureFixture
) -> None:
    @bench.engine.signal("error")
    def again(signal: str, task: Any, exception: Exception) -> None:  # pyright: ignore[reportUnusedFunction]
        raise exception

    indiscreet(**GIVEN, do="FAIL")
    run_all(bench)
    assert "wrong: '******** and ******** and ********'" in caplog.text
    assert_untold(caplog.text)


def test_what_does_not_fit_its_format_is_told_without_them(
    bench: Bench, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    logger = logging.getLogger("shop")

    @bench.engine.task()
    def login(password: Secret[str]) -> None:
        logger.warning("one: %d", password.reveal())

    login(Secret(PASSWORD))
    assert bench.run().state is COMPLETED
    assert 'one: %d ("********",)' in caplog.text
    assert_untold(caplog.text + "".join(capsys.readouterr()))


def test_what_is_logged_without_one_stays_as_it_was(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("shop")

    @bench.engine.task()
    def login(password: Secret[str]) -> None:
        logger.warning("number %d", 7)

    login(Secret(PASSWORD))
    bench.run()
    (record,) = (record for record in caplog.records if record.name == "shop")
    assert (record.msg, record.args) == ("number %d", (7,))


def test_a_result_writes_a_secret_as_asterisks(bench: Bench) -> None:
    @bench.engine.task()
    def login(password: Secret[str]) -> dict[str, Any]:
        return {"card": Card(number=password), "password": "other"}

    login(Secret(PASSWORD))
    assert bench.run().result == {"card": {"number": "********", "holder": "Ada"}, "password": "other"}


# What follows


def test_calls_that_follow_have_theirs(bench: Bench, indiscreet: Task[..., str], redis: Redis) -> None:
    follow, on_error = bench.engine.tasks["follow"], bench.engine.tasks["on_error"]
    pipeline = indiscreet.s(**GIVEN).then(follow, password=PASSWORD)
    fails = indiscreet.s(**GIVEN, do="FAIL").error(on_error, password=PASSWORD)
    bench.engine.enqueue(pipeline)
    bench.engine.enqueue(fails)
    assert_kept_encrypted(bench, redis)
    jobs = run_all(bench)
    assert [job.result for job in jobs.values() if job.task in ("follow", "on_error")] == [digest(PASSWORD)] * 2
    assert_kept_encrypted(bench, redis)


def test_a_chord_and_what_follows_it_have_theirs(bench: Bench, indiscreet: Task[..., str], redis: Redis) -> None:
    @bench.engine.task()
    def gather(results: list[str], password: Secret[str]) -> list[str]:
        return [*results, digest(password.reveal())]

    bench.publish()
    bench.engine.enqueue(chord([indiscreet.s(**GIVEN), indiscreet.s(**GIVEN)], gather.s(password=PASSWORD)))
    assert_kept_encrypted(bench, redis)
    (job,) = (job for job in run_all(bench).values() if job.task == "gather")
    assert job.result == [digest(*SECRETS)] * 2 + [digest(PASSWORD)]
    assert job.args["password"] == "********"


def test_what_comes_of_a_job_is_no_secret_of_its_handler(bench: Bench, indiscreet: Task[..., str]) -> None:
    @bench.engine.task()
    def handler(error: Secret[Any]) -> None: ...

    with pytest.raises(InvalidInput, match=r"args.error: is secret, and what handler gets there comes from Redis"):
        bench.engine.enqueue(indiscreet.s(**GIVEN).error(handler))


def test_in_place_they_come_through_too(bench: Bench, indiscreet: Task[..., str]) -> None:
    with engine_in_place(bench.engine):
        result = indiscreet(**GIVEN)
        assert result.get() == digest(*SECRETS)
        assert result.job().args == SHOWN


def test_a_test_can_assert_what_was_enqueued(bench: Bench, indiscreet: Task[..., str]) -> None:
    indiscreet(**GIVEN)
    assert_enqueued(indiscreet, args={"password": PASSWORD, "token": TOKEN})
    assert_enqueued(indiscreet, args={"password": Secret(PASSWORD), "card": Card(number=Secret(NUMBER))})
    with pytest.raises(AssertionError) as caught:
        assert_enqueued(indiscreet, args={"password": "another"})
    assert_untold(caught.value)


def test_a_call_that_is_put_off_anew_keeps_them(bench: Bench, indiscreet: Task[..., str]) -> None:
    result = indiscreet(**GIVEN)
    bench.run()
    again = result.reschedule()
    assert again.id != result.id
    assert bench.run().result == digest(*SECRETS)


# Schedules


def test_a_schedule_in_code_hands_them_to_its_jobs(bench: Bench, indiscreet: Task[..., str], redis: Redis) -> None:
    bench.engine.schedule(indiscreet, every_seconds=60, args=GIVEN, name="leak")
    storage = bench.engine.job_storage
    register = storage.schedules.register_schedules("w", bench.engine.schedules.values(), now_ms=storage.now_ms())
    storage.run(register)
    (schedule,) = storage.run(storage.schedules.list_schedules())
    assert schedule.args == SHOWN
    assert_untold(schedule)
    row = schedule.row("leak", indiscreet.info, tick_ms=None)
    storage.run(storage.schedules.run_schedule("leak", row))
    assert bench.run().result == digest(*SECRETS)
    assert_kept_encrypted(bench, redis)


def test_a_schedule_whose_secrets_stay_keeps_what_an_operator_changed(bench: Bench, indiscreet: Task[..., str]) -> None:
    storage = bench.engine.job_storage

    def register(**given: Any) -> int:
        bench.engine.schedules.clear()
        bench.engine.schedule(indiscreet, every_seconds=60, args={**GIVEN, **given}, name="leak")
        declared = bench.engine.schedules.values()
        storage.run(storage.schedules.register_schedules("w", declared, now_ms=storage.now_ms()))
        (schedule,) = storage.run(storage.schedules.list_schedules())
        return schedule.revision

    assert [register(), register(), register(password="changed")] == [1, 1, 2]


async def test_a_schedule_made_at_run_time_keeps_secrets_that_are_left_as_asterisks(bench: Bench) -> None:
    client = a_client(bench)
    await client.create_schedule("leak", "indiscreet", GIVEN, every_seconds=60)
    schedule = await client.update_schedule("leak", args={**SHOWN, "token": "tok2"})
    assert schedule.args == SHOWN
    await client.run_schedule("leak")
    await client.close()
    assert bench.run().result == digest(PASSWORD, "tok2", NUMBER)


# Once more


async def test_a_job_is_run_again_with_the_secrets_it_had(bench: Bench, indiscreet: Task[..., str]) -> None:
    first = indiscreet.enqueue(**GIVEN).id
    client = a_client(bench)
    job = await client.rerun_job(first)
    await client.close()
    assert (job.args, job.rerun_of) == (SHOWN, first)
    assert [job.result for job in run_all(bench).values()] == [digest(*SECRETS)] * 2


async def test_changed_arguments_take_new_secrets_and_keep_those_left_as_asterisks(
    bench: Bench, indiscreet: Task[..., str]
) -> None:
    first = indiscreet.enqueue(**GIVEN).id
    client = a_client(bench)
    job = await client.rerun_job(first, {**SHOWN, "password": "new-one"})
    without = await client.enqueue_job("indiscreet", {"password": "x"})
    with pytest.raises(InvalidInput, match=r"args.card.number: \*+ stands for a secret"):
        await client.rerun_job(without.id, SHOWN)
    await client.close()
    assert run_all(bench)[job.id].result == digest("new-one", TOKEN, NUMBER)


@pytest.mark.parametrize("bench", [(KEY,)], indirect=True)
async def test_who_has_no_key_runs_a_job_again_but_gives_no_secret_of_its_own(
    bench: Bench, indiscreet: Task[..., str]
) -> None:
    first = indiscreet.enqueue(**GIVEN).id
    client = Client(str(bench.engine.settings.redis_url), namespace="test")
    job = await client.rerun_job(first, {**SHOWN, "do": "FAIL_ONCE"})
    with pytest.raises(InvalidInput, match="args.password: is a secret that the workers of indiscreet keep encrypted"):
        await client.rerun_job(first, {**SHOWN, "password": "new"})
    await client.close()
    assert run_all(bench)[job.id].result == digest(*SECRETS)


async def test_what_was_kept_plainly_is_encrypted_when_it_runs_again(redis_url: str, redis: Redis) -> None:
    before, now = Bench(redis_url), Bench(redis_url, encryption_key=(KEY,))
    for bench in (before, now):
        safe.define(bench.engine)
    now.publish()
    first = before.engine.tasks["indiscreet"](**GIVEN).id
    client = a_client(now)
    await client.rerun_job(first)
    await client.delete_job(first)
    await client.close()
    assert_kept(now, redis)
    assert now.run().result == digest(*SECRETS)
    before.close()
    now.close()


# Keys


@pytest.mark.parametrize("bench", [(KEY,)], indirect=True)
def test_a_worker_without_the_key_fails_the_job_and_says_which_setting(
    bench: Bench, indiscreet: Task[..., str], redis_url: str
) -> None:
    indiscreet(**GIVEN)
    other = Bench(redis_url, encryption_key=(OTHER,))
    safe.define(other.engine)
    job = other.run()
    assert job.state is FAILED
    assert job.attempt_count == 1
    assert job.error is not None
    assert job.error.exception == "taskengine.errors.UnreadableSecret"
    assert "none of the keys in TASKENGINE_ENCRYPTION_KEY opens it" in job.error.message
    storage = bench.engine.job_storage
    storage.run(storage.store.retry_job(job.id, attempts=None))
    assert bench.run().result == digest(*SECRETS)
    other.close()


@pytest.mark.parametrize("bench", [(KEY,)], indirect=True)
def test_a_key_can_be_changed_while_jobs_wait(bench: Bench, indiscreet: Task[..., str], redis_url: str) -> None:
    indiscreet(**GIVEN)
    rotated = Bench(redis_url, encryption_key=(OTHER, KEY))
    safe.define(rotated.engine)
    assert rotated.run().result == digest(*SECRETS)
    rotated.close()
