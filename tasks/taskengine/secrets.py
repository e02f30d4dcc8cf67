"""``Secret``: an argument that its task gets and nobody else sees.

Knows how it is read, written and described by pydantic. Where in a task's arguments secrets are, and how
they are kept apart from the rest, is ``redaction.py``.
"""

from typing import Any, Final, Generic, TypeVar, cast, get_args

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, SerializationInfo, SerializerFunctionWrapHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticSerializationError, core_schema, to_jsonable_python

T = TypeVar("T")

MARKER: Final = "********"
"""Stands wherever a secret is not shown, however long that is."""

OURS = "taskengine-secret"
"""Tells our secrets from pydantic's in a schema that is not published yet (``signatures.py``)."""


class _Reveal(dict[str, Any]):
    """What our own code says to pydantic to have secrets written; to others' serializers an empty context."""


REVEAL: Final = _Reveal()


class Secret(Generic[T]):
    """A value that is not shown: ``Secret("hunter2")`` prints as ``********``, and so does a model that holds it.

    As the hint of a task's parameter, or of a field of a model there, it keeps the value out of the API, logs,
    errors and events: ``def login(user: str, password: Secret[str])``. The task reads it with ``reveal()``.
    """

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """Return the value itself."""
        return self._value

    def __repr__(self) -> str:
        return MARKER

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and self._value == cast("Secret[Any]", other)._value

    def __hash__(self) -> int:
        return hash(("Secret", self._value))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Read the value as its own hint says, given plainly or as a ``Secret``."""
        inside = get_args(source)
        value = handler.generate_schema(inside[0]) if inside else core_schema.any_schema()
        return core_schema.no_info_before_validator_function(
            _inside,
            core_schema.no_info_after_validator_function(cls, value),
            serialization=core_schema.wrap_serializer_function_ser_schema(_write, info_arg=True, schema=value),
        )

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Describe the value, marked as one that is given and never shown."""
        found = handler(schema)
        # What stands beside a $ref pydantic would write into the definition, of which others make use too.
        return {**marked({"allOf": [found]} if "$ref" in found else found), OURS: True}


def marked(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON Schema of a value as that of a secret: forms draw a password field."""
    password = {"format": "password"} if schema.get("type") == "string" else {}
    return {**password, **schema, "writeOnly": True}


def is_limited(schema: Any) -> bool:
    """Whether somewhere in a core schema a limit such as ``min_length`` is laid on a ``Secret``, not on its value."""
    if isinstance(schema, (list, tuple)):
        return any(is_limited(part) for part in cast("list[Any]", schema))
    if not isinstance(schema, dict):
        return False
    node = cast("dict[str, Any]", schema)
    kind, inner = node.get("type"), node.get("schema")
    if kind == "chain" and any(map(_is_ours, node["steps"])):
        return True
    if kind == "function-after" and _is_ours(inner):
        of = node["function"]["function"]
        return str(getattr(getattr(of, "func", of), "__module__", "")).startswith("pydantic.")
    return any(is_limited(part) for part in node.values())


def _is_ours(schema: Any) -> bool:
    while schema["type"] in ("nullable", "default"):
        schema = schema["schema"]
    return schema["type"] == "function-before" and schema["function"]["function"] is _inside


def of_secret(value: Any) -> Any:
    """Write a secret where pydantic knows no hint: its ``fallback``."""
    if isinstance(value, Secret):
        return to_jsonable_python(_inside(value), context=REVEAL, fallback=of_secret)
    raise PydanticSerializationError(f"Unable to serialize unknown type: {type(value)}")


def _inside(value: Any) -> Any:
    return cast("Any", value).reveal() if isinstance(value, Secret) else value


def _write(secret: Any, write: SerializerFunctionWrapHandler, info: SerializationInfo[Any]) -> Any:
    if info.context is REVEAL:
        return write(_inside(secret))
    return MARKER if info.mode_is_json() else secret
