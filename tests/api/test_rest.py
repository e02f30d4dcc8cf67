"""REST for scripts: the same jobs, the same keys, the same errors."""

from dataclasses import replace
from typing import Any, cast

import httpx
import pytest
from graphql import GraphQLInputObjectType, OperationDefinitionNode, get_operation_ast, parse, validate
from redis import Redis

from support.api import QUICK, Api, end, run, running_api
from support.attacks import PLAIN
from support.redis_server import RedisServer
from support.waiting import until
from taskengine.retries import Backoff
from taskengine.store import Ending
from taskengine_api import rest
from taskengine_api.cost import LIMIT, Costs
from taskengine_api.openapi import DOCUMENT
from taskengine_api.roles import Role
from taskengine_api.schema.build import Schema

SCHEMA = Schema().core
DOCUMENTS = {name: text for name, text in vars(rest).items() if isinstance(text, str) and "$" in text}


def code(response: httpx.Response) -> tuple[int, str]:
    """Return status and code of a refusal."""
    return response.status_code, response.json()["errors"][0]["extensions"]["code"]


async def enqueue(api: Api, **body: Any) -> dict[str, Any]:
    response = await api.http.post("/api/jobs", json={"task": "universal", "args": {}, **body})
    assert response.status_code == 201, response.text
    return response.json()["job"]


async def ids(api: Api, **parameters: Any) -> list[str]:
    response = await api.http.get("/api/jobs", params=parameters)
    assert response.status_code == 200, response.text
    return [job["id"] for job in response.json()["jobs"]]


async def test_a_job_is_enqueued_looked_at_and_deleted(api: Api) -> None:
    job = await enqueue(api, args={"value": 7}, options={"priority": 8, "tags": ["mine"]})
    assert (job["task"], job["queue"], job["state"], job["args"]) == ("universal", "default", "QUEUED", {"value": 7})
    assert (job["priority"], job["tags"]) == (8, ["mine"])
    assert (await api.http.get(f"/api/jobs/{job['id']}")).json() == {"job": job}
    assert (await api.http.delete(f"/api/jobs/{job['id']}")).json() == {"deletedId": job["id"]}
    assert code(await api.http.get(f"/api/jobs/{job['id']}")) == (404, "NOT_FOUND")


async def test_a_second_enqueue_with_its_key_finds_the_first(api: Api) -> None:
    body = {"task": "universal", "args": {}, "options": {"idempotencyKey": "order-7"}}
    first, second = [await api.http.post("/api/jobs", json=body) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["job"]["id"] == second.json()["job"]["id"]
    assert second.json()["deduplicated"] is True


async def test_how_long_it_waits_between_attempts_can_be_said(api: Api) -> None:
    job = await api.client.get_job((await enqueue(api, options={"backoff": {"baseSeconds": 5, "jitter": False}}))["id"])
    assert job is not None
    assert job.backoff == Backoff(base_seconds=5, jitter=False)
    body = {"task": "universal", "args": {}, "options": {"backoff": {"baseSeconds": -5}}}
    response = await api.http.post("/api/jobs", json=body)
    assert code(response) == (422, "INVALID")
    assert response.json()["errors"][0]["extensions"]["path"] == ["options", "backoff", "baseSeconds"]


async def test_a_failed_job_is_retried(api: Api, redis: Redis) -> None:
    job = await enqueue(api)
    end(redis, run(redis), Ending.FAILED)
    assert (await api.http.get(f"/api/jobs/{job['id']}")).json()["job"]["error"]["message"] == "as told"
    response = await api.http.post(f"/api/jobs/{job['id']}/retry", json={"attempts": 2})
    assert response.json()["job"]["state"] == "QUEUED"
    assert code(await api.http.post(f"/api/jobs/{job['id']}/retry")) == (409, "CONFLICT")


async def test_finished_jobs_are_cleared(api: Api, redis: Redis) -> None:
    await enqueue(api)
    end(redis, run(redis))
    response = await api.http.post("/api/jobs/clear", json={"states": ["COMPLETED"]})
    assert response.json()["operation"]["changed"] == 1
    assert await ids(api) == []


async def test_jobs_are_listed_by_page_and_by_what_is_asked_of_them(api: Api, redis: Redis) -> None:
    made = [
        (await enqueue(api, args={"value": n}, options={"tags": [f"t{n}"], "priority": n + 1}))["id"] for n in range(4)
    ]
    end(redis, run(redis), Ending.FAILED)  # the last one, which has the highest priority
    newest_first = made[::-1]
    assert await ids(api) == newest_first
    assert await ids(api, orderBy="CREATED_AT", direction="ASC") == made
    assert await ids(api, states="QUEUED,RUNNING") == newest_first[1:]
    assert await ids(api, states=["FAILED", "RUNNING"]) == made[3:]
    assert await ids(api, tags="t1", queues="default", tasks="universal") == [made[1]]
    assert await ids(api, priorityGte=2, priorityLte=3) == [made[2], made[1]]
    assert await ids(api, argsContain='{"value": 2}') == [made[2]]
    assert await ids(api, createdAtLt="2020-01-01T00:00:00Z") == []
    page = (await api.http.get("/api/jobs", params={"first": 3})).json()
    assert (page["totalCount"], page["pageInfo"]["hasNextPage"]) == (4, True)
    assert await ids(api, after=page["pageInfo"]["endCursor"]) == [made[0]]


@pytest.mark.parametrize(
    ("parameters", "status", "words"),
    [
        ({"stats": "QUEUED"}, 400, "'stats' is no parameter of this address; did you mean"),
        ({"states": "WAITING"}, 422, "WAITING"),
        ({"first": "many"}, 422, "$first"),
        ({"first": "0"}, 422, "first"),
        ({"argsContain": "{"}, 400, "JSON"),
        ({"createdAtGte": "yesterday"}, 422, "yesterday"),
        ({"after": "nowhere"}, 422, "after"),
    ],
    ids=str,
)
async def test_parameters_that_cannot_be_meant_are_refused_in_words(
    api: Api, parameters: dict[str, str], status: int, words: str
) -> None:
    response = await api.http.get("/api/jobs", params=parameters)
    assert response.status_code == status
    assert words in response.json()["errors"][0]["message"] + str(response.json()["errors"][0]["extensions"])


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (b"", (422, "BAD_USER_INPUT")),
        (b"[]", (400, "BAD_REQUEST")),
        (b"{", (400, "BAD_REQUEST")),
        (b'{"task": "universal"}', (422, "BAD_USER_INPUT")),
        (b'{"task": "universal", "args": {}, "nope": 1}', (422, "BAD_USER_INPUT")),
        (b'{"task": "nobody", "args": {}}', (404, "NOT_FOUND")),
        (b'{"task": "universal", "args": {"times": "x"}}', (422, "INVALID")),
        (b" " * 1_048_577, (413, "PAYLOAD_TOO_LARGE")),
    ],
    ids=lambda value: repr(value)[:40],
)
async def test_what_is_no_job_is_refused_and_nothing_enqueued(api: Api, body: bytes, refusal: Any) -> None:
    response = await api.http.post("/api/jobs", content=body, headers={"Content-Type": "application/json"})
    assert code(response) == refusal
    assert await ids(api) == []


async def test_an_error_names_the_place_in_the_input(api: Api) -> None:
    response = await api.http.post("/api/jobs", json={"task": "universal", "args": {"times": "x"}})
    assert response.json()["errors"][0]["extensions"]["path"] == ["args", "times"]


async def test_another_type_of_body_is_refused(api: Api) -> None:
    response = await api.http.post("/api/jobs", content="task=universal", headers={"Content-Type": "text/plain"})
    assert code(response) == (415, "BAD_REQUEST")


async def test_roles_hold_as_in_graphql(api: Api) -> None:
    job_id = await api.enqueue()
    viewer = await api.client.create_api_key("vera", Role.VIEWER)
    operator = await api.client.create_api_key("otto", Role.OPERATOR)
    http = api.http

    def shown(secret: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {secret}"}

    assert code(await http.get("/api/jobs")) == (401, "UNAUTHENTICATED")
    assert (await http.get("/api/jobs", headers=shown(viewer))).status_code == 200
    assert code(await http.delete(f"/api/jobs/{job_id}", headers=shown(viewer))) == (403, "FORBIDDEN")
    assert code(await http.post("/api/jobs/clear", headers=shown(operator))) == (403, "FORBIDDEN")
    assert (await http.delete(f"/api/jobs/{job_id}", headers=shown(operator))).status_code == 200
    (entry,) = [entry for entry in (await api.client.list_audit_entries()).entries if entry.action == "delete_job"]
    assert (entry.by, entry.subject) == ("otto", job_id)


async def test_a_job_says_whose_key_enqueued_it(api: Api) -> None:
    secret = await api.client.create_api_key("otto", Role.OPERATOR)
    headers = {"Authorization": f"Bearer {secret}"}
    made = await api.http.post("/api/jobs", json={"task": "universal", "args": {}}, headers=headers)
    job = made.json()["job"]
    assert job["enqueuedBy"] == "otto"
    assert (await api.http.get(f"/api/jobs/{job['id']}", headers=headers)).json() == {"job": job}


async def test_a_budget_that_is_spent_is_429_and_says_when_to_come_again(redis_url: str) -> None:
    async with running_api(redis_url, api=replace(QUICK, points_per_minute=1_000)) as api:
        answers = [await api.http.get("/api/jobs", params={"first": 20}) for _ in range(5)]
    assert answers[0].status_code == 200
    assert code(answers[-1]) == (429, "RATE_LIMITED")
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60


async def test_without_a_key_where_one_is_needed_it_is_401(api: Api) -> None:
    secret = await api.client.create_api_key("ci", Role.OPERATOR)
    for method, path in (("GET", "/api/jobs"), ("POST", "/api/jobs"), ("DELETE", "/api/jobs/job_x")):
        assert code(await api.http.request(method, path)) == (401, "UNAUTHENTICATED")
    opened = await api.http.get("/api/jobs", headers={"Authorization": f"Bearer {secret}"})
    assert opened.status_code == 200


async def test_without_redis_it_is_503_and_comes_back(durable_redis: RedisServer) -> None:
    async with running_api(durable_redis.url) as api:
        durable_redis.kill()
        assert code(await api.http.get("/api/jobs")) == (503, "UNAVAILABLE")
        assert code(await api.http.post("/api/jobs/job_x/retry", json={})) == (503, "UNAVAILABLE")
        durable_redis.restart()

        async def back() -> bool:
            return (await api.http.get("/api/jobs")).status_code == 200

        await until(back)


async def test_a_body_past_the_limit_is_413(api: Api) -> None:
    response = await api.http.post("/api/jobs", content=b" " * 1_048_577, headers=PLAIN)
    assert code(response) == (413, "PAYLOAD_TOO_LARGE")


@pytest.mark.parametrize("body", [b"[" * 100_000, b"null", b"\xff", b'{"task": NaN}', b'{"args": 1e999}'])
async def test_an_odd_body_is_400(api: Api, body: bytes) -> None:
    assert code(await api.http.post("/api/jobs", content=body, headers=PLAIN)) == (400, "BAD_REQUEST")


async def test_pages_of_other_sites_are_refused(api: Api) -> None:
    response = await api.http.post("/api/jobs/clear", headers={"Origin": "https://evil.example"})
    assert code(response) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/api/jobs"), ("GET", "/api/jobs/clear/x"), ("PATCH", "/api/jobs/a")]
)
async def test_there_is_nothing_else(api: Api, method: str, path: str) -> None:
    assert (await api.http.request(method, path)).status_code in {404, 405}


# What it says of itself


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_operation_underneath_is_valid_and_within_its_cost(name: str) -> None:
    document = parse(DOCUMENTS[name])
    assert validate(SCHEMA, document) == []
    operation = get_operation_ast(document)
    assert isinstance(operation, OperationDefinitionNode)
    assert Costs(SCHEMA, document).of(operation, {"first": 100}) <= LIMIT


def test_every_filter_of_the_schema_is_a_parameter() -> None:
    fields = set(cast(GraphQLInputObjectType, SCHEMA.type_map["JobFilter"]).fields)
    assert {*rest.LISTS, *rest.PLAIN, *(field for field, _ in rest.RANGES.values())} == fields


async def test_its_description_has_every_address_and_parameter(api: Api) -> None:
    assert (await api.http.get("/api/openapi.json")).json() == DOCUMENT
    described = {(path, method.upper()) for path, methods in DOCUMENT["paths"].items() for method in methods}
    routes = [route for route in cast(Any, api.app.router.routes) if getattr(route, "path", "").startswith("/api/jobs")]
    assert described == {(route.path, method) for route in routes for method in route.methods - {"HEAD"}}
    parameters = {parameter["name"] for parameter in DOCUMENT["paths"]["/api/jobs"]["get"]["parameters"]}
    assert parameters == {*rest.LISTS, *rest.PLAIN, *rest.RANGES, *rest.PAGING, *rest.ORDER}
