"""A page costs a constant number of round trips to Redis, whatever it holds."""

from typing import Any

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis
from redis.asyncio.client import Pipeline

from support.api import Api, end, run, say
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
    """Every command that the client sends, and every pipeline as one."""
    sent: list[Any] = []
    real = AsyncRedis.execute_command

    def counted(self: AsyncRedis, *args: Any, **options: Any) -> Any:
        sent.append(args[0])
        return real(self, *args, **options)

    together = Pipeline.execute

    def counted_as_one(self: Pipeline, *args: Any, **options: Any) -> Any:
        sent.append("pipeline")
        return together(self, *args, **options)

    monkeypatch.setattr(AsyncRedis, "execute_command", counted)
    monkeypatch.setattr(Pipeline, "execute", counted_as_one)
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
    # Queues, the catalogue, pauses and limits, and all metrics together.
    assert len([command for command in round_trips if command != "GET"]) == 4


async def test_names_alone_cost_one(api: Api, redis: Redis, round_trips: list[Any]) -> None:
    for _ in range(10):
        await api.enqueue()
    document = "{ jobs { nodes { id task { name } queue { name } } } }"
    await api.data(document)
    round_trips.clear()
    await api.data(document)
    assert len([command for command in round_trips if command != "GET"]) == 1


WITH_PAGES_INSIDE = {
    "logs": "{ jobs { nodes { logs(last: 5) { totalCount nodes { message } } } } }",
    "events": "{ jobs { nodes { events(last: 9) { nodes { cursor ... on JobLogged { log { message } } } } } } }",
    "schedules": "{ schedules { jobs(first: 5) { totalCount nodes { id } } } }",
}


@pytest.mark.parametrize("inside", WITH_PAGES_INSIDE)
async def test_a_page_inside_each_object_costs_no_more_for_more_objects(
    api: Api, redis: Redis, round_trips: list[Any], inside: str
) -> None:
    number = 0

    async def more(count: int) -> None:
        nonlocal number
        for _ in range(count):
            number += 1
            await api.client.create_schedule(f"s{number}", "universal", {}, every_seconds=3600)
            await api.client.run_schedule(f"s{number}")
            job = run(redis)
            say(redis, job, ("INFO", "as told"))
            end(redis, job)

    async def cost() -> int:
        round_trips.clear()
        await api.data(WITH_PAGES_INSIDE[inside])
        return len([command for command in round_trips if command != "GET"])

    await more(3)
    await cost()
    few = await cost()
    await more(20)
    await cost()
    # The lines of events are kept once read, so only the others are read again.
    assert await cost() <= few + 1 <= 6
