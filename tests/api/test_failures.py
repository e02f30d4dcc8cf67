"""``failureGroups`` and ``Job.failureGroup``: failures that are one problem."""

from typing import Any

from redis import Redis

from support.api import Api, end, run
from taskengine.records import dumps
from taskengine.store import Ending

GROUPS = """
query ($first: Int, $after: String, $last: Int, $before: String) {
  failureGroups(first: $first, after: $after, last: $last, before: $before) {
    totalCount pageInfo { hasNextPage hasPreviousPage endCursor }
    edges { cursor node { id } }
    nodes { id task { name } exception message summary location count failedCount firstAt lastAt sample { id } }
  }
}
"""


async def fail(api: Api, redis: Redis, exception: str = "ValueError", message: str = "as told") -> str:
    """Have a job fail for good, of one problem."""
    job_id = await api.enqueue()
    error = {"exception": exception, "message": message, "retryable": True, "place": "shop/mail.py:42 in send"}
    end(redis, run(redis), Ending.FAILED, value=dumps(error))
    return job_id


async def groups(api: Api, **page: Any) -> Any:
    return (await api.data(GROUPS, **page))["failureGroups"]


async def test_failures_of_one_kind_are_one_group(api: Api, redis: Redis) -> None:
    await fail(api, redis, message="mail 17 is gone")
    newest = await fail(api, redis, message="mail 18 is gone")
    found = await groups(api)
    (group,) = found["nodes"]
    assert found["totalCount"] == 1
    assert group.pop("id").startswith("fail_")
    assert group.pop("firstAt") <= group.pop("lastAt")
    assert group == {
        "task": {"name": "universal"},
        "exception": "ValueError",
        "message": "mail 18 is gone",
        "summary": "mail # is gone",
        "location": "shop/mail.py:42 in send",
        "count": 2,
        "failedCount": 2,
        "sample": {"id": newest},
    }


async def test_groups_come_by_page_those_that_failed_last_first(api: Api, redis: Redis) -> None:
    for name in ("A", "B", "C"):
        await fail(api, redis, name)
    first = await groups(api, first=2)
    assert [group["exception"] for group in first["nodes"]] == ["C", "B"]
    assert first["pageInfo"]["hasNextPage"] is True
    second = await groups(api, first=2, after=first["pageInfo"]["endCursor"])
    assert [group["exception"] for group in second["nodes"]] == ["A"]
    last = await groups(api, last=1)
    assert [group["exception"] for group in last["nodes"]] == ["A"]


async def test_a_group_tells_when_it_failed(api: Api, redis: Redis) -> None:
    for _ in range(2):
        await fail(api, redis)
    document = "query ($w: FailureWindow!) { failureGroups { nodes { course(window: $w) { at count } } } }"
    for window, parts in (("HOUR", 60), ("DAY", 24), ("WEEK", 28)):
        (group,) = (await api.data(document, w=window))["failureGroups"]["nodes"]
        course = group["course"]
        assert (len(course), sum(point["count"] for point in course)) == (parts, 2)
        assert [point["at"] for point in course] == sorted(point["at"] for point in course)


async def test_a_course_is_of_a_day_unless_told(api: Api, redis: Redis) -> None:
    job_id = await fail(api, redis)
    document = "query ($id: ID!) { job(id: $id) { failureGroup { course { count } } } }"
    course = (await api.data(document, id=job_id))["job"]["failureGroup"]["course"]
    assert [point["count"] for point in course[:-2]] == [0] * 22


async def test_a_failed_job_leads_to_its_group(api: Api, redis: Redis) -> None:
    job_id = await fail(api, redis)
    (group,) = (await groups(api))["nodes"]
    document = "query ($id: ID!) { job(id: $id) { failureGroup { id count } } }"
    assert (await api.data(document, id=job_id))["job"]["failureGroup"] == {"id": group["id"], "count": 1}


async def test_a_job_that_did_not_fail_has_no_group(api: Api) -> None:
    document = "query ($id: ID!) { job(id: $id) { failureGroup { id } } }"
    assert (await api.data(document, id=await api.enqueue()))["job"]["failureGroup"] is None


async def test_a_group_is_a_node(api: Api, redis: Redis) -> None:
    await fail(api, redis)
    (group,) = (await groups(api))["nodes"]
    document = "query ($id: ID!) { node(id: $id) { ... on FailureGroup { exception } } }"
    assert (await api.data(document, id=group["id"]))["node"] == {"exception": "ValueError"}


async def test_a_cursor_that_no_page_had_is_refused(api: Api) -> None:
    assert (await api.error(GROUPS, after="x y"))["extensions"] == {"code": "BAD_USER_INPUT", "path": ["after"]}
