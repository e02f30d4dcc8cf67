"""``get_failure_groups.lua``, and what the scripts that end attempts note of failures."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from support.failing import FAILURES, GROUP, PLACE, a_failed_job, fail, failed_jobs, group
from support.jobs import (
    CANCELLED,
    FAILED,
    KEYS,
    STORE,
    a_job,
    a_running_job,
    an_orphan,
    claim,
    enqueue,
    finish,
    get,
    now_ms,
    record,
    writes,
)
from taskengine.check import check
from taskengine.failures import FailureGroup, FailureWindow, group_id


def test_a_group_has_its_facts(redis: Redis) -> None:
    before = now_ms(redis)
    a_failed_job(redis, message="no 17 in 'stock'")
    found = group(redis)
    assert (found.task, found.exception, found.place) == ("t", "ValueError", PLACE)
    assert (found.message, found.summary) == ("no 17 in 'stock'", "no # in '…'")
    assert (found.count, found.failed_jobs, found.sample) == (1, 1, "j1")
    assert found.first_at == found.last_at
    assert before <= found.first_at.timestamp() * 1000 <= now_ms(redis) + 1


@pytest.mark.parametrize("odd", ["many", "1.5", ""])
def test_a_count_that_is_no_number_begins_anew_and_stops_no_move(redis: Redis, odd: str) -> None:
    a_failed_job(redis)
    key = KEYS.failure(GROUP)
    counts = [str(field) for field in redis.hkeys(key) if ":" in str(field) or field == "count"]
    redis.hset(key, mapping=dict.fromkeys(counts, odd))
    a_failed_job(redis, "j2")
    assert get(redis, "j2").state is FAILED
    assert group(redis).count == 1
    assert {point.count for point in group(redis).course(FailureWindow.WEEK)} == {0, 1}


def test_a_part_of_a_length_that_there_is_not_stops_no_move(redis: Redis) -> None:
    a_failed_job(redis)
    redis.hset(KEYS.failure(GROUP), "5:10", 1)
    redis.hdel(KEYS.failure(GROUP), *[field for field in redis.hkeys(KEYS.failure(GROUP)) if field.startswith("60:")])
    a_failed_job(redis, "j2")
    assert get(redis, "j2").state is FAILED
    assert group(redis).count == 2
    check(redis, KEYS, mend=True)


def test_the_job_names_its_group(redis: Redis) -> None:
    a_failed_job(redis)
    job = get(redis)
    assert job.failure_group == GROUP
    assert job.error is not None
    assert job.error.place == PLACE


def test_every_failed_attempt_counts_and_the_newest_is_told(redis: Redis) -> None:
    fail(redis, a_running_job(redis, max_attempts=9), again=True, message="first")
    a_failed_job(redis, "j2", message="second")
    found = group(redis)
    assert (found.count, found.message, found.sample) == (2, "second", "j2")
    assert found.first_at < found.last_at
    assert found.failed_jobs == 1


def test_another_task_exception_or_place_is_another_group(redis: Redis) -> None:
    a_failed_job(redis, "a")
    a_failed_job(redis, "b", task="u")
    a_failed_job(redis, "c", exception="KeyError")
    a_failed_job(redis, "d", place="shop/mail.py:42 in connect")
    assert len({get(redis, job_id).failure_group for job_id in "abcd"}) == 4


def test_another_line_of_the_same_function_is_the_same_group(redis: Redis) -> None:
    a_failed_job(redis, "a")
    a_failed_job(redis, "b", place="shop/mail.py:57 in send")
    assert group(redis).count == 2
    assert group(redis).place == "shop/mail.py:57 in send"


def test_a_job_whose_worker_was_lost_too_often_has_a_group(redis: Redis) -> None:
    an_orphan(redis)
    STORE.rescue_jobs(max_losses=1, limit=10).run(redis)
    found = group(redis, group_id("t", "WorkerLost", None))
    assert (found.exception, found.place, found.failed_jobs) == ("WorkerLost", None, 1)


def test_a_job_that_completes_after_all_has_no_group(redis: Redis) -> None:
    fail(redis, a_running_job(redis, max_attempts=9), again=True)
    STORE.retry_job("j1", attempts=None).run(redis)
    finish(redis, claim(redis))
    assert get(redis).failure_group is None


def test_a_cancelled_job_is_no_failure(redis: Redis) -> None:
    a_job(redis, CANCELLED)
    assert redis.exists(KEYS.failures) == 0


def test_groups_come_in_the_order_of_their_ids_and_one_that_is_not_there_is_none(redis: Redis) -> None:
    a_failed_job(redis)
    gone = group_id("t", "Gone", None)
    found = FAILURES.get_groups([gone, GROUP]).run(redis)
    assert [one and one.id for one in found] == [None, GROUP]


# Its course


def counted(found: FailureGroup, window: FailureWindow) -> list[int]:
    return [point.count for point in found.course(window)]


@pytest.mark.parametrize(("window", "parts"), [("HOUR", 60), ("DAY", 24), ("WEEK", 28)])
def test_a_course_is_a_window_in_parts_of_which_the_last_is_not_over(redis: Redis, window: str, parts: int) -> None:
    a_failed_job(redis)
    course = group(redis).course(FailureWindow(window))
    assert len(course) == parts
    assert {(later.at - sooner.at) for sooner, later in pairwise(course)} == {course[1].at - course[0].at}
    assert course[-1].at <= group(redis).as_of < course[-1].at + (course[1].at - course[0].at)


def test_every_failed_attempt_is_in_the_course_once(redis: Redis) -> None:
    fail(redis, a_running_job(redis, max_attempts=9), again=True)
    a_failed_job(redis, "j2")
    for window in FailureWindow:
        course = counted(group(redis), window)
        assert (sum(course), sum(course[-2:])) == (2, 2)


def test_what_failed_before_stands_where_it_was(redis: Redis) -> None:
    a_failed_job(redis)
    minute = int(group(redis).as_of.timestamp()) // 60 * 60
    redis.hset(KEYS.failure(GROUP), f"60:{minute - 10 * 60}", 7)
    (point,) = [point for point in group(redis).course(FailureWindow.HOUR) if point.count == 7]
    assert point.at.timestamp() == minute - 10 * 60


def test_parts_that_have_passed_go_when_another_begins(redis: Redis) -> None:
    a_failed_job(redis)
    key, now = KEYS.failure(GROUP), now_ms(redis) // 1000
    kept = {"60": 60, "3600": 24, "21600": 28}
    present = [name for name in redis.hkeys(key) if ":" in name]
    for seconds, parts in kept.items():
        start = now // int(seconds) * int(seconds)
        redis.hset(key, mapping={f"{seconds}:{start - number * int(seconds)}": 1 for number in range(1, parts + 9)})
    redis.hdel(key, *present)
    a_failed_job(redis, "j2")
    left = Counter(name.partition(":")[0] for name in redis.hkeys(key) if ":" in name)
    assert all(parts - 1 <= left[seconds] <= parts for seconds, parts in kept.items()), left  # a part may just end
    assert redis.hlen(key) <= 120  # so that Redis keeps it compact


def test_a_group_of_an_engine_that_kept_no_course_has_an_empty_one(redis: Redis) -> None:
    a_failed_job(redis)
    redis.hdel(KEYS.failure(GROUP), *[name for name in redis.hkeys(KEYS.failure(GROUP)) if ":" in name])
    assert set(counted(group(redis), FailureWindow.DAY)) == {0}


# Which jobs are FAILED


def test_a_job_that_is_retried_leaves_the_list(redis: Redis) -> None:
    a_failed_job(redis)
    STORE.retry_job("j1", attempts=None).run(redis)
    assert failed_jobs(redis) == []
    assert group(redis).failed_jobs == 0


def test_a_job_that_is_to_be_tried_again_is_not_on_it(redis: Redis) -> None:
    fail(redis, a_running_job(redis, max_attempts=9), again=True)
    assert failed_jobs(redis) == []


def test_a_job_that_is_removed_leaves_the_list(redis: Redis) -> None:
    for job_id in "abc":
        a_failed_job(redis, job_id)
    STORE.delete_job("a").run(redis)
    STORE.clear_jobs([get(redis, "b").state], before_ms=None, limit=1).run(redis)
    assert failed_jobs(redis) == ["c"]
    STORE.trim_jobs(keep_ms=10**9, keep_jobs=0, limit=10).run(redis)
    assert failed_jobs(redis) == []
    assert redis.exists(KEYS.failed(GROUP)) == 0


def test_check_knows_which_jobs_a_group_should_list(redis: Redis) -> None:
    a_failed_job(redis)
    assert check(redis, KEYS) == []
    redis.zrem(KEYS.failed(GROUP), "j1")
    (difference,) = check(redis, KEYS)
    assert (difference.key, difference.member, difference.found) == (KEYS.failed(GROUP), "j1", "absent")
    redis.zadd(KEYS.failed(GROUP), {"j1": get(redis).order})


# Its bounds


def test_the_thousand_groups_that_failed_last_are_kept(redis: Redis) -> None:
    redis.zadd(
        KEYS.failures, {group_id("old", str(number), None): now_ms(redis) * 1000 + number for number in range(1000)}
    )
    a_failed_job(redis)
    assert redis.zcard(KEYS.failures) == 1000
    assert redis.zscore(KEYS.failures, group_id("old", "0", None)) is None
    assert redis.zscore(KEYS.failures, GROUP) is not None
    redis.zremrangebyrank(KEYS.failures, 0, -2)  # those that were made up


def test_a_group_goes_a_month_after_its_last_failure(redis: Redis) -> None:
    a_failed_job(redis)
    assert 0 < redis.ttl(KEYS.failure(GROUP)) <= 30 * 86_400
    redis.zadd(KEYS.failures, {"fail_old": now_ms(redis) * 1000 - 31 * 86_400_000_000})
    a_failed_job(redis, "j2", exception="KeyError")
    assert redis.zscore(KEYS.failures, "fail_old") is None


def test_a_job_outlives_its_group(redis: Redis) -> None:
    a_failed_job(redis)
    redis.delete(KEYS.failure(GROUP), KEYS.failures)
    assert FAILURES.get_groups([GROUP]).run(redis) == [None]
    assert failed_jobs(redis) == ["j1"]
    assert check(redis, KEYS) == []


def test_looking_changes_nothing(redis: Redis) -> None:
    a_failed_job(redis)
    with writes(redis, "get_failure_groups") as written:
        group(redis)
    assert written == set()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(
    exception=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20),
    place=st.none()
    | st.builds("{}.py:{} in {}".format, st.text("aé/ in:1", max_size=9), st.integers(0), st.text("a.<>", max_size=5)),
)
def test_lua_and_python_mean_the_same_group(redis: Redis, exception: str, place: str | None) -> None:
    redis.flushall()
    enqueue(redis, "j1", max_attempts=1)
    fail(redis, claim(redis), exception=exception, **({} if place is None else {"place": place}))
    expected = group_id("t", exception, PLACE if place is None else place)
    assert record(redis)["failure_group"] == expected
