"""Changes to many jobs: by a filter and of the history; few at once, many in the background."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis

from support.api import Api, end, run
from taskengine.enqueue_client import NewJob
from taskengine.jobs import Options
from taskengine.store import Ending

CLEAR = """
mutation ($states: [JobState!]! = [COMPLETED, FAILED, CANCELLED], $before: DateTime) {
  clearHistory(input: { states: $states, finishedBefore: $before }) {
    operation { id kind state matched changed skipped createdAt finishedAt requestedBy }
    errors { __typename code message path }
  }
}
"""


async def clear(api: Api, **variables: Any) -> dict[str, Any]:
    payload = (await api.data(CLEAR, **variables))["clearHistory"]
    assert payload["errors"] == []
    return payload["operation"]


async def total(api: Api) -> int:
    return (await api.data("{ jobs { totalCount } }"))["jobs"]["totalCount"]


async def finished(api: Api, redis: Redis, *endings: Ending) -> list[str]:
    made: list[str] = []
    for ending in endings:
        made.append(await api.enqueue())
        end(redis, run(redis), ending)
    return made


async def test_finished_jobs_go_and_others_stay(api: Api, redis: Redis) -> None:
    await finished(api, redis, Ending.COMPLETED, Ending.FAILED)
    waits = await api.enqueue()
    operation = await clear(api)
    assert (operation["kind"], operation["state"]) == ("DELETE", "DONE")
    assert (operation["matched"], operation["changed"], operation["skipped"]) == (2, 2, 0)
    assert operation["finishedAt"] is not None
    assert operation["requestedBy"] == "local"
    assert (await api.data("{ jobs { nodes { id } } }"))["jobs"]["nodes"] == [{"id": waits}]


async def test_only_the_states_that_were_asked_for_go(api: Api, redis: Redis) -> None:
    await finished(api, redis, Ending.COMPLETED, Ending.FAILED)
    assert (await clear(api, states=["FAILED"]))["changed"] == 1
    assert (await api.data("{ counts { completed failed } }"))["counts"] == {"completed": 1, "failed": 0}


async def test_a_job_that_has_just_finished_goes_as_well(api: Api, redis: Redis) -> None:
    for _ in range(20):
        await finished(api, redis, Ending.COMPLETED)
        assert (await clear(api))["changed"] == 1


async def test_what_finished_later_stays(api: Api, redis: Redis) -> None:
    await finished(api, redis, Ending.COMPLETED)
    before = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    assert (await clear(api, before=before))["matched"] == 0
    assert await total(api) == 1


async def test_an_empty_history_is_done_at_once(api: Api) -> None:
    operation = await clear(api)
    assert (operation["state"], operation["matched"], operation["changed"]) == ("DONE", 0, 0)


@pytest.mark.parametrize("states", [["QUEUED"], ["COMPLETED", "RUNNING"]])
async def test_jobs_that_are_not_finished_cannot_be_cleared(api: Api, redis: Redis, states: list[str]) -> None:
    await finished(api, redis, Ending.COMPLETED)
    await api.enqueue()
    payload = (await api.data(CLEAR, states=states))["clearHistory"]
    assert payload["operation"] is None
    assert [(error["code"], error["path"]) for error in payload["errors"]] == [("INVALID", ["states"])]
    assert await total(api) == 2


async def test_no_states_are_refused(api: Api, redis: Redis) -> None:
    await finished(api, redis, Ending.COMPLETED)
    payload = (await api.data(CLEAR, states=[]))["clearHistory"]
    assert payload["operation"] is None
    assert [(error["code"], error["path"]) for error in payload["errors"]] == [("INVALID", ["states"])]
    assert await total(api) == 1


BULK = """
mutation ($input: BulkJobsInput!) {
  answer: %s(input: $input) {
    matched
    operation { id kind state matched changed skipped requestedBy }
    errors { __typename code message path }
  }
}
"""
OPERATION = "query ($id: ID!) { node(id: $id) { ... on BulkOperation { state matched changed skipped } } }"


async def change(api: Api, mutation: str, *, dry_run: bool = False, **filter: Any) -> dict[str, Any]:
    return (await api.data(BULK % mutation, input={"filter": filter, "dryRun": dry_run}))["answer"]


@pytest.mark.parametrize(
    ("mutation", "kind", "counts"),
    [
        ("cancelJobs", "CANCEL", {"queued": 1, "cancelled": 2}),
        ("deleteJobs", "DELETE", {"queued": 1, "cancelled": 0}),
    ],
)
async def test_what_a_filter_finds_is_changed(api: Api, mutation: str, kind: str, counts: dict[str, int]) -> None:
    for tag in ("yes", "yes", "no"):
        await api.enqueue("universal", Options(tags=(tag,)))
    counted = await change(api, mutation, dry_run=True, tags=["yes"])
    assert counted == {"matched": 2, "operation": None, "errors": []}
    answer = await change(api, mutation, tags=["yes"])
    operation = answer["operation"]
    assert (answer["matched"], answer["errors"], operation["requestedBy"]) == (2, [], "local")
    assert [operation[name] for name in ("kind", "state", "matched", "changed", "skipped")] == [kind, "DONE", 2, 2, 0]
    assert (await api.data("{ counts { queued cancelled } }"))["counts"] == counts
    listed = (await api.data("{ bulkOperations { id requestedBy } }"))["bulkOperations"]
    assert listed == [{"id": operation["id"], "requestedBy": "local"}]


async def test_what_failed_is_retried_by_what_its_arguments_contain(api: Api, redis: Redis) -> None:
    for to in ("ann", "bob"):
        await api.enqueue(to=[to, "cy"])
        end(redis, run(redis), Ending.FAILED)
    answer = await change(api, "retryJobs", argsContain={"to": ["ann"]}, text="AS TOLD")
    assert (answer["matched"], answer["operation"]["changed"]) == (1, 1)
    assert (await api.data("{ counts { queued failed } }"))["counts"] == {"queued": 1, "failed": 1}


@pytest.mark.parametrize(
    ("mutation", "filter", "path"),
    [
        ("retryJobs", {"states": ["QUEUED"]}, ["filter", "states"]),
        ("cancelJobs", {"finishedAt": {"gte": "2026-01-01T00:00:00Z"}}, ["filter", "finishedAt"]),
        ("deleteJobs", {"priority": {"gte": 11}}, ["filter", "priority", "gte"]),
        ("deleteJobs", {"failureGroupId": "x"}, ["filter", "failureGroupId"]),
        ("deleteJobs", {"scheduleId": "nightly"}, ["filter", "scheduleId"]),
        ("deleteJobs", {"argsContain": [1]}, ["filter", "argsContain"]),
    ],
)
async def test_a_filter_that_cannot_be_changes_nothing(
    api: Api, mutation: str, filter: dict[str, Any], path: list[str]
) -> None:
    await api.enqueue()
    answer = await change(api, mutation, **filter)
    assert (answer["matched"], answer["operation"]) == (0, None)
    assert [(error["code"], error["path"]) for error in answer["errors"]] == [("INVALID", path)]
    assert await total(api) == 1


async def test_more_than_a_thousand_go_on_in_the_background_and_can_be_stopped(api: Api, redis: Redis) -> None:
    for _ in range(2):
        await api.client.enqueue_jobs([NewJob(task="universal", args={})] * 600)
    operation = (await change(api, "cancelJobs"))["operation"]
    assert [operation[name] for name in ("state", "matched", "changed")] == ["RUNNING", 1_200, 1_000]
    stop = "mutation ($id: ID!) { stopBulkOperation(input: {id: $id}) { operation { state } errors { code path } } }"
    for _ in range(2):
        stopped = (await api.data(stop, id=operation["id"]))["stopBulkOperation"]
        assert stopped == {"operation": {"state": "STOPPED"}, "errors": []}
    entries = (await api.data("{ auditEntries(first: 1) { nodes { action subject } } }"))["auditEntries"]["nodes"]
    assert entries == [{"action": "stop_bulk", "subject": operation["id"]}]
    node = (await api.data(OPERATION, id=operation["id"]))["node"]
    assert node == {"state": "STOPPED", "matched": 1_200, "changed": 1_000, "skipped": 0}
    gone = (await api.data(stop, id="bulk_gone"))["stopBulkOperation"]
    assert gone == {"operation": None, "errors": [{"code": "NOT_FOUND", "path": ["id"]}]}
