"""Pause, resume and limit queues and tasks."""

from typing import Any

import pytest
from redis import Redis

from support.api import STORE, WORKER, Api, asked_by
from taskengine.rules import Kind, Rate
from taskengine_api.roles import Role

PAUSE = """
mutation ($queue: String!, $reason: String) {
  pauseQueue(input: { queue: $queue, reason: $reason }) {
    queue { name paused pausedBy pauseReason } errors { __typename code path }
  }
}
"""
RESUME = """
mutation ($queue: String!) {
  resumeQueue(input: { queue: $queue }) { queue { name paused } errors { code path } }
}
"""
QUEUE = """
mutation ($input: UpdateQueueInput!) {
  updateQueue(input: $input) {
    queue { name concurrencyLimit rateLimit { jobs perSeconds } } errors { __typename code message path }
  }
}
"""
TASK = """
mutation ($input: UpdateTaskInput!) {
  updateTask(input: $input) {
    task { paused concurrencyLimit rateLimit { jobs perSeconds } } errors { __typename code message path }
  }
}
"""


async def update_queue(api: Api, **input: Any) -> Any:
    return (await api.data(QUEUE, input={"queue": "default", **input}))["updateQueue"]


async def update_task(api: Api, **input: Any) -> Any:
    return (await api.data(TASK, input={"task": "universal", **input}))["updateTask"]


async def test_a_paused_queue_starts_nothing_until_it_is_resumed(api: Api, redis: Redis) -> None:
    job_id = await api.enqueue()
    payload = (await api.data(PAUSE, queue="default", reason="incident 7"))["pauseQueue"]
    assert payload == {
        "queue": {"name": "default", "paused": True, "pausedBy": "local", "pauseReason": "incident 7"},
        "errors": [],
    }
    assert STORE.claim_jobs(WORKER, "*", 1, lease_ms=1_000).run(redis).jobs == []
    payload = (await api.data(RESUME, queue="default"))["resumeQueue"]
    assert payload == {"queue": {"name": "default", "paused": False}, "errors": []}
    assert [job.id for job in STORE.claim_jobs(WORKER, "*", 1, lease_ms=1_000).run(redis).jobs] == [job_id]


async def test_pausing_and_resuming_twice_is_no_error(api: Api) -> None:
    for document, name in (
        (PAUSE, "pauseQueue"),
        (PAUSE, "pauseQueue"),
        (RESUME, "resumeQueue"),
        (RESUME, "resumeQueue"),
    ):
        assert (await api.data(document, queue="default"))[name]["errors"] == []


async def test_what_can_be_no_queue_is_invalid(api: Api) -> None:
    for document, name in ((PAUSE, "pauseQueue"), (RESUME, "resumeQueue"), (QUEUE, "updateQueue")):
        facts = {"input": {"queue": "a b"}} if document is QUEUE else {"queue": "a b"}
        (error,) = (await api.data(document, **facts))[name]["errors"]
        assert (error["code"], error["path"]) == ("INVALID", ["queue"])


async def test_a_queue_gets_limits(api: Api) -> None:
    payload = await update_queue(api, concurrencyLimit=3, rateLimit={"jobs": 10, "perSeconds": 0.5})
    assert payload == {
        "queue": {"name": "default", "concurrencyLimit": 3, "rateLimit": {"jobs": 10, "perSeconds": 0.5}},
        "errors": [],
    }


async def test_null_lifts_a_limit_and_an_absent_one_stays(api: Api) -> None:
    await api.client.set_limits(Kind.QUEUE, "default", concurrency=3, rate=Rate(jobs=1, per_seconds=1))
    queue = (await update_queue(api, concurrencyLimit=None))["queue"]
    assert (queue["concurrencyLimit"], queue["rateLimit"]) == (None, {"jobs": 1, "perSeconds": 1})
    queue = (await update_queue(api, rateLimit=None))["queue"]
    assert (queue["concurrencyLimit"], queue["rateLimit"]) == (None, None)


@pytest.mark.parametrize(
    ("input", "path"),
    [
        ({"concurrencyLimit": 0}, ["concurrencyLimit"]),
        ({"concurrencyLimit": 100_001}, ["concurrencyLimit"]),
        ({"rateLimit": {"jobs": 0, "perSeconds": 1}}, ["rateLimit", "jobs"]),
        ({"rateLimit": {"jobs": 1, "perSeconds": 0}}, ["rateLimit", "perSeconds"]),
    ],
)
async def test_a_limit_that_cannot_be_is_invalid(api: Api, input: dict[str, Any], path: list[str]) -> None:
    for payload in (await update_queue(api, **input), await update_task(api, **input)):
        (error,) = payload["errors"]
        assert (error["__typename"], error["code"], error["path"]) == ("ValidationError", "INVALID", path)
    assert not (await api.client.list_rules()).limits


async def test_a_task_is_paused_limited_and_let_go_on(api: Api) -> None:
    payload = await update_task(api, paused=True, concurrencyLimit=2)
    assert payload == {"task": {"paused": True, "concurrencyLimit": 2, "rateLimit": None}, "errors": []}
    payload = await update_task(api, rateLimit={"jobs": 5, "perSeconds": 1})
    assert payload["task"] == {"paused": True, "concurrencyLimit": 2, "rateLimit": {"jobs": 5, "perSeconds": 1}}
    payload = await update_task(api, paused=False, concurrencyLimit=None, rateLimit=None)
    assert payload["task"] == {"paused": False, "concurrencyLimit": None, "rateLimit": None}


async def test_a_task_that_nobody_published_is_not_found(api: Api) -> None:
    (error,) = (await update_task(api, task="univresal", paused=True))["errors"]
    assert (error["__typename"], error["path"]) == ("NotFoundError", ["task"])
    assert "did you mean 'universal'" in error["message"]


async def test_a_task_that_is_held_back_can_be_let_go_when_nobody_publishes_it_any_more(api: Api) -> None:
    await api.client.pause(Kind.TASK, "gone")
    assert (await update_task(api, task="gone", paused=False))["errors"] == []


async def test_an_operator_pauses_a_task_but_sets_no_limits(api: Api) -> None:
    result = await asked_by(
        api, Role.OPERATOR, TASK, input={"task": "universal", "paused": True, "concurrencyLimit": 1}
    )
    (error,) = result.data["updateTask"]["errors"]
    assert (error["__typename"], error["path"]) == ("ForbiddenError", ["concurrencyLimit"])
    result = await asked_by(api, Role.OPERATOR, TASK, input={"task": "universal", "paused": True})
    assert (result.data["updateTask"]["errors"], result.data["updateTask"]["task"]["paused"]) == ([], True)


async def test_what_holds_back_is_written_down(api: Api) -> None:
    await api.data(PAUSE, queue="default")
    await api.data(RESUME, queue="default")
    await update_queue(api, concurrencyLimit=1)
    entries = (await api.data("{ auditEntries { nodes { viewer action subject } } }"))["auditEntries"]["nodes"]
    assert [entry["action"] for entry in entries] == ["set_limits", "resume", "pause"]
    assert {entry["viewer"] for entry in entries} == {"local"}
