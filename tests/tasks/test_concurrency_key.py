"""``@engine.task(concurrency_key=...)``: the key is made of the arguments, by whoever has the task's code."""

import pytest
from redis import Redis

from support.bench import Bench
from taskengine.client import Client
from taskengine.errors import InvalidInput, InvalidTask


def test_the_caller_that_has_the_code_makes_the_key(bench: Bench) -> None:
    @bench.engine.task(concurrency_key=lambda customer, **_: customer)
    def bill(customer: str, month: int = 1) -> None: ...

    assert bill("acme").job().concurrency_key == "acme"


def test_a_default_counts_as_given(bench: Bench) -> None:
    @bench.engine.task(concurrency_key=lambda region: region)
    def report(region: str = "eu") -> None: ...

    assert report().job().concurrency_key == "eu"


@pytest.mark.parametrize("key", ["", "x" * 201])
def test_a_key_that_cannot_be_one_refuses_the_call(bench: Bench, redis: Redis, key: str) -> None:
    @bench.engine.task(concurrency_key=lambda **_: key)
    def bill(customer: str) -> None: ...

    with pytest.raises(InvalidInput, match="concurrency_key: expected 1 to 200 characters"):
        bill("acme")
    assert redis.keys("*job:*") == []


def test_a_number_below_one_is_refused_where_the_task_is_defined(bench: Bench) -> None:
    with pytest.raises(InvalidTask, match="concurrency_per_key"):
        bench.engine.task(name="bill", concurrency_key=lambda **_: "k", concurrency_per_key=0)(lambda: None)


async def test_a_job_that_came_by_name_and_json_gets_its_key_from_its_worker(bench: Bench, redis_url: str) -> None:
    @bench.engine.task(name="bill", concurrency_key=lambda customer: customer)
    def bill(customer: str) -> str:
        return customer

    bench.publish()
    client = Client(redis_url, namespace=bench.engine.name)
    job = await client.enqueue_job("bill", {"customer": "acme"})
    assert job.concurrency_key is None
    bench.run()
    done = await client.get_job(job.id)
    assert done is not None
    assert (done.concurrency_key, done.result) == ("acme", "acme")
    await client.close()
