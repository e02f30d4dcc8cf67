"""What the scripts count, and ``read_metrics.lua``: every move once, in slots that add up over every window."""

import re
from importlib.resources import files

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from support.jobs import (
    CANCELLED,
    COMPLETED,
    FAILED,
    KEYS,
    MINUTE,
    STORE,
    a_job,
    a_running_job,
    an_orphan,
    claim,
    enqueue,
    finish,
    finish_all,
    outcome,
    register,
    take,
    writes,
)
from support.time_slots import age, metrics, slots
from taskengine.check import check
from taskengine.metrics import MetricsWindow, bucket_of
from taskengine.scripts import script
from taskengine.store import Ending
from taskengine.totals import read_totals

LUA = files("taskengine") / "lua"
SCRIPTS = sorted(path.name.removesuffix(".lua") for path in LUA.iterdir() if path.name.endswith(".lua"))
FRAGMENT = (LUA / "fragments" / "metrics.lua").read_text(encoding="utf-8")
HOUR, DAY = 3600, 86_400


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_that_counts_writes_it_down(name: str) -> None:
    source = (LUA / f"{name}.lua").read_text(encoding="utf-8")
    assert ("tally(" in script(name).text) == ("write_tally()" in source)


# What is counted


def test_an_enqueue_is_counted(redis: Redis) -> None:
    enqueue(redis, "a", "b")
    enqueue(redis, "c", delay=60)
    assert metrics(redis).enqueued == 3


def test_the_same_enqueue_twice_is_counted_once(redis: Redis) -> None:
    enqueue(redis, "a")
    enqueue(redis, "a")
    assert metrics(redis).enqueued == 1


def test_every_end_is_counted_as_what_it_is(redis: Redis) -> None:
    a_job(redis, COMPLETED, "a")
    finish(redis, a_running_job(redis, "b"), Ending.FAILED, retry_ms=MINUTE)
    a_job(redis, FAILED, "c")
    a_job(redis, CANCELLED, "d")
    found = metrics(redis)
    assert (found.enqueued, found.completed, found.retried, found.failed, found.cancelled) == (4, 1, 1, 1, 1)
    assert found.error_rate == pytest.approx(2 / 3)


def test_an_end_that_is_told_twice_is_counted_once(redis: Redis) -> None:
    job = a_running_job(redis)
    finish(redis, job)
    finish(redis, job)
    assert metrics(redis).completed == 1


def test_a_job_that_lost_its_worker_too_often_is_counted_as_failed(redis: Redis) -> None:
    an_orphan(redis)
    STORE.rescue_jobs(max_losses=1, limit=10).run(redis)
    assert metrics(redis).failed == 1


def test_a_wait_is_counted_when_it_ends(redis: Redis) -> None:
    assert metrics(redis).wait_seconds_p50 is None
    enqueue(redis, "a")
    redis.hset(KEYS.job("a"), "ready_at", redis.time()[0] * 1000 - 5000)
    claim(redis)
    found = metrics(redis).wait_seconds_p50
    assert found is not None
    assert 4.5 < found < 8
    assert metrics(redis).run_seconds_p50 is None


def test_a_run_is_counted_when_it_ends(redis: Redis) -> None:
    job = a_running_job(redis)
    redis.hset(KEYS.job(job.id), "started_at", redis.time()[0] * 1000 - 60_000)
    finish(redis, job)
    found = metrics(redis).run_seconds_p95
    assert found is not None
    assert 50 < found < 75


def test_a_job_that_never_began_has_not_waited_yet(redis: Redis) -> None:
    job = a_running_job(redis)
    finish(redis, job, Ending.UNSTARTED)
    assert metrics(redis).wait_seconds_p50 is None
    claim(redis)
    assert metrics(redis).wait_seconds_p50 is not None


def test_a_start_that_is_taken_back_in_a_later_slot_is_none(redis: Redis) -> None:
    job = a_running_job(redis)
    age(redis, 10)
    finish(redis, job, Ending.UNSTARTED)
    assert metrics(redis).wait_seconds_p50 is None


def test_a_batch_is_counted_as_its_jobs(redis: Redis) -> None:
    register(redis)
    enqueue(redis, *"abcdef")
    finish_all(redis, [outcome(job) for job in take(redis, 4).jobs], count=2)
    assert (metrics(redis).enqueued, metrics(redis).completed) == (6, 4)


# Of what


def test_each_queue_and_task_can_be_asked_for(redis: Redis) -> None:
    enqueue(redis, "a", queue="q1", task="t1")
    enqueue(redis, "b", "c", queue="q1", task="t2")
    enqueue(redis, "d", "e", "f", queue="q2", task="t2")
    for second in (0, 30):
        age(redis, second)
        assert metrics(redis).enqueued == 6
        assert metrics(redis, queue="q1").enqueued == 3
        assert metrics(redis, task="t2").enqueued == 5
        assert metrics(redis, queue="q1", task="t2").enqueued == 2
        assert metrics(redis, queue="q2", task="t1").enqueued == 0


def test_a_closed_slot_tells_queues_and_tasks_apart_too(redis: Redis) -> None:
    enqueue(redis, "a", queue="q1", task="t1")
    enqueue(redis, "b", "c", queue="q1", task="t2")
    enqueue(redis, "d", "e", "f", queue="q2", task="t2")
    age(redis, 30)
    enqueue(redis, "g", queue="other", task="other")
    assert metrics(redis).enqueued == 7
    assert metrics(redis, queue="q1").enqueued == 3
    assert metrics(redis, task="t2").enqueued == 5
    assert metrics(redis, queue="q1", task="t2").enqueued == 2


# What is no number


@pytest.mark.parametrize("odd", ["many", "1.5", "inf", "", "99999999999999999999"])
def test_what_is_no_number_counts_as_nothing_and_stops_no_move(redis: Redis, odd: str) -> None:
    now = redis.time()[0]
    for second in range(now, now + 5):
        redis.hset(KEYS.metrics_open(1, second), "q:t:E", odd)
        redis.expire(KEYS.metrics_open(1, second), MINUTE)
    enqueue(redis, "a")
    assert metrics(redis).enqueued == 1
    check(redis, KEYS, mend=True)


@pytest.mark.parametrize(
    ("field", "odd"),
    [("q:t:E", "many"), ("q:t:E", "1.5"), ("q:t:E", "inf"), ("odd", "1"), ("q:t:odd", "1"), ("q:t", "")],
)
def test_what_is_odd_when_its_slot_closes_is_left_out_and_stops_no_move(redis: Redis, field: str, odd: str) -> None:
    for number, step in enumerate([1, 60, 900, 7200]):
        enqueue(redis, f"job-{number}", queue="other")
        for key in slots(redis):
            if key.startswith(KEYS.metrics_open("", "")[:-1]):
                redis.hset(key, field, odd)
        assert metrics(redis, MetricsWindow.WEEK).enqueued == number + 1
        age(redis, step)
    enqueue(redis, "last", queue="other")
    assert metrics(redis, MetricsWindow.WEEK).enqueued == 5
    assert sum(one.enqueued for one in read_totals(KEYS).run(redis) if one.queue == "other") == 5
    check(redis, KEYS, mend=True)


# Windows


def test_what_is_past_a_window_is_not_in_it(redis: Redis) -> None:
    enqueue(redis, "a")
    age(redis, 90)
    enqueue(redis, "b")
    found = {window: metrics(redis, window).enqueued for window in MetricsWindow}
    assert found == {"MINUTE": 1, "HOUR": 2, "DAY": 2, "WEEK": 2}


@pytest.mark.parametrize("steps", [[1] * 5, [60] * 5, [900] * 5, [7200] * 5, [1, 60, 900, 7200, 1, 61, 8100]])
def test_nothing_is_lost_on_the_way_to_longer_slots(redis: Redis, steps: list[int]) -> None:
    for number, step in enumerate(steps):
        enqueue(redis, f"job-{number}")
        age(redis, step)
    enqueue(redis, "last")
    assert metrics(redis, MetricsWindow.WEEK).enqueued == len(steps) + 1


def test_a_point_tells_what_was_in_its_slot(redis: Redis) -> None:
    enqueue(redis, "a", "b")
    age(redis, 20)
    enqueue(redis, "c")
    points = metrics(redis).series
    assert len(points) == 60
    assert [(points[-1].at - point.at).total_seconds() for point in points] == list(range(59, -1, -1))
    assert sum(point.enqueued for point in points) == 3
    assert sorted(point.enqueued for point in points)[-2:] == [1, 2]


@pytest.mark.parametrize("window", MetricsWindow)
def test_a_series_has_a_point_for_each_slot(redis: Redis, window: MetricsWindow) -> None:
    points = metrics(redis, window).series
    assert len(points) == window.slots
    assert all(point.at.timestamp() % window.slot_seconds == 0 for point in points)


def test_a_clock_that_is_set_back_loses_nothing(redis: Redis) -> None:
    enqueue(redis, "a")
    age(redis, -3)
    enqueue(redis, "b")
    age(redis, 3)
    enqueue(redis, "c")
    assert metrics(redis, MetricsWindow.WEEK).enqueued == 3


# Its cost


def test_every_slot_expires(redis: Redis) -> None:
    for number, step in enumerate([1, 60, 900, 7200]):
        enqueue(redis, f"job-{number}")
        age(redis, step)
    enqueue(redis, "last")
    ends = {key: redis.ttl(key) for key in [*slots(redis), KEYS.metrics_slots]}
    assert len(ends) > 4
    assert all(0 < end <= 8 * DAY for end in ends.values())


def test_a_closed_slot_goes_when_its_window_has_passed(redis: Redis) -> None:
    enqueue(redis, "a")
    age(redis, 10)
    enqueue(redis, "b")
    (closed,) = [key for key in slots(redis) if ":open:" not in key]
    assert 60 <= redis.ttl(closed) <= 62


def test_more_jobs_take_no_more_memory(redis: Redis) -> None:
    register(redis)

    def run(first: int, count: int) -> int:
        enqueue(redis, *(f"job-{number}" for number in range(first, first + count)))
        finish_all(redis, [outcome(job) for job in take(redis, count).jobs])
        return sum(redis.hlen(key) for key in slots(redis))

    few = run(0, 20)
    assert run(20, 400) <= few + 30  # a second may pass, and waits differ by a bucket or two


def test_looking_changes_nothing(redis: Redis) -> None:
    a_job(redis, COMPLETED)
    with writes(redis, "read_metrics") as written:
        metrics(redis)
    assert written == set()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ms=st.integers(0, 10**9) | st.integers(0, 30).map(lambda power: 2**power))
def test_lua_and_python_mean_the_same_bucket(redis: Redis, ms: int) -> None:
    fragment = re.sub(r"^local function begin_slot.*?^end$", "", FRAGMENT, flags=re.MULTILINE | re.DOTALL)
    text = f'{fragment}\ntally({{ queue = "q", task = "t" }}, "W", tonumber(ARGV[1]))\nreturn next(counts)'
    assert redis.eval(text, 0, ms) == f"q:t:W{bucket_of(ms)}"
