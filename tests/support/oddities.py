"""What a namespace holds besides jobs and their indexes, and ways to make it odd by hand.

furnish(redis)                a bit of everything
is_mended(redis, COUNTS["a name"])
is_left(redis, FACTS["another"])
"""

from redis import Redis

from support.damage import GROUP, Damage, full_house
from support.jobs import KEYS, MINUTE, STORE, WORKER, everything, finish_all, now_ms, outcome, register, row, take
from support.schedules import declare
from taskengine.api_keys import ApiKeys, digest_of
from taskengine.check import check
from taskengine.records import call_of, dumps, with_fields
from taskengine.roles import Role
from taskengine.rules import KEEP, Kind, Rate

SECRET = "te_secret"
DIGEST = digest_of(SECRET)
GONE = "gone"


def furnish(redis: Redis) -> None:
    """Have a key of every kind that lasts, by the moves themselves."""
    full_house(redis)
    ApiKeys(KEYS).create("otto", Role.OPERATOR, SECRET, expires_ms=MINUTE, by="eve").run(redis)
    ApiKeys(KEYS).find(DIGEST).run(redis)
    STORE.pause(Kind.QUEUE, "elsewhere", by="eve", reason="").run(redis)
    STORE.set_limits(Kind.TASK, "t", concurrency=50, rate=Rate(jobs=1_000, per_seconds=1), per_key=KEEP).run(redis)
    STORE.set_aging(3_600).run(redis)
    STORE.set_budget(1 << 40).run(redis)
    declare(redis, "declared")
    STORE.drain_worker(WORKER, lease_ms=MINUTE).run(redis)
    redis.hset(KEYS.revoked, mapping={"other": "always", "another": "once", "id:job_1": now_ms(redis) + MINUTE})
    half_a_chord(redis)
    assert check(redis, KEYS) == []


def half_a_chord(redis: Redis) -> None:
    """Have a chord of two, of which the first has reported."""
    after = call_of(row("after", task="m", queue="aside"), '{"values":', "}")
    STORE.open_chord("c", 2, dumps(after), ttl_ms=MINUTE).run(redis)
    for number in "01":
        says = {"follows": dumps({"chord": "c", "number": number})}
        STORE.enqueue_jobs([with_fields(row(f"m{number}", task="m", queue="aside"), says)]).run(redis)
    register(redis, "m", worker="other")
    (first,) = take(redis, worker="other", queues="aside").jobs
    finish_all(redis, [outcome(first, value="1")])


def is_mended(redis: Redis, odd: Damage) -> None:
    """It is named, and after a repair nothing is."""
    odd.do(redis)
    (difference,) = check(redis, KEYS)
    assert odd.names(difference), difference
    assert [one.is_mended for one in check(redis, KEYS, mend=True)] == [True]
    assert check(redis, KEYS) == []


def is_left(redis: Redis, odd: Damage) -> None:
    """It is named, and a repair says why it leaves it; then all is cleared away."""
    odd.do(redis)
    (difference,) = check(redis, KEYS)
    assert odd.names(difference), difference
    before = everything(redis)
    (refused,) = check(redis, KEYS, mend=True)
    assert refused.outcome not in ("", "mended")
    assert everything(redis) == before
    redis.flushdb()


def _ending(redis: Redis, key: str, member: str) -> None:
    redis.sadd(key, member)
    redis.expire(key, 60)


def _end_bulk(redis: Redis) -> None:
    redis.hset(KEYS.bulk("b1"), "state", "DONE")
    redis.zrem(KEYS.bulking, "b1")


def _set(key: str, field: str, value: object) -> Damage:
    return Damage(key, field, lambda redis: redis.hset(key, field, str(value)))


def _in_metrics(key: str, field: str, value: object) -> Damage:
    """Of slots, which end by themselves."""
    return Damage(key, field, lambda redis: (redis.hset(key, field, str(value)), redis.expire(key, 60)))


TOTALS, CLOSED, FAILURE, CHORD = KEYS.metrics_totals, KEYS.metrics(60, 60), KEYS.failure(GROUP), KEYS.chord("c")

COUNTS = {
    "a counter of an open slot": _in_metrics(KEYS.metrics_open(60, 60), "nonsense", 1),
    "a counter of no such thing": _in_metrics(TOTALS, "q:t:Z9", 1),
    "a counter of no task": _in_metrics(TOTALS, "q", 1),
    "a counter that is no number": _in_metrics(TOTALS, "q:t:E", "many"),
    "a closed slot without JSON": _in_metrics(CLOSED, "q:t", "?"),
    "a closed slot with odd counts": _in_metrics(CLOSED, "q:t", '{"E":"x"}'),
    "a closed slot of no task": _in_metrics(CLOSED, "q", '{"E":1}'),
    "a level that there is not": _in_metrics(KEYS.metrics_slots, "7", 70),
    "a slot that begins between two": _in_metrics(KEYS.metrics_slots, "60", 61),
    "a part of a course that there is not": _set(FAILURE, "61:61", 1),
    "a part that begins between two": _set(FAILURE, "60:61", 1),
    "a part that is no number": _set(FAILURE, "60:60", "often"),
    "a group's count": _set(FAILURE, "count", "many"),
    "a group's first failure": _set(FAILURE, "first", ""),
    "a field of a group that there is not": _set(FAILURE, "colour", "red"),
}
WORKERS = {
    "facts that are none": _set(KEYS.workers, WORKER, "?"),
    "one that was never heard of": Damage(KEYS.heartbeats, WORKER, lambda redis: redis.zrem(KEYS.heartbeats, WORKER)),
    "a heartbeat of nobody": Damage(KEYS.heartbeats, GONE, lambda redis: redis.zadd(KEYS.heartbeats, {GONE: 1})),
    "draining nobody": _set(KEYS.draining, GONE, "eve"),
    "what nobody can run": Damage(KEYS.knows(GONE), GONE, lambda redis: _ending(redis, KEYS.knows(GONE), "t")),
    "what nobody declares": Damage(KEYS.declares(GONE), GONE, lambda redis: _ending(redis, KEYS.declares(GONE), "s")),
    "a schedule that there is not": Damage(
        KEYS.declares("w"), GONE, lambda redis: redis.sadd(KEYS.declares("w"), GONE)
    ),
}
KEY = '{"name":"%s","role":"%s","prefix":"te_","created_at":"1"}'
FACTS = {
    "an API key that is no JSON": _set(KEYS.api_keys, DIGEST, "?"),
    "an API key without a name": _set(KEYS.api_keys, "a1", '{"role":"VIEWER"}'),
    "an API key with another role": _set(KEYS.api_keys, "a1", KEY % ("x", "KING")),
    "an API key of no digest": _set(KEYS.api_keys, "otto", KEY % ("x", "VIEWER")),
    "a task's description": _set(KEYS.catalogue, "t", "[]"),
    "a pause of nothing": _set(KEYS.paused, "mail", '{"at":1,"by":"","reason":""}'),
    "a pause without words": _set(KEYS.paused, "queue:q", "{}"),
    "a limit that is no number": _set(KEYS.limits, "task:t", '{"concurrency":"x"}'),
    "a key limit of 0": _set(KEYS.key_limits, "k", 0),
    "a revocation": _set(KEYS.revoked, "t", "perhaps"),
    "a schedule's definition": _set(KEYS.schedule("s"), "definition", "{}"),
    "a schedule without a definition": Damage(
        KEYS.schedule("s"), "definition", lambda redis: redis.hdel(KEYS.schedule("s"), "definition")
    ),
    "a schedule that is half enabled": _set(KEYS.schedule("s"), "enabled", "perhaps"),
    "aging": Damage(KEYS.aging, "", lambda redis: redis.set(KEYS.aging, "fast")),
    "the budget": Damage(KEYS.budget, "", lambda redis: redis.set(KEYS.budget, "all")),
    "the catalogue's version": Damage(
        KEYS.catalogue_version, "", lambda redis: redis.set(KEYS.catalogue_version, "new")
    ),
}
USES = {
    "of no key": _set(KEYS.api_keys_used, "a1", 1),
    "at no time": _set(KEYS.api_keys_used, DIGEST, "yesterday"),
}
CHORDS = {
    "fewer left than there are": _set(CHORD, "left", 7),
    "a member past the last": _set(CHORD, "2", "1"),
    "a field that there is not": _set(CHORD, "colour", "red"),
}
CHORD_RECORDS = {
    "no size": _set(CHORD, "size", "?"),
    "no call": _set(CHORD, "callback", "?"),
    "no time": _set(CHORD, "ttl", "?"),
}
ENDLESS = {
    **{
        key.removeprefix(KEYS.prefix).partition(":")[0]: Damage(key, "", lambda redis, key=key: redis.persist(key))
        for key in (KEYS.failures, FAILURE, CHORD, KEYS.knows(WORKER), KEYS.declares("w"), KEYS.metrics_slots)
    },
    "lock": Damage(KEYS.lock("l"), "", lambda redis: redis.set(KEYS.lock("l"), " x")),
    "uses": Damage(KEYS.uses("u"), "", lambda redis: redis.set(KEYS.uses("u"), 1)),
    "full": Damage(KEYS.full, "", lambda redis: redis.set(KEYS.full, "")),
    "rate": Damage(KEYS.rate("queue", "q"), "", lambda redis: redis.hset(KEYS.rate("queue", "q"), "tokens", 1)),
    "api_budget": Damage(KEYS.api_budget("x"), "", lambda redis: redis.hset(KEYS.api_budget("x"), "left", 1)),
    "wake": Damage(KEYS.wake("q"), "", lambda redis: redis.persist(KEYS.wake("q"))),
    "bulk": Damage(KEYS.bulk("b1"), "", _end_bulk),
}
LISTED = {
    "bulks of no record": Damage(KEYS.bulks, GONE, lambda redis: redis.zadd(KEYS.bulks, {GONE: now_ms(redis)})),
    "bulks without one": Damage(KEYS.bulks, "b1", lambda redis: redis.zrem(KEYS.bulks, "b1")),
    "failures of no group": Damage(
        KEYS.failures, GONE, lambda redis: redis.zadd(KEYS.failures, {GONE: now_ms(redis) * 1000})
    ),
    "something to resolve that there is not": Damage(
        KEYS.resolving, "?:x", lambda redis: redis.zadd(KEYS.resolving, {"?:x": 1})
    ),
}
