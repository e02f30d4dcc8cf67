"""A function's hints -> a pydantic model of its arguments -> JSON and JSON Schema.

Knows nothing of jobs or Redis. A signature that cannot be typed is refused
here, when the task is defined, naming the parameter.
"""

import inspect
import re
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PydanticSchemaGenerationError,
    PydanticUserError,
    TypeAdapter,
    ValidationError,
    create_model,
)
from pydantic.errors import PydanticInvalidForJsonSchema
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import PydanticSerializationError, to_json

from taskengine.encryption import Keyring
from taskengine.errors import InvalidInput, InvalidInputs, InvalidTask, UnusableResult
from taskengine.masks import NO_MASK, Mask, leaves, secrets_of
from taskengine.redaction import REDACT, Parted, Redaction
from taskengine.secrets import MARKER, OURS, REVEAL, is_limited, marked, of_secret

_CONFIG = ConfigDict(
    extra="forbid",
    ser_json_bytes="base64",
    val_json_bytes="base64",
    ser_json_inf_nan="strings",
    ser_json_timedelta="iso8601",
)
_BOUND = "arg_"
"""Fields are named apart from the parameters, which may be called ``json`` or ``_x``; the alias is the parameter."""


class _Described(GenerateJsonSchema):
    """JSON Schema in which an exact number can be told from a float that may also be text."""

    def decimal_schema(self, schema: Any) -> JsonSchemaValue:
        described = super().decimal_schema(schema)
        for branch in described.get("anyOf", ()):
            if branch.get("type") == "string":
                branch["format"] = "decimal"
        return described


class Signature:
    """How a task is called: what it takes, and what it gives back."""

    def __init__(
        self,
        task: str,
        function: Callable[..., Any],
        *,
        hidden: frozenset[str] = frozenset(),
        redact: Sequence[str] = (),
    ) -> None:
        """``hidden`` parameters are given by the worker, not by the caller. ``redact``: paths to secrets."""
        self.task = task
        parameters = [p for p in inspect.signature(function).parameters.values() if p.name not in hidden]
        hints = _hints(task, function)
        for parameter in parameters:
            _refuse_what_has_no_name(task, parameter)
        _refuse_clashes(task, [parameter.name for parameter in parameters])
        self._parameters = inspect.Signature(parameters)
        self._model = _model(task, parameters, hints)
        self._result = _result_model(hints.get("return", Any))
        self.args_schema = _schema(task, self._model, parameters, redact)
        self.redaction = Redaction(self.args_schema)
        self._reveal = REVEAL if self.redaction.parameters else None

    @property
    def parameters(self) -> frozenset[str]:
        """Names of the parameters."""
        return frozenset(self._parameters.parameters)

    def dump(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
        """Check a call as Python would, and its values against the hints; return its arguments as JSON.

        Arguments that were not given are left out: the task's own defaults hold when it runs.
        Raises ``InvalidInput`` or ``InvalidInputs``, with paths that begin with ``args``.
        """
        bound = self._bind(args, kwargs)
        try:
            model = self._model.model_validate(bound)
        except ValidationError as error:
            raise refused(error, self.redaction) from None
        # Not `exclude_unset`: it reaches into the values, and what a model's default_factory made would be made anew.
        unset = type(model).model_fields.keys() - model.model_fields_set
        try:
            text = model.model_dump_json(by_alias=True, exclude=unset or None, warnings="error", context=self._reveal)
        except PydanticSerializationError as error:
            words = "" if self.redaction.parameters else f": {error}"  # they may have the value
            raise InvalidInput(("args",), f"cannot be written as JSON{words}") from None
        try:
            self._model.model_validate_json(text)
        except ValidationError as error:
            # Better now than in the worker: a model that writes what it does not read, a dict by tuples, and the like.
            raise InvalidInput(("args",), f"cannot be read back from JSON: {refused(error, self.redaction)}") from None
        return text

    def part(self, args_json: str, keyring: Keyring) -> Parted:
        """Take the secrets out of arguments that ``dump`` returned."""
        return self.redaction.part(args_json, keyring)

    def by_name(self, args: Sequence[Any]) -> dict[str, Any]:
        """Return positional arguments by name, unchecked; raise ``InvalidInput`` if they are too many."""
        return self._bind(args, {})

    def mask(self, values: Sequence[Any], arguments: Mapping[str, Any]) -> Mask:
        """Return what takes the secrets of a call out of words: ``values`` that were given, and defaults."""
        if not (values or self.redaction.parameters):
            return NO_MASK
        defaults = [arguments[path] for path in self.args_schema.get(REDACT, ()) if path in arguments]
        return Mask([*values, *secrets_of(arguments), *defaults])

    def load(self, args_json: str | bytes) -> dict[str, Any]:
        """Return the arguments to call the function with; raise as ``dump`` does."""
        try:
            model = self._model.model_validate_json(args_json)
        except ValidationError as error:
            raise refused(error, self.redaction) from None
        return {field[len(_BOUND) :]: getattr(model, field) for field in type(model).model_fields}

    def dump_result(self, value: Any) -> str:
        """Return what the function returned as JSON, ``""`` for ``None``; raise ``UnusableResult``."""
        if value is None:
            return ""
        try:
            return to_json(value, inf_nan_mode="strings", bytes_mode="base64").decode()
        except (PydanticSerializationError, ValueError) as error:
            raise UnusableResult(self.task, str(error)) from None

    def load_result(self, value: Any) -> Any:
        """Return a result from JSON as the type that the function says it returns."""
        if self._result is None or value is None:
            return value
        loaded: Any = self._result.model_validate_json(to_json({"value": value}))
        return loaded.value

    def _bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        problems = [
            InvalidInput(("args", name), f"there is no such parameter; {self.task} takes {self._takes()}", "unknown")
            for name in kwargs
            if name not in self._parameters.parameters
        ]
        if problems:
            raise InvalidInputs(problems)
        try:
            return dict(self._parameters.bind_partial(*args, **kwargs).arguments)
        except TypeError as error:
            raise InvalidInput(("args",), f"{error}; {self.task} takes {self._takes()}") from None

    def _takes(self) -> str:
        return f"({', '.join(self._parameters.parameters)})"


_NOTHING_SECRET = Redaction({})


def refused(error: ValidationError, redaction: Redaction = _NOTHING_SECRET) -> InvalidInputs:
    """Return pydantic's complaints as ours, each with its path into the arguments; of secrets, without what came."""
    problems: list[InvalidInput] = []
    for problem in error.errors(include_url=False, include_context=False):
        path, words = tuple(str(part) for part in problem["loc"]), problem["msg"]
        if path and path[0] in redaction.parameters:
            message, path = _unseen(words, problem["type"], problem["input"]), redaction.cut(path)
        else:
            message = _what_came(words, problem["type"], problem["input"])
        problems.append(InvalidInput(("args", *path), message, problem["type"]))
    return InvalidInputs(problems)


def _what_came(message: str, kind: str, value: Any) -> str:
    message = message[:1].lower() + message[1:]
    if kind == "missing":
        return "is required"
    if value is None:
        return f"{message}, got null"
    if isinstance(value, (dict, list, BaseModel)) or kind == "extra_forbidden":
        return f"{message}, got {type(cast('object', value)).__name__}"
    shown = repr(value)
    return f"{message}, got {shown if len(shown) <= 60 else shown[:57] + '...'}"


def _unseen(message: str, kind: str, value: Any) -> str:
    """Word a complaint about a secret: also what a validator of the user's says of it may have the value in it."""
    if kind == "missing":
        return "is required"
    for leaf in sorted((str(leaf) for leaf in leaves(value)), key=len, reverse=True):
        if leaf and len(leaf) < 4 and leaf in message and kind in ("value_error", "assertion_error"):
            return "is refused by its validator"
        message = message.replace(leaf, MARKER) if len(leaf) >= 4 else message
    return message[:1].lower() + message[1:]


def _hints(task: str, function: Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function, include_extras=True)
    except (NameError, AttributeError, TypeError, SyntaxError) as error:
        raise InvalidTask(task, f"a type hint cannot be read: {error}") from None


def _refuse_what_has_no_name(task: str, parameter: inspect.Parameter) -> None:
    problems = {
        parameter.VAR_POSITIONAL: f"*{parameter.name} has no names to keep arguments by; take a list instead",
        parameter.VAR_KEYWORD: f"**{parameter.name} cannot be typed; take a dict or named parameters instead",
        parameter.POSITIONAL_ONLY: "cannot be given by name; drop the / from the signature",
    }
    if parameter.kind in problems:
        raise InvalidTask(task, problems[parameter.kind], parameter.name)


def _refuse_clashes(task: str, names: Sequence[str]) -> None:
    """``a_b`` and ``aB`` are one name in GraphQL."""
    seen: dict[str, str] = {}
    for name in names:
        camel = re.sub(r"_+([a-z0-9])", lambda found: found[1].upper(), name)
        if camel in seen:
            raise InvalidTask(task, f"is the same as {seen[camel]!r} where names are written in camelCase", name)
        if not name.isascii():
            raise InvalidTask(task, "has letters outside A-Z that GraphQL names cannot have", name)
        seen[camel] = name


def _model(task: str, parameters: Sequence[inspect.Parameter], hints: Mapping[str, Any]) -> type[BaseModel]:
    fields: dict[str, Any] = {}
    for parameter in parameters:
        hint = hints.get(parameter.name, Any)
        default = ... if parameter.default is parameter.empty else parameter.default
        _check_hint(task, parameter.name, hint)
        title = parameter.name.strip("_").replace("_", " ").capitalize()
        fields[_BOUND + parameter.name] = (hint, Field(default, alias=parameter.name, title=title))
    return create_model(_pascal(task) + "Args", __config__=_CONFIG, **fields)


def _check_hint(task: str, parameter: str, hint: Any) -> None:
    try:
        adapter = TypeAdapter(hint)
        schema = adapter.json_schema()
    except (PydanticSchemaGenerationError, PydanticInvalidForJsonSchema, PydanticUserError) as error:
        reason = str(error).splitlines()[0]
        raise InvalidTask(task, f"{hint!r} cannot be typed as JSON: {reason}", parameter) from None
    if is_limited(adapter.core_schema):
        problem = "a limit of a secret stands inside it, as in Secret[Annotated[str, Field(min_length=8)]]"
        raise InvalidTask(task, problem, parameter)
    if any(node.get("writeOnly") is True and OURS not in node for node in _nodes(schema)):
        raise InvalidTask(
            task,
            "is a secret of pydantic's, which writes itself as asterisks: its task would get those;"
            " write Secret[str] with taskengine's Secret, or name it in redact=(...)",
            parameter,
        )


def _nodes(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in a JSON Schema."""
    if isinstance(schema, dict):
        parts = cast("dict[str, Any]", schema)
        yield parts
        for part in list(parts.values()):
            yield from _nodes(part)
    elif isinstance(schema, list):
        for part in cast("list[Any]", schema):
            yield from _nodes(part)


def _schema(
    task: str, model: type[BaseModel], parameters: Sequence[inspect.Parameter], redact: Sequence[str]
) -> dict[str, Any]:
    for parameter in parameters:
        if parameter.default is not parameter.empty:
            try:
                to_json(parameter.default, fallback=of_secret)
            except PydanticSerializationError as error:
                raise InvalidTask(task, f"its default cannot be written as JSON: {error}", parameter.name) from None
    schema = model.model_json_schema(by_alias=True, schema_generator=_Described)
    schema.setdefault("properties", {})
    for node in _nodes(schema):
        node.pop(OURS, None)
    _mark(task, schema, redact)
    return schema


def _mark(task: str, schema: dict[str, Any], redact: Sequence[str]) -> None:
    """Say in a schema which arguments are to be redacted, and take defaults that are secrets out of it."""
    redaction = Redaction(schema)
    wrong = next((problem for path in redact if (problem := redaction.unknown(path)) is not None), None)
    if wrong is not None:
        raise InvalidTask(task, wrong)
    if redact:
        schema[REDACT] = list(dict.fromkeys(redact))
    for path in redact:
        for node in redaction.nodes_at(path):
            node.pop("default", None)
        if path in schema["properties"]:
            schema["properties"][path] = marked(schema["properties"][path])
    redaction = Redaction(schema)
    for name, node in schema["properties"].items():
        if isinstance(node, dict) and "default" in node and redaction.places({name: node["default"]}):
            del cast("dict[str, Any]", node)["default"]
    for node in _nodes(schema):
        if "default" in node and MARKER in to_json(node["default"]).decode():
            del node["default"]


def _result_model(hint: Any) -> type[BaseModel] | None:
    if hint in (Any, None, type(None), inspect.Signature.empty):
        return None
    try:
        # Inside a model of ours, dataclasses and typed dicts are read by our rules, as they were written.
        return create_model("Result", __config__=_CONFIG, value=(hint, ...))
    except (PydanticSchemaGenerationError, PydanticUserError):
        # A hint that only a type checker understands: the result stays as JSON gives it.
        return None


def _pascal(name: str) -> str:
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name))
