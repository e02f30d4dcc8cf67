"""``list_logs.lua``: pages of what a job said, by keyset."""

import time
from typing import Any

import pytest
from redis import Redis

from support.jobs import READS, STORE, a_running_job, writes
from taskengine.errors import JobNotFound
from taskengine.jobs import LogLevel, LogPage
from taskengine.records import dumps
from taskengine.store import Said

LEVELS = ["DEBUG", "INFO", "WARNING", "ERROR"]


@pytest.fixture(autouse=True)
def _ten_lines(redis: Redis) -> None:
    """0 to 9, each of the next level."""
    job = a_running_job(redis)
    lines = [Said(n + 1, time.monotonic(), LEVELS[n % 4], dumps({"message": str(n)})) for n in range(10)]
    STORE.append_logs([(job.id, job.lease, lines)], now=time.monotonic()).run(redis)


def log(redis: Redis, job_id: str = "j1", **options: Any) -> LogPage:
    chosen = {"min_level": LogLevel.DEBUG, "after": "", "before": "", "limit": 100, "backward": False} | options
    return READS.list_logs(job_id, **chosen).run(redis)


def shown(page: LogPage) -> tuple[str, bool, bool]:
    return "".join(line.message for line in page.lines), page.has_previous, page.has_next


def cursor(redis: Redis, number: int) -> str:
    return log(redis).lines[number].cursor


def test_all_of_it(redis: Redis) -> None:
    assert shown(log(redis)) == ("0123456789", False, False)


def test_the_first_lines(redis: Redis) -> None:
    assert shown(log(redis, limit=3)) == ("012", False, True)


def test_the_next_lines(redis: Redis) -> None:
    assert shown(log(redis, limit=3, after=cursor(redis, 2))) == ("345", True, True)
    assert shown(log(redis, limit=3, after=cursor(redis, 6))) == ("789", True, False)


def test_behind_the_last_line_is_nothing(redis: Redis) -> None:
    assert shown(log(redis, limit=3, after=cursor(redis, 9))) == ("", True, False)


def test_the_last_lines_in_their_order(redis: Redis) -> None:
    assert shown(log(redis, limit=3, backward=True)) == ("789", True, False)


def test_the_lines_before(redis: Redis) -> None:
    assert shown(log(redis, limit=3, before=cursor(redis, 7), backward=True)) == ("456", True, True)
    assert shown(log(redis, limit=9, before=cursor(redis, 3), backward=True)) == ("012", False, True)


def test_between_two_cursors(redis: Redis) -> None:
    assert shown(log(redis, after=cursor(redis, 2), before=cursor(redis, 6))) == ("345", True, True)


@pytest.mark.parametrize(("level", "lines"), [("DEBUG", "0123456789"), ("INFO", "1235679"), ("ERROR", "37")])
def test_from_a_level_on(redis: Redis, level: str, lines: str) -> None:
    page = log(redis, min_level=LogLevel(level))
    assert "".join(line.message for line in page.lines) == lines
    assert (page.total, page.said) == (len(lines), 10)


def test_pages_of_a_level_join_without_gap_or_repetition(redis: Redis) -> None:
    first = log(redis, min_level=LogLevel.WARNING, limit=2)
    second = log(redis, min_level=LogLevel.WARNING, limit=2, after=first.lines[-1].cursor)
    assert (shown(first), shown(second)) == (("23", False, True), ("67", True, False))


def test_a_job_that_said_nothing_has_no_lines(redis: Redis) -> None:
    a_running_job(redis, "quiet")
    assert log(redis, "quiet") == LogPage(lines=(), has_next=False, has_previous=False, total=0, said=0)


def test_a_job_that_is_not_there_is_said_so(redis: Redis) -> None:
    with pytest.raises(JobNotFound, match="'gone'"):
        log(redis, "gone")


def test_it_writes_nothing(redis: Redis) -> None:
    with writes(redis, "list_logs") as written:
        log(redis)
    assert written == set()
