"""``register_schedules.lua``: schedules follow the code, and operators keep their say."""

from redis import Redis

from support.jobs import KEYS, STORE, now_ms, writes
from support.schedules import SCHEDULES, a_definition, a_schedule, declare, get_schedule, make_due, publish


def change(redis: Redis, *, enabled: bool = True, **facts: object) -> None:
    was = get_schedule(redis)
    call = SCHEDULES.save_schedule(
        "s", a_definition(**facts), revision=was.revision, enabled=enabled, next_ms=now_ms(redis) if enabled else None
    )
    assert call.run(redis) == 1


def test_what_the_code_declares_is_there(redis: Redis) -> None:
    publish(redis)
    with writes(redis, "register_schedules") as written:
        declare(redis, "s", args={"x": 1})
    assert written == {"declares:w", "schedule:s", "schedules"}
    schedule = get_schedule(redis)
    assert (schedule.args, schedule.enabled, schedule.declared, schedule.undeclared) == ({"x": 1}, True, True, False)
    assert redis.zscore(KEYS.schedules, "s") > now_ms(redis)


def test_declaring_it_again_leaves_it_as_it_is(redis: Redis) -> None:
    publish(redis)
    declare(redis, "s")
    make_due(redis)
    with writes(redis) as written:
        declare(redis, "s")
    assert written == set()


def test_a_second_worker_leaves_it_as_it_is(redis: Redis) -> None:
    publish(redis)
    publish(redis, worker="another")
    declare(redis, "s")
    with writes(redis) as written:
        declare(redis, "s", worker="another")
    assert written == {"declares:another"}


def test_what_the_code_changed_is_changed(redis: Redis) -> None:
    publish(redis)
    declare(redis, "s")
    declare(redis, "s", every_seconds=60)
    assert (get_schedule(redis).every_seconds, get_schedule(redis).revision) == (60, 2)


def test_one_that_was_disabled_stays_so_when_the_code_changes(redis: Redis) -> None:
    publish(redis)
    declare(redis, "s")
    change(redis, enabled=False)
    declare(redis, "s", every_seconds=60)
    schedule = get_schedule(redis)
    assert (schedule.every_seconds, schedule.enabled, schedule.next_run_at) == (60, False, None)


def test_one_that_was_enabled_stays_so_though_the_code_begins_disabled(redis: Redis) -> None:
    publish(redis)
    declare(redis, "s", enabled=False)
    assert get_schedule(redis).next_run_at is None
    change(redis)
    declare(redis, "s", enabled=False)
    assert get_schedule(redis).enabled


def test_an_operators_change_stays_while_the_code_is_the_same(redis: Redis) -> None:
    publish(redis)
    declare(redis, "s")
    change(redis, every_seconds=90)
    declare(redis, "s")
    assert get_schedule(redis).every_seconds == 90


def test_one_made_by_hand_becomes_the_codes(redis: Redis) -> None:
    publish(redis)
    a_schedule(redis, every_seconds=90)
    declare(redis, "s")
    assert (get_schedule(redis).every_seconds, get_schedule(redis).declared) == (3600, True)


def test_one_that_vanished_from_the_code_is_named_and_goes_on(redis: Redis) -> None:
    publish(redis, worker="old")
    declare(redis, "kept", "s", worker="old")
    STORE.forget_workers("old").run(redis)
    publish(redis, worker="new")
    assert declare(redis, "kept", worker="new") == ["s"]
    schedule = get_schedule(redis)
    assert (schedule.undeclared, schedule.enabled) == (True, True)
    assert schedule.next_run_at is not None


def test_one_that_another_worker_still_declares_has_not_vanished(redis: Redis) -> None:
    publish(redis, worker="old")
    declare(redis, "s", worker="old")
    publish(redis, worker="new")
    assert declare(redis, worker="new") == []
    assert not get_schedule(redis).undeclared


def test_one_made_by_hand_cannot_vanish_from_the_code(redis: Redis) -> None:
    a_schedule(redis)
    publish(redis)
    assert declare(redis) == []


def test_what_a_worker_declares_ends_with_it(redis: Redis) -> None:
    publish(redis)
    declare(redis, "s")
    assert 0 < redis.ttl(KEYS.declares("w")) <= 86_400
    STORE.forget_workers("w").run(redis)
    assert not redis.exists(KEYS.declares("w"))


def test_a_heartbeat_keeps_what_a_worker_declares(redis: Redis) -> None:
    publish(redis)
    declare(redis, "s")
    redis.expire(KEYS.declares("w"), 10)
    STORE.renew_leases("w", [], "{}", lease_ms=1000).run(redis)
    assert redis.ttl(KEYS.declares("w")) > 10
