"""Schedules: declared in code, made from outside, changed, run by hand, listed, and what is refused."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import pytest
from huey import crontab
from redis import Redis

from support.bench import Bench
from support.jobs import KEYS, QUEUED, everything, now_ms
from support.schedules import SCHEDULES, a_definition, declare, make_due, publish
from taskengine import (
    Client,
    InvalidInput,
    InvalidTask,
    Missed,
    Options,
    ScheduleDeclared,
    ScheduleNotFound,
    Settings,
    TaskEngine,
    UnknownTask,
)
from taskengine.errors import InvalidInputs, RedisUnavailable, TooLarge
from taskengine.jobs import cursor_of
from taskengine.records import instant
from taskengine.schedules import definition_json
from taskengine.worker.declaring import register_schedules
from taskengine.worker.sweep import sweep


@pytest.fixture
def shop() -> TaskEngine:
    """An engine whose Redis nobody asks."""
    return TaskEngine("shop", url="redis://127.0.0.1:1/0", settings=Settings())


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Client]:
    client = Client(redis_url, namespace="test")
    yield client
    await client.close()


@pytest.fixture
def reports(bench: Bench) -> Bench:
    """A worker that published the task ``report``."""

    @bench.engine.task(name="report", queue="reports", priority=3)
    def report(day: str, copies: int = 1) -> str:
        return day * copies

    bench.publish()
    return bench


# Declared in code


def test_a_schedule_is_declared_above_the_task(shop: TaskEngine) -> None:
    @shop.schedule(cron="30 2 * * *", timezone="Europe/Berlin", args={"day": "monday"}, missed="run_once")
    @shop.task(name="report")
    def report(day: str) -> str:
        return day

    declared = shop.schedules["report"]
    assert (declared.definition.task, declared.definition.args) == ("report", {"day": "monday"})
    assert declared.definition.summary == "At 02:30 every day (Europe/Berlin)"
    assert declared.definition.missed is Missed.RUN_ONCE
    assert report.call_local("x") == "x"


def test_or_by_a_call_as_often_as_one_likes(shop: TaskEngine) -> None:
    @shop.task()
    def report(day: str = "today") -> None: ...

    assert shop.schedule(report, every_seconds=60) is report
    shop.schedule(report, every_seconds=3600, name="report.hourly", args={"day": "all"}, enabled=False)
    assert list(shop.schedules) == ["report", "report.hourly"]
    assert not shop.schedules["report.hourly"].enabled


def test_arguments_are_checked_against_the_hints(shop: TaskEngine) -> None:
    @shop.task()
    def report(day: datetime) -> None: ...

    with pytest.raises(InvalidInputs, match=r"args\.day"):
        shop.schedule(report, every_seconds=60, args={"day": "monday"})
    with pytest.raises(InvalidInputs, match=r"args\.day: is required"):
        shop.schedule(report, every_seconds=60)
    shop.schedule(report, every_seconds=60, args={"day": datetime(2026, 1, 1)})  # noqa: DTZ001
    assert shop.schedules["report"].definition.args == {"day": "2026-01-01T00:00:00"}


@pytest.mark.parametrize(
    ("when", "problem"),
    [
        ({}, "cron: give either a cron rule or everySeconds"),
        ({"cron": "* * * * *", "every_seconds": 5}, "cron: give either"),
        ({"cron": "* * * *"}, "cron: expected five fields"),
        ({"every_seconds": 0}, "everySeconds: expected 1 to"),
        ({"every_seconds": 5, "timezone": "Berlin"}, "timezone: expected a time zone such as"),
        ({"every_seconds": 5, "missed": "twice"}, "missed: expected 'skip' or 'run_once', got 'twice'"),
        ({"every_seconds": 5, "name": "a b"}, "name: expected 1 to 100 of the characters"),
        ({"every_seconds": 5, "every": 5}, "every: schedule\\(\\) takes name, cron, every_seconds"),
        (
            {"every_seconds": 5, "options": Options(delay=5)},
            "options.delaySeconds: a schedule cannot say that of its jobs",
        ),
        ({"every_seconds": 5, "options": Options(id="x")}, "options.id: a schedule cannot say that"),
        ({"every_seconds": 5, "options": Options(priority=11)}, "options.priority: expected a whole number"),
    ],
)
def test_what_cannot_be_is_refused_where_it_is_declared(shop: TaskEngine, when: dict[str, Any], problem: str) -> None:
    @shop.task()
    def report() -> None: ...

    with pytest.raises(InvalidInput, match=problem):
        shop.schedule(report, **when)
    assert shop.schedules == {}


def test_two_of_one_name_are_refused(shop: TaskEngine) -> None:
    @shop.schedule(every_seconds=5)
    @shop.task()
    def report() -> None: ...

    with pytest.raises(InvalidInput, match="there is another schedule 'report'; give this one a name"):
        shop.schedule(report, every_seconds=6)


def test_a_task_that_is_unregistered_takes_its_schedules_along(shop: TaskEngine) -> None:
    @shop.schedule(every_seconds=5)
    @shop.task()
    def report() -> None: ...

    report.unregister()
    assert shop.schedules == {}


def test_only_a_task_of_the_engine_can_be_scheduled(shop: TaskEngine) -> None:
    def report() -> None: ...

    with pytest.raises(InvalidTask, match=r"task 'report': schedule\(\) goes above @engine.task"):
        shop.schedule(every_seconds=5)(report)  # pyright: ignore[reportArgumentType]


def test_hueys_crontab_is_a_cron_rule_where_it_can(shop: TaskEngine) -> None:
    @shop.schedule(rule=crontab(minute="*/5", hour="9-17"))
    @shop.task()
    def report() -> None: ...

    declared = shop.schedules["report"]
    assert (declared.definition.cron, declared.definition.rule, declared.rule) == ("*/5 9-17 * * *", None, None)


def test_another_rule_is_asked_in_python(shop: TaskEngine) -> None:
    def nights(at: datetime) -> bool:
        return at.hour < 6

    @shop.schedule(rule=nights, timezone="Europe/Berlin")
    @shop.task()
    def report() -> None: ...

    declared = shop.schedules["report"]
    assert declared.rule is nights
    assert declared.definition.summary.endswith("nights says so, asked every minute (Europe/Berlin)")


def test_a_worker_registers_what_its_code_declares(bench: Bench, redis: Redis) -> None:
    @bench.engine.schedule(cron="0 0 * * *")
    @bench.engine.task(name="t")
    def report() -> None: ...

    bench.publish()
    register_schedules(bench.engine, "w")
    (schedule,) = SCHEDULES.list_schedules().run(redis)
    assert (schedule.name, schedule.cron, schedule.declared) == ("t", "0 0 * * *", True)


def test_and_says_which_are_declared_by_no_code_any_more(
    bench: Bench, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    publish(redis, worker="w")
    declare(redis, "gone")
    bench.publish()
    redis.delete(KEYS.declares("w"))
    register_schedules(bench.engine, "w")
    assert "schedule 'gone' is declared by no code any more" in caplog.text


def test_a_scheduled_job_runs(bench: Bench, redis: Redis) -> None:
    @bench.engine.schedule(every_seconds=3600, args={"x": 2})
    @bench.engine.task(name="double")
    def double(x: int) -> int:
        return 2 * x

    bench.publish()
    register_schedules(bench.engine, "w")
    make_due(redis, "double")
    bench.engine.read_schedule()
    job = bench.run()
    assert (job.result, job.schedule) == (4, "double")


def test_a_rule_of_this_process_is_asked(bench: Bench, redis: Redis) -> None:
    @bench.engine.schedule(rule=lambda _: True)
    @bench.engine.task(name="t")
    def report() -> str:
        return "ran"

    bench.publish()
    register_schedules(bench.engine, "w")
    make_due(redis, "t")
    bench.engine.read_schedule()
    assert bench.run().result == "ran"


# Made from outside


@pytest.mark.usefixtures("reports")
async def test_a_schedule_is_made(client: Client, redis: Redis) -> None:
    before = now_ms(redis)
    made = await client.create_schedule(
        "nightly", "report", {"day": "monday"}, cron="30 2 * * *", timezone="Europe/Berlin"
    )
    assert (made.name, made.task, made.args, made.enabled) == ("nightly", "report", {"day": "monday"}, True)
    assert made.summary == "At 02:30 every day (Europe/Berlin)"
    assert made.next_run_at is not None
    assert made.next_run_at == instant(a_definition(cron="30 2 * * *", timezone="Europe/Berlin").next_tick(before) or 0)
    assert (made.declared, made.last_job_id, made.last_run_at) == (False, None, None)
    assert await client.get_schedule("nightly") == made


@pytest.mark.usefixtures("reports")
async def test_its_options_are_kept(client: Client) -> None:
    options = Options(queue="slow", priority=1, max_attempts=4, timeout=2.5, tags=("a", "b"))
    made = await client.create_schedule("s", "report", {"day": "x"}, every_seconds=60, options=options)
    assert made.options == options


@pytest.mark.usefixtures("reports")
async def test_what_cannot_be_is_refused(client: Client, redis: Redis) -> None:
    before = everything(redis)
    refused: list[tuple[type[Exception], str, dict[str, Any]]] = [
        (UnknownTask, "there is no task 'reprt'; did you mean 'report'", {"task": "reprt"}),
        (InvalidInput, "args.day: is required", {"args": {}}),
        (InvalidInput, "name: expected 1 to 100", {"name": "a:b"}),
        (InvalidInput, "give either", {"cron": "* * * * *"}),
        (InvalidInput, "timezone: expected", {"timezone": "Mars"}),
        (TooLarge, "expected at most", {"args": {"day": "x" * 300_000}}),
    ]
    for error, problem, change in refused:
        given = {"name": "s", "task": "report", "args": {"day": "x"}, "every_seconds": 60, **change}
        with pytest.raises(error, match=problem):
            await client.create_schedule(**given)
    assert everything(redis) == before


@pytest.mark.usefixtures("reports")
async def test_another_of_that_name_is_refused(client: Client) -> None:
    await client.create_schedule("s", "report", {"day": "x"}, every_seconds=60)
    with pytest.raises(InvalidInput, match="name: there is another schedule 's'"):
        await client.create_schedule("s", "report", {"day": "y"}, every_seconds=60)


@pytest.mark.usefixtures("reports")
async def test_schedules_are_listed_by_name(client: Client) -> None:
    for name in "bca":
        await client.create_schedule(name, "report", {"day": name}, every_seconds=60)
    assert [schedule.name for schedule in await client.list_schedules()] == ["a", "b", "c"]


@pytest.mark.usefixtures("reports")
async def test_one_is_disabled_and_enabled(client: Client, redis: Redis) -> None:
    await client.create_schedule("s", "report", {"day": "x"}, every_seconds=60)
    off = await client.update_schedule("s", enabled=False)
    assert (off.enabled, off.next_run_at) == (False, None)
    on = await client.update_schedule("s", enabled=True)
    assert on.next_run_at is not None
    assert on.next_run_at > instant(now_ms(redis) - 1000)


@pytest.mark.usefixtures("reports")
async def test_a_change_leaves_the_rest(client: Client) -> None:
    await client.create_schedule(
        "s", "report", {"day": "x"}, cron="0 0 * * *", timezone="Asia/Tokyo", missed=Missed.RUN_ONCE
    )
    changed = await client.update_schedule("s", args={"day": "y"})
    assert (changed.args, changed.cron, changed.timezone) == ({"day": "y"}, "0 0 * * *", "Asia/Tokyo")
    assert changed.missed is Missed.RUN_ONCE


@pytest.mark.usefixtures("reports")
async def test_an_interval_takes_the_place_of_a_rule_and_the_other_way_round(client: Client) -> None:
    await client.create_schedule("s", "report", {"day": "x"}, cron="0 0 * * *")
    changed = await client.update_schedule("s", every_seconds=90)
    assert (changed.cron, changed.every_seconds, changed.summary) == (None, 90, "Every 90 seconds")
    changed = await client.update_schedule("s", cron="0 1 * * *", timezone="Europe/Berlin")
    assert (changed.cron, changed.every_seconds, changed.timezone) == ("0 1 * * *", None, "Europe/Berlin")


@pytest.mark.usefixtures("reports")
async def test_a_wrong_change_changes_nothing(client: Client) -> None:
    made = await client.create_schedule("s", "report", {"day": "x"}, cron="0 0 * * *")
    with pytest.raises(InvalidInput, match="args.copies"):
        await client.update_schedule("s", args={"day": "x", "copies": "many"})
    with pytest.raises(InvalidInput, match="give either"):
        await client.update_schedule("s", cron="0 0 * * *", every_seconds=5)
    assert await client.get_schedule("s") == made


@pytest.mark.usefixtures("reports")
async def test_changes_at_once_lose_none(client: Client) -> None:
    await client.create_schedule("s", "report", {"day": "x"}, cron="0 0 * * *")
    await asyncio.gather(
        client.update_schedule("s", timezone="Asia/Tokyo"),
        client.update_schedule("s", args={"day": "y"}),
        client.update_schedule("s", missed=Missed.RUN_ONCE),
    )
    schedule = await client.get_schedule("s")
    assert schedule is not None
    assert (schedule.timezone, schedule.args, schedule.missed) == ("Asia/Tokyo", {"day": "y"}, Missed.RUN_ONCE)


async def test_one_that_is_not_there_is_not_found(client: Client) -> None:
    assert await client.get_schedule("s") is None
    for call in (client.update_schedule("s", enabled=True), client.delete_schedule("s"), client.run_schedule("s")):
        with pytest.raises(ScheduleNotFound, match="there is no schedule 's'"):
            await call


@pytest.mark.usefixtures("reports")
async def test_one_is_deleted(client: Client) -> None:
    await client.create_schedule("s", "report", {"day": "x"}, every_seconds=60)
    await client.delete_schedule("s")
    assert await client.list_schedules() == []


@pytest.mark.usefixtures("reports")
async def test_one_that_code_declares_is_not(client: Client, redis: Redis) -> None:
    declare(redis, "s", task="report")
    with pytest.raises(ScheduleDeclared, match="schedule 's' is declared in code"):
        await client.delete_schedule("s")


@pytest.mark.usefixtures("reports")
async def test_one_is_run_now_with_the_tasks_values(client: Client) -> None:
    made = await client.create_schedule("s", "report", {"day": "x"}, every_seconds=60, enabled=False)
    job = await client.run_schedule("s")
    assert (job.state, job.queue, job.priority, job.args, job.schedule) == (QUEUED, "reports", 3, {"day": "x"}, "s")
    after = await client.get_schedule("s")
    assert after is not None
    assert (after.last_job_id, after.next_run_at, after.enabled) == (job.id, made.next_run_at, False)


async def test_one_that_is_run_by_hand_says_by_whom_and_a_tick_nobody(
    client: Client, reports: Bench, redis: Redis
) -> None:
    await client.create_schedule("s", "report", {"day": "x"}, every_seconds=60, by="eve")
    by_hand = await client.run_schedule("s", by="adam")
    make_due(redis)
    await asyncio.to_thread(sweep, reports.engine.job_storage, reports.engine.settings)
    ticked, first = (await client.list_schedule_jobs("s")).jobs
    assert (first.id, first.enqueued_by, ticked.enqueued_by) == (by_hand.id, "adam", None)


async def test_it_ticks_in_a_worker(client: Client, reports: Bench, redis: Redis) -> None:
    await client.create_schedule("s", "report", {"day": "ab", "copies": 2}, every_seconds=60)
    make_due(redis)
    await asyncio.to_thread(sweep, reports.engine.job_storage, reports.engine.settings)
    job = await asyncio.to_thread(reports.run)
    assert (job.result, job.schedule) == ("abab", "s")


@pytest.mark.usefixtures("reports")
async def test_the_jobs_of_a_schedule_are_listed_in_pages(client: Client) -> None:
    await client.create_schedule("s", "report", {"day": "x"}, every_seconds=60)
    await client.enqueue_job("report", {"day": "not of it"})
    jobs = [await client.run_schedule("s") for _ in range(5)]
    newest = [job.id for job in reversed(jobs)]
    page = await client.list_schedule_jobs("s", first=2)
    assert ([job.id for job in page.jobs], page.total, page.has_next) == (newest[:2], 5, True)
    page = await client.list_schedule_jobs("s", first=5, after=cursor_of(page.jobs[-1]))
    assert ([job.id for job in page.jobs], page.has_next, page.has_previous) == (newest[2:], False, True)
    page = await client.list_schedule_jobs("s", last=2)
    assert [job.id for job in page.jobs] == newest[-2:]
    await client.delete_schedule("s")
    assert (await client.list_schedule_jobs("s")).total == 5


@pytest.mark.usefixtures("reports")
async def test_cancelled_and_finished_jobs_are_listed_until_they_are_removed(client: Client, redis: Redis) -> None:
    await client.create_schedule("s", "report", {"day": "x"}, every_seconds=60)
    job = await client.run_schedule("s")
    await client.cancel_job(job.id)
    assert (await client.list_schedule_jobs("s")).total == 1
    await client.delete_job(job.id)
    assert (await client.list_schedule_jobs("s")).total == 0
    assert not redis.exists(KEYS.schedule_jobs("s"))


async def test_a_redis_that_is_away_is_said() -> None:
    client = Client("redis://127.0.0.1:1/0")
    with pytest.raises(RedisUnavailable):
        await client.list_schedules()
    await client.close()


# What is kept


def test_a_definition_comes_back_as_it_was(redis: Redis) -> None:
    definition = a_definition(
        args={"é": [1, None]}, cron="0 0 * * SUN", timezone="Asia/Tokyo", options=Options(tags=("x",))
    )
    SCHEDULES.save_schedule("s", definition, revision=None, enabled=True, next_ms=None).run(redis)
    (schedule,) = SCHEDULES.list_schedules().run(redis)
    assert definition_json(schedule) == definition_json(definition)


def test_the_next_runs_can_be_shown() -> None:
    definition = a_definition(every_seconds=3600)
    assert [at.hour for at in definition.next_runs(0, 3)] == [1, 2, 3]
