"""Operations that nobody would think of, on a running API with jobs in it: each is answered, and in good form.

Some hundred with every run of the tests, always the same; ``make fuzz`` makes 10,000, others each time.
"""

import itertools
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from math import ceil
from typing import Annotated, Any, Literal
from uuid import UUID

import httpx
import pytest
from graphql import GraphQLSchema, build_schema
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from redis import Redis

from support.api import LEASE_MS, STORE, WORKER, a_task, end, progress, publish, say
from support.attacks import PLAIN
from support.fuzzing import Request, Tally, a_request, check_answer
from support.redis_server import RedisServer
from support.served import PATH, a_faultless_api
from support.workers import worker_env
from taskengine.store import Ending
from taskengine_api.schema.build import Schema

DEFAULT_CASES = 300
CASES = int(os.environ.get("FUZZ_CASES", str(DEFAULT_CASES)))
SECONDS = 9
"""For one answer: the API itself gives up after ten."""
STIRRED_EVERY = 40


class Colour(Enum):
    RED = "red"
    SKY_BLUE = "sky-blue"


class Circle(BaseModel):
    """A round thing."""

    radius: float
    colour: Colour = Colour.RED


class Square(BaseModel):
    side: Annotated[float, Field(gt=0)]
    inner: "Square | None" = None


def universal(value: Any = None, *, to: list[str] | None = None, times: int = 1) -> Any:
    """Do as told."""
    return value, to, times


def everything(
    shape: Circle | Square,
    kind: Literal["a", "b-c"],
    small: Annotated[int, Field(ge=0, le=100)] = 3,
    large: int = 2**60,
    price: Decimal = Decimal("1.50"),
    at: datetime | None = None,
    day: date | None = None,
    hour: time | None = None,
    patience: timedelta = timedelta(seconds=90),
    key: UUID | None = None,
    raw: bytes = b"",
    shapes: list[Circle] | None = None,
    mixed: int | str = "x",
    facts: dict[str, Any] | None = None,
) -> None:
    """Take a value of each kind."""


TASKS = [a_task("universal", universal, max_attempts=3), a_task("everything", everything, queue="mail")]
SCHEMA: GraphQLSchema = build_schema(Schema().with_tasks(TASKS).sdl())
WHAT_IS_THERE = """{
  jobs(first: 60) { edges { cursor node { id attempts(first: 1) { nodes { id } } } } }
  queues { name id } tasks { name id } schedules { id } workers { id } bulkOperations { id }
  failureGroups(first: 5) { nodes { id } }
}"""


def _fields(kind: str) -> list[str]:
    type_ = SCHEMA.get_type(kind)
    return list(getattr(type_, "fields", {}))


OPERATIONS = [
    *((kind, [name], False) for kind in ("Query", "Mutation") for name in _fields(kind)),
    *((kind, None, wrong) for kind in ("Query", "Mutation") for wrong in (False, True)),
]
NAMES = [f"{kind}.{fields[0] if fields else 'wrong' if wrong else 'many'}" for kind, fields, wrong in OPERATIONS]


def _weight(fields: list[str] | None) -> int:
    return 1 if fields else 4


class House:
    """A running API, a Redis of its own, and jobs in every state, which the requests move about."""

    def __init__(self, redis: Redis, port: int, env: dict[str, str]) -> None:
        self.tally = Tally()
        self.there: dict[str, list[str]] = {}
        self._redis = redis
        self._http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=SECONDS)
        self._env = env
        self._turn = itertools.count()

    def ask(self, request: Request) -> None:
        """Send a request, and hold its answer to what has to hold of every one."""
        if next(self._turn) % STIRRED_EVERY == 0:
            self.stir()
        body = request.body(self.there)
        note(body.decode())
        response = self._http.post("/graphql", content=body, headers=PLAIN)
        self.tally.count(check_answer(response.status_code, response.json(), request.document))

    def stir(self) -> None:
        """Lift what holds jobs back, add some, let them be run, fail and finish, and look at what is there."""
        publish(self._redis, *TASKS)
        self._do("resumeQueue", "ResumeQueueInput", {"queue": "default"})
        self._do("updateQueue", "UpdateQueueInput", {"queue": "default", "concurrencyLimit": None, "rateLimit": None})
        off = {"task": "universal", "paused": False, "concurrencyLimit": None, "rateLimit": None}
        self._do("updateTask", "UpdateTaskInput", off)
        for number in range(6):
            options = {"tags": ["red"], "priority": 10, "delaySeconds": 3600 if number == 5 else None}
            job = {"task": "universal", "args": {"value": number}, "options": options}
            self._do("enqueueJob", "EnqueueJobInput", job)
        schedule = {"name": "nightly", "task": "universal", "args": {}, "cron": "30 2 * * *"}
        self._do("createSchedule", "CreateScheduleInput", schedule)
        jobs = STORE.claim_jobs(WORKER, "default", 3, lease_ms=LEASE_MS).run(self._redis).jobs
        for job, ending in zip(jobs, (Ending.COMPLETED, Ending.FAILED), strict=False):
            progress(self._redis, job, 1)
            say(self._redis, job, ("INFO", "as told"))
            end(self._redis, job, ending)
        self._look()

    def check(self) -> str:
        """Return what ``taskengine check`` says of the jobs and their indexes."""
        command = [sys.executable, "-m", "taskengine", "check"]
        done = subprocess.run(command, check=False, env=self._env, capture_output=True, text=True, timeout=120)
        return "" if done.returncode == 0 else done.stdout + done.stderr

    def close(self) -> None:
        self._http.close()

    def _look(self) -> None:
        data = self._post(WHAT_IS_THERE, {})["data"]
        edges = data["jobs"]["edges"]
        self.there = {
            "job": [edge["node"]["id"] for edge in edges],
            "cursor": [edge["cursor"] for edge in edges],
            "attempt": [one["id"] for edge in edges for one in edge["node"]["attempts"]["nodes"]],
            "queue": [one[key] for one in data["queues"] for key in ("name", "id")],
            "task": [one[key] for one in data["tasks"] for key in ("name", "id")],
            "schedule": [one["id"] for one in data["schedules"]],
            "worker": [one["id"] for one in data["workers"]],
            "bulk": [one["id"] for one in data["bulkOperations"]],
            "group": [one["id"] for one in data["failureGroups"]["nodes"]],
            "event": [str(self._redis.xinfo_stream(name)["last-generated-id"]) for name in self._streams()],
        }

    def _streams(self) -> list[str]:
        return list(self._redis.scan_iter("*:events", _type="stream"))

    def _do(self, field: str, kind: str, given: dict[str, Any]) -> None:
        self._post(f"mutation ($i: {kind}!) {{ {field}(input: $i) {{ errors {{ code }} }} }}", {"i": given})

    def _post(self, document: str, variables: dict[str, Any]) -> Any:
        answer = self._http.post("/graphql", json={"query": document, "variables": variables}).json()
        assert "errors" not in answer, answer
        return answer


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One for all cases: what one operation does is there for the next."""
    folder = tmp_path_factory.mktemp("fuzz")
    server = RedisServer(folder / "redis").start()
    try:
        with server.client() as redis:
            publish(redis, *TASKS)
            with a_faultless_api(server.url, folder) as port:
                house = House(redis, port, worker_env(server.url, data_dir=folder, path=PATH))
                yield house
                house.close()
        for kind, number in sorted(house.tally.answers.items()):
            print(f"{number:6} {kind}")
    finally:
        server.stop()


@pytest.mark.parametrize(("kind", "fields", "wrong"), OPERATIONS, ids=NAMES)
def test_whatever_is_asked_is_answered_in_good_form(
    house: House, kind: str, fields: list[str] | None, wrong: bool
) -> None:
    @settings(
        max_examples=ceil(CASES * _weight(fields) / sum(_weight(fields) for _, fields, _ in OPERATIONS)),
        derandomize=CASES <= DEFAULT_CASES,
        database=None,
        deadline=None,
        # What is there changes with every request, so an example cannot be made smaller by sending it again.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        house.ask(data.draw(a_request(SCHEMA, kind, fields, wrong=wrong)))

    ask()


def test_afterwards_every_job_and_index_agree(house: House) -> None:
    assert house.check() == ""
