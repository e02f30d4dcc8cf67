"""The schema follows the published tasks, without a restart, and without Redis for a while."""

import asyncio
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from redis import Redis

from support.api import QUICK, Api, a_socket, a_task, has_field, publish, running_api
from support.redis_server import RedisServer
from support.waiting import until
from taskengine.jobs import TaskInfo
from taskengine_api.schema.build import Schema


def fresh(times: int = 1) -> None:
    """Appear."""
    del times


async def fields(api: Api) -> set[str]:
    found = await api.data('{ __type(name: "Mutation") { fields { name } } }')
    return {field["name"] for field in found["__type"]["fields"]}


async def test_without_tasks_everything_else_is_there(redis_url: str) -> None:
    async with running_api(redis_url) as api:
        untyped = Schema().core.mutation_type
        assert untyped is not None
        assert await fields(api) == set(untyped.fields)


async def test_tasks_that_were_published_before_are_there_from_the_first_request(redis_url: str, redis: Redis) -> None:
    publish(redis, a_task("fresh", fresh))
    async with running_api(redis_url) as api:
        assert "enqueueFresh" in await fields(api)


async def test_a_task_that_is_published_later_appears(api: Api, redis: Redis) -> None:
    assert "enqueueFresh" not in await fields(api)
    publish(redis, a_task("fresh", fresh))
    await has_field(api, "enqueueFresh")
    job = await api.data("mutation { enqueueFresh(input: { args: { times: 3 } }) { job { args } } }")
    assert job == {"enqueueFresh": {"job": {"args": {"times": 3}}}}


async def test_a_task_whose_parameters_change_changes_its_input(api: Api, redis: Redis) -> None:
    publish(redis, a_task("fresh", fresh))
    await has_field(api, "enqueueFresh")

    def changed(often: bool) -> None:
        """Appear anew."""
        del often

    publish(redis, a_task("fresh", changed))

    async def there() -> bool:
        found = await api.data('{ __type(name: "FreshArgs") { inputFields { name } } }')
        return found["__type"]["inputFields"] == [{"name": "often"}]

    await until(there)


async def test_a_task_that_cannot_be_typed_is_enqueued_by_name(api: Api, redis: Redis) -> None:
    publish(redis, TaskInfo(name="odd", args_schema={}), a_task("fresh", fresh))
    await has_field(api, "enqueueFresh")
    assert (await api.data('{ task(name: "odd") { enqueueField } }'))["task"] == {"enqueueField": "enqueueJob"}
    document = 'mutation { enqueueJob(input: { task: "odd", args: { any: "thing" } }) { errors { code } } }'
    assert await api.data(document) == {"enqueueJob": {"errors": []}}


async def test_an_odd_description_leaves_the_schema_as_it_was(
    api: Api, redis: Redis, caplog: pytest.LogCaptureFixture
) -> None:
    from support.api import STORE

    STORE.register_worker("other", "{}", {"broken": "{}"}).run(redis)

    async def noticed() -> bool:
        return "stay as they are" in caplog.text

    await until(noticed)
    assert "enqueueUniversal" in await fields(api)


async def test_no_request_is_lost_while_tasks_come_and_go(api: Api, address: str, redis: Redis) -> None:
    """Also one that began on the schema of before, and one that goes on for as long as it likes."""
    answered: list[int] = []
    changing = True

    async def keep_asking(http: httpx.AsyncClient) -> None:
        while changing:
            response = await http.post(
                "/graphql", json={"query": "{ tasks { name enqueueField } jobs { totalCount } }"}
            )
            assert "errors" not in response.json()
            answered.append(response.status_code)

    async with httpx.AsyncClient(base_url=f"http://{address}") as http, a_socket(address) as socket:
        await socket.subscribe("subscription ($after: String) { jobEvents(after: $after) { job { id } } }", after="0-0")
        asking = [asyncio.create_task(keep_asking(http)) for _ in range(3)]
        for number in range(8):
            publish(redis, a_task(f"fresh{number}", fresh))
            await has_field(api, f"enqueueFresh{number}")
            job_id = await api.enqueue(f"fresh{number}")
            assert (await socket.next())["jobEvents"] == {"job": {"id": job_id}}
        changing = False
        await asyncio.gather(*asking)
    assert set(answered) == {200}
    assert len(answered) > 8


async def test_the_api_starts_without_redis_and_recovers_by_itself(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis", durable=True)
    async with running_api(server.url) as api:
        error = await api.error("{ counts { queued } }")
        assert error["extensions"] == {"code": "UNAVAILABLE"}
        assert (await api.http.get("/healthz")).status_code == 200
        server.start()
        try:
            with server.client() as redis:
                publish(redis, a_task("fresh", fresh))
            await has_field(api, "enqueueFresh")
            assert await api.data("{ counts { queued } }") == {"counts": {"queued": 0}}
        finally:
            server.stop()


async def test_a_redis_that_goes_away_is_said_quickly_and_in_every_kind_of_operation(
    durable_redis: RedisServer,
) -> None:
    with durable_redis.client() as redis:
        publish(redis, a_task("fresh", fresh))
    async with running_api(durable_redis.url) as api:
        durable_redis.kill()
        for document in (
            "{ counts { queued } }",
            "{ jobs { totalCount } queues { name } }",
            "mutation { enqueueFresh(input: {}) { errors { code } } }",
            'mutation { cancelJob(input: { id: "job_x" }) { errors { code } } }',
        ):
            for error in (await api.answer(document))["errors"]:
                assert error["extensions"] == {"code": "UNAVAILABLE"}
        # What can be typed is known still.
        assert "enqueueFresh" in await fields(api)
        durable_redis.restart()

        async def back() -> bool:
            return "errors" not in await api.answer("{ counts { queued } }")

        await until(back)


async def test_a_redis_that_hangs_is_unavailable_before_the_request_is_given_up(durable_redis: RedisServer) -> None:
    async with running_api(durable_redis.url, api=replace(QUICK, request_seconds=10)) as api:
        await api.data("{ counts { queued } }")
        with durable_redis.client() as redis:
            redis.execute_command("CLIENT", "PAUSE", "60000", "ALL")
        response = await api.post({"query": "{ counts { queued } }"})
        durable_redis.kill()
        (error,) = response.json()["errors"]
        assert (response.status_code, error["extensions"]) == (200, {"code": "UNAVAILABLE"})
