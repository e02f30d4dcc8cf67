"""REST for scripts without a GraphQL client: a few addresses, each one operation of the schema underneath.

So roles, limits, audit and errors are those of GraphQL; here is only what HTTP
makes of them. ``openapi.py`` says the same for programs that write clients.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from math import ceil
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from taskengine.errors import did_you_mean
from taskengine_api import bodies
from taskengine_api.errors import Code, RequestRefused
from taskengine_api.openapi import DOCUMENT
from taskengine_api.router import GraphQLEndpoint
from taskengine_api.settings import ApiSettings

_NOT_KEPT = {"Cache-Control": "no-store"}
_JOB = """
  id task { name } queue { name } state priority args result error { exception message retryable }
  progress { current total message updatedAt } tags idempotencyKey attemptCount maxAttempts timeoutSeconds
  createdAt runAt startedAt finishedAt cancelReason enqueuedBy
"""
_ERRORS = "errors { __typename code message path ... on LimitError { retryAfterSeconds } }"
_LIST = (
    "query ($first: Int, $after: String, $last: Int, $before: String, $filter: JobFilter, $order: JobOrder!) {"
    " jobs(first: $first, after: $after, last: $last, before: $before, filter: $filter, orderBy: $order) {"
    f" nodes {{ {_JOB} }} totalCount scannedCount"
    " pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }"
)
_GET = f"query ($id: ID!) {{ job(id: $id) {{ {_JOB} }} }}"
_ENQUEUE = (
    "mutation ($input: EnqueueJobInput!) { answer: enqueueJob(input: $input) {"
    f" job {{ {_JOB} }} deduplicated {_ERRORS} }} }}"
)
_RETRY = f"mutation ($input: RetryJobInput!) {{ answer: retryJob(input: $input) {{ job {{ {_JOB} }} {_ERRORS} }} }}"
_DELETE = f"mutation ($input: DeleteJobInput!) {{ answer: deleteJob(input: $input) {{ deletedId {_ERRORS} }} }}"
_CLEAR = (
    "mutation ($input: ClearHistoryInput!) { answer: clearHistory(input: $input) {"
    f" operation {{ id kind state matched changed skipped createdAt finishedAt }} {_ERRORS} }} }}"
)

LISTS = frozenset({"ids", "states", "queues", "tasks", "tags"})
"""Parameters that may come several times, or with commas."""
RANGES = {
    "priorityGte": ("priority", "gte"),
    "priorityLte": ("priority", "lte"),
    "createdAtGte": ("createdAt", "gte"),
    "createdAtLt": ("createdAt", "lt"),
    "finishedAtGte": ("finishedAt", "gte"),
    "finishedAtLt": ("finishedAt", "lt"),
}
PLAIN = frozenset({"scheduleId", "failureGroupId", "text", "argsContain"})
PAGING = frozenset({"first", "after", "last", "before"})
ORDER = {"orderBy": "field", "direction": "direction"}
_WHOLE = frozenset({"first", "last", "priorityGte", "priorityLte"})

_STATUS = {
    "INVALID": 422,
    "NOT_FOUND": 404,
    "CONFLICT": 409,
    "LIMIT_EXCEEDED": 422,
    "QUEUE_FULL": 503,
    "FORBIDDEN": 403,
    Code.BAD_REQUEST: 400,
    Code.BAD_USER_INPUT: 422,
    Code.UNAUTHENTICATED: 401,
    Code.QUERY_TOO_COMPLEX: 422,
    Code.RATE_LIMITED: 429,
    Code.TIMEOUT: 503,
    Code.UNAVAILABLE: 503,
}
"""By code; 500 for what is not here."""


class Rest:
    """The endpoints, on the same schema, door and budgets as GraphQL."""

    def __init__(self, graphql: GraphQLEndpoint, settings: ApiSettings) -> None:
        self._graphql = graphql
        self._settings = settings

    def routes(self) -> list[Route]:
        """Return where what is answered."""
        return [
            Route("/api/openapi.json", _openapi),
            Route("/api/jobs", self._answering(self._list), methods=["GET"]),
            Route("/api/jobs", self._answering(self._enqueue), methods=["POST"]),
            Route("/api/jobs/clear", self._answering(self._clear), methods=["POST"]),
            Route("/api/jobs/{id}", self._answering(self._get), methods=["GET"]),
            Route("/api/jobs/{id}", self._answering(self._delete), methods=["DELETE"]),
            Route("/api/jobs/{id}/retry", self._answering(self._retry), methods=["POST"]),
        ]

    async def _list(self, request: Request) -> Response:
        page = (await self._ask(request, _LIST, _variables_of(request)))["jobs"]
        jobs = [_flat(job) for job in page.pop("nodes")]
        return _json({"jobs": jobs, **page})

    async def _get(self, request: Request) -> Response:
        job_id = request.path_params["id"]
        job = (await self._ask(request, _GET, {"id": job_id}))["job"]
        if job is None:
            raise RequestRefused(404, f"there is no job {job_id:.100}", Code.NOT_FOUND)
        return _json({"job": _flat(job)})

    async def _enqueue(self, request: Request) -> Response:
        answer = await self._do(request, _ENQUEUE, await self._body(request))
        status = 200 if answer["deduplicated"] else 201
        return _json({"job": _flat(answer["job"]), "deduplicated": answer["deduplicated"]}, status)

    async def _retry(self, request: Request) -> Response:
        answer = await self._do(request, _RETRY, {**await self._body(request), "id": request.path_params["id"]})
        return _json({"job": _flat(answer["job"])})

    async def _delete(self, request: Request) -> Response:
        answer = await self._do(request, _DELETE, {"id": request.path_params["id"]})
        return _json({"deletedId": answer["deletedId"]})

    async def _clear(self, request: Request) -> Response:
        answer = await self._do(request, _CLEAR, await self._body(request))
        return _json({"operation": answer["operation"]})

    async def _do(self, request: Request, document: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Carry out a mutation; raise what its payload says went wrong."""
        answer = (await self._ask(request, document, {"input": dict(given)}))["answer"]
        if answer["errors"]:
            raise _Failed(answer["errors"])
        return answer

    async def _ask(self, request: Request, document: str, variables: dict[str, Any]) -> dict[str, Any]:
        """Run an operation for whoever asks; raise ``_Failed`` with what went wrong."""
        ticket = await self._graphql.door.let_in(request)
        work = self._graphql.schema.execute(
            document, variable_values=variables, context_value=self._graphql.context.seen_by(ticket.viewer)
        )
        try:
            result = await asyncio.wait_for(work, self._settings.request_seconds)
        except TimeoutError:
            message = (
                f"there is no answer within {self._settings.request_seconds:g} s; a change may have happened or not"
            )
            raise RequestRefused(503, message, Code.TIMEOUT) from None
        if result.errors:
            raise _Failed([{"message": error.message, **(error.extensions or {})} for error in result.errors])
        assert result.data is not None
        return result.data

    async def _body(self, request: Request) -> dict[str, Any]:
        """Return the body, an object; nothing is an empty one."""
        text = await bodies.read_body(request, self._settings.max_body_bytes)
        if not text:
            return {}
        bodies.check_content_type(request.headers.get("content-type"))
        return bodies.read_object(text)

    @staticmethod
    def _answering(work: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            try:
                return await work(request)
            except RequestRefused as refusal:
                return bodies.refused(refusal)
            except _Failed as failed:
                return failed.response()

        return answer


class _Failed(Exception):
    """What an operation says went wrong."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors)
        self._errors = errors

    def response(self) -> Response:
        """Return it in the form of GraphQL's own errors, with the status of the first."""
        shown: list[dict[str, Any]] = []
        for error in self._errors:
            facts = {name: value for name, value in error.items() if name not in {"message", "__typename"}}
            shown.append({"message": error["message"], "extensions": {k: v for k, v in facts.items() if v is not None}})
        status = _STATUS.get(str(self._errors[0].get("code")), 500)
        seconds = self._errors[0].get("retryAfterSeconds")
        headers = {} if seconds is None else {"Retry-After": str(ceil(seconds))}
        return Response(bodies.write_json({"errors": shown}), status, _NOT_KEPT | headers, bodies.PLAIN_JSON)


def _variables_of(request: Request) -> dict[str, Any]:
    """Return the operation's variables from the parameters of the address; raise ``RequestRefused``."""
    wanted: dict[str, Any] = {}
    order = {"field": "CREATED_AT", "direction": "DESC"}
    filters: dict[str, Any] = {}
    for name, text in request.query_params.multi_items():
        if name in LISTS:
            filters.setdefault(name, []).extend(part for part in text.split(",") if part)
        elif name in RANGES:
            field, bound = RANGES[name]
            filters.setdefault(field, {})[bound] = _number(text) if name in _WHOLE else text
        elif name in PLAIN:
            filters[name] = _json_of(text) if name == "argsContain" else text
        elif name in PAGING:
            wanted[name] = _number(text) if name in _WHOLE else text
        elif name in ORDER:
            order[ORDER[name]] = text
        else:
            known = [*LISTS, *RANGES, *PLAIN, *PAGING, *ORDER]
            raise RequestRefused(400, f"{name[:40]!r} is no parameter of this address{did_you_mean(name, known)}")
    return {**wanted, "filter": filters, "order": order}


def _number(text: str) -> int | str:
    """Return a whole number, or the text as it is, of which GraphQL says what is wrong."""
    return int(text) if text.lstrip("-").isdecimal() and len(text) < 12 else text


def _json_of(text: str) -> Any:
    try:
        return bodies.read_json(text)
    except json.JSONDecodeError:
        raise RequestRefused(400, "expected argsContain to be JSON") from None


def _flat(job: dict[str, Any]) -> dict[str, Any]:
    """Name the task and the queue instead of showing them."""
    return {**job, "task": job["task"]["name"], "queue": job["queue"]["name"]}


def _json(value: object, status: int = 200) -> Response:
    return Response(bodies.write_json(value), status, _NOT_KEPT, bodies.PLAIN_JSON)


async def _openapi(_request: Request) -> Response:
    return Response(bodies.write_json(DOCUMENT), 200, {}, bodies.PLAIN_JSON)
