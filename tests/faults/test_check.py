"""The check looks at a namespace while workers claim, fail, retry and finish in it, and sees nothing that is not so."""

from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from support.jobs import KEYS, STORE, row
from support.waiting import wait_until
from support.workers import WorkerProcess
from taskengine.check import Checker
from taskengine.ids import new_id
from taskengine.jobs import JobState
from taskengine.records import call_of, dumps, with_fields
from taskengine.rules import KEEP, Kind

LOOKS = 5
"""At the least, in each of which jobs moved."""


@pytest.mark.parametrize("mend", [False, True])
def test_under_load_it_reports_nothing_and_mends_nothing(
    redis: Redis, redis_url: str, tmp_path: Path, mend: bool
) -> None:
    settings: dict[str, Any] = {"namespace": "test", "concurrency": 8, "keep_completed_jobs": 100}
    STORE.set_limits(Kind.TASK, "universal", concurrency=12, rate=KEEP, per_key=2).run(redis)
    with (
        WorkerProcess("support.universal:engine", redis_url, data_dir=tmp_path / "a", **settings),
        WorkerProcess("support.universal:engine", redis_url, data_dir=tmp_path / "b", mode="process", **settings),
    ):
        moved = 0
        while moved < LOOKS:
            feed(redis, 150)
            before = redis.xlen(KEYS.events)
            checker = Checker(redis, KEYS, mend=mend)
            assert [str(one) for one in checker.differences()] == []
            assert checker.jobs > 0
            moved += redis.xlen(KEYS.events) - before > 50
        wait_until(lambda: unfinished(redis) == 0, 90, "all jobs have ended")
    assert [str(one) for one in Checker(redis, KEYS).differences()] == []


def feed(redis: Redis, count: int) -> None:
    """Enqueue jobs of every kind: short, failing, later, one after another, of a chord, with keys of both sorts."""
    job_ids = [new_id("job") for _ in range(count)]
    rows: list[list[Any]] = []
    chord = job_ids[0]
    after = call_of(row(new_id("job"), task="universal", queue="default"), '{"value":', "}")
    STORE.open_chord(chord, count // 10, dumps(after), ttl_ms=3_600_000).run(redis)
    for number, job_id in enumerate(job_ids):
        args = {"do": "FAIL_ONCE"} if number % 7 == 0 else {"ms": 20 * (number % 5), "steps": number % 3}
        options: dict[str, Any] = {"task": "universal", "queue": "default", "args": dumps(args)}
        if number % 5 == 0:
            options["delay"] = 0.05
        if number % 11 == 0:
            options["idempotency_key"] = job_id
        if number % 4 == 3:
            options["depends_on"] = (job_ids[number - 1], job_ids[number - 2])
        one = row(job_id, **options)
        if number % 10 == 0:
            one = with_fields(one, {"follows": dumps({"chord": chord, "number": str(number // 10)})})
        rows.append(with_fields(one, {"key": f"k{number % 9}"}) if number % 2 else one)
    STORE.enqueue_jobs(rows).run(redis)


def state_count(redis: Redis, state: JobState) -> int:
    return redis.zcard(KEYS.lane("default", "universal", state))


def unfinished(redis: Redis) -> int:
    return sum(state_count(redis, state) for state in JobState if not state.is_final)
