"""Clients that others wrote, each on the running API: queries, mutations, refusals and live events.

All of them do the same and have to come to the same report.
"""

import asyncio
import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from gql import Client as GqlClient
from gql import GraphQLRequest
from gql.transport.exceptions import TransportQueryError
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport
from redis import Redis

from support.api import LEASE_MS, STORE, WORKER, end, progress
from support.node import run_node

REPORT: dict[str, Any] = {
    "counts": {"queued": 0, "running": 0},
    "refused": [{"code": "INVALID", "path": ["options", "priority"]}],
    "enqueued": [],
    "events": ["QUEUED", "RUNNING", "at it", "COMPLETED"],
    "resumed": ["at it", "COMPLETED"],
    "job": {"state": "COMPLETED", "result": {"sent": 2}},
    "wrongField": ["BAD_REQUEST"],
    "wrongVariable": ["BAD_USER_INPUT"],
    "wrongArgument": ["BAD_USER_INPUT"],
}


@pytest.fixture
async def _hands(redis: Redis, api: object) -> AsyncGenerator[None]:
    """Someone who runs what is enqueued, as a worker would."""

    async def work() -> None:
        while True:
            for job in STORE.claim_jobs(WORKER, "*", 1, lease_ms=LEASE_MS).run(redis).jobs:
                progress(redis, job, 1)
                end(redis, job, value='{"sent": 2}')
            await asyncio.sleep(0.01)

    working = asyncio.create_task(work())
    yield
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working


@pytest.mark.parametrize("client", ["graphql_ws", "graphql_sse", "apollo", "urql"])
@pytest.mark.usefixtures("_hands")
async def test_a_client_in_node_is_at_home(address: str, client: str) -> None:
    assert json.loads(await run_node(f"client_{client}.mjs", address)) == REPORT


@pytest.mark.usefixtures("_hands")
async def test_gql_is_at_home_over_http_with_subscriptions_over_a_socket(address: str) -> None:
    over_http = GqlClient(transport=HTTPXAsyncTransport(url=f"http://{address}/graphql"))
    over_socket = GqlClient(transport=WebsocketsTransport(url=f"ws://{address}/graphql"))
    async with over_http as http, over_socket as socket:
        assert await report_of_gql(http, socket) == REPORT


@pytest.mark.usefixtures("_hands")
async def test_gql_is_at_home_over_a_socket_alone(address: str) -> None:
    async with GqlClient(transport=WebsocketsTransport(url=f"ws://{address}/graphql")) as socket:
        assert await report_of_gql(socket, socket) == REPORT


async def test_gql_knows_the_whole_schema(address: str) -> None:
    """It reads the schema by introspection and then checks each document by it, typed mutations included."""
    transport = HTTPXAsyncTransport(url=f"http://{address}/graphql")
    async with GqlClient(transport=transport, fetch_schema_from_transport=True) as session:
        schema = session.client.schema
        assert schema is not None
        assert schema.mutation_type is not None
        assert "enqueueUniversal" in schema.mutation_type.fields
        assert await session.execute(GraphQLRequest("{ counts { queued } }")) == {"counts": {"queued": 0}}


ENQUEUE = """
mutation Enqueue($input: EnqueueUniversalInput!) {
  enqueueUniversal(input: $input) { job { id } errors { code message path } }
}
"""
FOLLOW = """
subscription Follow($id: ID!, $after: String) {
  jobUpdated(id: $id, after: $after) {
    cursor
    ... on JobStateChanged { from to }
    ... on JobProgressed { progress { message } }
  }
}
"""
RESULT = "query ($id: ID!) { job(id: $id) { state result } }"


async def report_of_gql(session: Any, live: Any) -> dict[str, Any]:
    """What ``scenario.mjs`` does, in Python."""

    async def ask(document: str, **variables: Any) -> Any:
        return await session.execute(GraphQLRequest(document, variable_values=variables))

    async def follow(**variables: Any) -> list[dict[str, Any]]:
        request = GraphQLRequest(FOLLOW, variable_values=variables)
        return [event["jobUpdated"] async for event in live.subscribe(request)]

    async def codes(document: str, **variables: Any) -> list[str]:
        with pytest.raises(TransportQueryError) as refused:
            await ask(document, **variables)
        return [error["extensions"]["code"] for error in refused.value.errors or []]

    def told(events: list[dict[str, Any]]) -> list[str]:
        return [event["to"] if "to" in event else event["progress"]["message"] for event in events]

    counts = await ask("{ counts { queued running } }")
    refused = await ask(ENQUEUE, input={"args": {"times": 1}, "options": {"priority": 99}})
    enqueued = (await ask(ENQUEUE, input={"args": {"to": ["a@example.org"], "times": 2}}))["enqueueUniversal"]
    job_id = enqueued["job"]["id"]
    events = await follow(id=job_id, after="0-0")
    return {
        "counts": counts["counts"],
        "refused": [{"code": one["code"], "path": one["path"]} for one in refused["enqueueUniversal"]["errors"]],
        "enqueued": enqueued["errors"],
        "events": told(events),
        "resumed": told(await follow(id=job_id, after=events[1]["cursor"])),
        "job": (await ask(RESULT, id=job_id))["job"],
        "wrongField": await codes("{ nothing }"),
        "wrongVariable": await codes(RESULT, id={"not": "an id"}),
        "wrongArgument": await codes("query { jobs(first: 0) { totalCount } }"),
    }
