"""What workers publish of each task, so that others can enqueue it without importing its code.

Knows the shape of a description and checks arguments against its JSON Schema.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any, cast

from jsonschema import Draft202012Validator, FormatChecker, ValidationError
from jsonschema.validators import extend  # pyright: ignore[reportUnknownVariableType]

from taskengine.encryption import SETTING, Keyring
from taskengine.errors import InvalidInput, InvalidInputs, TooLarge
from taskengine.jobs import TaskInfo
from taskengine.records import dumps
from taskengine.redaction import Before, Parted, Redaction, plain_in

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


_FITS: ContextVar[dict[tuple[int, int], bool]] = ContextVar("fits")
"""Which branch of a union fits which part of the arguments that are being checked, by their identities."""
_NONE_FITS = "none fits"


def _any_of(validator: Any, branches: list[Any], instance: Any, _schema: object) -> Iterator[ValidationError]:
    """Check ``anyOf``, each branch once for each part of the arguments.

    jsonschema looks into every branch for all that is wrong there, for a report that we do not give: with models that
    hold each other twice as much with each level.
    """
    if not any(_fits(validator, branch, instance) for branch in branches):
        yield ValidationError(_NONE_FITS)


def _one_of(validator: Any, branches: list[Any], instance: Any, _schema: object) -> Iterator[ValidationError]:
    fitting = sum(_fits(validator, branch, instance) for branch in branches)
    if fitting != 1:
        yield ValidationError("several fit" if fitting else _NONE_FITS)


def _fits(validator: Any, branch: Any, instance: Any) -> bool:
    known, place = _FITS.get(), (id(branch), id(instance))
    if place not in known:
        known[place] = validator.evolve(schema=branch).is_valid(instance)
    return known[place]


_VALIDATOR = cast("Any", extend)(Draft202012Validator, {"anyOf": _any_of, "oneOf": _one_of})


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
            **({"encrypts": True} if info.encrypts else {}),
        }
    )


def check_args(info: TaskInfo, args: object, *, max_bytes: int, before: Before | None = None) -> str:
    """Return the arguments as JSON; raise ``InvalidInput`` naming each wrong one.

    What only the task's own code can refuse is found when it runs, and likewise what is wrong with a secret
    of ``before``, for which ``********`` stands.
    """
    if not isinstance(args, Mapping):
        raise InvalidInput(
            ("args",), f"expected a JSON object of arguments by name, got {type(args).__name__}", "object"
        )
    text = _as_json(args)
    check_size(text, max_bytes)
    validator, redaction = _validator(dumps(info.args_schema))
    kept = [tuple(map(str, place)) for place in before.kept(args)] if before else []
    problems: list[InvalidInput] = []
    _FITS.set({})
    for error in validator.iter_errors(cast("Any", args)):
        if tuple(map(str, error.absolute_path)) not in kept:
            problems += _problems(error, redaction)
        if len(problems) >= MAX_PROBLEMS:
            break
    if problems:
        raise InvalidInputs(problems[:MAX_PROBLEMS])
    return text


def part_args(info: TaskInfo, args_json: str, keyring: Keyring, before: Before | None = None) -> Parted:
    """Take the secrets out of arguments that were checked; raise ``InvalidInput`` when they cannot be kept as such."""
    _, redaction = _validator(dumps(info.args_schema))
    parted = redaction.part(args_json, keyring, before)
    if info.encrypts and (plain := plain_in(parted.secrets)):
        problem = (
            f"is a secret that the workers of {info.name} keep encrypted: set {SETTING} here too, with the same key"
        )
        raise InvalidInput(("args", *plain[0].split(".")), problem, "encrypted")
    return parted


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
def _validator(schema_json: str) -> tuple[Any, Redaction]:
    schema = json.loads(schema_json)
    return _VALIDATOR(schema, format_checker=_FORMATS), Redaction(schema)


def _problems(error: Any, redaction: Redaction) -> list[InvalidInput]:
    """Return complaints about secrets without what came, and only as far as their paths are no secret."""
    path = tuple(str(part) for part in error.absolute_path)
    if path and path[0] in redaction.parameters:
        return [
            InvalidInput(("args", *redaction.cut(problem.path[1:])), problem.message, problem.constraint)
            for problem in _worded(error, _unseen)
        ]
    return _worded(error, _shown)


def _worded(error: Any, shown: Callable[[Any], str]) -> list[InvalidInput]:
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
    if error.message == _NONE_FITS:
        return [InvalidInput(path, f"{_kinds(error)}{shown(error.instance)}", constraint)]
    return [InvalidInput(path, f"{_wording(error)}{shown(error.instance)}", constraint)]


def _kinds(error: Any) -> str:
    kinds = [str(branch.get("type") or branch.get("$ref", "").rsplit("/", 1)[-1]) for branch in error.validator_value]
    return f"expected {' or '.join(kind for kind in kinds if kind)}"


def _wording(error: Any) -> str:
    wanted = error.validator_value
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
    return wordings.get(str(error.validator), f"does not fit {error.validator}")


def _shown(value: Any) -> str:
    shown = dumps(value)
    return f", got {shown if len(shown) <= 60 else shown[:57] + '...'}"


def _unseen(value: Any) -> str:
    del value
    return ""
