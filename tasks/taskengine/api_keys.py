"""Keys of the API: what opens it, for whom, with what role, until when. Builds calls; the caller has the connection.

A secret is 32 random bytes, and only its SHA-256 is kept. That is enough, and
nothing slower is needed: slow hashes are for passwords, which people choose and
which can be guessed; nobody guesses 256 random bits, whatever a guess costs.
"""

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Any

from taskengine.errors import InvalidInput
from taskengine.jobs import check_name
from taskengine.keys import Keys
from taskengine.records import instant, text
from taskengine.roles import Role
from taskengine.scripts import Call, call

SECRET_PREFIX = "te_"  # noqa: S105
"""What every secret begins with, so that scanners for leaked secrets know one."""
_SHOWN = len(SECRET_PREFIX) + 6
"""So many letters of a secret are kept to know it by: too few to help a guess."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key, without its secret."""

    name: str
    role: Role
    prefix: str
    """The first letters of its secret."""
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None = None
    """Within a minute."""


RESERVED = frozenset({"local", "environment"})
"""Names under which the API writes down what is done without one of these keys."""


class Made(IntEnum):
    """What became of a key that was to be made."""

    YES = 1
    NAME_TAKEN = 0
    TOO_MANY = -1


@dataclass(frozen=True, slots=True)
class Found:
    """What a secret opens."""

    keys: int
    """How many keys there are in all."""
    key: ApiKey | None


def new_secret() -> str:
    """Return the secret of a new key. It is shown to whoever made it, and kept nowhere."""
    return SECRET_PREFIX + secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """Return what is kept of a secret."""
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def check_key_name(name: str) -> str:
    """Return the name of a new key, or raise ``InvalidInput``."""
    if name in RESERVED:
        raise InvalidInput(("name",), f"{name!r} stands for someone without a key; take another name", "free name")
    return check_name(name, ("name",))


class ApiKeys:
    """Keys of one namespace."""

    def __init__(self, keys: Keys) -> None:
        self._prefix = keys.prefix

    def create(self, name: str, role: Role, secret: str, *, expires_ms: int | None, by: str) -> Call[Made]:
        """Make a key with this secret; it ends so many ms from now."""
        return call(
            "create_api_key",
            self._prefix,
            Made,
            digest=digest_of(secret),
            name=name,
            role=role.value,
            key_prefix=secret[:_SHOWN],
            expires_ms="" if expires_ms is None else expires_ms,
            by=by,
        )

    def revoke(self, name: str, *, by: str) -> Call[int]:
        """Take a key away; tells how many are left, -1 when there is none of that name."""
        return call("revoke_api_key", self._prefix, int, name=name, by=by)

    def list(self) -> Call[list[ApiKey]]:
        """Tell every key, by name."""

        def decode(reply: Sequence[Sequence[Any]]) -> list[ApiKey]:
            return sorted((_read(facts, used) for facts, used in reply), key=lambda key: key.name)

        return call("list_api_keys", self._prefix, decode)

    def find(self, digest: str) -> Call[Found]:
        """Tell whose secret has this digest; with an empty one, only how many keys there are."""

        def decode(reply: Sequence[Any]) -> Found:
            return Found(int(reply[0]), _read(reply[1], "") if reply[1] else None)

        return call("find_api_key", self._prefix, decode, digest=digest)


def _read(facts: str | bytes, used: str | bytes) -> ApiKey:
    known: dict[str, Any] = json.loads(facts)
    return ApiKey(
        name=known["name"],
        role=Role(known["role"]),
        prefix=known["prefix"],
        created_at=instant(int(known["created_at"])),
        expires_at=instant(int(known["expires_at"])) if "expires_at" in known else None,
        last_used_at=instant(int(text(used))) if used else None,
    )
