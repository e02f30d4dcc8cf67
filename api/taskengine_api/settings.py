"""What can be set of the API, read once from a mapping such as ``os.environ``.

Each field is ``TASKENGINE_API_<FIELD>``. The port is the engine's own setting
(``TASKENGINE_API_PORT``), since ``taskengine up`` needs it as well.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self
from urllib.parse import urlsplit

from taskengine.errors import InvalidSetting
from taskengine.roles import Role
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


class OpenLoopback(StrEnum):
    """Whether who is on the machine itself may ask without a key."""

    AUTO = "auto"
    """As long as there are no keys, and nobody else is listened to."""
    ON = "on"
    OFF = "off"


def _open_loopback(text: str) -> OpenLoopback:
    words = {"true": "on", "1": "on", "false": "off", "0": "off"}
    word = words.get(text.lower(), text.lower())
    if word in list(OpenLoopback):
        return OpenLoopback(word)
    raise ValueError(f"expected {', '.join(OpenLoopback)}, got {text!r}")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _origins(text: str) -> tuple[str, ...]:
    origins = _names(text)
    for origin in origins:
        parts = urlsplit(origin)
        if f"{parts.scheme}://{parts.netloc}" != origin or parts.scheme not in {"http", "https"}:
            raise ValueError(f"expected origins such as https://ops.example.org, got {origin!r}")
    return origins


def _key(text: str) -> str:
    if 20 <= len(text) <= 190 and text.isascii() and text.isprintable() and " " not in text:
        return text
    raise ValueError("expected 20 to 190 letters, digits and signs that nobody can guess")


def _address(text: str) -> str:
    """What is read from there decides who is let in: nobody on the way may change it."""
    parts = urlsplit(text)
    if not parts.hostname or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        raise ValueError(f"expected an address such as https://login.example.org/realm, got {text!r}")
    if parts.scheme == "http" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}:
        raise ValueError(f"expected https, got {text!r}")
    return text


def _roles(text: str) -> dict[str, Role]:
    roles: dict[str, Role] = {}
    for pair in _names(text):
        word, _, role = (part.strip() for part in pair.rpartition("="))
        if not word or role not in list(Role):
            raise ValueError(f"expected pairs such as ops=OPERATOR,platform=ADMIN, got {pair!r}")
        roles[word] = Role(role)
    return roles


_READERS: dict[str, Callable[[str], Any]] = {
    "graphiql": _switch,
    "catalogue_seconds": seconds,
    "request_seconds": seconds,
    "cache_seconds": _seconds_or_none,
    "max_body_bytes": count,
    "max_subscriptions": count,
    "stalled_seconds": seconds,
    "arrival_seconds": seconds,
    "key": _key,
    "open_loopback": _open_loopback,
    "hosts": _names,
    "origins": _origins,
    "max_connections": count,
    "max_new_sockets": count,
    "max_new_sockets_per_address": count,
    "points_per_minute": count,
    "introspection": _switch,
    "oidc_issuer": _address,
    "oidc_audience": str,
    "oidc_keys_url": _address,
    "oidc_name_claim": str,
    "oidc_roles_claim": str,
    "oidc_roles": _roles,
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
    stalled_seconds: float = 15.0
    """How long a client may leave all of what was sent to it unread; see ``stalled.py``."""
    arrival_seconds: float = 30.0
    """How long a request over HTTP may take to arrive, head and body."""
    key: str | None = field(default=None, repr=False)
    """A key that opens everything, besides those that ``taskengine keys`` makes: for processes of one house."""
    open_loopback: OpenLoopback = OpenLoopback.AUTO
    """Whether who is on the machine itself may ask without a key."""
    hosts: tuple[str, ...] = ()
    """Names besides localhost by which the machine itself may call the API without a key."""
    origins: tuple[str, ...] = ()
    """Other sites whose pages may ask, with a key."""
    max_connections: int = 100
    """WebSockets and event streams at once for one key."""
    max_new_sockets: int = 400
    """WebSockets at once that have not been let in yet. As many may be closing: less than the 1,024 files that a
    process often may open."""
    max_new_sockets_per_address: int = 200
    """Of those, how many from one address, which may be that of a proxy."""
    points_per_minute: int = 1_000_000
    """What one key may spend, over all processes; a point takes us some 5 to 10 microseconds."""
    introspection: bool = True
    """Whether the schema may be asked for what it has."""
    oidc_issuer: str | None = None
    """Whose tokens count beside keys; see ``tokens.py``."""
    oidc_audience: str | None = None
    """For whom a token has to be; needed with an issuer."""
    oidc_keys_url: str | None = None
    """Where the issuer's keys are; unset: where its own description says."""
    oidc_name_claim: str = "sub"
    """The claim that names who acts, for the audit."""
    oidc_roles_claim: str = "roles"
    """The claim with the words that are roles, or the path to it."""
    oidc_roles: Mapping[str, Role] | None = None
    """Which word is which role; unset: the words are the roles' names."""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """Read the settings; raise ``InvalidSetting`` for a bad value or a name that is not one."""
        made = cls(**read(env, _READERS, PREFIX, elsewhere=_NOT_OURS.__contains__))
        if made.oidc_issuer is not None and made.oidc_audience is None:
            problem = "is needed with an issuer: tokens that it makes for others are not for us"
            raise InvalidSetting(f"{PREFIX}OIDC_AUDIENCE", problem)
        return made
