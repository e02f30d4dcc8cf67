"""Clearing the history: few jobs at once, many in the background."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis

from support.api import Api, end, run
from support.waiting import until
from taskengine.store import Ending
from taskengine_api import operations

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
    assert operation["requestedBy"] is None
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


async def test_no_states_are_no_jobs(api: Api, redis: Redis) -> None:
    await finished(api, redis, Ending.COMPLETED)
    assert (await clear(api, states=[]))["matched"] == 0
    assert await total(api) == 1


async def test_a_large_history_goes_in_the_background(api: Api, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "AT_ONCE", 3)
    monkeypatch.setattr(operations, "BATCH", 2)
    await finished(api, redis, *[Ending.COMPLETED] * 7)
    operation = await clear(api)
    assert (operation["state"], operation["matched"], operation["finishedAt"]) == ("RUNNING", 7, None)

    async def done() -> bool:
        document = "query ($id: ID!) { node(id: $id) { ... on BulkOperation { state changed skipped } } }"
        node = (await api.data(document, id=operation["id"]))["node"]
        return node == {"state": "DONE", "changed": 7, "skipped": 0}

    await until(done)
    assert await total(api) == 0


async def test_an_operation_that_fails_in_the_background_says_that_it_stopped(
    api: Api, redis: Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(operations, "AT_ONCE", 0)
    await finished(api, redis, Ending.COMPLETED)

    async def broken(*_: Any, **__: Any) -> int:
        raise RuntimeError("out of order")

    monkeypatch.setattr(api.client, "clear_history", broken)
    operation = await clear(api)

    async def stopped() -> bool:
        document = "query ($id: ID!) { node(id: $id) { ... on BulkOperation { state changed skipped } } }"
        return (await api.data(document, id=operation["id"]))["node"] == {
            "state": "STOPPED",
            "changed": 0,
            "skipped": 1,
        }

    await until(stopped)
    assert "out of order" in caplog.text
