"""``reencrypt_values.lua``: what a record keeps is replaced when nothing of it changed since it was read."""

from redis import Redis

from support.jobs import KEYS, STORE, a_job, a_running_job, record
from support.schedules import a_schedule
from taskengine.scripts import call


def replace(redis: Redis, kind: str, name: str, *rows: str) -> bool:
    return call("reencrypt_values", KEYS.prefix, bool, rows=rows, kind=kind, name=name).run(redis)


def test_a_field_that_is_as_it_was_read_is_replaced(redis: Redis) -> None:
    a_job(redis)
    redis.hset(KEYS.job("j1"), "secrets", "[]")
    assert replace(redis, "job", "j1", "secrets", "[]", "[ ]")
    assert record(redis)["secrets"] == "[ ]"


def test_when_one_field_changed_meanwhile_none_is_replaced(redis: Redis) -> None:
    a_job(redis)
    redis.hset(KEYS.job("j1"), mapping={"secrets": "[]", "then": "1"})
    assert not replace(redis, "job", "j1", "secrets", "[]", "[ ]", "then", "0", "2")
    assert (record(redis)["secrets"], record(redis)["then"]) == ("[]", "1")


def test_a_job_that_is_gone_does_not_come_back(redis: Redis) -> None:
    assert not replace(redis, "job", "gone", "secrets", "[]", "[ ]")
    assert not redis.exists(KEYS.job("gone"))


def test_a_checkpoint_is_replaced_with_its_size(redis: Redis) -> None:
    job = a_running_job(redis)
    STORE.save_checkpoint("j1", job.lease, "1").run(redis)
    assert replace(redis, "checkpoint", "j1", "", "1", "1.0")
    assert (redis.get(KEYS.checkpoint("j1")), record(redis)["checkpoint"]) == ("1.0", "3")


def test_a_checkpoint_of_no_job_makes_none(redis: Redis) -> None:
    redis.set(KEYS.checkpoint("gone"), "1")
    assert replace(redis, "checkpoint", "gone", "", "1", "1.0")
    assert redis.keys() == [KEYS.checkpoint("gone")]
    redis.delete(KEYS.checkpoint("gone"))  # as `taskengine check --mend` does


def test_who_read_a_schedule_before_reads_it_again(redis: Redis) -> None:
    before = a_schedule(redis)
    definition = str(redis.hget(KEYS.schedule("s"), "definition"))
    assert replace(redis, "schedule", "s", "definition", definition, definition)
    assert int(str(redis.hget(KEYS.schedule("s"), "revision"))) == int(before.revision) + 1
