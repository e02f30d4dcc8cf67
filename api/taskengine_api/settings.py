"""What can be set of the API, read once from a mapping such as ``os.environ``.

Each field is ``TASKENGINE_API_<FIELD>``. The port is the engine's own setting
(``TASKENGINE_API_PORT``), since ``taskengine up`` needs it as well.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from taskengine.errors import InvalidSetting, did_you_mean

PREFIX = "TASKENGINE_API_"
_NOT_OURS = frozenset({PREFIX + "PORT"})


def _count(text: str) -> int:
    if text.isdecimal() and int(text) >= 1:
        return int(text)
    raise ValueError(f"expected a whole number of at least 1, got {text!r}")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if 0 < value < 1e6:
        return value
    raise ValueError(f"expected a number of seconds above 0, got {text!r}")


def _switch(text: str) -> bool:
    switches = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}
    if text.lower() in switches:
        return switches[text.lower()]
    raise ValueError(f"expected on or off, got {text!r}")


_READERS: dict[str, Callable[[str], Any]] = {
    "graphiql": _switch,
    "catalogue_seconds": _seconds,
    "request_seconds": _seconds,
    "max_body_bytes": _count,
    "max_subscriptions": _count,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """The API's settings. Each field is ``TASKENGINE_API_<FIELD>`` in the environment."""

    graphiql: bool = True
    """Whether a browser that opens ``/graphql`` gets the playground."""
    catalogue_seconds: float = 1.0
    """How often the API looks whether the published tasks have changed."""
    request_seconds: float = 10.0
    """How long a query or mutation over HTTP may take before it is given up."""
    max_body_bytes: int = 1_048_576
    """The largest request body, and the largest message over a WebSocket."""
    max_subscriptions: int = 50
    """Operations at once on one WebSocket."""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the settings; raise ``InvalidSetting`` for a bad value or a name that is not one."""
        names = {PREFIX + field.name.upper(): field.name for field in fields(cls)}
        values: dict[str, Any] = {}
        for variable, text in env.items():
            if not variable.startswith(PREFIX) or variable in _NOT_OURS:
                continue
            if variable not in names:
                raise InvalidSetting(variable, f"is not a setting{did_you_mean(variable, [*names, *_NOT_OURS])}")
            if text:
                values[names[variable]] = _read(variable, names[variable], text)
        return cls(**values)


def _read(variable: str, name: str, text: str) -> Any:
    try:
        return _READERS[name](text)
    except ValueError as problem:
        raise InvalidSetting(variable, f"is not valid: {problem}") from None
