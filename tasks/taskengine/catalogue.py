"""What workers publish of each task, so that others can enqueue it without importing its code.

Knows the shape of a description and checks arguments against its JSON Schema.
"""

import json
from collections.abc import Mapping
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any, cast

from jsonschema import Draft202012Validator, FormatChecker

from taskengine.errors import InvalidInput, InvalidInputs, TooLarge
from taskengine.jobs import TaskInfo
from taskengine.records import dumps

MAX_PROBLEMS = 20
"""So many complaints are reported of one set of arguments."""
_FORMATS = FormatChecker()


@_FORMATS.checks("date-time", raises=ValueError)
def _is_datetime(value: object) -> bool:
    return not isinstance(value, str) or bool(datetime.fromisoformat(value))


@_FORMATS.checks("date", raises=ValueError)
def _is_date(value: object) -> bool:
    return not isinstance(value, str) or bool(date.fromisoformat(value))


@_FORMATS.checks("time", raises=ValueError)
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or bool(time.fromisoformat(value).isoformat())


def describe(info: TaskInfo) -> str:
    """Return what the catalogue keeps of a task."""
    return dumps(
        {
            "args_schema": info.args_schema,
            "queue": info.queue,
            "priority": info.priority,
            "max_attempts": info.max_attempts,
            "timeout_seconds": info.timeout_seconds,
            "description": info.description,
        }
    )


def check_args(info: TaskInfo, args: object, *, max_bytes: int) -> str:
    """Return the arguments as JSON; raise ``InvalidInput`` naming each wrong one.

    What only the task's own code can refuse is found when it runs.
    """
    if not isinstance(args, Mapping):
        raise InvalidInput(
            ("args",), f"expected a JSON object of arguments by name, got {type(args).__name__}", "object"
        )
    text = _as_json(args)
    check_size(text, max_bytes)
    validator = _validator(dumps(info.args_schema))
    problems: list[InvalidInput] = []
    for error in validator.iter_errors(cast("Any", args)):
        problems += _problems(error)
        if len(problems) >= MAX_PROBLEMS:
            break
    if problems:
        raise InvalidInputs(problems[:MAX_PROBLEMS])
    return text


def _as_json(args: Any) -> str:
    try:
        text = dumps(args)
        text.encode()
    except (TypeError, ValueError, RecursionError) as problem:
        raise InvalidInput(("args",), f"cannot be written as JSON: {problem}") from None
    return text


def check_size(args_json: str, max_bytes: int) -> None:
    """Raise ``TooLarge`` when arguments have more bytes than allowed."""
    size = len(args_json.encode())
    if size > max_bytes:
        raise TooLarge(("args",), size, max_bytes)


@lru_cache(maxsize=1024)
def _validator(schema_json: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema_json), format_checker=_FORMATS)


def _problems(error: Any) -> list[InvalidInput]:
    """Word one complaint of jsonschema's, whose attributes have no useful types."""
    path = ("args", *(str(part) for part in error.absolute_path))
    constraint = str(error.validator)
    if constraint == "required":
        missing = [name for name in error.validator_value if name not in error.instance]
        # One error a missing name: report the one that this error is about.
        name = next((name for name in missing if error.message.startswith(repr(name))), missing[0])
        return [InvalidInput((*path, name), "is required", constraint)]
    if constraint == "additionalProperties":
        known = cast("dict[str, Any]", error.schema.get("properties", {}) if isinstance(error.schema, Mapping) else {})
        unknown = [name for name in error.instance if name not in known]
        return [InvalidInput((*path, name), "there is no such parameter", constraint) for name in unknown]
    if constraint in ("anyOf", "oneOf") and error.context:
        return [InvalidInput(path, f"{_any_of(error)}, got {_shown(error.instance)}", constraint)]
    return [InvalidInput(path, _wording(error), constraint)]


def _any_of(error: Any) -> str:
    kinds = [str(branch.get("type") or branch.get("$ref", "").rsplit("/", 1)[-1]) for branch in error.validator_value]
    return f"expected {' or '.join(kind for kind in kinds if kind)}"


def _wording(error: Any) -> str:
    value, wanted = error.instance, error.validator_value
    wordings = {
        "type": f"expected {wanted}",
        "enum": f"expected one of {wanted}",
        "const": f"expected {wanted!r}",
        "format": f"expected a {wanted}",
        "minimum": f"expected at least {wanted}",
        "maximum": f"expected at most {wanted}",
        "exclusiveMinimum": f"expected more than {wanted}",
        "exclusiveMaximum": f"expected less than {wanted}",
        "minLength": f"expected at least {wanted} characters",
        "maxLength": f"expected at most {wanted} characters",
        "minItems": f"expected at least {wanted} items",
        "maxItems": f"expected at most {wanted} items",
        "pattern": f"expected text that matches {wanted}",
    }
    return f"{wordings.get(str(error.validator), 'does not fit ' + str(error.validator))}, got {_shown(value)}"


def _shown(value: Any) -> str:
    shown = dumps(value)
    return shown if len(shown) <= 60 else shown[:57] + "..."
