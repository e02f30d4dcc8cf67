"""A namespace that has something in every index, and ways to damage each of them by hand.

full_house(redis)                 a job of every kind
damaged = MISSING["waiting"]      damaged.key and damaged.member name it
damaged.do(redis)
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from redis import Redis

from support.failing import PLACE
from support.failing import fail as fail_at
from support.jobs import (
    COMPLETED,
    FAILED,
    KEYS,
    MINUTE,
    RETRYING,
    SCHEDULED,
    STORE,
    a_bulk,
    a_job,
    a_running_job,
    enqueue,
    now_ms,
    register,
    row,
    take,
)
from support.schedules import SCHEDULES, a_schedule
from taskengine.bulk import BulkKind
from taskengine.check import Difference, check
from taskengine.failures import group_id
from taskengine.records import with_fields
from taskengine.store import Ending, Outcome, Said

GROUP = group_id("t", "ValueError", PLACE)
GONE = "gone"
"""The id of a job that there is not."""


def full_house(redis: Redis) -> None:
    """Have a job of every state and kind, by the moves themselves."""
    STORE.declare_key_limits({"k": 1}).run(redis)
    register(redis, "t", "k")
    a_job(redis, COMPLETED, "completed")
    a_job(redis, RETRYING, "retrying")
    fail_at(redis, a_running_job(redis, "failed", max_attempts=1))
    enqueue(redis, "cancelled")
    STORE.cancel_job("cancelled", terminate=False, reason="").run(redis)
    saving = a_running_job(redis, "running")
    STORE.save_checkpoint("running", saving.lease, "1").run(redis)
    STORE.append_logs([("running", saving.lease, [Said(1, 0.0, "INFO", '{"message":"m"}')])], now=0.0).run(redis)
    for number in (1, 2):
        STORE.enqueue_jobs([with_fields(row(f"keyed{number}", task="k"), {"key": "c:1"})]).run(redis)
    register(redis, "t", "k")
    assert [job.id for job in take(redis, 5).jobs] == ["keyed1"]
    a_job(redis, SCHEDULED, "scheduled")
    enqueue(redis, "queued", idempotency_key="once:1", tags=("order:7", "é"))
    enqueue(redis, "other", queue="q2", start_before=_in_a_minute(redis))
    enqueue(redis, "blocked", depends_on=("running", "scheduled"))
    enqueue(redis, "last", depends_on=("blocked",))
    a_schedule(redis, "s")
    SCHEDULES.run_schedule("s", with_fields(row("ticked"), {"schedule": "s"})).run(redis)
    a_bulk(redis, BulkKind.RETRY)
    assert check(redis, KEYS) == []


def _in_a_minute(redis: Redis) -> datetime:
    return datetime.fromtimestamp((now_ms(redis) + MINUTE) / 1000, UTC)


@dataclass(frozen=True, slots=True)
class Damage:
    """What is done to one entry, and how it is then named."""

    key: str
    member: str
    do: Callable[[Redis], object]

    def names(self, difference: Difference) -> bool:
        return (difference.key, difference.member) == (self.key, self.member)


def _out_of_zset(key: str, member: str) -> Damage:
    return Damage(key, member, lambda redis: redis.zrem(key, member))


def _out_of_set(key: str, member: str) -> Damage:
    return Damage(key, member, lambda redis: redis.srem(key, member))


def _into_zset(key: str, member: str = GONE) -> Damage:
    return Damage(key, member, lambda redis: redis.zadd(key, {member: 1}))


def _into_set(key: str, member: str = GONE) -> Damage:
    return Damage(key, member, lambda redis: redis.sadd(key, member))


def _end_unheard(redis: Redis) -> None:
    """A job that has dependents ends, and what follows from that is forgotten before it is done."""
    waiters = redis.zrange(KEYS.dependents("running"), 0, -1, withscores=True)
    lease = str(redis.hget(KEYS.job("running"), "lease"))
    redis.delete(KEYS.dependents("running"))
    STORE.finish_jobs([_completed("running", lease)], "w", "*", 0, lease_ms=MINUTE).run(redis)
    redis.zadd(KEYS.dependents("running"), dict(waiters))  # pyright: ignore[reportArgumentType]


def _free_unheard(redis: Redis) -> None:
    """The holder of a key is gone from the set of holders before it ends, so that nobody is called when it does."""
    redis.rename(KEYS.parked("k", "c:1"), "aside")
    lease = str(redis.hget(KEYS.job("keyed1"), "lease"))
    STORE.finish_jobs([_completed("keyed1", lease)], "w", "*", 0, lease_ms=MINUTE).run(redis)
    redis.rename("aside", KEYS.parked("k", "c:1"))
    redis.sadd(KEYS.parked_keys("k"), "c:1")


def _completed(job_id: str, lease: str) -> Outcome:
    return Outcome(job_id=job_id, lease=lease, ending=Ending.COMPLETED, value="1")


JOB_ZSETS = {
    "lane": (KEYS.lane("q", "t", SCHEDULED), "scheduled"),
    "ready": (KEYS.ready("q", "t"), "queued"),
    "parked": (KEYS.parked("k", "c:1"), "keyed2"),
    "waiting": (KEYS.waiting, "retrying"),
    "leases": (KEYS.leases, "running"),
    "expiring": (KEYS.expiring, "other"),
    "finished": (KEYS.finished(COMPLETED), "completed"),
    "finished FAILED": (KEYS.finished(FAILED), "failed"),
    "failed": (KEYS.failed(GROUP), "failed"),
    "schedule_jobs": (KEYS.schedule_jobs("s"), "ticked"),
    "tagged": (KEYS.tagged("order:7"), "queued"),
    "tagged beyond ASCII": (KEYS.tagged("é"), "queued"),
    "parked_jobs": (KEYS.parked_jobs("q", "k"), "keyed2"),
}
"""A key and a job in it, for each zset of jobs."""

MISSING = {
    **{name: _out_of_zset(key, member) for name, (key, member) in JOB_ZSETS.items() if name != "parked"},
    # Nobody knows that it stood aside: it is to be back in line, and steps aside again when a worker meets it.
    "parked": Damage(KEYS.ready("q", "k"), "keyed2", lambda redis: redis.zrem(KEYS.parked("k", "c:1"), "keyed2")),
    "heads": _out_of_zset(KEYS.heads("q"), "t"),
    "lanes": _out_of_set(KEYS.lanes, "q2:t"),
    "queues": _out_of_set(KEYS.queues, "q2"),
    "keyed": _out_of_set(KEYS.keyed("k", "c:1"), "keyed1"),
    "parked_keys": _out_of_set(KEYS.parked_keys("k"), "c:1"),
    "idempotency": Damage(
        KEYS.idempotency("t", "once:1"), "queued", lambda redis: redis.delete(KEYS.idempotency("t", "once:1"))
    ),
    "a whole lane": Damage(
        KEYS.lane("q2", "t", "QUEUED"), "other", lambda redis: redis.delete(KEYS.lane("q2", "t", "QUEUED"))
    ),
    "all leases": Damage(KEYS.leases, "running", lambda redis: redis.delete(KEYS.leases)),
    "all heads": Damage(KEYS.heads("q"), "t", lambda redis: redis.delete(KEYS.heads("q"))),
    "checkpoint's size": Damage(
        KEYS.checkpoint("running"), "running", lambda redis: redis.hdel(KEYS.job("running"), "checkpoint")
    ),
    "schedules": _out_of_zset(KEYS.schedules, "s"),
    "failures": _out_of_zset(KEYS.failures, GROUP),
    "bulking": _out_of_zset(KEYS.bulking, "b1"),
    "dependents": Damage(
        KEYS.job("blocked"), "blockers", lambda redis: redis.zrem(KEYS.dependents("running"), "blocked")
    ),
    "all dependents": Damage(KEYS.job("last"), "blockers", lambda redis: redis.delete(KEYS.dependents("blocked"))),
    "blockers": Damage(KEYS.job("blocked"), "blockers", lambda redis: redis.hset(KEYS.job("blocked"), "blockers", 7)),
}
"""Something that should be there and is not."""

MOVED = {
    name: Damage(key, member, lambda redis, key=key, member=member: redis.zadd(key, {member: 5}))
    for name, (key, member) in {
        **{name: where for name, where in JOB_ZSETS.items() if name != "leases"},
        "heads": (KEYS.heads("q"), "t"),
        "schedules": (KEYS.schedules, "s"),
        "failures": (KEYS.failures, GROUP),
        "bulking": (KEYS.bulking, "b1"),
    }.items()
}
"""Something that is there, with another score. A lease's deadline is nobody's but its worker's."""

EXTRA = {
    **{f"{name} of no job": _into_zset(key) for name, (key, _) in JOB_ZSETS.items()},
    **{
        f"{name} of another job": _into_zset(key, "completed" if name.startswith("finished F") else "cancelled")
        for name, (key, _) in JOB_ZSETS.items()
    },
    "keyed of no job": _into_set(KEYS.keyed("k", "c:1")),
    "keyed of one that waits": _into_set(KEYS.keyed("k", "c:1"), "keyed2"),
    "heads of a task without jobs": _into_zset(KEYS.heads("q"), "other"),
    "heads of a queue without jobs": _into_zset(KEYS.heads("elsewhere"), "t"),
    "lanes without jobs": _into_set(KEYS.lanes, "q:other"),
    "lanes that are none": _into_set(KEYS.lanes, "nonsense"),
    "queues without jobs": _into_set(KEYS.queues, "elsewhere"),
    "parked_keys without jobs": _into_set(KEYS.parked_keys("k"), "c:2"),
    "schedules without a record": _into_zset(KEYS.schedules, GONE),
    "bulking without a record": _into_zset(KEYS.bulking, GONE),
    "dependents of no job": _into_zset(KEYS.dependents("running")),
    "dependents that do not wait": _into_zset(KEYS.dependents("running"), "queued"),
    "dependents that wait for others": _into_zset(KEYS.dependents("running"), "last"),
    "a ready one in a lane that is empty": _into_zset(KEYS.ready("elsewhere", "t")),
    "one that waits and is ready": _into_zset(KEYS.waiting, "queued"),
    "a lane of another state": _into_zset(KEYS.lane("q", "t", "RUNNING"), "completed"),
    "a lane of another queue": _into_zset(KEYS.lane("elsewhere", "t", "QUEUED"), "queued"),
    "finished twice": _into_zset(KEYS.finished(FAILED), "completed"),
}
"""Something that is there and should not be."""

STRAY = {
    "attempts": Damage(KEYS.attempts(GONE), GONE, lambda redis: redis.rpush(KEYS.attempts(GONE), "{}")),
    "logs": Damage(KEYS.logs(GONE), GONE, lambda redis: redis.xadd(KEYS.logs(GONE), {"line": "{}"})),
    "checkpoint": Damage(KEYS.checkpoint(GONE), GONE, lambda redis: redis.set(KEYS.checkpoint(GONE), "1")),
    "dependencies": Damage(
        KEYS.dependencies(GONE), GONE, lambda redis: redis.rpush(KEYS.dependencies(GONE), "running")
    ),
    "idempotency of no job": Damage(
        KEYS.idempotency("t", "x"), GONE, lambda redis: redis.set(KEYS.idempotency("t", "x"), GONE)
    ),
    "idempotency of a job without one": Damage(
        KEYS.idempotency("t", "x"), "running", lambda redis: redis.set(KEYS.idempotency("t", "x"), "running")
    ),
}
"""A key that belongs to nobody."""

STUCK = {
    # Nobody would ever tell it of the end of what it waits for.
    "an end that nobody tells": Damage(KEYS.resolving, "COMPLETED:running", _end_unheard),
    "a dependency that is gone": Damage(
        KEYS.resolving, "GONE:vanished", lambda redis: redis.zadd(KEYS.dependents("vanished"), {"blocked": 1})
    ),
    "set aside, and the key is free": Damage(KEYS.parked("k", "c:1"), "keyed2", _free_unheard),
}
"""Something that nothing would set going again."""


ALL = {
    f"{sort}: {name}": damage
    for sort, damages in (
        ("missing", MISSING),
        ("moved", MOVED),
        ("extra", EXTRA),
        ("stray", STRAY),
        ("stuck", STUCK),
    )
    for name, damage in damages.items()
}
