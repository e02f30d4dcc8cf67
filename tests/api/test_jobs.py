"""Reading jobs: one with everything that is kept of it, and pages of them."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from redis import Redis

from support.api import Api, a_task, end, progress, publish, run
from taskengine import bulk_client
from taskengine.jobs import Options
from taskengine.store import Ending

ONE = """
query ($id: ID!) {
  job(id: $id) {
    id state priority args result tags attemptCount maxAttempts timeoutSeconds cancelReason
    createdAt runAt startedAt finishedAt expiresAt waitSeconds runSeconds viewerCanCancel viewerCanRetry
    error { exception message retryable traceback }
    progress { current total message updatedAt }
    task { id name } queue { id name } worker { name hostname }
    attempts {
      totalCount
      nodes { id number outcome workerName startedAt finishedAt nextAttemptAt error { exception traceback } }
    }
  }
}
"""
PAGE = """
query (
  $first: Int, $after: String, $last: Int, $before: String, $filter: JobFilter, $direction: OrderDirection! = DESC
) {
  jobs(first: $first, after: $after, last: $last, before: $before, filter: $filter
       orderBy: { field: CREATED_AT, direction: $direction }) {
    totalCount
    edges { cursor node { id } }
    nodes { id }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""


async def one(api: Api, id: str) -> dict[str, Any]:
    return (await api.data(ONE, id=id))["job"]


async def page(api: Api, **arguments: Any) -> dict[str, Any]:
    return (await api.data(PAGE, **arguments))["jobs"]


def ids(page: dict[str, Any]) -> list[str]:
    return [node["id"] for node in page["nodes"]]


async def test_a_queued_job_shows_what_it_was_given(api: Api) -> None:
    job_id = await api.enqueue(options=Options(priority=8, tags=("a",), timeout=2.5), value=[1, {"a": None}])
    job = await one(api, job_id)
    assert (job["state"], job["priority"], job["tags"]) == ("QUEUED", 8, ["a"])
    assert (job["args"], job["timeoutSeconds"], job["maxAttempts"]) == ({"value": [1, {"a": None}]}, 2.5, 3)
    assert (job["attemptCount"], job["worker"], job["finishedAt"], job["expiresAt"]) == (0, None, None, None)
    assert (job["viewerCanCancel"], job["viewerCanRetry"]) == (True, False)
    assert (job["task"], job["queue"]["name"]) == ({"id": "task_universal", "name": "universal"}, "default")


async def test_instants_are_utc_with_their_offset(api: Api) -> None:
    job = await one(api, await api.enqueue())
    assert job["createdAt"].endswith("+00:00")


async def test_a_running_job_shows_its_worker_and_its_progress(api: Api, redis: Redis) -> None:
    job_id = await api.enqueue()
    progress(redis, run(redis), 4)
    job = await one(api, job_id)
    assert (job["state"], job["attemptCount"]) == ("RUNNING", 1)
    assert job["worker"] == {"name": "hand-1-abcd", "hostname": "house"}
    assert (job["progress"]["current"], job["progress"]["total"], job["progress"]["message"]) == (4, 10, "at it")
    assert job["runSeconds"] >= 0
    assert job["waitSeconds"] >= 0
    assert [attempt["outcome"] for attempt in job["attempts"]["nodes"]] == ["RUNNING"]


async def test_a_completed_job_shows_its_result_and_its_end(api: Api, redis: Redis) -> None:
    job_id = await api.enqueue()
    end(redis, run(redis), value='{"sent": 3}')
    job = await one(api, job_id)
    assert (job["state"], job["result"], job["error"]) == ("COMPLETED", {"sent": 3}, None)
    kept = datetime.fromisoformat(job["expiresAt"]) - datetime.fromisoformat(job["finishedAt"])
    assert kept == timedelta(days=7)


async def test_a_failed_job_shows_its_error_with_the_traceback(api: Api, redis: Redis) -> None:
    job_id = await api.enqueue()
    end(redis, run(redis), Ending.FAILED)
    job = await one(api, job_id)
    assert job["error"] == {
        "exception": "ValueError",
        "message": "as told",
        "retryable": True,
        "traceback": "Traceback: as told",
    }
    (attempt,) = job["attempts"]["nodes"]
    assert (attempt["number"], attempt["outcome"], attempt["workerName"]) == (1, "FAILED", "hand-1-abcd")
    assert attempt["error"] == {"exception": "ValueError", "traceback": "Traceback: as told"}


async def test_a_job_that_will_be_tried_again_says_when(api: Api, redis: Redis) -> None:
    job_id = await api.enqueue()
    end(redis, run(redis), Ending.FAILED, retry_ms=60_000)
    job = await one(api, job_id)
    assert (job["state"], job["viewerCanRetry"]) == ("RETRYING", True)
    assert job["attempts"]["nodes"][0]["nextAttemptAt"] == job["runAt"]


@pytest.mark.parametrize("id", ["job_00000000000000000000000000", "", "a b", "x" * 1000])
async def test_a_job_that_is_not_there_is_null(api: Api, id: str) -> None:
    assert await api.data("query ($id: ID!) { job(id: $id) { id } }", id=id) == {"job": None}


async def test_pages_go_from_the_newest_to_the_oldest(api: Api) -> None:
    made = [await api.enqueue() for _ in range(5)]
    first = await page(api, first=2)
    assert (ids(first), first["totalCount"]) == (made[:2:-1], 5)
    assert (first["pageInfo"]["hasNextPage"], first["pageInfo"]["hasPreviousPage"]) == (True, False)
    second = await page(api, first=2, after=first["pageInfo"]["endCursor"])
    third = await page(api, first=2, after=second["pageInfo"]["endCursor"])
    assert ids(first) + ids(second) + ids(third) == made[::-1]
    assert (third["pageInfo"]["hasNextPage"], third["pageInfo"]["hasPreviousPage"]) == (False, True)


async def test_pages_go_backward_in_the_same_order(api: Api) -> None:
    made = [await api.enqueue() for _ in range(5)]
    last = await page(api, last=2)
    assert ids(last) == [made[1], made[0]]
    before = await page(api, last=2, before=last["pageInfo"]["startCursor"])
    assert ids(before) == [made[3], made[2]]
    assert before["pageInfo"]["hasPreviousPage"] is True


async def test_the_oldest_may_come_first(api: Api) -> None:
    made = [await api.enqueue() for _ in range(3)]
    first = await page(api, first=2, direction="ASC")
    assert ids(first) == made[:2]
    assert ids(await page(api, first=2, after=first["pageInfo"]["endCursor"], direction="ASC")) == made[2:]


async def test_a_page_is_right_while_jobs_come_and_go(api: Api) -> None:
    made = [await api.enqueue() for _ in range(6)]
    first = await page(api, first=2)
    await api.enqueue()
    await api.client.delete_job(made[3])
    assert ids(await page(api, first=2, after=first["pageInfo"]["endCursor"])) == [made[2], made[1]]


async def test_edges_and_nodes_are_the_same_jobs(api: Api) -> None:
    await api.enqueue()
    found = await page(api)
    assert [edge["node"] for edge in found["edges"]] == found["nodes"]
    assert found["edges"][0]["cursor"] == found["pageInfo"]["startCursor"] == found["pageInfo"]["endCursor"]


async def test_an_empty_page_has_no_cursors(api: Api) -> None:
    assert await page(api) == {
        "totalCount": 0,
        "edges": [],
        "nodes": [],
        "pageInfo": {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None},
    }


async def test_filters_are_anded_and_their_members_ored(api: Api, redis: Redis) -> None:
    def other() -> None:
        """Another task."""

    publish(redis, a_task("other", other, queue="slow"))
    done = await api.enqueue()
    end(redis, run(redis))
    waits = await api.enqueue()
    await api.enqueue("other")
    assert ids(await page(api, filter={"states": ["COMPLETED"]})) == [done]
    assert ids(await page(api, filter={"states": ["COMPLETED", "QUEUED"], "tasks": ["universal"]})) == [waits, done]
    assert (await page(api, filter={"queues": ["slow"], "tasks": ["universal"]}))["totalCount"] == 0
    assert (await page(api, filter={"queues": ["slow", "default"]}))["totalCount"] == 3
    assert (await page(api, filter={"states": [], "queues": [], "tasks": None}))["totalCount"] == 3


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"first": 0}, "first"),
        ({"first": 101}, "first"),
        ({"last": -1}, "last"),
        ({"after": "no cursor"}, "after"),
        ({"before": ""}, "before"),
        ({"first": 1, "last": 1}, "last"),
    ],
    ids=str,
)
async def test_a_page_that_there_cannot_be_is_refused(api: Api, arguments: dict[str, Any], path: str) -> None:
    error = await api.error(PAGE, **arguments)
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "path": [path]}


async def test_attempts_are_paged_as_well(api: Api, redis: Redis) -> None:
    job_id = await api.enqueue()
    for _ in range(3):
        end(redis, run(redis), Ending.RELEASED)
    document = """
      query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
        job(id: $id) { attempts(first: $first, after: $after, last: $last, before: $before) {
          totalCount nodes { number } pageInfo { hasNextPage hasPreviousPage endCursor startCursor }
        } }
      }
    """

    async def attempts(**arguments: Any) -> dict[str, Any]:
        return (await api.data(document, id=job_id, **arguments))["job"]["attempts"]

    first = await attempts(first=2)
    assert (first["nodes"], first["totalCount"]) == ([{"number": 1}, {"number": 2}], 3)
    assert first["pageInfo"]["hasNextPage"] is True
    rest = await attempts(first=2, after=first["pageInfo"]["endCursor"])
    assert (rest["nodes"], rest["pageInfo"]["hasPreviousPage"]) == ([{"number": 3}], True)
    assert (await attempts(last=1))["nodes"] == [{"number": 3}]
    assert (await attempts(last=1, before=rest["pageInfo"]["startCursor"]))["nodes"] == [{"number": 2}]
    error = await api.error(document, id=job_id, after="nowhere")
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "path": ["after"]}


ORDERED = """
query ($first: Int, $after: String, $last: Int, $before: String, $filter: JobFilter, $order: JobOrder!) {
  jobs(first: $first, after: $after, last: $last, before: $before, filter: $filter, orderBy: $order) {
    totalCount scannedCount
    nodes { id }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}
"""


async def ordered(api: Api, field: str, direction: str = "ASC", **arguments: Any) -> dict[str, Any]:
    return (await api.data(ORDERED, order={"field": field, "direction": direction}, **arguments))["jobs"]


async def test_jobs_are_ordered_by_finish_in_both_directions_of_pages(api: Api, redis: Redis) -> None:
    made = [await api.enqueue(options=Options(priority=priority)) for priority in (1, 5, 9)]
    for _ in made:  # the most urgent one ends first
        end(redis, run(redis))
    # Two may end in one millisecond: then their ids decide.
    finished = [((await one(api, job_id))["finishedAt"], job_id) for job_id in made]
    expected = [job_id for _, job_id in sorted(finished)]
    first = await ordered(api, "FINISHED_AT", first=2)
    assert (ids(first), first["totalCount"], first["scannedCount"]) == (expected[:2], 3, None)
    rest = await ordered(api, "FINISHED_AT", first=2, after=first["pageInfo"]["endCursor"])
    assert (ids(rest), rest["pageInfo"]["hasNextPage"]) == (expected[2:], False)
    back = await ordered(api, "FINISHED_AT", last=2, before=rest["pageInfo"]["startCursor"])
    assert (ids(back), back["pageInfo"]["hasPreviousPage"]) == (expected[:2], False)
    assert ids(await ordered(api, "FINISHED_AT", "DESC")) == expected[::-1]


async def test_the_greatest_priority_and_the_latest_run_time_come_first_when_descending(api: Api) -> None:
    low, high = [await api.enqueue(options=Options(priority=priority)) for priority in (2, 8)]
    soon, late = [await api.enqueue(options=Options(delay=delay)) for delay in (60, 600)]
    assert ids(await ordered(api, "PRIORITY", "DESC")) == [high, low]
    assert ids(await ordered(api, "RUN_AT", "DESC")) == [late, soon]
    assert ids(await ordered(api, "RUN_AT", "ASC")) == [soon, late]


async def test_an_order_refuses_states_that_it_cannot_order(api: Api) -> None:
    order = {"field": "FINISHED_AT", "direction": "ASC"}
    error = await api.error(ORDERED, order=order, filter={"states": ["QUEUED"]})
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "path": ["filter", "states"]}
    assert "expected COMPLETED or FAILED or CANCELLED" in error["message"]


async def test_a_cursor_of_another_order_is_refused(api: Api) -> None:
    await api.enqueue()
    cursor = (await ordered(api, "CREATED_AT"))["pageInfo"]["endCursor"]
    error = await api.error(ORDERED, order={"field": "PRIORITY", "direction": "ASC"}, after=cursor)
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "path": ["after"]}


@pytest.mark.parametrize(
    "filter",
    [
        {"tags": ["red", "blue"]},
        {"priority": {"gte": 6, "lte": 7}},
        {"text": "ANN ÖHL"},
        {"argsContain": {"to": ["Ann Öhl"]}},
        {"queues": ["mail"], "tags": ["red"], "text": "öhl"},
    ],
)
async def test_any_field_of_a_filter_finds_its_jobs(api: Api, filter: dict[str, Any]) -> None:
    yes = await api.enqueue(options=Options(tags=("red",), priority=7, queue="mail"), to=["Ann Öhl", "x"])
    await api.enqueue(options=Options(tags=("green",)), to=["Bob"])
    assert ids(await ordered(api, "CREATED_AT", filter=filter)) == [yes]
    only = await ordered(api, "CREATED_AT", filter={**filter, "ids": [yes, "gone"]})
    assert ids(only) == [yes]


async def test_times_bound_a_filter_half_open(api: Api) -> None:
    made = [await api.enqueue() for _ in range(3)]
    created = [(await one(api, job_id))["createdAt"] for job_id in made]
    found = await ordered(api, "CREATED_AT", filter={"createdAt": {"gte": created[1], "lt": created[2]}})
    assert (ids(found), found["totalCount"]) == (made[1:2], 1)


async def test_a_text_is_looked_for_in_a_bounded_number_of_jobs_a_page(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_client, "RECORDS", 2)
    monkeypatch.setattr(bulk_client, "RECORDS_A_PAGE", 4)
    yes = await api.enqueue(value="needle")
    for _ in range(5):
        await api.enqueue(value="hay")
    page = await ordered(api, "CREATED_AT", "DESC", filter={"text": "needle"})
    assert (ids(page), page["totalCount"], page["scannedCount"]) == ([], None, 4)
    assert page["pageInfo"]["hasNextPage"]
    rest = await ordered(api, "CREATED_AT", "DESC", filter={"text": "needle"}, after=page["pageInfo"]["endCursor"])
    assert (ids(rest), rest["scannedCount"], rest["pageInfo"]["hasNextPage"]) == ([yes], None, False)
