"""A page costs a constant number of round trips to Redis, whatever it holds."""

from typing import Any

import pytest
from redis import Redis
from redis.asyncio import Redis as AsyncRedis

from support.api import Api, end, run
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
      attempts { totalCount nodes { number outcome error { traceback } } }
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


async def test_a_page_of_50_costs_no_more_than_a_page_of_2(api: Api, redis: Redis, round_trips: list[Any]) -> None:
    async def cost() -> int:
        # The look for new tasks goes on beside: only what this operation asks is counted.
        round_trips.clear()
        await api.data(PAGE)
        return len([command for command in round_trips if command != "GET"])

    for _ in range(2):
        await api.enqueue()
        end(redis, run(redis), Ending.FAILED)
    await cost()
    of_two = await cost()
    for _ in range(48):
        await api.enqueue()
        end(redis, run(redis), Ending.FAILED)
    assert await cost() == of_two
    assert of_two <= 12


async def test_names_alone_cost_one(api: Api, redis: Redis, round_trips: list[Any]) -> None:
    for _ in range(10):
        await api.enqueue()
    document = "{ jobs { nodes { id task { name } queue { name } } } }"
    await api.data(document)
    round_trips.clear()
    await api.data(document)
    assert len([command for command in round_trips if command != "GET"]) == 1
