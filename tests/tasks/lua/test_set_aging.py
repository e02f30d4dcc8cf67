"""``set_aging.lua``: waiting for so long lifts a job by one priority step."""

import json

import pytest
from redis import Redis

from support.jobs import KEYS, READS, STORE, enqueue, register, take, writes
from taskengine.check import check
from taskengine.errors import InvalidInput

HOUR, MS = 3600.0, 0.001


def set_aging(redis: Redis, seconds: float | None, *, by: str = "") -> bool:
    return STORE.set_aging(seconds, by=by).run(redis)


def change_priority(redis: Redis, job_id: str, priority: int) -> None:
    STORE.change_priority(job_id, priority).run(redis)


def order(redis: Redis) -> list[str]:
    """All jobs, in the order in which they are claimed."""
    register(redis)
    return [job.id for job in take(redis, 100).jobs]


def arrived(redis: Redis, job_id: str, *, seconds_ago: float, **facts: object) -> None:
    """Enqueue a job as if it had come so long ago."""
    enqueue(redis, job_id, **facts)
    record = KEYS.job(job_id)
    redis.hset(record, "arrival", int(redis.hget(record, "created")) - round(seconds_ago * 1e6))
    change_priority(redis, job_id, int(redis.hget(record, "priority")))


def test_without_it_priority_holds_however_long_a_job_waits(redis: Redis) -> None:
    arrived(redis, "old", seconds_ago=1_000_000, priority=1)
    enqueue(redis, "new", priority=10)
    assert order(redis) == ["new", "old"]


@pytest.mark.parametrize(
    ("waited", "expected"),
    [(9 * HOUR + 60, ["old", "new"]), (9 * HOUR - 60, ["new", "old"])],
    ids=["longer", "shorter"],
)
def test_nine_steps_of_priority_are_nine_times_as_long(redis: Redis, waited: float, expected: list[str]) -> None:
    set_aging(redis, HOUR)
    arrived(redis, "old", seconds_ago=waited, priority=1)
    enqueue(redis, "new", priority=10)
    assert order(redis) == expected


def test_another_priority_counts_from_the_arrival_too(redis: Redis) -> None:
    set_aging(redis, HOUR)
    arrived(redis, "old", seconds_ago=2 * HOUR + 60, priority=1)
    enqueue(redis, "new", priority=5)
    change_priority(redis, "old", 3)
    assert order(redis) == ["old", "new"]


def test_jobs_ahead_are_those_that_are_claimed_before(redis: Redis) -> None:
    set_aging(redis, HOUR)
    arrived(redis, "old", seconds_ago=10 * HOUR, priority=1)
    enqueue(redis, "new", priority=10)
    register(redis)
    ahead = {job_id: READS.explain_job(job_id).run(redis) for job_id in ("old", "new")}
    assert {job_id: found and found.jobs_ahead for job_id, found in ahead.items()} == {"old": 0, "new": 1}


def test_it_says_since_when_the_oldest_job_waits(redis: Redis) -> None:
    enqueue(redis, "first", priority=1)
    enqueue(redis, *(f"j{number}" for number in range(60)), priority=10)
    without = READS.count_jobs().run(redis)
    set_aging(redis, HOUR)
    assert READS.count_jobs().run(redis) == without


def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    enqueue(redis, "j1")
    with writes(redis, "set_aging") as written:
        assert set_aging(redis, HOUR, by="ops@example.org")
    assert written == {"aging", "rescoring", "audit"}


def test_the_same_again_changes_nothing(redis: Redis) -> None:
    enqueue(redis, "j1")
    set_aging(redis, HOUR)
    with writes(redis) as written:
        assert not set_aging(redis, HOUR, by="ops@example.org")
    assert written == set()


def test_none_ends_it(redis: Redis) -> None:
    set_aging(redis, HOUR)
    assert set_aging(redis, None)
    assert not redis.exists(KEYS.aging)
    assert READS.list_rules().run(redis).aging_seconds is None


def test_it_is_listed_with_the_rules(redis: Redis) -> None:
    set_aging(redis, 0.25)
    assert READS.list_rules().run(redis).aging_seconds == 0.25


def test_who_changed_what_is_in_the_audit(redis: Redis) -> None:
    set_aging(redis, 60)
    set_aging(redis, None, by="ops@example.org")
    ((_, entry),) = redis.xrange(KEYS.audit)
    assert (entry["by"], entry["action"], entry["subject"]) == ("ops@example.org", "set_aging", "aging")
    assert json.loads(entry["details"]) == {"seconds": None, "was": 60}


@pytest.mark.parametrize("seconds", [0, -1, MS / 2, 1e9, float("nan"), True, "60"])
def test_what_is_no_time_to_wait_is_refused(redis: Redis, seconds: float) -> None:
    with pytest.raises(InvalidInput, match="seconds: expected 0.001 to 31,622,400 seconds, or None for no aging"):
        set_aging(redis, seconds)


def test_indexes_agree_with_records_before_and_after_the_new_places(redis: Redis) -> None:
    enqueue(redis, "a", priority=1)
    enqueue(redis, "b", priority=10)
    set_aging(redis, HOUR)
    assert check(redis, KEYS) == []
    while STORE.rescore_jobs(limit=1).run(redis):
        assert check(redis, KEYS) == []
    assert check(redis, KEYS) == []
