"""Who may ask the API, and how much: the part of the async door for keys and budgets."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from taskengine.api_keys import ApiKey, ApiKeys, Found, Made, check_key_name, new_secret
from taskengine.audit import check_by
from taskengine.errors import ApiKeyNotFound, InvalidInput
from taskengine.jobs import check_name
from taskengine.keys import Keys
from taskengine.roles import Role
from taskengine.scripts import Call, call

T = TypeVar("T")

_FILL_MS = 60_000
_MAX_KEY_SECONDS = 10 * 366 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a caller may still spend, after an attempt to."""

    granted: bool
    left: int
    """Points."""
    retry_seconds: float
    """Until the points that were refused are there; 0 when they were granted."""
    reset_seconds: float
    """Until the budget is full again."""


class AccessClient(ABC):
    """What ``Client`` can do about who asks."""

    _keys: Keys

    @abstractmethod
    async def _run(self, call: Call[T]) -> T: ...

    @property
    def _api_keys(self) -> ApiKeys:
        return ApiKeys(self._keys)

    async def create_api_key(
        self, name: str, role: Role, *, expires_seconds: float | None = None, by: str | None = None
    ) -> str:
        """Make a key and return its secret, which nobody can read again. Raises ``InvalidInput``."""
        check_key_name(name)
        if expires_seconds is not None and not 1 <= expires_seconds <= _MAX_KEY_SECONDS:
            raise InvalidInput(("expiresSeconds",), f"expected 1 second to 10 years, got {expires_seconds:g}")
        secret = new_secret()
        expires_ms = None if expires_seconds is None else round(expires_seconds * 1000)
        making = self._api_keys.create(name, Role(role), secret, expires_ms=expires_ms, by=check_by(by))
        made = await self._run(making)
        if made is Made.NAME_TAKEN:
            raise InvalidInput(("name",), f"there is another key {name!r}; revoke it, or take another name")
        if made is Made.TOO_MANY:
            raise InvalidInput(("name",), "there are as many keys as there may be; revoke one first")
        return secret

    async def revoke_api_key(self, name: str, *, by: str | None = None) -> int:
        """Take a key away, and return how many are left. Raises ``ApiKeyNotFound``."""
        left = await self._run(self._api_keys.revoke(check_name(name, ("name",)), by=check_by(by)))
        if left < 0:
            raise ApiKeyNotFound(name)
        return left

    async def list_api_keys(self) -> list[ApiKey]:
        """Return all keys by name."""
        return await self._run(self._api_keys.list())

    async def find_api_key(self, digest: str) -> Found:
        """Tell whose secret has this digest, unless it has ended, and how many keys there are."""
        return await self._run(self._api_keys.find(digest))

    async def spend_budget(self, caller: str, points: int, *, per_minute: int) -> Budget:
        """Take points from what a caller may spend in a minute, if as many are left; they come back evenly."""

        def decode(reply: Sequence[Any]) -> Budget:
            granted, left, retry_ms, reset_ms = map(int, reply)
            return Budget(
                granted=bool(granted), left=left, retry_seconds=retry_ms / 1000, reset_seconds=reset_ms / 1000
            )

        return await self._run(
            call(
                "spend_budget",
                self._keys.prefix,
                decode,
                caller=caller,
                wanted=points,
                limit=per_minute,
                fill_ms=_FILL_MS,
            )
        )
