"""``drainWorker``: a worker takes no new job and stops when its running ones are done."""

from typing import Any

import pytest
from redis import Redis

from support.api import STORE, WORKER, Api
from taskengine.keys import Keys

DRAIN = """
mutation ($id: ID!) {
  drainWorker(input: { id: $id }) { worker { name draining online } errors { __typename code path } }
}
"""


async def drain(api: Api, id: str = f"worker_{WORKER}") -> Any:
    return (await api.data(DRAIN, id=id))["drainWorker"]


async def test_a_draining_worker_takes_nothing_more(api: Api, redis: Redis) -> None:
    await api.enqueue()
    assert await drain(api) == {"worker": {"name": WORKER, "draining": True, "online": True}, "errors": []}
    assert STORE.claim_jobs(WORKER, "*", 1, lease_ms=1_000).run(redis).jobs == []


async def test_draining_twice_is_no_error(api: Api) -> None:
    await drain(api)
    assert (await drain(api))["errors"] == []


@pytest.mark.parametrize("id", ["worker_nope", "nope", "queue_default", "worker_"])
async def test_a_worker_that_is_not_there_is_not_found(api: Api, id: str) -> None:
    (error,) = (await drain(api, id))["errors"]
    assert (error["__typename"], error["code"], error["path"]) == ("NotFoundError", "NOT_FOUND", ["id"])


async def test_a_worker_that_is_silent_hears_nothing(api: Api, redis: Redis) -> None:
    redis.zadd(Keys("default").heartbeats, {WORKER: 1})
    (error,) = (await drain(api))["errors"]
    assert (error["__typename"], error["code"], error["path"]) == ("ConflictError", "CONFLICT", ["id"])


async def test_draining_is_written_down(api: Api) -> None:
    await drain(api)
    (entry,) = (await api.data("{ auditEntries { nodes { action subject } } }"))["auditEntries"]["nodes"]
    assert entry == {"action": "drain_worker", "subject": WORKER}
