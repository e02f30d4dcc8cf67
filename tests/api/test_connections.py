"""What holds of every list by page: both ways through it see each object once, in one order, and bounds are kept."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from graphql import GraphQLObjectType, get_named_type
from redis import Redis

from support.api import Api, end, run, say
from taskengine.jobs import Options
from taskengine.store import Ending
from taskengine_api.schema.build import Schema

SCHEMA = Schema().core
LENGTH = 5
FIRST_OF_JOBS = "jobs(first: 1, orderBy: {field: CREATED_AT, direction: ASC}) { nodes"
PLACES = {
    "Query.jobs": "jobs%s { %s }",
    "Query.failureGroups": "failureGroups%s { %s }",
    "Query.auditEntries": "auditEntries%s { %s }",
    "Job.attempts": FIRST_OF_JOBS + " { found: attempts%s { %s } } }",
    "Job.logs": FIRST_OF_JOBS + " { found: logs%s { %s } } }",
    "Job.events": FIRST_OF_JOBS + " { found: events%s { %s } } }",
    "Schedule.jobs": "schedules { found: jobs%s { %s } }",
}
"""Of each connection: how one gets there, with its arguments and selection left open."""
WANTED = """
  edges { cursor node { __typename } } nodes { __typename }
  pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
"""

Ask = Callable[..., Awaitable[Any]]


def test_every_list_by_page_is_held_to_this() -> None:
    found = {
        f"{type_.name}.{name}"
        for type_ in SCHEMA.type_map.values()
        if isinstance(type_, GraphQLObjectType)
        for name, field in type_.fields.items()
        if get_named_type(field.type).name.endswith("Connection")
    }
    assert found == PLACES.keys()


@pytest.fixture
async def full(api: Api, redis: Redis) -> Api:
    """An API where each of them has five objects, or more."""
    await api.client.create_schedule("nightly", "universal", {}, cron="30 2 * * *", by="ann")
    first = await api.enqueue(options=Options(priority=10))
    for number in range(LENGTH):
        job = run(redis)
        say(redis, job, ("INFO", f"line {number}"))
        error = json.dumps({"exception": f"Error{number}", "message": "as told", "retryable": True})
        end(redis, job, Ending.FAILED, value=error)
        await api.client.retry_job(first, attempts=1, by="ann")
    for _ in range(LENGTH):
        await api.client.run_schedule("nightly", by="ann")
    return api


@pytest.fixture
def ask(full: Api, place: str) -> Ask:
    """Ask for a page, by its arguments."""

    async def asked(**page: Any) -> Any:
        answer = await full.answer(_document(place, page))
        if "errors" in answer:
            (error,) = answer["errors"]
            return error["extensions"]
        return _inside(answer["data"])

    return asked


def _document(place: str, page: dict[str, Any]) -> str:
    given = ", ".join(f"{name}: {json.dumps(value)}" for name, value in page.items())
    return "{ " + PLACES[place] % (f"({given})" if given else "", WANTED) + " }"


def _inside(data: Any) -> Any:
    """Return the connection in an answer, wherever it is."""
    if isinstance(data, list):
        return _inside(data[0])
    return data if "pageInfo" in data else _inside(next(iter(data.values())))


def cursors(page: Any) -> list[str]:
    assert len(page["nodes"]) == len(page["edges"])
    found = [edge["cursor"] for edge in page["edges"]]
    info = page["pageInfo"]
    if found:
        assert (info["startCursor"], info["endCursor"]) == (found[0], found[-1])
    return found


@pytest.mark.parametrize("place", PLACES)
async def test_forward_and_backward_see_each_once_in_one_order(ask: Ask) -> None:
    whole = cursors(await ask(first=100))
    assert len(whole) == len(set(whole)) >= LENGTH
    forward: list[str] = []
    page = await ask(first=2)
    assert not page["pageInfo"]["hasPreviousPage"]
    while True:
        forward += cursors(page)
        if not page["pageInfo"]["hasNextPage"]:
            break
        page = await ask(first=2, after=forward[-1])
        assert page["pageInfo"]["hasPreviousPage"]
    assert forward == whole
    backward: list[str] = []
    page = await ask(last=2)
    assert not page["pageInfo"]["hasNextPage"]
    while True:
        backward = cursors(page) + backward
        if not page["pageInfo"]["hasPreviousPage"]:
            break
        page = await ask(last=2, before=backward[0])
        assert page["pageInfo"]["hasNextPage"]
    assert backward == whole


@pytest.mark.parametrize("place", PLACES)
async def test_without_a_size_it_has_fifty_at_most(ask: Ask) -> None:
    assert LENGTH <= len(cursors(await ask())) <= 50


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    ("page", "path"),
    [
        ({"first": 0}, "first"),
        ({"first": -1}, "first"),
        ({"first": 101}, "first"),
        ({"last": 0}, "last"),
        ({"last": 101}, "last"),
        ({"first": 2, "last": 2}, "last"),
        ({"after": "nowhere"}, "after"),
        ({"after": ""}, "after"),
        ({"before": "nowhere"}, "before"),
        ({"first": 2, "before": "nowhere"}, None),
    ],
    ids=str,
)
async def test_a_page_that_there_cannot_be_is_refused_by_name(ask: Ask, page: dict[str, Any], path: str | None) -> None:
    refusal = await ask(**page)
    assert refusal["code"] == "BAD_USER_INPUT"
    assert path is None or refusal["path"] == [path]
