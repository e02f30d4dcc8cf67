"""Schedules as the scripts see them: made, brought to a tick and ticked by hand.

a_schedule(redis, every_seconds=60)   one that is there
make_due(redis, "s", ago_ms=2000)     its tick came two seconds ago
tick(redis, "s")                      what one worker would do about that
"""

from typing import Any

from redis import Redis

from support.jobs import KEYS, STORE, now_ms
from taskengine.catalogue import describe
from taskengine.jobs import TaskInfo
from taskengine.schedule_store import DueSchedule, ScheduleStore
from taskengine.schedules import Declaration, Definition, Schedule

SCHEDULES = ScheduleStore(KEYS)
HOUR = 3_600_000


def a_definition(**facts: Any) -> Definition:
    """Every hour, unless said otherwise, of a task without arguments."""
    timed = facts.keys() & {"cron", "every_seconds", "rule"}
    return Definition(**{"task": "t", "args": {}, **({} if timed else {"every_seconds": 3600}), **facts}).checked()


def a_schedule(redis: Redis, name: str = "s", *, enabled: bool = True, **facts: Any) -> Schedule:
    """A schedule that someone made while workers ran."""
    definition = a_definition(**facts)
    next_ms = definition.next_tick(now_ms(redis)) if enabled else None
    saved = SCHEDULES.save_schedule(name, definition, revision=None, enabled=enabled, next_ms=next_ms).run(redis)
    assert saved == 1
    return get_schedule(redis, name)


def publish(redis: Redis, *tasks: str, worker: str = "w") -> None:
    """Have a worker that published these tasks."""
    described = {name: describe(TaskInfo(name=name, args_schema={}, queue="q")) for name in tasks or ("t",)}
    STORE.register_worker(worker, "{}", described).run(redis)


def declare(redis: Redis, *names: str, worker: str = "w", enabled: bool = True, **facts: Any) -> list[str]:
    """Have a worker whose code declares these; tell which are declared by no code any more."""
    declared = [Declaration(name=name, definition=a_definition(**facts), enabled=enabled) for name in names]
    return SCHEDULES.register_schedules(worker, declared, now_ms=now_ms(redis)).run(redis)


def find_schedule(redis: Redis, name: str = "s") -> Schedule | None:
    """A schedule, or None."""
    return next(iter(SCHEDULES.list_schedules([name]).run(redis)), None)


def get_schedule(redis: Redis, name: str = "s") -> Schedule:
    """A schedule that is there."""
    found = find_schedule(redis, name)
    assert found is not None, f"there is no schedule {name}"
    return found


def make_due(redis: Redis, name: str = "s", *, ago_ms: int = 0) -> int:
    """Have its next tick come so long ago: Redis's clock cannot be set, a due time can. Returns the tick."""
    due = now_ms(redis) - ago_ms
    redis.hset(KEYS.schedule(name), "next_at", due)
    redis.zadd(KEYS.schedules, {name: due})
    return due


def due(redis: Redis) -> list[DueSchedule]:
    """What a worker sees as due."""
    return SCHEDULES.list_due_schedules(offset=0, limit=100).run(redis)[1]


def tick(redis: Redis, name: str = "s", *, next_ms: int | None = None, passed_over: bool = False) -> bool:
    """Tick a schedule that is due, as a worker that has just looked."""
    (one,) = [one for one in due(redis) if one.schedule.name == name]
    return tick_as_seen(redis, one, next_ms=next_ms, passed_over=passed_over)


def tick_as_seen(redis: Redis, seen: DueSchedule, *, next_ms: int | None = None, passed_over: bool = False) -> bool:
    """Tick a schedule as it was when the worker looked."""
    task = seen.task or TaskInfo(name=seen.schedule.task, args_schema={}, queue="q")
    row = [] if passed_over else seen.schedule.row(seen.schedule.name, task, tick_ms=seen.due_ms)
    upcoming = next_ms or seen.due_ms + HOUR
    return SCHEDULES.tick_schedule(seen, due_ms=seen.due_ms, next_ms=upcoming, row=row).run(redis)


def jobs_of(redis: Redis, name: str = "s") -> list[str]:
    """Ids of a schedule's jobs, oldest first."""
    return [str(job_id) for job_id in redis.zrange(KEYS.schedule_jobs(name), 0, -1)]
