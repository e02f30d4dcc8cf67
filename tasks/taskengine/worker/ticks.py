"""What every worker does each second for schedules: a tick that is due becomes a job, once.

Each decides by what Redis says of the schedule, and the script lets only the
first of them through; times are Redis's. Knows no Huey.
"""

import logging
from collections.abc import Mapping
from datetime import datetime

from taskengine.cron import zone
from taskengine.errors import InvalidInput, QueueFull
from taskengine.records import instant
from taskengine.schedule_store import DueSchedule
from taskengine.schedules import Missed, Rule
from taskengine.scripts import Value
from taskengine.storage import JobStorage

logger = logging.getLogger("taskengine.worker")

ON_TIME_MS = 10_000
"""A tick that is later by at most this is on time: each of them becomes a job."""
MISSED_MS = 60_000
"""A tick that is later by more than this is missed. Of those between, the newest becomes a job."""
_BATCH = 100
_ROUNDS = 20


def tick_schedules(storage: JobStorage, rules: Mapping[str, Rule]) -> None:
    """Enqueue what is due. ``rules`` are those of this process's code, by schedule. Raises ``RedisUnavailable``."""
    left = 0
    for _ in range(_ROUNDS):
        now_ms, due = storage.run_once(storage.schedules.list_due_schedules(offset=left, limit=_BATCH))
        left += sum(not _tick(storage, one, now_ms, rules) for one in due)
        if len(due) < _BATCH:
            return


def due_ticks(due: DueSchedule, now_ms: int) -> list[int]:
    """Return the ticks up to now that become jobs, in order; none when they were missed and are to be passed over."""
    schedule = due.schedule
    oldest = now_ms - MISSED_MS
    recent = [due.due_ms] if due.due_ms >= oldest else []
    for tick in schedule.ticks(max(due.due_ms, oldest - 1)):
        if tick > now_ms:
            break
        recent.append(tick)
    on_time = [tick for tick in recent if now_ms - tick <= ON_TIME_MS]
    if on_time or recent:
        return on_time or recent[-1:]
    return [due.due_ms] if schedule.missed is Missed.RUN_ONCE and schedule.rule is None else []


def _tick(storage: JobStorage, due: DueSchedule, now_ms: int, rules: Mapping[str, Rule]) -> bool:
    """Enqueue one schedule's due ticks; tell whether it is due no longer. Its trouble is not that of others."""
    schedule = due.schedule
    if due.task is None or (schedule.rule is not None and schedule.name not in rules):
        return False  # for a worker that knows the task or has the rule
    try:
        _enqueue(storage, due, now_ms, rules[schedule.name] if schedule.rule is not None else None)
    except QueueFull as full:
        logger.warning("schedule %r waits: %s", schedule.name, full)
        return False
    except InvalidInput as problem:  # a time zone that this machine does not know: another may
        logger.warning("schedule %r cannot be ticked by this worker: %s", schedule.name, problem)
        return False
    return True


def _enqueue(storage: JobStorage, due: DueSchedule, now_ms: int, rule: Rule | None) -> None:
    schedule = due.schedule
    ticks, upcoming = due_ticks(due, now_ms), schedule.next_tick(now_ms)
    if not ticks:
        logger.warning("schedule %r missed its tick of %s; it was passed over", schedule.name, schedule.next_run_at)
        storage.run_once(storage.schedules.tick_schedule(due, due_ms=due.due_ms, next_ms=upcoming, row=()))
        return
    expected = due.due_ms
    for tick, following in zip(ticks, [*ticks[1:], upcoming], strict=True):
        row = _row(due, tick, rule)
        move = storage.schedules.tick_schedule(due, due_ms=expected, next_ms=following, row=row)
        if not storage.run_once(move) or following is None:
            return  # another worker was first, or the schedule has been changed; or this was its last tick
        expected = following


def _row(due: DueSchedule, tick: int, rule: Rule | None) -> list[Value]:
    """Return the row of the tick's job; an empty one when its rule says no."""
    assert due.task is not None
    if rule is not None and not _holds(rule, due.schedule.name, instant(tick).astimezone(zone(due.schedule.timezone))):
        return []
    return due.schedule.row(due.schedule.name, due.task, tick_ms=tick)


def _holds(rule: Rule, name: str, at: datetime) -> bool:
    try:
        return bool(rule(at.replace(tzinfo=None)))
    except Exception:  # someone's code: its failure must not stop the other schedules
        logger.exception("the rule of schedule %r failed for %s; it does not tick then", name, at)
        return False
