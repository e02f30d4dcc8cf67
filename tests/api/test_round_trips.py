"""A page costs a constant number of round trips to Redis, whatever it holds."""

from typing import Any

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from support.api import Api, end, run
from taskengine.jobs import Options
from taskengine.store import Ending

PAGE = """
{
  jobs(first: 50) {
    totalCount
    nodes {
      id state task { name description queue { name } }
      queue { name counts { queued } oldestWaitSeconds workers { name } }
      worker { name runningJobs { id } } runSeconds
      error { message traceback }
      attempts(first: 5) { totalCount nodes { number outcome error { traceback } } }
      waiting { reason estimatedStartAt } schedule { name nextRunAt } failureGroup { message sample { id } }
      dependsOn { id state } dependents { id }
    }
  }
}
"""


@pytest.fixture
def round_trips(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every command that the client sends."""
    sent: list[Any] = []
    real = AsyncRedis.execute_command

    def counted(self: AsyncRedis, *args: Any, **options: Any) -> Any:
        sent.append(args[0])
        return real(self, *args, **options)

    monkeypatch.setattr(AsyncRedis, "execute_command", counted)
    return sent


MOST = 20
"""Round trips. Reads that are wanted at the same moment go as one, so that their number varies by a few."""


async def test_a_page_of_50_costs_no_more_than_a_page_of_3(api: Api, redis: Redis, round_trips: list[Any]) -> None:
    await api.client.create_schedule("nightly", "universal", {}, cron="30 2 * * *")

    async def a_few_jobs() -> None:
        """One that failed, one of a schedule, and one that waits for it."""
        await api.enqueue(options=Options(priority=10))
        end(redis, run(redis), Ending.FAILED)
        scheduled = await api.client.run_schedule("nightly")
        await api.enqueue(options=Options(depends_on=(scheduled.id,)))

    async def cost() -> int:
        # The look for new tasks goes on beside: only what this operation asks is counted.
        round_trips.clear()
        await api.data(PAGE)
        return len([command for command in round_trips if command != "GET"])

    await a_few_jobs()
    await cost()
    assert await cost() <= MOST
    for _ in range(16):
        await a_few_jobs()
    assert await cost() <= MOST


async def test_metrics_of_many_queues_cost_one(api: Api, round_trips: list[Any]) -> None:
    for number in range(20):
        await api.enqueue(options=Options(queue=f"q{number}"))
    document = "{ queues { name paused metrics { completed } concurrencyLimit } }"
    await api.data(document)
    round_trips.clear()
    assert len((await api.data(document))["queues"]) == 21
    # Queues, the catalogue, pauses and limits. A pipeline is not seen here: its cost is the same for any number.
    assert len([command for command in round_trips if command != "GET"]) == 3


async def test_names_alone_cost_one(api: Api, redis: Redis, round_trips: list[Any]) -> None:
    for _ in range(10):
        await api.enqueue()
    document = "{ jobs { nodes { id task { name } queue { name } } } }"
    await api.data(document)
    round_trips.clear()
    await api.data(document)
    assert len([command for command in round_trips if command != "GET"]) == 1
