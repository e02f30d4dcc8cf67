"""Queues, tasks, workers, counts, the system, and anything by its id."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis

from support.api import Api, a_task, end, has_field, publish, run
from taskengine.jobs import Options
from taskengine.rules import Kind, Rate
from taskengine.store import Ending


async def test_counts_are_those_of_all_jobs(api: Api, redis: Redis) -> None:
    for ending in (Ending.COMPLETED, Ending.FAILED):
        await api.enqueue()
        end(redis, run(redis), ending)
    await api.enqueue()
    run(redis)
    await api.enqueue()
    document = "{ counts { scheduled queued running retrying completed failed cancelled } }"
    assert (await api.data(document))["counts"] == {
        "scheduled": 0,
        "queued": 1,
        "running": 1,
        "retrying": 0,
        "completed": 1,
        "failed": 1,
        "cancelled": 0,
    }


async def test_queues_are_those_with_jobs_and_those_that_tasks_name(api: Api, redis: Redis) -> None:
    def other() -> None:
        """Another task."""

    publish(redis, a_task("other", other, queue="slow"))
    await api.enqueue()
    found = await api.data("{ queues { name counts { queued } oldestWaitSeconds } }")
    default, slow = found["queues"]
    assert (default["name"], default["counts"], slow["name"], slow["counts"]) == (
        "default",
        {"queued": 1},
        "slow",
        {"queued": 0},
    )
    assert default["oldestWaitSeconds"] >= 0
    assert slow["oldestWaitSeconds"] is None


async def test_a_queue_tells_who_serves_it(api: Api, redis: Redis) -> None:
    publish(redis, worker="mailer", queues=("mail",))
    found = await api.data('{ a: queue(name: "default") { workers { name } } b: queue(name: "nope") { name } }')
    assert found == {"a": {"workers": [{"name": "hand-1-abcd"}]}, "b": None}


async def test_a_queue_tells_what_holds_it_back(api: Api) -> None:
    document = """
      { queue(name: "default") {
          paused pausedAt pausedBy pauseReason concurrencyLimit rateLimit { jobs perSeconds }
      } }
    """
    await api.enqueue()
    assert set((await api.data(document))["queue"].values()) == {False, None}
    await api.client.pause(Kind.QUEUE, "default", by="ops@", reason="incident 7")
    await api.client.set_limits(Kind.QUEUE, "default", concurrency=3, rate=Rate(jobs=10, per_seconds=2))
    queue = (await api.data(document))["queue"]
    assert datetime.fromisoformat(queue.pop("pausedAt")) <= datetime.now(UTC)
    assert queue == {
        "paused": True,
        "pausedBy": "ops@",
        "pauseReason": "incident 7",
        "concurrencyLimit": 3,
        "rateLimit": {"jobs": 10, "perSeconds": 2},
    }


async def test_a_task_tells_what_holds_it_back(api: Api) -> None:
    document = '{ task(name: "universal") { paused concurrencyLimit rateLimit { jobs perSeconds } } }'
    await api.client.pause(Kind.TASK, "universal")
    await api.client.set_limits(Kind.TASK, "universal", concurrency=3)
    assert (await api.data(document))["task"] == {"paused": True, "concurrencyLimit": 3, "rateLimit": None}


async def test_a_task_tells_how_it_is_enqueued(api: Api) -> None:
    document = """
      { task(name: "universal") {
          id name description argsSchema enqueueField priority maxAttempts timeoutSeconds
          queue { name } counts { queued }
      } }
    """
    await api.enqueue()
    task = (await api.data(document))["task"]
    assert task.pop("argsSchema")["properties"]["times"]["default"] == 1
    assert task == {
        "id": "task_universal",
        "name": "universal",
        "description": "Do as told.",
        "enqueueField": "enqueueUniversal",
        "priority": 5,
        "maxAttempts": 3,
        "timeoutSeconds": None,
        "queue": {"name": "default"},
        "counts": {"queued": 1},
    }


async def test_an_unknown_task_is_null(api: Api) -> None:
    assert await api.data('{ task(name: "nope") { name } }') == {"task": None}


async def test_tasks_are_told_by_name(api: Api, redis: Redis) -> None:
    def other() -> None:
        """Another task."""

    publish(redis, a_task("another", other))
    await has_field(api, "enqueueAnother")
    assert (await api.data("{ tasks { name enqueueField } }"))["tasks"] == [
        {"name": "another", "enqueueField": "enqueueAnother"},
        {"name": "universal", "enqueueField": "enqueueUniversal"},
    ]


async def test_a_worker_tells_what_it_can_run(api: Api) -> None:
    document = """
      { workers {
          id name hostname pid version concurrency startedAt lastHeartbeatAt online draining
          queues { name } runningJobs { id }
      } }
    """
    (worker,) = (await api.data(document))["workers"]
    heard = datetime.now(UTC) - datetime.fromisoformat(worker.pop("lastHeartbeatAt"))
    assert heard < timedelta(seconds=30)
    worker.pop("version")
    assert worker == {
        "id": "worker_hand-1-abcd",
        "name": "hand-1-abcd",
        "hostname": "house",
        "pid": 1,
        "concurrency": 2,
        "startedAt": "2023-11-14T22:13:20+00:00",
        "online": True,
        "draining": False,
        "queues": [{"name": "default"}],
        "runningJobs": [],
    }


async def test_workers_can_be_asked_for_by_whether_they_are_online(api: Api) -> None:
    found = await api.data("{ on: workers(online: true) { name } off: workers(online: false) { name } }")
    assert found == {"on": [{"name": "hand-1-abcd"}], "off": []}


async def test_the_system_tells_of_its_redis(api: Api) -> None:
    document = "{ system { version redisVersion redisMemoryBytes redisMemoryLimitBytes persistence now } }"
    system = (await api.data(document))["system"]
    assert system["redisMemoryBytes"] > 0
    assert abs(datetime.fromisoformat(system["now"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert system["version"]
    assert system["redisVersion"]


NODE = """
query ($id: ID!) {
  node(id: $id) {
    __typename id
    ... on Job { state } ... on Queue { name } ... on Task { name } ... on Worker { name } ... on Attempt { number }
  }
}
"""


@pytest.mark.parametrize(
    ("id", "node"),
    [
        ("queue_default", {"__typename": "Queue", "name": "default"}),
        ("task_universal", {"__typename": "Task", "name": "universal"}),
        ("worker_hand-1-abcd", {"__typename": "Worker", "name": "hand-1-abcd"}),
    ],
)
async def test_a_node_is_found_by_the_id_that_it_shows(api: Api, id: str, node: dict[str, Any]) -> None:
    assert (await api.data(NODE, id=id))["node"] == {"id": id, **node}


async def test_a_job_and_its_attempts_are_nodes(api: Api, redis: Redis) -> None:
    job_id = await api.enqueue()
    end(redis, run(redis))
    assert (await api.data(NODE, id=job_id))["node"] == {"__typename": "Job", "id": job_id, "state": "COMPLETED"}
    attempt = f"attempt_1_{job_id}"
    assert (await api.data(NODE, id=attempt))["node"] == {"__typename": "Attempt", "id": attempt, "number": 1}


@pytest.mark.parametrize(
    "id",
    ["", "x", "queue_", "queue_nope", "task_nope", "worker_nope", "bulk_nope", "attempt_1_nope", "attempt_", "job_"],
)
async def test_what_is_not_there_is_null(api: Api, id: str) -> None:
    assert await api.data(NODE, id=id) == {"node": None}


async def test_nodes_are_in_the_order_of_their_ids(api: Api) -> None:
    job_id = await api.enqueue()
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
    ids = ["task_universal", "nope", job_id, "queue_default"]
    found = await api.data(document, ids=ids)
    assert [node and node["id"] for node in found["nodes"]] == ["task_universal", None, job_id, "queue_default"]
    error = await api.error(document, ids=ids * 26)
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "path": ["ids"]}


async def test_a_job_may_have_an_id_that_looks_like_that_of_something_else(api: Api) -> None:
    await api.enqueue(options=Options(id="queue_mine"))
    assert (await api.data(NODE, id="queue_mine"))["node"]["__typename"] == "Job"
