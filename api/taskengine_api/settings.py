"""What can be set of the API, read once from a mapping such as ``os.environ``.

Each field is ``TASKENGINE_API_<FIELD>``. The port is the engine's own setting
(``TASKENGINE_API_PORT``), since ``taskengine up`` needs it as well.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from taskengine.settings import count, read, seconds

PREFIX = "TASKENGINE_API_"
_NOT_OURS = frozenset({PREFIX + "PORT"})


def _switch(text: str) -> bool:
    switches = {"on": True, "true": True, "1": True, "off": False, "false": False, "0": False}
    if text.lower() in switches:
        return switches[text.lower()]
    raise ValueError(f"expected on or off, got {text!r}")


def _seconds_or_none(text: str) -> float:
    return 0.0 if text == "0" else seconds(text)


_READERS: dict[str, Callable[[str], Any]] = {
    "graphiql": _switch,
    "catalogue_seconds": seconds,
    "request_seconds": seconds,
    "cache_seconds": _seconds_or_none,
    "max_body_bytes": count,
    "max_subscriptions": count,
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
    cache_seconds: float = 1.0
    """How old an answer may be for who says that some age will do; 0 is never. See ``results.py``."""
    max_body_bytes: int = 1_048_576
    """The largest request body, and the largest message over a WebSocket."""
    max_subscriptions: int = 50
    """Operations at once on one WebSocket."""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the settings; raise ``InvalidSetting`` for a bad value or a name that is not one."""
        return cls(**read(env, _READERS, PREFIX, elsewhere=_NOT_OURS.__contains__))
