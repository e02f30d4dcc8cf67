"""The API as its users see it: documents in, answers out; and jobs behind it, moved by hand.

publish(redis, send_mail=send)     as a worker does on start: the task and its JSON Schema
await api.data("{ counts { … } }")  the data, and no errors
await api.answer(...)               the whole answer
run(redis) / end(redis, job)        what a worker would do to the jobs
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, cast

import httpx
import uvicorn
import websockets
from fastapi import FastAPI
from redis import Redis
from websockets.asyncio.client import ClientConnection

from support.ports import free_port
from support.waiting import until
from taskengine.catalogue import describe
from taskengine.client import Client
from taskengine.jobs import Options, TaskInfo
from taskengine.keys import Keys
from taskengine.records import ClaimedJob, dumps
from taskengine.settings import Settings
from taskengine.signatures import Signature
from taskengine.store import Ending, Outcome, Said, Store
from taskengine_api.app import create_app
from taskengine_api.roles import Role, Viewer
from taskengine_api.router import GraphQLEndpoint
from taskengine_api.settings import ApiSettings

STORE = Store(Keys("default"))
WORKER = "hand-1-abcd"
LEASE_MS = 60_000
WHO = {"query": "{ viewer { name role } }"}
QUICK = ApiSettings(catalogue_seconds=0.02, request_seconds=30)


@dataclass(slots=True)
class Api:
    """One application, called in place, and the client that it works with."""

    app: FastAPI
    client: Client
    http: httpx.AsyncClient

    async def post(self, body: Any, **headers: str) -> httpx.Response:
        """Send a body: bytes as they are, anything else as JSON."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post("/graphql", content=content, headers={"Content-Type": "application/json", **names})

    async def answer(self, document: str, /, operation: str | None = None, **variables: Any) -> dict[str, Any]:
        """Return the whole answer to a document."""
        body = {"query": document, "variables": variables, "operationName": operation}
        return (await self.post(body)).json()

    async def data(self, document: str, /, **variables: Any) -> dict[str, Any]:
        """Return the data of a document that has to be answered without errors."""
        answer = await self.answer(document, **variables)
        assert "errors" not in answer, answer["errors"]
        return answer["data"]

    async def error(self, document: str, /, **variables: Any) -> dict[str, Any]:
        """Return the one error of a document that has to be refused."""
        (error,) = (await self.answer(document, **variables))["errors"]
        return error

    async def enqueue(self, task: str = "universal", options: Options | None = None, **args: Any) -> str:
        """Enqueue a job past the API and return its id."""
        return (await self.client.enqueue_job(task, args, options)).id


async def asked_by(api: Api, role: Role, document: str, /, **variables: Any) -> Any:
    """Return the result of a document that someone of this role asks for."""
    endpoint = next(route.app for route in cast(Any, api.app.router.routes) if getattr(route, "path", "") == "/graphql")
    assert isinstance(endpoint, GraphQLEndpoint)
    context = endpoint.context.seen_by(Viewer("vera", role))
    return await endpoint.schema.execute(document, variable_values=variables, context_value=context)


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


async def who(api: Api, **headers: str) -> Any:
    """Return name and role of the viewer, or status and code of the refusal."""
    response = await api.post(WHO, **headers)
    if response.status_code == 200:
        return tuple(response.json()["data"]["viewer"].values())
    return response.status_code, response.json()["errors"][0]["extensions"]["code"]


@asynccontextmanager
async def running_api(
    redis_url: str, *, api: ApiSettings = QUICK, settings: Settings | None = None
) -> AsyncGenerator[Api]:
    """The application with its lifespan, without a server."""
    settings = settings or Settings(redis_url=redis_url)
    client = Client(redis_url, settings=settings)
    app = create_app(settings, client, api=api)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=True)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=30) as http,
    ):
        yield Api(app, client, http)
    await client.close()


@asynccontextmanager
async def serving(app: FastAPI, api: ApiSettings = QUICK) -> AsyncGenerator[str]:
    """The application behind a real server; yields ``host:port``. Its lifespan is the caller's."""
    port = free_port()
    config = uvicorn.Config(
        app, port=port, log_config=None, lifespan="off", ws="websockets-sansio", ws_max_size=api.max_body_bytes
    )
    server = uvicorn.Server(config)
    # Not serve(): that would take the signals of the test run.
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.should_exit = True
        server.force_exit = True
        await server.shutdown()


class Socket:
    """A connection that speaks graphql-transport-ws."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, message: Any) -> None:
        await self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def receive(self) -> dict[str, Any]:
        async with asyncio.timeout(30):
            return json.loads(await self.connection.recv())

    async def subscribe(self, document: str, /, id: str = "1", **variables: Any) -> None:
        await self.send({"type": "subscribe", "id": id, "payload": {"query": document, "variables": variables}})

    async def next(self, id: str = "1") -> dict[str, Any]:
        """Return the data of the next event of an operation."""
        message = await self.receive()
        assert (message["type"], message["id"]) == ("next", id), message
        assert "errors" not in message["payload"], message
        return message["payload"]["data"]

    async def rest(self, id: str = "1") -> list[dict[str, Any]]:
        """Return the data of all further events until the operation is complete."""
        events: list[dict[str, Any]] = []
        while (message := await self.receive())["type"] != "complete":
            assert (message["type"], message["id"]) == ("next", id), message
            assert "errors" not in message["payload"], message
            events.append(message["payload"]["data"])
        return events

    async def closed(self) -> tuple[int | None, str | None]:
        """Return code and reason of the close, which has to come."""
        async with asyncio.timeout(30):
            await self.connection.wait_closed()
        return self.connection.close_code, self.connection.close_reason


@asynccontextmanager
async def a_socket(address: str, *, init: bool = True, **options: Any) -> AsyncGenerator[Socket]:
    """A connection, by default one that has been acknowledged."""
    protocol: Any = ["graphql-transport-ws"]
    async with websockets.connect(f"ws://{address}/graphql", subprotocols=protocol, **options) as connection:
        socket = Socket(connection)
        if init:
            await socket.send({"type": "connection_init"})
            assert (await socket.receive())["type"] == "connection_ack"
        yield socket


# Behind the API


def a_task(name: str, function: Callable[..., Any], **facts: Any) -> TaskInfo:
    """What a worker would publish of a function."""
    description = function.__doc__
    return TaskInfo(name=name, args_schema=Signature(name, function).args_schema, description=description, **facts)


def publish(redis: Redis, *tasks: TaskInfo, worker: str = WORKER, queues: tuple[str, ...] = ("*",)) -> None:
    """Do what a worker does on start."""
    facts = dumps(
        {
            "hostname": "house",
            "pid": 1,
            "version": version("taskengine"),
            "queues": queues,
            "concurrency": 2,
            "mode": "thread",
            "started_at": 1_700_000_000_000,
            "draining": False,
            "running": [],
        }
    )
    STORE.register_worker(worker, facts, {task.name: describe(task) for task in tasks}).run(redis)


def run(redis: Redis, worker: str = WORKER) -> ClaimedJob:
    """Start the next job that is ready; there has to be one."""
    (job,) = STORE.claim_jobs(worker, "*", 1, lease_ms=LEASE_MS).run(redis).jobs
    return job


def end(redis: Redis, job: ClaimedJob, ending: Ending = Ending.COMPLETED, **facts: Any) -> None:
    """End an attempt. Failing is for good unless ``retry_ms`` says otherwise."""
    if ending is Ending.FAILED:
        error = {"exception": "ValueError", "message": "as told", "retryable": True}
        facts = {"value": dumps(error), "traceback": dumps("Traceback: as told"), **facts}
    outcome = Outcome(job_id=job.id, lease=job.lease, ending=ending, **facts)
    STORE.finish_jobs([outcome], WORKER, "*", 0, lease_ms=LEASE_MS).run(redis)


def progress(redis: Redis, job: ClaimedJob, current: float) -> None:
    """Report how far a running job is."""
    report: Mapping[str, Any] = {"current": current, "total": 10, "message": "at it", "updated_at": 1_700_000_000_000}
    STORE.report_progress([(job.id, job.lease, dumps(report))]).run(redis)


def say(redis: Redis, job: ClaimedJob, *lines: tuple[str, str], first: int = 1, **facts: Any) -> None:
    """Say lines, as (level, message); ``first`` is the number of the first, which rises with an attempt's lines."""
    said = [
        Said(number, 0.0, level, dumps({"message": message, **facts}))
        for number, (level, message) in enumerate(lines, first)
    ]
    STORE.append_logs([(job.id, job.lease, said)], now=0.0).run(redis)


async def has_field(api: Api, field: str) -> None:
    """Return once the schema has a typed mutation."""

    async def there() -> bool:
        fields = (await api.data('{ __type(name: "Mutation") { fields { name } } }'))["__type"]["fields"]
        return field in {one["name"] for one in fields}

    await until(there, 30, f"the schema has {field}")
