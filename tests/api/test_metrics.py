"""``metrics`` of all jobs, of queues and of tasks, and as they change."""

from typing import Any

import pytest
from redis import Redis

from support.api import Api, Socket, end, run
from taskengine.store import Ending

ALL = """
query ($window: MetricsWindow!) {
  metrics(window: $window) {
    window enqueued completed failed retried throughputPerSecond errorRate
    waitSecondsP50 waitSecondsP95 waitSecondsP99 runSecondsP50 runSecondsP95 runSecondsP99
    series { at enqueued completed failed waitSecondsP95 runSecondsP95 }
  }
}
"""


async def work(api: Api, redis: Redis) -> None:
    for ending in (Ending.COMPLETED, Ending.COMPLETED, Ending.FAILED):
        await api.enqueue()
        end(redis, run(redis), ending)


@pytest.mark.parametrize(("window", "points"), [("MINUTE", 60), ("HOUR", 60), ("DAY", 96), ("WEEK", 84)])
async def test_a_window_counts_what_happened_in_it(api: Api, redis: Redis, window: str, points: int) -> None:
    await work(api, redis)
    found = (await api.data(ALL, window=window))["metrics"]
    assert (found["window"], found["enqueued"], found["completed"], found["failed"]) == (window, 3, 2, 1)
    assert found["errorRate"] == pytest.approx(1 / 3)
    assert found["waitSecondsP50"] <= found["waitSecondsP95"] <= found["waitSecondsP99"]
    assert len(found["series"]) == points
    assert sum(point["completed"] for point in found["series"]) == 2


async def test_nothing_has_no_latency(api: Api) -> None:
    found = (await api.data(ALL, window="HOUR"))["metrics"]
    assert (found["enqueued"], found["errorRate"], found["runSecondsP95"]) == (0, 0, None)


async def test_a_queue_and_a_task_have_metrics_of_their_own(api: Api, redis: Redis) -> None:
    await work(api, redis)
    document = """
      { queue(name: "default") { metrics { window completed } }
        task(name: "universal") { metrics(window: MINUTE) { window failed } } }
    """
    assert await api.data(document) == {
        "queue": {"metrics": {"window": "HOUR", "completed": 2}},
        "task": {"metrics": {"window": "MINUTE", "failed": 1}},
    }


async def test_a_subscriber_is_told_now_and_after_a_change(api: Api, socket: Socket, redis: Redis) -> None:
    await socket.subscribe("subscription { metricsUpdated(window: WEEK) { window enqueued } }")
    assert (await socket.next())["metricsUpdated"] == {"window": "WEEK", "enqueued": 0}
    await work(api, redis)
    assert (await socket.next())["metricsUpdated"]["enqueued"] > 0


async def test_many_subscribers_cost_one_read(api: Api, socket: Socket, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    real = api.client.metrics

    async def counted(window: Any) -> Any:
        asked.append(window)
        return await real(window)

    monkeypatch.setattr(api.client, "metrics", counted)
    for number in range(20):
        await socket.subscribe("subscription { metricsUpdated { enqueued } }", id=str(number))
    told = [(await socket.receive())["id"] for _ in range(20)]
    assert sorted(told, key=int) == [str(number) for number in range(20)]
    assert len(asked) < 10
