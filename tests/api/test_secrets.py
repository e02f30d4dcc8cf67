"""Secret arguments over GraphQL: taken, described as such, shown to nobody, and repeated in no complaint."""

import json
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from pydantic import BaseModel
from redis import Redis

from support.api import Api, a_task, publish, running_api
from taskengine import Secret
from taskengine_api.schema.build import Schema

TYPED = "mutation($input: EnqueueLoginInput!) { enqueueLogin(input: $input) { job { args } errors { message path } } }"
UNTYPED = """
mutation($args: JSON!) { enqueueJob(input: {task: "login", args: $args}) { job { args } errors { message path } } }
"""


class Card(BaseModel):
    number: Secret[str]


def login(user: str, password: Secret[str], pin: Secret[int] | None = None, card: Card | None = None) -> None: ...


@pytest.fixture
async def api(redis: Redis, redis_url: str) -> AsyncGenerator[Api]:
    publish(redis, a_task("login", login))
    async with running_api(redis_url) as api:
        yield api


async def test_the_typed_field_takes_a_secret_and_shows_none(api: Api) -> None:
    given = {"user": "ada", "password": "hunter2", "pin": 123456, "card": {"number": "4111"}}
    answer = (await api.data(TYPED, input={"args": given}))["enqueueLogin"]
    hidden = "********"
    assert answer == {
        "job": {"args": {"user": "ada", "password": hidden, "pin": hidden, "card": {"number": hidden}}},
        "errors": [],
    }


async def test_by_name_and_json_as_well(api: Api) -> None:
    answer = (await api.data(UNTYPED, args={"user": "ada", "password": "hunter2"}))["enqueueJob"]
    assert answer == {"job": {"args": {"user": "ada", "password": "********"}}, "errors": []}


def test_the_schema_says_that_it_is_one() -> None:
    schema = Schema().with_tasks([a_task("login", login)])
    args: Any = schema.core.type_map["LoginArgs"]
    said = {name: field.description for name, field in args.fields.items()}
    assert said["password"] == "A secret, never shown."
    assert said["pin"] == "A secret, never shown."
    assert said["user"] == "`user`."


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ({"password": 5556667}, ".args.password: String cannot represent a non string value."),
        ({"password": "5556667", "usr": 1}, "not to include unknown field 'usr'. Did you mean 'user'?"),
        ({"password": "x", "card": {"numbr": "5556667"}}, "to include required field 'number'."),
        ({"password": "x", "pin": "no 5556667"}, ".args.pin: expected a whole number."),
    ],
)
async def test_graphqls_own_complaints_do_not_repeat_what_came(api: Api, args: dict[str, Any], message: str) -> None:
    answer = await api.answer(TYPED, input={"args": {"user": "ada", **args}})
    assert message in answer["errors"][0]["message"]
    assert "5556667" not in json.dumps(answer)


async def test_nor_do_those_about_what_stands_in_the_document(api: Api) -> None:
    answer = await api.answer('mutation { enqueueLogin(input: {args: {password: "5556667", usr: 1}}) { job { id } } }')
    assert "not to include unknown field 'usr'" in json.dumps(answer)
    assert "5556667" not in json.dumps(answer)


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        ({"password": ["5556667"]}, {"message": "expected string", "path": ["args", "password"]}),
        ({"password": "x", "card": "5556667"}, {"message": "expected Card or null", "path": ["args", "card"]}),
        (
            {"password": "********"},
            {
                "message": "******** stands for a secret that is not shown; give the secret itself",
                "path": ["args", "password"],
            },
        ),
    ],
)
async def test_nor_does_the_engine(api: Api, args: dict[str, Any], problem: dict[str, Any]) -> None:
    answer = (await api.data(UNTYPED, args={"user": "ada", **args}))["enqueueJob"]
    assert answer == {"job": None, "errors": [problem]}
