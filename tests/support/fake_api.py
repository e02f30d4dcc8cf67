"""The API as the dashboard sees it, answered in place: the committed schema, executed over a few jobs in memory.

    api = FakeApi()
    api.add_job(state="FAILED")
    open_source("http://api.test", transport=api.transport)
    api.problem = httpx.ConnectError("refused")      nothing answers any more
    api.sent                                         what was asked: (operation, variables)

What it answers is held to ``api/schema.graphql`` and the mutations of its tasks, so it cannot say what the API
could not.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
from graphql import GraphQLSchema, build_schema, graphql_sync

from taskengine.jobs import TaskInfo
from taskengine_api.schema.build import Schema

SCHEMA = (Path(__file__).parents[2] / "api" / "schema.graphql").read_text("utf-8")
NOW = datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)
STATES = ("SCHEDULED", "QUEUED", "RUNNING", "RETRYING", "COMPLETED", "FAILED", "CANCELLED")
FAILURE = {"exception": "shop.Trouble", "message": "no [luck]", "retryable": True, "traceback": "Traceback: as told"}
GREET = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string", "title": "Name", "description": "Whom to greet."},
        "times": {"type": "integer", "default": 1, "minimum": 1, "title": "Times"},
    },
}


class FakeApi:
    """Answers operations over HTTP. Public attributes may be changed by a test at any time."""

    def __init__(self) -> None:
        self.problem: Exception | None = None
        """Raised instead of an answer, as the network would."""
        self.error_code: str | None = None
        """Answered as a top-level error instead of data."""
        self.refusal: dict[str, Any] | None = None
        """The one error of every mutation's payload."""
        self.jobs: list[dict[str, Any]] = []
        self.workers: list[dict[str, Any]] = []
        self.groups: list[dict[str, Any]] = []
        """Failure groups; ``group()`` makes one."""
        self.bulks: list[dict[str, Any]] = []
        """Changes to many jobs; ``bulk()`` makes one."""
        self.schemas: dict[str, Any] = {"greet": GREET}
        self.answers: dict[str, Any] = {}
        """Values of other fields of Query and Mutation, or instead of those here: ``api.answers["viewer"] = {…}``."""
        self.events: list[dict[str, Any]] = []
        """What a subscription tells before it ends; ``event()`` makes one."""
        self.followed: list[dict[str, Any]] = []
        """The variables of each subscription."""
        self.keys: list[str | None] = []
        """The API key of each request."""
        self.sent: list[tuple[str, dict[str, Any]]] = []
        self._by_key: dict[str, str] = {}

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    def add_job(self, state: str = "QUEUED", **facts: Any) -> str:
        """Add a job, newer than all others; return its id."""
        job_id = f"job_{len(self.jobs):026}"
        self.jobs.append({**_job(job_id, state, len(self.jobs)), **facts})
        return job_id

    def add_worker(self, name: str = "w1", *, online: bool = True) -> None:
        self.workers.append(_worker(name, online=online))

    def job(self, job_id: str) -> dict[str, Any]:
        return next(job for job in self.jobs if job["id"] == job_id)

    def asked(self, operation: str) -> list[dict[str, Any]]:
        """Return the variables of every such operation, oldest first."""
        return [variables for name, variables in self.sent if name == operation]

    def _answer(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        if request.headers["accept"] == "text/event-stream":
            return self._stream(body["variables"])
        self.sent.append((body["operationName"], body["variables"]))
        self.keys.append(request.headers.get("authorization", "").removeprefix("Bearer ") or None)
        if self.problem is not None:
            raise self.problem
        if self.error_code is not None:
            error = {"message": "Redis does not answer", "extensions": {"code": self.error_code}}
            return httpx.Response(200, json={"data": None, "errors": [error]})
        result = graphql_sync(
            _schema(json.dumps(self.schemas)),
            body["query"],
            self._root(),
            variable_values=body["variables"],
            operation_name=body["operationName"],
        )
        assert not result.errors, result.errors
        return httpx.Response(200, json=result.formatted)

    def _stream(self, variables: dict[str, Any]) -> httpx.Response:
        self.followed.append(variables)
        if self.problem is not None:
            raise self.problem
        new = [one for one in self.events if int(one["cursor"]) > int(variables["after"] or 0)]
        told = [f"event: next\r\ndata: {json.dumps({'data': {'jobEvents': one}})}\r\n\r\n" for one in new]
        text = "".join([": ping\r\n\r\n", *told, "event: complete\r\ndata: \r\n\r\n"])
        return httpx.Response(200, text=text, headers={"content-type": "text/event-stream"})

    def _root(self) -> dict[str, Any]:
        queues = sorted({job["queue"]["name"] for job in self.jobs} | ({"default"} if self.schemas else set()))
        return {
            "counts": self._counts({}),
            "jobs": self._page,
            "job": lambda _info, **asked: next((job for job in self.jobs if job["id"] == asked["id"]), None),
            "queues": [self._queue(name) for name in queues],
            "tasks": [self._task(name, schema) for name, schema in sorted(self.schemas.items())],
            "workers": self.workers,
            "system": {
                "version": "0.1.0",
                "redisVersion": "7.4.0",
                "redisMemoryBytes": 1.5e6,
                "redisMemoryLimitBytes": None,
                "persistence": "aof",
                "now": _iso(0),
            },
            "viewer": {"name": "local", "role": "ADMIN"},
            "metrics": lambda _info, **_asked: metrics(),
            "failureGroups": a_page(self.groups),
            "bulkOperations": self.bulks,
            "retryJobs": lambda _info, **asked: self._change(asked["input"], "RETRY"),
            "cancelJobs": lambda _info, **asked: self._change(asked["input"], "CANCEL"),
            "deleteJobs": lambda _info, **asked: self._change(asked["input"], "DELETE"),
            "stopBulkOperation": lambda _info, **asked: self._stop(asked["input"]["id"]),
            "rerunJob": lambda _info, **asked: self._rerun(asked["input"]),
            "rescheduleJob": lambda _info, **asked: self._edit(asked["input"], "runAt"),
            "changeJobPriority": lambda _info, **asked: self._edit(asked["input"], "priority"),
            "deleteJob": lambda _info, **asked: self._delete(asked["input"]["id"]),
            "enqueueJob": lambda _info, **asked: self._enqueue(**asked["input"]),
            **{f"enqueue{name.title()}": self._enqueue_typed(name) for name in self.schemas},
            "cancelJob": lambda _info, **asked: self._move(asked["input"], "CANCELLED"),
            "retryJob": lambda _info, **asked: self._move(asked["input"], "QUEUED"),
            **self.answers,
        }

    def _counts(self, chosen: Mapping[str, str]) -> dict[str, int]:
        jobs = [job for job in self.jobs if all(job[field]["name"] == name for field, name in chosen.items())]
        return {state.lower(): sum(job["state"] == state for job in jobs) for state in STATES}

    def _queue(self, name: str) -> dict[str, Any]:
        counts = self._counts({"queue": name})
        return {"name": name, "paused": False, "oldestWaitSeconds": 12.5, "counts": counts}

    def _task(self, name: str, schema: Any) -> dict[str, Any]:
        return {
            "name": name,
            "description": f"Do {name}.",
            "argsSchema": schema,
            "enqueueField": f"enqueue{name.title()}",
            "queue": {"name": "default"},
            "priority": 5,
            "maxAttempts": 3,
            "timeoutSeconds": None,
            "paused": False,
            "concurrencyLimit": None,
            "rateLimit": None,
            "counts": self._counts({"task": name}),
            "metrics": metrics(),
        }

    def _page(self, _info: Any, **asked: Any) -> dict[str, Any]:
        """Return a page, newest first. The cursor of a job is its number."""
        chosen: Mapping[str, Any] = asked.get("filter") or {}
        jobs = [
            (number, job)
            for number, job in reversed(list(enumerate(self.jobs)))
            if job["state"] in chosen.get("states", STATES)
            and job["task"]["name"] in chosen.get("tasks", [job["task"]["name"]])
            and job["queue"]["name"] in chosen.get("queues", [job["queue"]["name"]])
        ]
        after, before = asked.get("after"), asked.get("before")
        rest = [
            (number, job)
            for number, job in jobs
            if (after is None or number < int(after)) and (before is None or number > int(before))
        ]
        page = rest[-asked["last"] :] if "last" in asked else rest[: asked["first"]]
        return {
            "nodes": [job for _, job in page],
            "totalCount": len(jobs),
            "pageInfo": {
                "hasNextPage": bool(page) and page[-1] != jobs[-1],
                "hasPreviousPage": bool(page) and page[0] != jobs[0],
                "startCursor": str(page[0][0]) if page else None,
                "endCursor": str(page[-1][0]) if page else None,
            },
        }

    def _enqueue_typed(self, task: str) -> Any:
        return lambda _info, **asked: self._enqueue(task, **asked["input"])

    def _enqueue(self, task: str, args: Any = None, options: Any = None) -> dict[str, Any]:
        if self.refusal is not None:
            return {"job": None, "deduplicated": False, "errors": [self.refusal]}
        key = (options or {}).get("idempotencyKey")
        if key in self._by_key:
            return {"job": self.job(self._by_key[key]), "deduplicated": True, "errors": []}
        job_id = self.add_job(task={"name": task}, args=args or {})
        if key is not None:
            self._by_key[key] = job_id
        return {"job": self.job(job_id), "deduplicated": False, "errors": []}

    def _move(self, input: dict[str, Any], state: str) -> dict[str, Any]:
        if self.refusal is not None:
            return {"job": None, "errors": [self.refusal]}
        self.job(input["id"])["state"] = state
        return {"job": self.job(input["id"]), "errors": []}

    def _rerun(self, input: dict[str, Any]) -> dict[str, Any]:
        if self.refusal is not None:
            return {"job": None, "errors": [self.refusal]}
        again = self.add_job(args=input["args"], rerunOf={"id": input["id"]})
        return {"job": self.job(again), "errors": []}

    def _edit(self, input: dict[str, Any], field: str) -> dict[str, Any]:
        if self.refusal is not None:
            return {"job": None, "errors": [self.refusal]}
        job = self.job(input["id"])
        job[field] = input[field]
        return {"job": job, "errors": []}

    def _delete(self, job_id: str) -> dict[str, Any]:
        if self.refusal is not None:
            return {"deletedId": None, "errors": [self.refusal]}
        self.jobs.remove(self.job(job_id))
        return {"deletedId": job_id, "errors": []}

    def _change(self, input: dict[str, Any], kind: str) -> dict[str, Any]:
        """Change many jobs: it stays RUNNING in ``bulks`` until a test says otherwise."""
        if self.refusal is not None:
            return {"matched": 0, "operation": None, "errors": [self.refusal]}
        able = {"RETRY": {"RETRYING", "FAILED", "CANCELLED"}, "CANCEL": {"SCHEDULED", "QUEUED", "RETRYING"}}
        states = able.get(kind, set(STATES) - {"RUNNING"}) & set(input["filter"].get("states", STATES))
        matched = sum(job["state"] in states for job in self.jobs)
        operation = None
        if not input["dryRun"]:
            operation = bulk(id=f"bulk_{len(self.bulks)}", kind=kind, matched=matched)
            self.bulks.insert(0, operation)
        return {"matched": matched, "operation": operation, "errors": []}

    def _stop(self, bulk_id: str) -> dict[str, Any]:
        operation = next(one for one in self.bulks if one["id"] == bulk_id)
        operation["state"] = "STOPPED"
        return {"operation": operation, "errors": []}


@cache
def _schema(tasks: str) -> GraphQLSchema:
    """Return the API's schema with the mutations of these tasks; ``tasks``: their JSON Schemas by name, as JSON."""
    infos = [TaskInfo(name=name, args_schema=schema) for name, schema in json.loads(tasks).items()]
    made = build_schema(Schema().with_tasks(infos).sdl() if infos else SCHEMA)
    made.type_map["UserError"].resolve_type = lambda *_: "ValidationError"  # type: ignore[attr-defined]
    return made


def a_page(nodes: Sequence[Any], *, start: str | None = None, end: str | None = None) -> dict[str, Any]:
    """Return a page of a list: there is more before the cursor ``start``, and behind ``end``."""
    info = {"hasPreviousPage": start is not None, "hasNextPage": end is not None}
    return {
        "nodes": nodes,
        "totalCount": len(nodes),
        "pageInfo": {**info, "startCursor": start or "first", "endCursor": end or "last"},
    }


def bulk(**facts: Any) -> dict[str, Any]:
    """Return a change to many jobs."""
    return {
        "id": "bulk_1",
        "kind": "RETRY",
        "state": "RUNNING",
        "matched": 1_200,
        "changed": 300,
        "skipped": 0,
        "createdAt": _iso(-10),
        "finishedAt": None,
        "requestedBy": "ops@",
        **facts,
    }


def metrics(completed: Sequence[int] = (0, 3, 1, 0), failed: Sequence[int] = (0, 0, 1, 0)) -> dict[str, Any]:
    """Return what happened, by the minute; the last one is not over."""
    count = len(completed)
    return {
        "window": "HOUR",
        "enqueued": sum(completed) + sum(failed) + 2,
        "completed": sum(completed),
        "failed": sum(failed),
        "retried": 1,
        "throughputPerSecond": (sum(completed) + sum(failed)) / 60 / count,
        "errorRate": 0.25,
        **{f"{what}SecondsP{share}": share / 10 for what in ("wait", "run") for share in (50, 95, 99)},
        "series": [
            {
                "at": _iso(60 * (number - count)),
                "enqueued": completed[number] + 1,
                "completed": completed[number],
                "failed": failed[number],
                "waitSecondsP95": 0.5 if completed[number] else None,
                "runSecondsP95": 1.5 if completed[number] else None,
            }
            for number in range(count)
        ],
    }


def event(number: int, **facts: Any) -> dict[str, Any]:
    """Return an event of a subscription: the ``number``th, by default a job that completed."""
    return {
        "kind": "JobStateChanged",
        "cursor": str(number),
        "at": _iso(number),
        "job": {"id": f"job_{number:026}", "task": {"name": "greet"}, "queue": {"name": "default"}},
        "from": "RUNNING",
        "to": "COMPLETED",
        "attempt": 1,
        "message": None,
        **facts,
    }


def group(**facts: Any) -> dict[str, Any]:
    """Return a failure group."""
    return {
        "id": "fail_1",
        "task": {"name": "greet"},
        "exception": "shop.Trouble",
        "summary": "no [luck] with #",
        "message": "no [luck] with 7",
        "location": "shop/mail.py:42 in send",
        "count": 1_200,
        "failedCount": 12,
        "firstAt": _iso(-7_200),
        "lastAt": _iso(-30),
        "sample": {"id": "job_00000000000000000000000001"},
        "course": [{"at": _iso(-3_600 * (23 - number)), "count": 0 if number < 22 else number} for number in range(24)],
        **facts,
    }


def logs(*messages: str) -> dict[str, Any]:
    """Return the log of a job: one line a message, a second apart, all of its first run."""
    return {
        "nodes": [
            {"at": _iso(number), "level": "INFO", "message": message, "attempt": 1, "fields": None, "logger": None}
            for number, message in enumerate(messages)
        ],
        "totalCount": len(messages),
        "pageInfo": {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None},
    }


def _job(job_id: str, state: str, number: int) -> dict[str, Any]:
    started = state not in {"SCHEDULED", "QUEUED"}
    ended = state in {"COMPLETED", "FAILED", "CANCELLED"}
    failure = FAILURE if state in {"FAILED", "RETRYING"} else None
    attempt = {
        "number": 1,
        "outcome": "FAILED" if failure else state if ended else "RUNNING",
        "workerName": "w1",
        "startedAt": _iso(-30),
        "finishedAt": _iso(-20) if ended or failure else None,
        "nextAttemptAt": None,
        "error": failure,
    }
    return {
        "id": job_id,
        "state": state,
        "task": {"name": "greet"},
        "queue": {"name": "default"},
        "priority": 5,
        "attemptCount": int(started),
        "maxAttempts": 3,
        "createdAt": _iso(number - 1000),
        "runAt": _iso(60) if state in {"SCHEDULED", "RETRYING"} else None,
        "startedAt": _iso(-30) if started else None,
        "finishedAt": _iso(-20) if ended else None,
        "waitSeconds": 0.5 if started else None,
        "runSeconds": 10.0 if started else None,
        "progress": None,
        "error": failure,
        "args": {"name": "Ada"},
        "result": {"said": "hello"} if state == "COMPLETED" else None,
        "tags": ["nightly"],
        "timeoutSeconds": None,
        "cancelReason": None,
        "enqueuedBy": None,
        "worker": {"name": "w1"} if started else None,
        "attempts": {"nodes": [attempt] if started else []},
        "dependsOn": [],
        "dependents": [],
        "logs": logs(),
    }


def _worker(name: str, *, online: bool) -> dict[str, Any]:
    return {
        "name": name,
        "hostname": "house",
        "pid": 1,
        "version": "0.1.0",
        "concurrency": 4,
        "online": online,
        "draining": False,
        "queues": [{"name": "*"}],
        "runningJobs": [{"id": "job_1", "state": "RUNNING"}],
        "startedAt": _iso(-3600),
        "lastHeartbeatAt": _iso(-2 if online else -600),
    }


def _iso(seconds: float) -> str:
    return (NOW + timedelta(seconds=seconds)).isoformat()
