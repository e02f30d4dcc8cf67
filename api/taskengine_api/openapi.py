"""The REST addresses as an OpenAPI 3.1 document, written out: what is not in here is not promised."""

from importlib.metadata import version
from typing import Any

_STATES = ["SCHEDULED", "QUEUED", "RUNNING", "RETRYING", "COMPLETED", "FAILED", "CANCELLED"]
_TEXT: dict[str, Any] = {"type": "string"}
_WHOLE: dict[str, Any] = {"type": "integer"}
_INSTANT: dict[str, Any] = {"type": "string", "format": "date-time"}


def _maybe(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [schema, {"type": "null"}]}


def _object(properties: dict[str, Any], *required: str, description: str = "") -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), "description": description}


def _list(schema: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": schema}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def _parameter(name: str, schema: dict[str, Any], description: str, place: str = "query") -> dict[str, Any]:
    return {"name": name, "in": place, "required": place == "path", "schema": schema, "description": description}


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _operation(
    name: str,
    summary: str,
    answer: dict[str, Any],
    *,
    status: str = "200",
    body: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    refused = {"description": "It was refused: the code of each error says why.", "content": _content(_ref("Errors"))}
    made: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "responses": {status: {"description": "Done.", "content": _content(answer)}, "default": refused},
        **more,
    }
    if body is not None:
        made["requestBody"] = {"required": status == "201", "content": _content(body)}
    return made


_ID = _parameter("id", _TEXT, "The job's id.", "path")
_FILTERS = [
    _parameter("ids", _list(_TEXT), "With one of these ids; lists may repeat the parameter or use commas."),
    _parameter("states", _list({"type": "string", "enum": _STATES}), "In one of these states."),
    _parameter("queues", _list(_TEXT), "In one of these queues."),
    _parameter("tasks", _list(_TEXT), "Of one of these tasks."),
    _parameter("tags", _list(_TEXT), "With one of these tags."),
    _parameter("scheduleId", _TEXT, "Enqueued by this schedule."),
    _parameter("failureGroupId", _TEXT, "FAILED, and of this group of failures."),
    _parameter("priorityGte", _WHOLE, "With at least this priority."),
    _parameter("priorityLte", _WHOLE, "With at most this priority."),
    _parameter("createdAtGte", _INSTANT, "Enqueued not before this."),
    _parameter("createdAtLt", _INSTANT, "Enqueued before this."),
    _parameter("finishedAtGte", _INSTANT, "Finished not before this."),
    _parameter("finishedAtLt", _INSTANT, "Finished before this."),
    _parameter("text", _TEXT, "Case-insensitive, in arguments, error and tags."),
    _parameter("argsContain", _TEXT, "Arguments that contain this JSON."),
    _parameter("first", _WHOLE, "How many from the start, at most 100; 50 by default."),
    _parameter("after", _TEXT, "Only what comes after this cursor."),
    _parameter("last", _WHOLE, "How many from the end, at most 100."),
    _parameter("before", _TEXT, "Only what comes before this cursor."),
    _parameter("orderBy", {"enum": ["CREATED_AT", "RUN_AT", "FINISHED_AT", "PRIORITY"]}, "What to order by."),
    _parameter("direction", {"enum": ["ASC", "DESC"]}, "Which end comes first."),
]
_JOB = _object(
    {
        "id": _TEXT,
        "task": _TEXT,
        "queue": _TEXT,
        "state": {"type": "string", "enum": _STATES},
        "priority": _WHOLE,
        "args": {"description": "The arguments, by parameter name."},
        "result": {"description": "What the task returned."},
        "error": _maybe(_object({"exception": _TEXT, "message": _TEXT, "retryable": {"type": "boolean"}})),
        "progress": {"description": "How far it says it is.", "type": ["object", "null"]},
        "tags": _list(_TEXT),
        "idempotencyKey": _maybe(_TEXT),
        "attemptCount": _WHOLE,
        "maxAttempts": _WHOLE,
        "timeoutSeconds": _maybe({"type": "number"}),
        "createdAt": _INSTANT,
        "runAt": _maybe(_INSTANT),
        "startedAt": _maybe(_INSTANT),
        "finishedAt": _maybe(_INSTANT),
        "cancelReason": _maybe(_TEXT),
        "enqueuedBy": _maybe(_TEXT),
    },
    "id",
    "task",
    "queue",
    "state",
    description="A unit of work.",
)
_ERRORS = _object(
    {
        "errors": _list(
            _object({"message": _TEXT, "extensions": _object({"code": _TEXT}, "code")}, "message", "extensions")
        )
    },
    "errors",
    description="Why nothing was done, with the codes of the GraphQL API.",
)
_OPTIONS: dict[str, Any] = {"type": "object", "description": "As `EnqueueOptions` of the GraphQL schema."}

DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "TaskEngine", "version": version("taskengine"), "description": "Jobs, for scripts."},
    "paths": {
        "/api/jobs": {
            "get": _operation(
                "listJobs",
                "Jobs by page, newest first by default.",
                _object(
                    {"jobs": _list(_ref("Job")), "totalCount": _maybe(_WHOLE), "pageInfo": {"type": "object"}}, "jobs"
                ),
                parameters=_FILTERS,
            ),
            "post": _operation(
                "enqueueJob",
                "Enqueues a job. 200 instead of 201 when the idempotency key matched an earlier one. Needs OPERATOR.",
                _object({"job": _ref("Job"), "deduplicated": {"type": "boolean"}}, "job"),
                status="201",
                body=_object({"task": _TEXT, "args": {"type": "object"}, "options": _OPTIONS}, "task", "args"),
            ),
        },
        "/api/jobs/clear": {
            "post": _operation(
                "clearHistory",
                "Removes finished jobs. Needs ADMIN.",
                _object({"operation": {"type": "object"}}, "operation"),
                body=_object({"states": _list(_TEXT), "finishedBefore": _INSTANT}),
            )
        },
        "/api/jobs/{id}": {
            "get": _operation("getJob", "One job.", _object({"job": _ref("Job")}, "job"), parameters=[_ID]),
            "delete": _operation(
                "deleteJob",
                "Removes the record of a job that is not RUNNING. Needs OPERATOR.",
                _object({"deletedId": _TEXT}, "deletedId"),
                parameters=[_ID],
            ),
        },
        "/api/jobs/{id}/retry": {
            "post": _operation(
                "retryJob",
                "Runs a FAILED, CANCELLED or RETRYING job again now. Needs OPERATOR.",
                _object({"job": _ref("Job")}, "job"),
                body=_object({"attempts": _WHOLE}),
                parameters=[_ID],
            )
        },
    },
    "components": {
        "schemas": {"Job": _JOB, "Errors": _ERRORS},
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "By `taskengine keys create`."}},
    },
    "security": [{"key": []}],
}
