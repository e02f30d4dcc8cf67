"""Tokens of an identity provider (OpenID Connect): whose one is, in which role, and until when.

A token counts when a key that its issuer publishes signed it, for us, and it has not ended. Knows JSON Web Tokens and
their keys; nothing of requests. Needs the packages of the ``oidc`` extra, and those only where an issuer is set.
"""

import asyncio
import json
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

from taskengine.errors import InvalidSetting
from taskengine_api.errors import Code, RequestRefused
from taskengine_api.roles import Role, Viewer
from taskengine_api.settings import ApiSettings

if TYPE_CHECKING:
    import httpx
    from jwt import PyJWK

log = logging.getLogger(__name__)

CHALLENGE = {"WWW-Authenticate": 'Bearer realm="taskengine", error="invalid_token"'}
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Those in which only the issuer can sign: with a shared secret anyone who can check a token could make one."""
LEEWAY_SECONDS = 30
"""How far the issuer's clock may be from ours."""
KEYS_SECONDS = 600.0
"""How old a copy of the issuer's keys may be."""
ANEW_SECONDS = 10.0
"""How soon the issuer is asked again for a key that it did not have, or that could not be read."""
_FETCH_SECONDS = 5.0
_MAX_BYTES = 256 * 1024
_MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who shows a token, and when it ends, in seconds since the epoch."""

    viewer: Viewer
    ends: float


class Tokens:
    """What the settings say of tokens, and the keys of their issuer."""

    def __init__(self, settings: ApiSettings) -> None:
        """Raise ``InvalidSetting`` when the packages are not there. ``settings`` name an issuer and an audience."""
        try:
            import httpx
            import jwt
        except ImportError as missing:
            raise InvalidSetting(
                "TASKENGINE_API_OIDC_ISSUER", f"needs the package {missing.name}: install taskengine[oidc]"
            ) from None
        self._jwt, self._httpx = jwt, httpx
        self._settings = settings
        self._issuer, self._audience = cast("str", settings.oidc_issuer), cast("str", settings.oidc_audience)
        self._keys: dict[str, PyJWK] = {}
        self._read_at = self._asked_at = float("-inf")
        self._reading = asyncio.Lock()

    @staticmethod
    def could_be(secret: str) -> bool:
        """Whether a secret has the form of a token; a key of ours has no dots."""
        return secret.count(".") == 2

    async def read(self, token: str) -> Bearer:
        """Tell who shows a token; raise ``RequestRefused``."""
        claims = await self._claims(token)
        name = claims.get(self._settings.oidc_name_claim)
        if not isinstance(name, str) or not name or not name.isprintable():
            raise _refused(f"it has no name: {self._settings.oidc_name_claim!r} is not a text")
        role = self._role_of(claims)
        if role is None:
            problem = f"the token of {name[:_MAX_NAME]!r} has no role here: see TASKENGINE_API_OIDC_ROLES"
            raise RequestRefused(403, problem, Code.FORBIDDEN)
        return Bearer(Viewer(name[:_MAX_NAME], role), float(claims["exp"]) + LEEWAY_SECONDS)

    async def _claims(self, token: str) -> Mapping[str, Any]:
        jwt = self._jwt
        try:
            key = await self._key(jwt.get_unverified_header(token).get("kid"))
            return jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": ["exp", "iss", "aud"]},
            )
        except jwt.ExpiredSignatureError:
            raise _refused("it has ended; sign in again") from None
        except jwt.InvalidAudienceError:
            raise _refused(f"it is not for {self._audience!r}") from None
        except jwt.InvalidIssuerError:
            raise _refused(f"it is not of {self._issuer!r}") from None
        except jwt.PyJWTError as problem:
            log.debug("A token is refused: %r", problem)
            raise _refused("it is no valid token of its issuer") from None

    def _role_of(self, claims: Mapping[str, Any]) -> Role | None:
        """Return the highest of the roles that a token's words stand for."""
        given = _claim(claims, self._settings.oidc_roles_claim)
        words = cast(
            "Sequence[object]", [given] if isinstance(given, str) else given if isinstance(given, list) else ()
        )
        roles = self._settings.oidc_roles or {role.value: role for role in Role}
        found = {roles[word] for word in words if isinstance(word, str) and word in roles}
        return next((role for role in reversed(Role) if role in found), None)

    async def _key(self, key_id: object) -> "PyJWK":
        """Return the issuer's key of this id, its only one for none; ask the issuer for one that is not known."""
        if not self._knows(key_id) or time.monotonic() - self._read_at > KEYS_SECONDS:
            async with self._reading:
                if time.monotonic() - self._asked_at > ANEW_SECONDS:
                    await self._read_keys(needed=not self._knows(key_id))
        if not self._knows(key_id):
            raise _refused("its issuer has no such key")
        return self._keys[str(key_id)] if key_id is not None else next(iter(self._keys.values()))

    def _knows(self, key_id: object) -> bool:
        return len(self._keys) == 1 if key_id is None else key_id in self._keys

    async def _read_keys(self, *, needed: bool) -> None:
        self._asked_at = time.monotonic()
        try:
            async with self._httpx.AsyncClient(timeout=_FETCH_SECONDS) as http:
                address = self._settings.oidc_keys_url or await self._find_keys(http)
                found = self._jwt.PyJWKSet.from_dict(await _fetch(http, address))
        except (self._httpx.HTTPError, self._jwt.PyJWTError, ValueError) as problem:
            log.warning("The keys of %s cannot be read: %s", self._issuer, problem)
            if needed:
                problem_said = "the keys of the tokens' issuer cannot be read just now"
                raise RequestRefused(503, problem_said, Code.UNAVAILABLE) from None
            return  # those that we have are as good as they were
        usable = [key for key in found.keys if key.public_key_use in {None, "sig"}]
        self._keys = {str(key.key_id): key for key in usable}
        self._read_at = time.monotonic()

    async def _find_keys(self, http: "httpx.AsyncClient") -> str:
        """Return where the issuer says that its keys are; raise ``ValueError`` when that is no safe place."""
        said = await _fetch(http, f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        address = said.get("jwks_uri")
        if said.get("issuer") != self._issuer:
            raise ValueError(f"it calls itself {said.get('issuer')!r:.100}")
        if not isinstance(address, str) or urlsplit(address).scheme != urlsplit(self._issuer).scheme:
            raise ValueError(f"it says that its keys are at {address!r:.200}")
        return address


def tokens_of(settings: ApiSettings) -> Tokens | None:
    """Return what reads tokens; ``None`` when no issuer is set."""
    return Tokens(settings) if settings.oidc_issuer is not None else None


async def _fetch(http: "httpx.AsyncClient", address: str) -> dict[str, Any]:
    """Return the JSON object at an address; raise ``httpx.HTTPError`` or ``ValueError``."""
    async with http.stream("GET", address, headers={"Accept": "application/json"}) as response:
        response.raise_for_status()
        body = b""
        async for part in response.aiter_bytes():
            body += part
            if len(body) > _MAX_BYTES:
                raise ValueError(f"{address} has more than {_MAX_BYTES:,} bytes")
    found = json.loads(body)
    if isinstance(found, dict):
        return cast("dict[str, Any]", found)
    raise ValueError(f"{address} has no object")


def _claim(claims: Mapping[str, Any], name: str) -> Any:
    """Return a claim by its name, or by the path to it: ``realm_access.roles``."""
    if name in claims:
        return claims[name]
    value: Any = claims
    for part in name.split("."):
        value = cast("dict[str, Any]", value).get(part) if isinstance(value, dict) else None
    return value


def _refused(problem: str) -> RequestRefused:
    return RequestRefused(401, f"this token opens nothing: {problem}", Code.UNAUTHENTICATED, CHALLENGE)
