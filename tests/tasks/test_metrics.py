"""Percentiles from buckets, and what the client tells of a window."""

from collections import Counter
from collections.abc import AsyncIterator

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from support.bench import Bench
from support.jobs import COMPLETED, a_job, enqueue
from taskengine import Client, InvalidInput
from taskengine.metrics import MetricsWindow, bucket_bounds, bucket_of, percentile, summary

durations = st.lists(st.integers(0, 10**9) | st.integers(0, 300), min_size=1, max_size=300)
shares = st.sampled_from([0.5, 0.95, 0.99]) | st.floats(0, 1)


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[Client]:
    client = Client(redis_url, namespace="test")
    yield client
    await client.close()


def width(ms: int) -> float:
    lowest, highest = bucket_bounds(bucket_of(ms))
    return highest - lowest


def width_at(durations: list[int], share: float) -> float:
    """The width of the bucket that a percentile lies in; between two durations, the mean of theirs by nearness."""
    place = (len(durations) - 1) * share
    ordered = sorted(durations)
    lower, upper = (width(ordered[min(rank, len(ordered) - 1)]) for rank in (int(place), int(place) + 1))
    return lower + (upper - lower) * (place - int(place))


# Buckets


@given(ms=st.integers(0, 10**12))
def test_a_duration_is_in_its_bucket(ms: int) -> None:
    lowest, highest = bucket_bounds(bucket_of(ms))
    assert lowest * (1 - 1e-9) <= ms < highest * (1 + 1e-9)


@given(ms=st.integers(1, 10**12))
def test_a_bucket_is_less_than_a_fifth_of_what_is_in_it(ms: int) -> None:
    assert width(ms) < 0.19 * ms * (1 + 1e-9)


def test_a_week_has_few_buckets() -> None:
    assert bucket_of(7 * 86_400_000) < 120


# Percentiles


@given(durations=durations, share=shares)
def test_a_percentile_is_off_from_numpys_by_a_bucket_at_most(durations: list[int], share: float) -> None:
    found = percentile(Counter(map(bucket_of, durations)), share)
    assert found is not None
    assert abs(found - numpy.percentile(durations, share * 100)) <= width_at(durations, share) * (1 + 1e-6) + 1e-6


@given(durations=durations, share=shares)
def test_a_percentile_is_off_by_less_than_a_fifth_of_itself(durations: list[int], share: float) -> None:
    found = percentile(Counter(map(bucket_of, durations)), share)
    real = numpy.percentile(durations, share * 100)
    assert found is not None
    assert abs(found - real) <= 0.19 * real + 1


@given(durations=durations, low=shares, high=shares)
def test_a_higher_share_is_no_shorter(durations: list[int], low: float, high: float) -> None:
    histogram = Counter(map(bucket_of, durations))
    smaller, larger = (percentile(histogram, share) for share in sorted([low, high]))
    assert smaller is not None
    assert larger is not None
    assert smaller <= larger * (1 + 1e-9)


def test_of_nothing_there_is_no_percentile() -> None:
    assert percentile({}, 0.5) is None


# A window


def test_rates_are_over_the_time_that_has_passed() -> None:
    slots = [Counter({"C1": 30, "F1": 10, "R1": 20})] + [Counter[str]()] * 59
    found = summary(MetricsWindow.MINUTE, slots, first_second=1000, now_ms=1_050_000)
    assert found.throughput_per_second == pytest.approx(40 / 50)
    assert found.error_rate == pytest.approx(30 / 60)


def test_a_window_in_which_nothing_happened_has_no_errors_and_no_durations() -> None:
    found = summary(MetricsWindow.HOUR, [Counter[str]()] * 60, first_second=0, now_ms=3_600_000)
    assert (found.enqueued, found.completed, found.error_rate, found.throughput_per_second) == (0, 0, 0.0, 0.0)
    assert (found.wait_seconds_p50, found.run_seconds_p99) == (None, None)
    assert {point.run_seconds_p95 for point in found.series} == {None}


def test_a_point_has_its_own_percentiles() -> None:
    slots = [Counter({"W5": 1, "C9": 1}), Counter({"W9": 1})]
    first, second = summary(MetricsWindow.HOUR, slots, first_second=0, now_ms=120_000).series
    assert (first.wait_seconds_p95, first.run_seconds_p95) == (
        pytest.approx(0.0022, abs=4e-4),
        pytest.approx(0.0044, abs=8e-4),
    )
    assert second.run_seconds_p95 is None


# From outside


async def test_the_client_tells_of_all_of_a_queue_and_of_a_task(client: Client, redis: Redis) -> None:
    a_job(redis, COMPLETED, "a", queue="mail", task="send")
    enqueue(redis, "b", queue="other", task="send")
    assert (await client.metrics()).enqueued == 2
    assert (await client.metrics(MetricsWindow.MINUTE, queue="mail")).completed == 1
    assert (await client.metrics(MetricsWindow.WEEK, task="send")).enqueued == 2
    assert (await client.metrics(task="send", queue="other")).completed == 0


@pytest.mark.parametrize("path", ["task", "queue"])
async def test_a_name_that_cannot_be_is_refused(client: Client, path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        await client.metrics(**{path: "*"})
    assert refused.value.path == (path,)


@pytest.mark.parametrize("window", MetricsWindow)
async def test_a_window_is_one_round_trip(client: Client, redis: Redis, window: MetricsWindow) -> None:
    await client.metrics(window)  # the script is known from then on
    redis.config_resetstat()
    await client.metrics(window)
    assert redis.info("commandstats")["cmdstat_evalsha"]["calls"] == 1


async def test_real_runs_are_counted(bench: Bench, client: Client) -> None:
    @bench.engine.task(name="work", queue="mail", max_attempts=2)
    def work(fail: bool) -> None:
        if fail:
            raise ValueError("as told")

    work(False)
    work(True)
    for _ in range(2):
        bench.run()
    found = await client.metrics(MetricsWindow.MINUTE, task="work")
    assert (found.enqueued, found.completed, found.retried, found.failed) == (2, 1, 1, 0)
    assert found.run_seconds_p99 is not None
    assert found.wait_seconds_p99 is not None
    assert found.run_seconds_p99 < 5
