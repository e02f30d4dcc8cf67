"""Live events: over a WebSocket and as server-sent events, replayed after a cursor, complete after the last."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from gql import Client as GqlClient
from gql import gql
from gql.transport.websockets import WebsocketsTransport
from redis import Redis

from support.api import Api, Socket, a_socket, a_task, end, progress, publish, run, running_api, say, serving
from support.redis_server import RedisServer
from support.waiting import until
from taskengine import events as engine_events
from taskengine.enqueue_client import NewJob
from taskengine.errors import RedisUnavailable
from taskengine.jobs import Options
from taskengine.store import Ending

ALL = """
subscription ($filter: JobFilter, $kinds: [JobEventKind!]! = [STATE, PROGRESS], $after: String) {
  jobEvents(filter: $filter, kinds: $kinds, after: $after) {
    __typename cursor at job { id state }
    ... on JobStateChanged { from to attempt message }
    ... on JobProgressed { progress { current total message } }
  }
}
"""
OF_JOB = """
subscription ($id: ID!, $kinds: [JobEventKind!]! = [STATE, PROGRESS], $after: String) {
  jobUpdated(id: $id, kinds: $kinds, after: $after) {
    __typename cursor
    ... on JobStateChanged { from to }
    ... on JobProgressed { progress { current } }
    ... on JobLogged { log { level message attempt } }
  }
}
"""
START = "0-0"


def universal(value: Any = None) -> None:
    """Do nothing."""


def moves(events: list[dict[str, Any]]) -> list[tuple[str | None, str]]:
    return [(one["jobUpdated"]["from"], one["jobUpdated"]["to"]) for one in events]


async def listen(api: Api, socket: Socket) -> None:
    """Subscribe to everything, and return when that is live."""
    await socket.subscribe(ALL, after=await api.client.newest_cursor())
    mark = await api.enqueue()
    assert (await socket.next())["jobEvents"]["job"]["id"] == mark
    await api.client.delete_job(mark)


async def test_what_happens_is_told_as_it_happens(api: Api, socket: Socket, redis: Redis) -> None:
    await listen(api, socket)
    job_id = await api.enqueue()
    enqueued = (await socket.next())["jobEvents"]
    assert (enqueued["__typename"], enqueued["from"], enqueued["to"]) == ("JobStateChanged", None, "QUEUED")
    assert enqueued["job"]["id"] == job_id
    job = run(redis)
    started = (await socket.next())["jobEvents"]
    assert (started["from"], started["to"], started["attempt"]) == ("QUEUED", "RUNNING", 1)
    progress(redis, job, 3)
    told = (await socket.next())["jobEvents"]
    assert (told["__typename"], told["progress"]) == (
        "JobProgressed",
        {"current": 3, "total": 10, "message": "at it"},
    )
    end(redis, job)
    ended = (await socket.next())["jobEvents"]
    assert (ended["from"], ended["to"], ended["job"]["state"]) == ("RUNNING", "COMPLETED", "COMPLETED")


async def test_events_after_a_cursor_come_first_and_none_twice(api: Api, socket: Socket) -> None:
    made = [await api.enqueue() for _ in range(3)]
    await socket.subscribe(ALL, after=START)
    events = [(await socket.next())["jobEvents"] for _ in made]
    assert [event["job"]["id"] for event in events] == made
    await socket.send({"type": "complete", "id": "1"})
    made.append(await api.enqueue())
    await socket.subscribe(ALL, id="2", after=events[1]["cursor"])
    resumed = [(await socket.next("2"))["jobEvents"]["job"]["id"] for _ in range(2)]
    made.append(await api.enqueue())
    resumed.append((await socket.next("2"))["jobEvents"]["job"]["id"])
    assert resumed == made[2:]


async def test_events_are_filtered_by_what_their_jobs_hold(api: Api, socket: Socket) -> None:
    await api.enqueue(options=Options(tags=("other",)), value="needle")
    yes = await api.enqueue(options=Options(tags=("red",)), value="needle")
    await api.enqueue(options=Options(tags=("red",)), value="hay")
    await socket.subscribe(ALL, after=START, filter={"tags": ["red"], "text": "NEEDLE"})
    assert (await socket.next())["jobEvents"]["job"]["id"] == yes
    again = await api.enqueue(options=Options(tags=("red",)), value="needle")
    assert (await socket.next())["jobEvents"]["job"]["id"] == again


async def test_events_are_filtered(api: Api, socket: Socket, redis: Redis) -> None:
    await api.enqueue()
    end(redis, run(redis), Ending.FAILED)
    await socket.subscribe(ALL, after=START, filter={"states": ["FAILED"], "tasks": ["universal"]})
    assert (await socket.next())["jobEvents"]["to"] == "FAILED"
    await socket.subscribe(ALL, id="2", after=START, filter={"queues": ["elsewhere"]})
    await socket.subscribe(ALL, id="3", after=START)
    assert (await socket.receive())["id"] == "3"


async def test_kinds_of_events_can_be_left_out(api: Api, socket: Socket, redis: Redis) -> None:
    job_id = await api.enqueue()
    job = run(redis)
    progress(redis, job, 1)
    end(redis, job)
    await socket.send(_subscribe(OF_JOB, {"id": job_id, "after": START, "kinds": ["PROGRESS"]}))
    assert [event["jobUpdated"]["__typename"] for event in await socket.rest()] == ["JobProgressed"]
    await socket.send(_subscribe(OF_JOB, {"id": job_id, "after": START, "kinds": ["STATE"]}))
    assert moves(await socket.rest()) == [(None, "QUEUED"), ("QUEUED", "RUNNING"), ("RUNNING", "COMPLETED")]


def _subscribe(document: str, variables: dict[str, Any], id: str = "1") -> dict[str, Any]:
    return {"type": "subscribe", "id": id, "payload": {"query": document, "variables": variables}}


def messages(events: list[dict[str, Any]]) -> list[str]:
    return [event["jobUpdated"]["log"]["message"] for event in events]


async def test_lines_of_its_log_are_events_of_a_job(api: Api, socket: Socket, redis: Redis) -> None:
    job_id = await api.enqueue()
    job = run(redis)
    say(redis, job, ("INFO", "a"), ("WARNING", "b"))
    end(redis, job)
    await socket.send(_subscribe(OF_JOB, {"id": job_id, "after": START, "kinds": ["LOG"]}))
    told = [event["jobUpdated"] for event in await socket.rest()]
    assert [event["__typename"] for event in told] == ["JobLogged", "JobLogged"]
    assert [event["log"] for event in told] == [
        {"level": "INFO", "message": "a", "attempt": 1},
        {"level": "WARNING", "message": "b", "attempt": 1},
    ]


async def test_lines_come_without_being_asked_for_with_the_events_of_one_job(
    api: Api, socket: Socket, redis: Redis
) -> None:
    job_id = await api.enqueue()
    job = run(redis)
    say(redis, job, ("INFO", "a"))
    end(redis, job)
    document = 'subscription ($id: ID!) { jobUpdated(id: $id, after: "0-0") { __typename } }'
    await socket.send(_subscribe(document, {"id": job_id}))
    kinds = [event["jobUpdated"]["__typename"] for event in await socket.rest()]
    assert kinds == ["JobStateChanged", "JobStateChanged", "JobLogged", "JobStateChanged"]


async def test_between_any_two_lines_one_can_go_on(api: Api, socket: Socket, redis: Redis) -> None:
    job_id = await api.enqueue()
    job = run(redis)
    say(redis, job, ("INFO", "a"), ("INFO", "b"), ("INFO", "c"))
    say(redis, job, ("INFO", "d"), first=4)
    end(redis, job)
    await socket.send(_subscribe(OF_JOB, {"id": job_id, "after": START, "kinds": ["LOG"]}))
    events = await socket.rest()
    assert messages(events) == ["a", "b", "c", "d"]
    for taken, event in enumerate(events, 1):
        after = event["jobUpdated"]["cursor"]
        await socket.send(_subscribe(OF_JOB, {"id": job_id, "after": after, "kinds": ["LOG"]}))
        assert messages(await socket.rest()) == ["a", "b", "c", "d"][taken:]


async def test_lines_are_read_once_for_all_who_listen(
    api: Api, socket: Socket, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = api.client.list_log_lines

    async def counted(job_id: str, first: str, last: str) -> Any:
        asked.append(job_id)
        return await real(job_id, first, last)

    monkeypatch.setattr(api.client, "list_log_lines", counted)
    job_id = await api.enqueue()
    job = run(redis)
    say(redis, job, ("INFO", "a"))
    for number in range(10):
        await socket.send(_subscribe(OF_JOB, {"id": job_id, "after": START, "kinds": ["LOG"]}, id=str(number)))
    told = [(await socket.receive())["id"] for _ in range(10)]
    assert (sorted(told), asked) == ([str(number) for number in range(10)], [job_id])


async def test_the_events_of_a_job_that_is_deleted_end(api: Api, socket: Socket) -> None:
    job_id = await api.enqueue()
    await socket.send(_subscribe(OF_JOB, {"id": job_id, "after": START}))
    await socket.next()
    await api.client.delete_job(job_id)
    assert await socket.rest() == []


async def test_the_events_of_one_job_end_with_its_last(api: Api, socket: Socket, redis: Redis) -> None:
    job_id = await api.enqueue()
    await api.enqueue()
    await socket.send(_subscribe(OF_JOB, {"id": job_id, "after": START}))
    await socket.next()
    job = run(redis)
    end(redis, job)
    assert moves(await socket.rest()) == [("QUEUED", "RUNNING"), ("RUNNING", "COMPLETED")]


async def test_without_a_cursor_the_events_of_one_job_begin_now(api: Api, socket: Socket, redis: Redis) -> None:
    job_id = await api.enqueue()
    await socket.send(_subscribe(OF_JOB, {"id": job_id}))

    async def live() -> bool:
        return bool(api.client._feed._subscribers)

    await until(live)
    end(redis, run(redis))
    assert moves(await socket.rest()) == [("QUEUED", "RUNNING"), ("RUNNING", "COMPLETED")]


async def test_a_job_that_is_over_has_no_more_events(api: Api, socket: Socket, redis: Redis) -> None:
    job_id = await api.enqueue()
    end(redis, run(redis))
    await socket.send(_subscribe(OF_JOB, {"id": job_id}))
    assert await socket.rest() == []


async def test_a_job_that_is_over_has_those_after_the_cursor(api: Api, socket: Socket, redis: Redis) -> None:
    job_id = await api.enqueue()
    end(redis, run(redis))
    await socket.send(_subscribe(OF_JOB, {"id": job_id, "after": START}))
    events = await socket.rest()
    assert moves(events) == [(None, "QUEUED"), ("QUEUED", "RUNNING"), ("RUNNING", "COMPLETED")]
    await socket.send(_subscribe(OF_JOB, {"id": job_id, "after": events[-1]["jobUpdated"]["cursor"]}))
    assert await socket.rest() == []


async def test_a_replay_goes_on_past_an_end_that_was_not_the_last(api: Api, socket: Socket, redis: Redis) -> None:
    job_id = await api.enqueue()
    end(redis, run(redis), Ending.FAILED)
    await api.client.retry_job(job_id)
    end(redis, run(redis))
    await socket.send(_subscribe(OF_JOB, {"id": job_id, "after": START}))
    assert [to for _, to in moves(await socket.rest())] == [
        "QUEUED",
        "RUNNING",
        "FAILED",
        "QUEUED",
        "RUNNING",
        "COMPLETED",
    ]


async def test_a_job_that_is_not_there_is_an_error(socket: Socket) -> None:
    await socket.send(_subscribe(OF_JOB, {"id": "job_nope"}))
    message = await socket.receive()
    assert message["payload"]["errors"][0]["extensions"] == {"code": "NOT_FOUND"}
    assert await socket.receive() == {"id": "1", "type": "complete"}


@pytest.mark.parametrize("after", ["", "x", "1", "1-x", "-1-0", "9" * 50 + "-0"])
async def test_a_cursor_that_no_event_had_is_an_error(socket: Socket, after: str) -> None:
    await socket.send(_subscribe(ALL, {"after": after}))
    message = await socket.receive()
    assert message["payload"]["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT", "path": ["after"]}


async def test_events_that_are_gone_are_told_as_lost(api: Api, socket: Socket) -> None:
    await api.enqueue()
    await socket.subscribe(ALL, after="99999999999999-0")
    lost = (await socket.next())["jobEvents"]
    assert (lost["__typename"], lost["job"]) == ("JobEventsLost", None)
    await socket.send({"type": "complete", "id": "1"})
    await socket.subscribe(ALL, id="2", after=lost["cursor"])
    job_id = await api.enqueue()
    assert (await socket.next("2"))["jobEvents"]["job"]["id"] == job_id


async def test_a_subscriber_that_does_not_keep_up_is_let_go_and_told_where_to_go_on(
    api: Api, socket: Socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_events, "BACKLOG", 5)
    await listen(api, socket)
    # More than fits, in one go: nobody can take them between.
    await api.client.enqueue_jobs([NewJob(task="universal", args={}) for _ in range(50)])
    taken: list[str] = []
    while "errors" not in (payload := (await socket.receive())["payload"]):
        taken.append(payload["data"]["jobEvents"]["cursor"])
    (error,) = payload["errors"]
    assert error["extensions"] == {"code": "SLOW_SUBSCRIBER", "cursor": taken[-1]}
    assert await socket.receive() == {"id": "1", "type": "complete"}
    await socket.subscribe(ALL, id="2", after=taken[-1])
    for _ in range(50 - len(taken)):
        await socket.next("2")


async def test_a_client_that_stops_reading_holds_nobody_up_and_goes_on_later(
    api: Api, address: str, socket: Socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it does not take fills its connection first, some megabytes, and then what is kept for it here."""
    monkeypatch.setattr(engine_events, "BACKLOG", 30)
    document = "subscription ($after: String) { jobEvents(after: $after) { cursor job { args } } }"
    async with a_socket(address, max_queue=1, compression=None) as stalled:
        after = await api.client.newest_cursor()
        await stalled.subscribe(document, after=after)
        await socket.subscribe(ALL, after=after)
        for number in range(150):
            await api.enqueue(value=str(number) + "x" * 100_000)
            assert (await socket.next())["jobEvents"]["to"] == "QUEUED"

        async def nothing_more_is_kept() -> bool:
            return any(one._overflow for one in api.client._feed._subscribers)

        await until(nothing_more_is_kept)
        taken: list[str] = []
        while "errors" not in (payload := (await stalled.receive())["payload"]):
            taken.append(payload["data"]["jobEvents"]["cursor"])
        (error,) = payload["errors"]
        assert error["extensions"] == {"code": "SLOW_SUBSCRIBER", "cursor": taken[-1]}
        assert (await stalled.receive())["type"] == "complete"
        await stalled.subscribe(document, id="2", after=taken[-1])
        taken += [(await stalled.next("2"))["jobEvents"]["cursor"] for _ in range(150 - len(taken))]
        assert len(set(taken)) == 150


async def test_a_subscription_outlives_a_redis_that_goes_and_comes_back(durable_redis: RedisServer) -> None:
    async with running_api(durable_redis.url) as api, serving(api.app) as address, a_socket(address) as socket:
        with durable_redis.client() as redis:
            publish(redis, a_task("universal", universal))
        await listen(api, socket)
        durable_redis.kill()
        assert (await api.error("{ counts { queued } }"))["extensions"] == {"code": "UNAVAILABLE"}
        durable_redis.restart()

        async def enqueued() -> str | None:
            try:
                return await api.enqueue()
            except RedisUnavailable:
                return None

        job_id = await until(enqueued)
        assert (await socket.next())["jobEvents"]["job"]["id"] == job_id


async def test_a_subscription_that_begins_without_redis_says_so(durable_redis: RedisServer) -> None:
    async with running_api(durable_redis.url) as api, serving(api.app) as address, a_socket(address) as socket:
        durable_redis.kill()
        await socket.subscribe(ALL, after=START)
        message = await socket.receive()
        errors = message["payload"] if message["type"] == "error" else message["payload"]["errors"]
        assert errors[0]["extensions"]["code"] == "UNAVAILABLE"


async def test_one_reader_serves_all_who_listen(api: Api, address: str) -> None:
    async with a_socket(address) as one, a_socket(address) as other:
        for number in range(10):
            await one.subscribe(ALL, id=f"a{number}", after=START)
            await other.subscribe(ALL, id=f"b{number}", after=START)
        await api.enqueue()
        told = [(await socket.receive())["id"] for socket in (one, other) for _ in range(10)]
        assert len(set(told)) == 20
        assert [task.get_name() for task in asyncio.all_tasks()].count("taskengine-events") == 1


async def test_leaving_ends_the_reader_each_time(api: Api, address: str) -> None:
    for _ in range(30):
        async with a_socket(address) as socket:
            await socket.subscribe(ALL, after=START)
            await api.enqueue()
            await socket.next()

    async def nobody_reads() -> bool:
        return "taskengine-events" not in {task.get_name() for task in asyncio.all_tasks()}

    await until(nobody_reads)


async def test_events_come_as_server_sent_events_too(api: Api, address: str, redis: Redis) -> None:
    job_id = await api.enqueue()
    end(redis, run(redis))
    body = {"query": OF_JOB, "variables": {"id": job_id, "after": START}}
    async with httpx.AsyncClient() as http:
        response = await http.post(f"http://{address}/graphql", json=body, headers={"Accept": "text/event-stream"})
    assert response.headers["content-type"].startswith("text/event-stream")
    blocks = [block.split("\r\n") for block in response.text.strip().split("\r\n\r\n")]
    assert [block[0] for block in blocks] == ["event: next"] * 3 + ["event: complete"]
    last = json.loads(blocks[2][1].removeprefix("data: "))
    assert last["data"]["jobUpdated"]["to"] == "COMPLETED"


async def test_a_syntax_error_is_told_in_a_stream(address: str) -> None:
    async with httpx.AsyncClient() as http:
        response = await http.post(
            f"http://{address}/graphql", json={"query": "{"}, headers={"Accept": "text/event-stream"}
        )
    assert "Syntax Error" in response.text
    assert "BAD_REQUEST" in response.text
    assert "event: complete" in response.text


async def test_a_stock_client_subscribes(api: Api, address: str, redis: Redis) -> None:
    job_id = await api.enqueue()
    end(redis, run(redis))
    transport = WebsocketsTransport(f"ws://{address}/graphql", subprotocols=["graphql-transport-ws"])
    async with GqlClient(transport=transport) as session:
        request = gql(OF_JOB)
        request.variable_values = {"id": job_id, "after": START}
        events = [event async for event in session.subscribe(request)]
    assert moves(events)[-1] == ("RUNNING", "COMPLETED")
