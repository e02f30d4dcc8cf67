"""``list_rules.lua``: what is paused and what is limited."""

from redis import Redis

from support.jobs import READS, STORE, writes
from taskengine.rules import Kind, Limits, Rate


def test_nothing_holds_at_first(redis: Redis) -> None:
    rules = READS.list_rules().run(redis)
    assert (rules.pauses, rules.limits, rules.aging_seconds) == ({}, {}, None)


def test_every_pause_and_limit_is_there(redis: Redis) -> None:
    STORE.pause(Kind.QUEUE, "mail", by="", reason="").run(redis)
    STORE.set_limits(Kind.TASK, "send", concurrency=2, rate=Rate(jobs=5, per_seconds=0.5)).run(redis)
    with writes(redis) as written:
        rules = READS.list_rules().run(redis)
    assert written == set()
    assert rules.limits == {(Kind.TASK, "send"): Limits(concurrency=2, rate=Rate(jobs=5, per_seconds=0.5))}
    pause = rules.pause_of(Kind.QUEUE, "mail")
    assert pause is not None
    assert (pause.by, pause.reason) == (None, None)
    assert rules.pause_of(Kind.TASK, "mail") is None
