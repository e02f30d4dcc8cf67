"""What an operation costs, and what a caller may spend."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from graphql import OperationDefinitionNode, get_introspection_query, get_operation_ast, parse, validate
from redis import Redis

from support.api import QUICK, Api, a_socket, running_api
from support.redis_server import RedisServer
from taskengine.client import Client
from taskengine.keys import Keys
from taskengine_api.budgets import Budgets
from taskengine_api.cost import Costs, price_of_introspection
from taskengine_api.schema.build import Schema

SCHEMA = Schema()
INTROSPECTION = get_introspection_query()


def cost(document: str, **variables: Any) -> int:
    node = parse(document)
    assert validate(SCHEMA.core, node) == []
    operation = get_operation_ast(node)
    assert isinstance(operation, OperationDefinitionNode)
    return Costs(SCHEMA.core, node).of(operation, variables)


@asynccontextmanager
async def an_api(redis_url: str, **changed: Any) -> AsyncGenerator[Api]:
    async with running_api(redis_url, api=replace(QUICK, **changed)) as api:
        yield api


# What an operation costs


@pytest.mark.parametrize(
    ("document", "points"),
    [
        ("{ __typename }", 1),
        ("{ counts { queued running } }", 3),
        ("{ jobs(first: 10) { nodes { id state } } }", 1 + 10 * 3),
        ("{ jobs { totalCount nodes { id } } }", 1 + 1 + 50 * 2),
        ("{ jobs(last: 7) { edges { cursor node { id } } } }", 1 + 7 * (1 + 1 + 2)),
        ("{ jobs(first: 5) { nodes { attempts(first: 2) { nodes { number } } } } }", 1 + 5 * (1 + 1 + 2 * 2)),
        ("{ jobs(first: 1000000) { nodes { id } } }", 1 + 100 * 2),
        ("{ jobs(first: -5) { nodes { id } } }", 1),
        ('{ nodes(ids: ["a", "b", "c"]) { id } }', 3 * 2),
        ("{ tasks { name } }", 3 * 2),
        ("{ ...a ...a } fragment a on Query { counts { queued } }", 4),
        ("{ ... on Query { counts { queued } } }", 2),
    ],
)
def test_it_costs_a_point_an_object_or_leaf_times_the_page_sizes_above(document: str, points: int) -> None:
    assert cost(document) == points


def test_variables_count_as_what_they_hold() -> None:
    document = "query ($n: Int = 3) { jobs(first: $n) { nodes { id } } }"
    assert [cost(document), cost(document, n=20), cost(document, n=None)] == [1 + 3 * 2, 1 + 20 * 2, 1 + 50 * 2]
    assert cost("query ($ids: [ID!]!) { nodes(ids: $ids) { id } }", ids=["a"] * 40) == 80


def test_enqueueing_many_costs_as_many_up_to_a_page() -> None:
    document = "mutation ($i: EnqueueJobsInput!) { enqueueJobs(input: $i) { results { job { id } } } }"
    one = {"task": "t", "args": {}}
    assert cost(document, i={"jobs": [one] * 200}) == 1 + 100 * 3  # at most
    jobs = '[{task: "t", args: {}}, {task: "t", args: {}}]'
    written = f"mutation {{ enqueueJobs(input: {{jobs: {jobs}}}) {{ results {{ deduplicated }} }} }}"
    assert cost(written) == 1 + 2 * 2


def test_a_document_is_measured_again_only_for_other_sizes() -> None:
    node = parse("query ($n: Int, $f: JobFilter) { jobs(first: $n, filter: $f) { nodes { id } } }")
    operation = get_operation_ast(node)
    assert operation is not None
    costs = Costs(SCHEMA.core, node)
    sums = [costs.of(operation, {"n": size, "f": {"text": str(size)}}) for size in (1, 9, 1, 9, 100)]
    assert sums == [3, 19, 3, 19, 201]
    assert len(costs._known) == 3


async def test_more_than_an_operation_may_cost_is_refused_before_anything_runs(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(api.client, "list_jobs", lambda *args, **_: asked.append(args))
    error = await api.error("{ jobs(first: 100) { nodes { attempts(first: 50) { nodes { number } } } } }")
    assert error["extensions"] == {"code": "QUERY_TOO_COMPLEX"}
    assert "costs up to 10,201 points; at most 5,000 are allowed" in error["message"]
    assert asked == []


async def test_the_answer_says_what_it_cost_and_what_is_left(api: Api) -> None:
    answer = await api.answer("{ counts { queued } rateLimit { cost limit remaining resetAt } }")
    told = answer["extensions"]["cost"]
    assert (told["requested"], told["limit"]) == (7, 1_000_000)
    assert 0 < told["remaining"] <= 1_000_000 - 7
    limit = answer["data"]["rateLimit"]
    assert (limit["cost"], limit["limit"], limit["remaining"]) == (7, 1_000_000, told["remaining"])


# What a caller may spend


async def test_who_has_spent_all_is_told_when_to_come_again(redis_url: str) -> None:
    async with an_api(redis_url, points_per_minute=100) as api:
        document = {"query": "{ jobs(first: 20) { nodes { id state } } }"}
        answers = [await api.post(document) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 429, 429]
        (error,) = answers[1].json()["errors"]
        assert error["extensions"]["code"] == "RATE_LIMITED"
        assert 0 < error["extensions"]["retryAfterSeconds"] <= int(answers[1].headers["retry-after"]) <= 60
        # What is cheap enough is still answered.
        assert (await api.post({"query": "{ counts { queued } }"})).status_code == 200


async def test_each_key_spends_its_own(redis_url: str) -> None:
    from taskengine_api.roles import Role

    async with an_api(redis_url, points_per_minute=100) as api:
        first, second = [await api.client.create_api_key(name, Role.VIEWER) for name in ("first", "second")]
        document = {"query": "{ jobs(first: 30) { nodes { id state } } }"}
        statuses = [
            (await api.post(document, Authorization=f"Bearer {secret}")).status_code
            for secret in (first, first, second, second)
        ]
    assert statuses == [200, 429, 200, 429]


async def test_over_a_socket_the_budget_is_the_same(redis_url: str) -> None:
    from support.api import serving

    async with (
        an_api(redis_url, points_per_minute=100) as api,
        serving(api.app) as address,
        a_socket(address) as socket,
    ):
        document = "{ jobs(first: 30) { nodes { id state } } }"
        await socket.subscribe(document)
        await socket.next()
        await socket.receive()
        await socket.subscribe(document, id="2")
        message = await socket.receive()
    assert message["type"] == "error"
    assert message["payload"][0]["extensions"]["code"] == "RATE_LIMITED"


async def test_processes_share_a_budget_within_what_they_hold(redis_url: str) -> None:
    clients = [Client(redis_url) for _ in range(2)]
    budgets = [Budgets(client, per_minute=1_000) for client in clients]
    spent = 0
    begun = time.monotonic()
    while (await budgets[spent // 10 % 2].spend("ci", 10)).retry_seconds == 0:
        spent += 10
    came_back = (time.monotonic() - begun) * 1_000 / 60
    for client in clients:
        await client.close()
    assert 960 <= spent <= 1_000 + came_back + 1  # a hundredth for each may be left unspent


async def test_most_requests_ask_redis_nothing_for_it(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(redis_url)
    budgets = Budgets(client, per_minute=1_000_000)
    calls = 0
    real = client.spend_budget

    async def counted(*args: Any, **named: Any) -> Any:
        nonlocal calls
        calls += 1
        return await real(*args, **named)

    monkeypatch.setattr(client, "spend_budget", counted)
    balances = [await budgets.spend("ci", 100) for _ in range(500)]
    await client.close()
    assert calls <= 6
    assert balances[-1].remaining <= 1_000_000 - 500 * 100 + 5_000
    assert all(not balance.retry_seconds for balance in balances)


async def test_at_once_no_more_is_spent_than_there_is(redis_url: str) -> None:
    client = Client(redis_url)
    budgets = Budgets(client, per_minute=1_000)
    begun = time.monotonic()
    balances = await asyncio.gather(*(budgets.spend("ci", 50) for _ in range(100)))
    came_back = (time.monotonic() - begun) * 1_000 / 60
    await client.close()
    spent = 50 * sum(not balance.retry_seconds for balance in balances)
    assert 0 < spent <= 1_000 + came_back + 1


async def test_while_redis_is_away_nothing_is_counted(durable_redis: RedisServer) -> None:
    client = Client(durable_redis.url)
    budgets = Budgets(client, per_minute=10)
    durable_redis.kill()
    assert (await budgets.spend("ci", 50)).retry_seconds == 0
    await client.close()


async def test_what_a_caller_has_left_is_forgotten_when_all_is_there_again(api: Api, redis: Redis) -> None:
    await api.data("{ counts { queued } }")
    assert 0 < redis.pttl(Keys("default").api_budget("local")) <= 60_000


# Introspection


async def test_the_same_question_for_the_schema_is_worked_out_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    from taskengine_api.schema import build

    calls: list[object] = []
    real = build.execute_sync
    monkeypatch.setattr(build, "execute_sync", lambda *args, **named: calls.append(args) or real(*args, **named))
    answers = [await api.answer(INTROSPECTION) for _ in range(3)]
    assert len(calls) == 1
    assert answers[0]["data"] == answers[2]["data"]
    # The first pays for the work, the others for the question.
    assert [answer["extensions"]["cost"]["requested"] > 1_000 for answer in answers] == [True, False, False]


async def test_a_schema_that_changed_is_told_anew(api: Api, redis: Redis) -> None:
    from support.api import a_task, has_field, publish

    before = await api.data(INTROSPECTION)

    def other() -> None:
        """Another task."""

    publish(redis, a_task("other", other))
    await has_field(api, "enqueueOther")
    assert await api.data(INTROSPECTION) != before


async def test_introspection_beside_data_is_answered_too(api: Api) -> None:
    data = await api.data('{ counts { queued } __type(name: "Job") { name } a: __typename }')
    assert data == {"counts": {"queued": 0}, "__type": {"name": "Job"}, "a": "Query"}


async def test_introspection_with_variables_is_told_apart(api: Api) -> None:
    document = "query ($name: String!) { __type(name: $name) { name } }"
    assert [(await api.data(document, name=name))["__type"] for name in ("Job", "Queue", "Nope")] == [
        {"name": "Job"},
        {"name": "Queue"},
        None,
    ]


async def test_it_costs_what_there_is_to_tell_and_is_paid_for(redis_url: str) -> None:
    price = price_of_introspection(SCHEMA.core)
    assert price > 5_000
    async with an_api(redis_url, points_per_minute=price * 2) as api:
        # The same in other words, which nobody has asked before.
        answers = [await api.post({"query": f"{{ a{n}: __schema {{ types {{ name }} }} }}"}) for n in range(4)]
    assert answers[0].status_code == 200
    assert 429 in [answer.status_code for answer in answers]


async def test_it_can_be_switched_off(redis_url: str) -> None:
    async with an_api(redis_url, introspection=False) as api:
        for document in (
            INTROSPECTION,
            '{ __type(name: "Job") { name } }',
            "{ ...a } fragment a on Query { __schema { types { name } } }",
        ):
            errors = (await api.answer(document))["errors"]
            assert {error["extensions"]["code"] for error in errors} == {"BAD_REQUEST"}
        assert await api.data("{ __typename }") == {"__typename": "Query"}
        assert "Did you mean" not in (await api.error("{ count { queued } }"))["message"]
