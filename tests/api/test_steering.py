"""Cancel, retry, delete: what changes, and what each refuses."""

from typing import Any

import pytest
from redis import Redis

from support.api import Api, end, run
from taskengine.jobs import Options
from taskengine.store import Ending

CANCEL = """
mutation ($id: ID!, $terminate: Boolean! = false, $reason: String) {
  cancelJob(input: { id: $id, terminate: $terminate, reason: $reason }) {
    job { id state cancelReason viewerCanCancel viewerCanRetry }
    errors { __typename code message path ... on ConflictError { job { id state } } }
  }
}
"""
RETRY = """
mutation ($id: ID!, $attempts: Int) {
  retryJob(input: { id: $id, attempts: $attempts }) {
    job { id state maxAttempts attempts { nodes { outcome } } }
    errors { __typename code message path ... on ConflictError { job { state } } }
  }
}
"""
DELETE = """
mutation ($id: ID!) { deleteJob(input: { id: $id }) { deletedId errors { __typename code message path } } }
"""


async def cancel(api: Api, id: str, **facts: Any) -> dict[str, Any]:
    return (await api.data(CANCEL, id=id, **facts))["cancelJob"]


async def retry(api: Api, id: str, **facts: Any) -> dict[str, Any]:
    return (await api.data(RETRY, id=id, **facts))["retryJob"]


async def delete(api: Api, id: str) -> dict[str, Any]:
    return (await api.data(DELETE, id=id))["deleteJob"]


async def test_a_queued_job_is_cancelled_with_its_reason(api: Api) -> None:
    job_id = await api.enqueue()
    payload = await cancel(api, job_id, reason="not today")
    assert payload == {
        "job": {
            "id": job_id,
            "state": "CANCELLED",
            "cancelReason": "not today",
            "viewerCanCancel": False,
            "viewerCanRetry": True,
        },
        "errors": [],
    }


async def test_cancelling_a_cancelled_job_is_no_error(api: Api) -> None:
    job_id = await api.enqueue()
    await cancel(api, job_id)
    assert (await cancel(api, job_id))["errors"] == []


async def test_a_completed_job_is_not_cancelled(api: Api, redis: Redis) -> None:
    job_id = await api.enqueue()
    end(redis, run(redis))
    payload = await cancel(api, job_id)
    assert payload["job"] is None
    (error,) = payload["errors"]
    assert (error["__typename"], error["code"], error["path"]) == ("ConflictError", "CONFLICT", ["id"])
    assert error["job"] == {"id": job_id, "state": "COMPLETED"}


async def test_a_running_job_is_stopped_only_when_told_so(api: Api, redis: Redis) -> None:
    job_id = await api.enqueue()
    run(redis)
    (error,) = (await cancel(api, job_id))["errors"]
    assert error["job"] == {"id": job_id, "state": "RUNNING"}
    assert "terminate" in error["message"]
    payload = await cancel(api, job_id, terminate=True)
    assert (payload["errors"], payload["job"]["state"]) == ([], "RUNNING")


async def test_a_failed_job_runs_again_with_its_attempts_kept(api: Api, redis: Redis) -> None:
    job_id = await api.enqueue()
    end(redis, run(redis), Ending.FAILED)
    payload = await retry(api, job_id, attempts=5)
    assert payload["errors"] == []
    assert payload["job"]["state"] == "QUEUED"
    assert payload["job"]["maxAttempts"] >= 5
    assert payload["job"]["attempts"]["nodes"] == [{"outcome": "FAILED"}]


async def test_a_queued_job_is_not_retried(api: Api) -> None:
    (error,) = (await retry(api, await api.enqueue()))["errors"]
    assert (error["code"], error["job"]) == ("CONFLICT", {"state": "QUEUED"})


@pytest.mark.parametrize("attempts", [0, -1, 1001])
async def test_attempts_to_add_have_bounds(api: Api, redis: Redis, attempts: int) -> None:
    job_id = await api.enqueue()
    end(redis, run(redis), Ending.FAILED)
    (error,) = (await retry(api, job_id, attempts=attempts))["errors"]
    assert (error["code"], error["path"]) == ("INVALID", ["attempts"])
    assert (await api.data("{ counts { failed queued } }"))["counts"] == {"failed": 1, "queued": 0}


async def test_a_finished_job_is_deleted(api: Api, redis: Redis) -> None:
    job_id = await api.enqueue()
    end(redis, run(redis))
    assert await delete(api, job_id) == {"deletedId": job_id, "errors": []}
    assert await api.data("query ($id: ID!) { job(id: $id) { id } }", id=job_id) == {"job": None}


async def test_a_running_job_is_not_deleted(api: Api, redis: Redis) -> None:
    job_id = await api.enqueue()
    run(redis)
    payload = await delete(api, job_id)
    assert payload["deletedId"] is None
    assert payload["errors"][0]["code"] == "CONFLICT"


@pytest.mark.parametrize("id", ["job_00000000000000000000000000", "x"])
@pytest.mark.parametrize("move", [cancel, retry, delete])
async def test_an_unknown_id_is_not_found(api: Api, move: Any, id: str) -> None:
    (error,) = (await move(api, id))["errors"]
    assert (error["__typename"], error["code"], error["path"]) == ("NotFoundError", "NOT_FOUND", ["id"])


@pytest.mark.parametrize("id", ["", "a b", "x" * 65, "job_\n"])
@pytest.mark.parametrize("move", [cancel, retry, delete])
async def test_what_can_be_no_id_is_invalid(api: Api, move: Any, id: str) -> None:
    (error,) = (await move(api, id))["errors"]
    assert (error["code"], error["path"]) == ("INVALID", ["id"])


async def test_a_reason_has_a_length(api: Api) -> None:
    job_id = await api.enqueue()
    (error,) = (await cancel(api, job_id, reason="x" * 501))["errors"]
    assert (error["code"], error["path"]) == ("INVALID", ["reason"])
    assert (await api.data("{ counts { queued } }"))["counts"] == {"queued": 1}


RESCHEDULE = """
mutation ($id: ID!, $runAt: DateTime) {
  rescheduleJob(input: { id: $id, runAt: $runAt }) {
    job { state runAt } errors { __typename code path ... on ConflictError { job { state } } }
  }
}
"""
PRIORITY = """
mutation ($id: ID!, $priority: Int!) {
  changeJobPriority(input: { id: $id, priority: $priority }) {
    job { priority } errors { __typename code path ... on ConflictError { job { state } } }
  }
}
"""


async def reschedule(api: Api, id: str, **facts: Any) -> dict[str, Any]:
    return (await api.data(RESCHEDULE, id=id, **facts))["rescheduleJob"]


async def change_priority(api: Api, id: str, priority: int = 9) -> dict[str, Any]:
    return (await api.data(PRIORITY, id=id, priority=priority))["changeJobPriority"]


async def test_a_job_that_waits_is_given_another_time(api: Api) -> None:
    job_id = await api.enqueue()
    payload = await reschedule(api, job_id, runAt="2040-01-31T12:00:00+01:00")
    assert payload == {"job": {"state": "SCHEDULED", "runAt": "2040-01-31T11:00:00+00:00"}, "errors": []}


async def test_without_a_time_a_job_is_ready_now(api: Api) -> None:
    job_id = await api.enqueue(options=Options(delay=3_600))
    assert (await reschedule(api, job_id))["job"]["state"] == "QUEUED"


async def test_a_job_that_waits_is_given_another_priority(api: Api, redis: Redis) -> None:
    await api.enqueue()
    urgent = await api.enqueue()
    assert await change_priority(api, urgent) == {"job": {"priority": 9}, "errors": []}
    assert run(redis).id == urgent


@pytest.mark.parametrize("priority", [0, 11])
async def test_a_priority_has_bounds(api: Api, priority: int) -> None:
    (error,) = (await change_priority(api, await api.enqueue(), priority))["errors"]
    assert (error["code"], error["path"]) == ("INVALID", ["priority"])


@pytest.mark.parametrize("move", [reschedule, change_priority])
async def test_a_job_that_runs_is_not_moved(api: Api, redis: Redis, move: Any) -> None:
    job_id = await api.enqueue()
    run(redis)
    (error,) = (await move(api, job_id))["errors"]
    assert (error["code"], error["path"], error["job"]) == ("CONFLICT", ["id"], {"state": "RUNNING"})


@pytest.mark.parametrize("move", [reschedule, change_priority])
async def test_a_job_that_is_not_there_is_not_moved(api: Api, move: Any) -> None:
    (error,) = (await move(api, "job_nope"))["errors"]
    assert (error["__typename"], error["path"]) == ("NotFoundError", ["id"])
