"""What every worker does each second for schedules: each tick is one job, also when it comes late or not at all."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from redis import Redis

from support.bench import Bench
from support.jobs import KEYS, get, now_ms
from support.schedules import SCHEDULES, a_definition, a_schedule, declare, get_schedule, jobs_of, make_due, publish
from support.waiting import wait_until
from taskengine.jobs import Options
from taskengine.records import instant
from taskengine.schedule_store import DueSchedule
from taskengine.schedules import Rule, Schedule
from taskengine.worker.sweep import sweep
from taskengine.worker.ticks import due_ticks

SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000


def swept(bench: Bench, **rules: Rule) -> bool:
    """Sweep once, as a worker whose code has these rules; false, so that it can be waited with."""
    sweep(bench.engine.job_storage, bench.engine.settings, rules)
    return False


# Which ticks become jobs


def due_schedule(due_ms: int, **facts: Any) -> DueSchedule:
    definition = a_definition(**facts)
    kept = {name: getattr(definition, name) for name in ("task", "args", "cron", "every_seconds", "rule", "missed")}
    schedule = Schedule(
        name="s", enabled=True, created_at=instant(0), timezone=definition.timezone, next_run_at=instant(due_ms), **kept
    )
    return DueSchedule(schedule=schedule, due_ms=due_ms, task=None)


NOON = round(datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp() * 1000)


def test_a_tick_that_has_just_come_is_a_job() -> None:
    assert due_ticks(due_schedule(NOON, cron="0 12 * * *"), NOON + 900) == [NOON]


def test_a_tick_that_is_a_little_late_is_too() -> None:
    assert due_ticks(due_schedule(NOON, cron="0 12 * * *"), NOON + 59 * SECOND) == [NOON]


def test_a_tick_that_is_more_than_a_minute_late_is_passed_over() -> None:
    assert due_ticks(due_schedule(NOON, cron="0 12 * * *"), NOON + 61 * SECOND) == []


def test_or_run_after_all_when_that_is_wanted() -> None:
    late = due_schedule(NOON, cron="0 12 * * *", missed="run_once")
    assert due_ticks(late, NOON + 5 * HOUR) == [NOON]


def test_one_job_makes_up_for_all_that_were_missed() -> None:
    late = due_schedule(NOON, cron="*/5 * * * *", missed="run_once")
    assert due_ticks(late, NOON + 5 * HOUR + 2 * MINUTE) == [NOON]


def test_a_tick_that_has_just_come_makes_up_for_those_that_were_missed() -> None:
    late = due_schedule(NOON, cron="*/5 * * * *", missed="run_once")
    assert due_ticks(late, NOON + 5 * HOUR) == [NOON + 5 * HOUR]


def test_each_second_is_a_tick_also_for_a_worker_that_comes_by_a_little_late() -> None:
    assert due_ticks(due_schedule(NOON, every_seconds=1), NOON + 2100) == [NOON, NOON + SECOND, NOON + 2 * SECOND]


def test_but_not_those_of_a_minute_at_once() -> None:
    found = due_ticks(due_schedule(NOON, every_seconds=1), NOON + MINUTE)
    assert found == [NOON + second * SECOND for second in range(50, 61)]


def test_years_of_missed_ticks_cost_nothing() -> None:
    assert due_ticks(due_schedule(NOON - 20 * 365 * 24 * HOUR, cron="* * * * *"), NOON) == [NOON]


# The sweep


def test_a_schedule_that_is_due_is_a_job_with_the_tasks_own_values(bench: Bench, redis: Redis) -> None:
    publish(redis)
    a_schedule(redis, args={"x": 1}, options=Options(priority=9, tags=("night",)))
    make_due(redis)
    swept(bench)
    (job_id,) = jobs_of(redis)
    job = get(redis, job_id)
    assert (job.queue, job.priority, job.tags, job.args) == ("q", 9, ("night",), {"x": 1})


def test_its_next_tick_is_to_come(bench: Bench, redis: Redis) -> None:
    publish(redis)
    a_schedule(redis)
    make_due(redis)
    swept(bench)
    assert redis.zscore(KEYS.schedules, "s") > now_ms(redis)
    swept(bench)
    assert len(jobs_of(redis)) == 1


def test_each_second_has_its_job(bench: Bench, redis: Redis) -> None:
    publish(redis)
    a_schedule(redis, every_seconds=1)
    wait_until(lambda: swept(bench) or len(jobs_of(redis)) == 3, 10)
    times = [get(redis, job_id).run_at for job_id in jobs_of(redis)]
    seconds = [at.timestamp() for at in times if at is not None]
    assert [later - earlier for earlier, later in pairwise(seconds)] == [1, 1]


def test_a_missed_tick_is_passed_over_and_said(bench: Bench, redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    publish(redis)
    a_schedule(redis, cron="0 0 1 1 *")
    make_due(redis, ago_ms=HOUR)
    swept(bench)
    assert jobs_of(redis) == []
    assert "schedule 's' missed its tick of" in caplog.text
    assert redis.zscore(KEYS.schedules, "s") > now_ms(redis)


def test_a_missed_tick_is_one_job_when_that_is_wanted(bench: Bench, redis: Redis) -> None:
    publish(redis)
    a_schedule(redis, cron="0 0 1 1 *", missed="run_once")
    at = make_due(redis, ago_ms=HOUR)
    swept(bench)
    (job_id,) = jobs_of(redis)
    assert get(redis, job_id).run_at == instant(at)


def test_one_whose_task_nobody_knows_waits_and_holds_up_no_other(bench: Bench, redis: Redis) -> None:
    publish(redis)
    for number in range(120):
        a_schedule(redis, f"unknown{number}", task="unknown")
        make_due(redis, f"unknown{number}", ago_ms=HOUR)
    a_schedule(redis)
    make_due(redis)
    swept(bench)
    assert len(jobs_of(redis)) == 1
    assert jobs_of(redis, "unknown0") == []


def test_one_that_this_worker_cannot_read_holds_up_no_other(
    bench: Bench, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    publish(redis)
    a_schedule(redis, "new", cron="* * * * *")
    a_schedule(redis)
    newer = redis.hget(KEYS.schedule("new"), "definition")
    assert newer is not None
    redis.hset(KEYS.schedule("new"), "definition", newer.replace('"UTC"', '"Mars/Olympus"'))
    make_due(redis, "new", ago_ms=1)
    make_due(redis)
    swept(bench)
    assert len(jobs_of(redis)) == 1
    assert "schedule 'new' cannot be ticked by this worker: timezone: expected a time zone" in caplog.text


def test_a_full_redis_keeps_the_tick(bench: Bench, redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    publish(redis)
    a_schedule(redis)
    make_due(redis)
    redis.set(KEYS.budget, 1)
    redis.set(KEYS.full, "too many bytes", ex=10)
    swept(bench)
    assert "schedule 's' waits: nothing more is taken in: too many bytes" in caplog.text
    redis.delete(KEYS.budget, KEYS.full)
    swept(bench)
    assert len(jobs_of(redis)) == 1


def test_a_schedule_that_was_disabled_does_not_tick(bench: Bench, redis: Redis) -> None:
    publish(redis)
    was = a_schedule(redis)
    make_due(redis)
    SCHEDULES.save_schedule("s", a_definition(), revision=was.revision, enabled=False, next_ms=None).run(redis)
    swept(bench)
    assert jobs_of(redis) == []


# Rules in Python


def a_rule_schedule(redis: Redis) -> None:
    publish(redis)
    declare(redis, "s", rule="nights", timezone="Europe/Berlin")
    minute = now_ms(redis) // MINUTE * MINUTE
    redis.hset(KEYS.schedule("s"), "next_at", minute)
    redis.zadd(KEYS.schedules, {"s": minute})


def test_a_rule_is_asked_with_the_minute_of_its_time_zone(bench: Bench, redis: Redis) -> None:
    asked: list[datetime] = []
    a_rule_schedule(redis)
    swept(bench, s=lambda at: asked.append(at) or True)
    (job_id,) = jobs_of(redis)
    (at,) = asked
    run_at = get(redis, job_id).run_at
    assert run_at is not None
    assert (at.tzinfo, at.second) == (None, 0)
    assert at.hour in ((run_at.hour + 1) % 24, (run_at.hour + 2) % 24)


def test_a_rule_that_says_no_makes_no_job_and_is_asked_again_in_a_minute(bench: Bench, redis: Redis) -> None:
    a_rule_schedule(redis)
    swept(bench, s=lambda _: False)
    assert jobs_of(redis) == []
    assert redis.zscore(KEYS.schedules, "s") > now_ms(redis)


def test_a_worker_that_does_not_have_the_rule_leaves_it_to_others(bench: Bench, redis: Redis) -> None:
    a_rule_schedule(redis)
    swept(bench)
    assert redis.zscore(KEYS.schedules, "s") <= now_ms(redis)
    swept(bench, s=lambda _: True)
    assert len(jobs_of(redis)) == 1


def test_a_rule_that_fails_stops_no_other_schedule(
    bench: Bench, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    a_rule_schedule(redis)
    a_schedule(redis, "z")
    make_due(redis, "z")
    swept(bench, s=lambda _: 1 / 0)
    assert len(jobs_of(redis, "z")) == 1
    assert "the rule of schedule 's' failed" in caplog.text
    assert get_schedule(redis).next_run_at is not None
