"""``Job.events``: the recorded changes of one job, by page."""

from typing import Any

import pytest
from redis import Redis

from support.api import Api, end, progress, run, say
from taskengine import events as engine_events
from taskengine.keys import Keys

EVENTS = """
query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String) {
  job(id: $id) {
    events(first: $first, after: $after, last: $last, before: $before) {
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      edges { cursor node { cursor } }
      nodes {
        __typename cursor at job { id }
        ... on JobStateChanged { to }
        ... on JobProgressed { progress { current } }
        ... on JobLogged { log { message } }
      }
    }
  }
}
"""


def told(page: Any) -> list[Any]:
    """What each event of a page tells."""
    return [
        event.get("to") or event.get("progress", {}).get("current") or event.get("log", {}).get("message")
        for event in page["nodes"]
    ]


async def events(api: Api, id: str, **page: Any) -> Any:
    return (await api.data(EVENTS, id=id, **page))["job"]["events"]


async def a_life(api: Api, redis: Redis) -> str:
    """A job that was enqueued, ran, told how far it is, said three lines and completed."""
    job_id = await api.enqueue()
    await api.enqueue()
    job = run(redis)
    progress(redis, job, 3)
    say(redis, job, ("INFO", "a"), ("INFO", "b"), ("INFO", "c"))
    end(redis, job)
    return job_id


LIFE = ["QUEUED", "RUNNING", 3, "a", "b", "c", "COMPLETED"]


async def test_all_that_happened_to_a_job_is_there_and_nothing_of_others(api: Api, redis: Redis) -> None:
    job_id = await a_life(api, redis)
    found = await events(api, job_id)
    assert told(found) == LIFE
    assert {event["job"]["id"] for event in found["nodes"]} == {job_id}
    assert [edge["cursor"] for edge in found["edges"]] == [event["cursor"] for event in found["nodes"]]
    assert (found["pageInfo"]["hasNextPage"], found["pageInfo"]["hasPreviousPage"]) == (False, False)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 6, 7])
async def test_pages_of_any_size_come_to_the_whole(api: Api, redis: Redis, size: int) -> None:
    job_id = await a_life(api, redis)
    forward: list[Any] = []
    page = await events(api, job_id, first=size)
    forward += told(page)
    while page["pageInfo"]["hasNextPage"]:
        page = await events(api, job_id, first=size, after=page["pageInfo"]["endCursor"])
        assert page["nodes"]
        forward += told(page)
    assert forward == LIFE
    backward: list[Any] = []
    page = await events(api, job_id, last=size)
    backward = told(page)
    while page["pageInfo"]["hasPreviousPage"]:
        page = await events(api, job_id, last=size, before=page["pageInfo"]["startCursor"])
        assert page["nodes"]
        backward = told(page) + backward
    assert backward == LIFE


async def test_events_that_are_gone_are_told_as_lost(api: Api, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_events, "KEPT", 1)
    job_id = await a_life(api, redis)
    redis.xtrim(Keys("default").events, maxlen=1, approximate=False)
    found = await events(api, job_id)
    assert [event["__typename"] for event in found["nodes"]] == ["JobEventsLost", "JobStateChanged"]


@pytest.mark.parametrize(
    ("page", "path"),
    [
        ({"first": 0}, ["first"]),
        ({"last": 101}, ["last"]),
        ({"first": 1, "last": 1}, ["last"]),
        ({"after": "x"}, ["after"]),
        ({"before": "1-1.x"}, ["before"]),
    ],
)
async def test_a_page_that_cannot_be_is_refused(api: Api, page: dict[str, Any], path: list[str]) -> None:
    job_id = await api.enqueue()
    error = await api.error(EVENTS, id=job_id, **page)
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "path": path}
