"""``Job.logs``: what its runs said, by page and level."""

from typing import Any

import pytest
from redis import Redis

from support.api import Api, run, say

LOGS = """
query ($id: ID!, $first: Int, $after: String, $last: Int, $before: String, $minLevel: LogLevel) {
  job(id: $id) {
    logs(first: $first, after: $after, last: $last, before: $before, minLevel: $minLevel) {
      totalCount pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      edges { cursor node { id } }
      nodes { id at level message attempt fields logger }
    }
  }
}
"""


async def logs(api: Api, id: str, **page: Any) -> Any:
    return (await api.data(LOGS, id=id, **page))["job"]["logs"]


async def test_a_line_is_told_with_its_fields(api: Api, redis: Redis) -> None:
    job_id = await api.enqueue()
    say(redis, run(redis), ("WARNING", "slow"), fields={"seconds": 3}, logger="shop.mail")
    (line,) = (await logs(api, job_id))["nodes"]
    assert line.pop("id").startswith("log_")
    assert line.pop("at")
    assert line == {
        "level": "WARNING",
        "message": "slow",
        "attempt": 1,
        "fields": {"seconds": 3},
        "logger": "shop.mail",
    }


async def test_pages_go_on_behind_a_cursor_and_back(api: Api, redis: Redis) -> None:
    job_id = await api.enqueue()
    say(redis, run(redis), *(("INFO", f"{number}") for number in range(5)))
    first = await logs(api, job_id, first=2)
    assert ([line["message"] for line in first["nodes"]], first["totalCount"]) == (["0", "1"], 5)
    assert (first["pageInfo"]["hasNextPage"], first["pageInfo"]["hasPreviousPage"]) == (True, False)
    second = await logs(api, job_id, first=2, after=first["pageInfo"]["endCursor"])
    assert [line["message"] for line in second["nodes"]] == ["2", "3"]
    last = await logs(api, job_id, last=1)
    assert [line["message"] for line in last["nodes"]] == ["4"]


async def test_lines_below_a_level_are_left_out(api: Api, redis: Redis) -> None:
    job_id = await api.enqueue()
    say(redis, run(redis), ("DEBUG", "a"), ("INFO", "b"), ("ERROR", "c"))
    assert [line["message"] for line in (await logs(api, job_id, minLevel="INFO"))["nodes"]] == ["b", "c"]
    assert len((await logs(api, job_id, minLevel=None))["nodes"]) == 3


async def test_a_line_is_a_node(api: Api, redis: Redis) -> None:
    job_id = await api.enqueue()
    say(redis, run(redis), ("INFO", "here"))
    (line,) = (await logs(api, job_id))["nodes"]
    document = "query ($id: ID!) { node(id: $id) { id ... on JobLog { message } } }"
    assert (await api.data(document, id=line["id"]))["node"] == {"id": line["id"], "message": "here"}
    assert await api.data(document, id=f"log_1-1_{job_id}") == {"node": None}


@pytest.mark.parametrize("page", [{"first": 0}, {"first": 101}, {"after": "x"}, {"first": 1, "last": 1}])
async def test_a_page_that_cannot_be_is_refused(api: Api, page: dict[str, Any]) -> None:
    job_id = await api.enqueue()
    assert (await api.error(LOGS, id=job_id, **page))["extensions"]["code"] == "BAD_USER_INPUT"
