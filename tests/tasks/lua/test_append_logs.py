"""``append_logs.lua``: what running attempts said, kept with their jobs."""

import time
from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from support.jobs import (
    KEYS,
    READS,
    STORE,
    a_running_job,
    an_orphan,
    claim,
    finish,
    last_event,
    now_ms,
    record,
    writes,
)
from taskengine.jobs import LogLevel, LogPage
from taskengine.records import ClaimedJob, dumps
from taskengine.store import Answer, Ending, Said


def said(*messages: str, number: int = 1, age: float = 0.0, level: str = "INFO") -> list[Said]:
    at = time.monotonic() - age
    return [Said(number + i, at, level, dumps({"message": message})) for i, message in enumerate(messages)]


def append(redis: Redis, job: ClaimedJob, lines: list[Said]) -> Answer:
    (answer,) = STORE.append_logs([(job.id, job.lease, lines)], now=time.monotonic()).run(redis)
    return answer


def log(redis: Redis, job_id: str = "j1", **options: Any) -> LogPage:
    chosen = {"min_level": LogLevel.DEBUG, "after": "", "before": "", "limit": 1000, "backward": False} | options
    return READS.list_logs(job_id, **chosen).run(redis)


def messages(redis: Redis, job_id: str = "j1") -> list[str]:
    return [line.message for line in log(redis, job_id).lines]


def test_lines_are_kept_in_their_order(redis: Redis) -> None:
    job = a_running_job(redis)
    assert append(redis, job, said("a", "b")) is Answer.OK
    assert append(redis, job, said("c", number=3)) is Answer.OK
    assert messages(redis) == ["a", "b", "c"]


def test_a_line_has_its_level_its_run_and_the_time_when_it_was_said_by_rediss_clock(redis: Redis) -> None:
    job = a_running_job(redis)
    before = now_ms(redis)
    append(redis, job, said("a", level="WARNING", age=60))
    (line,) = log(redis).lines
    assert (line.job_id, line.level, line.attempt, line.fields) == ("j1", LogLevel.WARNING, 1, {})
    assert before - 60_000 <= line.at.timestamp() * 1000 <= now_ms(redis) - 60_000


def test_it_writes_what_its_header_says_and_nothing_else(redis: Redis) -> None:
    job = a_running_job(redis)
    with writes(redis, "append_logs") as written:
        append(redis, job, said("a"))
    assert written == {"job:j1", "logs:j1", "events"}


def test_one_event_tells_of_a_batch_and_names_its_lines(redis: Redis) -> None:
    job = a_running_job(redis)
    append(redis, job, said("a", "b", "c"))
    first, _, last = log(redis).lines
    expected = {"kind": "LOG", "job": "j1", "task": "t", "queue": "q", "count": "3"}
    assert last_event(redis) == expected | {"first": first.cursor, "last": last.cursor}


def test_what_is_sent_again_is_kept_once(redis: Redis) -> None:
    job = a_running_job(redis)
    append(redis, job, said("a", "b"))
    with writes(redis) as written:
        assert append(redis, job, said("a", "b")) is Answer.OK
    assert written == set()
    append(redis, job, said("b", "c", number=2))
    assert messages(redis) == ["a", "b", "c"]
    assert log(redis).said == 3


def test_another_attempt_begins_to_count_anew(redis: Redis) -> None:
    append(redis, job := a_running_job(redis), said("a"))
    finish(redis, job, Ending.FAILED, retry_ms=0)
    append(redis, claim(redis), said("b"))
    assert [(line.message, line.attempt) for line in log(redis).lines] == [("a", 1), ("b", 2)]


def test_what_a_worker_had_to_drop_counts_as_said(redis: Redis) -> None:
    job = a_running_job(redis)
    append(redis, job, said("a"))
    append(redis, job, said("z", number=10))
    page = log(redis)
    assert (page.said, page.total) == (10, 2)


def test_the_newest_thousand_lines_are_kept(redis: Redis) -> None:
    job = a_running_job(redis)
    append(redis, job, said(*(str(number) for number in range(700))))
    append(redis, job, said(*(str(number) for number in range(700, 1_200)), number=701))
    page = log(redis)
    assert [line.message for line in page.lines] == [str(number) for number in range(200, 1_200)]
    assert (page.said, page.total) == (1_200, 1_000)


def test_so_are_the_newest_256_kilobytes(redis: Redis) -> None:
    job = a_running_job(redis)
    for number in range(1, 101):
        append(redis, job, said(f"{number:03}" + "x" * 4_000, number=number))
    kept = log(redis).lines
    assert 60 <= len(kept) <= 65
    assert kept[-1].message.startswith("100")
    assert int(record(redis)["log_bytes"]) == sum(len(dumps({"message": one.message})) for one in kept)


@pytest.mark.parametrize("lease", ["another", ""])
def test_a_lost_lease_adds_nothing(redis: Redis, lease: str) -> None:
    job = a_running_job(redis)
    with writes(redis) as written:
        assert append(redis, replace(job, lease=lease), said("a")) is Answer.LEASE_LOST
    assert written == set()


def test_neither_does_a_job_that_was_rescued_ended_or_is_gone(redis: Redis) -> None:
    orphan = an_orphan(redis, "lost")
    STORE.rescue_jobs(max_losses=9, limit=9).run(redis)
    finish(redis, claim(redis))
    ended = a_running_job(redis)
    finish(redis, ended)
    with writes(redis) as written:
        for job in (orphan, ended, replace(ended, id="gone")):
            assert append(redis, job, said("late")) is Answer.LEASE_LOST
    assert written == set()


def test_who_is_to_stop_learns_of_it_and_is_heard(redis: Redis) -> None:
    job = a_running_job(redis)
    STORE.cancel_job("j1", terminate=True, reason="").run(redis)
    assert append(redis, job, said("a")) is Answer.CANCEL
    assert messages(redis) == ["a"]


def test_the_log_goes_with_its_job(redis: Redis) -> None:
    job = a_running_job(redis)
    append(redis, job, said("a"))
    finish(redis, job)
    assert messages(redis) == ["a"]
    STORE.delete_job("j1").run(redis)
    assert redis.keys(KEYS.logs("*")) == []
