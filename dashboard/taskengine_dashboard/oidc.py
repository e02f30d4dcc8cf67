"""Signing in by an identity provider (OpenID Connect): the code flow with PKCE, state and nonce, by Authlib.

Knows the provider and what it answers; nothing of cookies or pages. Whether what it gave opens anything the API says.
Needs the packages of the ``oidc`` extra, and those only where an issuer is set.
"""

import logging
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from taskengine_dashboard.sealed import seal_of
from taskengine_dashboard.settings import PREFIX, DashboardSettings, InvalidSetting, SignInToken
from taskengine_dashboard.tokens import LEEWAY_SECONDS, claims_of

log = logging.getLogger(__name__)

CALLBACK = "/auth/oidc/callback"
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""Those in which only the issuer can sign."""
_DESCRIPTION_SECONDS = 3_600.0
"""How old a copy of what the issuer says of itself may be."""
_TIMEOUT_SECONDS = 5.0
_BY_HEADER, _BY_BODY = "client_secret_basic", "client_secret_post"
"""How we may show the issuer our secret."""
_ENDPOINTS = {"authorization_endpoint": True, "token_endpoint": True, "jwks_uri": True, "end_session_endpoint": False}
"""Addresses that an issuer gives, and whether it must."""


class SignInFailed(Exception):
    """Nobody is signed in. ``str()`` tells the viewer why; it has no secret in it."""


class ProviderRefused(SignInFailed):
    """The provider answered, and that answer was no."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A sign-in that has begun: where the browser goes, and what to compare with when it comes back."""

    address: str
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Given:
    """What the provider gave: the token for the API, of whom it is, and what it renews that for."""

    token: str
    subject: str
    refresh: str | None


class Provider:
    """The issuer of the settings, and what it says of itself."""

    def __init__(self, settings: DashboardSettings) -> None:
        """Raise ``InvalidSetting`` when the packages are not there. ``settings`` name an issuer and our client."""
        try:
            import authlib.integrations.starlette_client as authlib
            import httpx2
            import joserfc.errors as jose
        except ImportError as missing:
            raise InvalidSetting(f"{PREFIX}OIDC_ISSUER", f"needs {missing.name}: install taskengine[oidc]") from None
        self._authlib, self._httpx, self._jose = cast("Any", authlib), httpx2, jose
        self._settings = settings
        self.issuer = cast("str", settings.oidc_issuer)
        self._app: Any = None
        self._read_at = float("-inf")
        self.name = cast("str", settings.provider_name)
        self.public_url = cast("str", settings.public_url)
        self.seal = seal_of(cast("str", settings.oidc_client_secret))

    async def begin(self) -> Begun:
        """Begin a sign-in; raise ``SignInFailed``."""
        with self._problems():
            app = await self._described()
            made = await app.create_authorization_url(self.public_url + CALLBACK)
        return Begun(made["url"], made["state"], made["nonce"], made["code_verifier"])

    async def finish(self, code: str, *, nonce: str, verifier: str) -> Given:
        """Return what the provider gives for a code; raise ``SignInFailed``."""
        with self._problems():
            app = await self._described()
            answer = await app.fetch_access_token(self.public_url + CALLBACK, code=code, code_verifier=verifier)
            claims = await self._claims(app, answer, nonce)
        if claims is None:
            raise self._not_told()
        return self._given(answer, claims["sub"])

    async def renew(self, refresh: str, subject: str) -> Given:
        """Return what the provider gives in place of what has ended; raise ``SignInFailed``."""
        with self._problems():
            app = await self._described()
            answer = await app.fetch_access_token(grant_type="refresh_token", refresh_token=refresh)
            claims = await self._claims(app, answer, None)
        if claims is not None and claims["sub"] != subject:
            log.warning("%s renewed a sign-in for somebody else", self.issuer)
            raise ProviderRefused(f"{self.name} renewed the sign-in of somebody else.")
        given = self._given(answer, subject)
        return given if given.refresh else Given(given.token, subject, refresh)

    async def end(self, token: str) -> str | None:
        """Return where one signs out of the provider itself; ``None`` where a token is not its, or it has no such page.

        Nothing is raised: whoever wants to leave leaves, also when the provider is away.
        """
        if claims_of(token).get("iss") != self.issuer:
            return None
        try:
            with self._problems():
                address = (await self._described()).server_metadata.get("end_session_endpoint")
        except SignInFailed:
            return None
        told = {"client_id": self._settings.oidc_client_id, "post_logout_redirect_uri": f"{self.public_url}/"}
        if self._settings.oidc_token is SignInToken.ID:
            told["id_token_hint"] = token
        return str(self._httpx.URL(address).copy_merge_params(told)) if address else None

    async def _described(self) -> Any:
        """Return Authlib's client, which knows what the issuer says of itself."""
        if self._app is None or time.monotonic() - self._read_at > _DESCRIPTION_SECONDS:
            app = self._client()
            said = await app.load_server_metadata()
            self._check(said)
            if _BY_HEADER not in said.get("token_endpoint_auth_methods_supported", [_BY_HEADER]):
                app.client_kwargs["token_endpoint_auth_method"] = _BY_BODY
            usable = said.get("id_token_signing_alg_values_supported") or ["RS256"]
            said["id_token_signing_alg_values_supported"] = [name for name in usable if name in ALGORITHMS]
            self._app, self._read_at = app, time.monotonic()
        return self._app

    def _client(self) -> Any:
        settings = self._settings
        return self._authlib.StarletteOAuth2App(
            None,
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret,
            server_metadata_url=f"{self.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={
                "scope": " ".join(settings.oidc_scopes),
                "code_challenge_method": "S256",
                "timeout": _TIMEOUT_SECONDS,
            },
        )

    def _check(self, said: Mapping[str, Any]) -> None:
        """Raise ``ValueError`` when that is not our issuer, or it leads to no safe place."""
        if said.get("issuer") != self.issuer:
            raise ValueError(f"it calls itself {said.get('issuer')!r:.100}")
        for name, is_needed in _ENDPOINTS.items():
            address = said.get(name)
            if address is None and not is_needed:
                continue
            if not isinstance(address, str) or urlsplit(address).scheme != urlsplit(self.issuer).scheme:
                raise ValueError(f"it says that its {name} is {address!r:.200}")

    async def _claims(self, app: Any, answer: Mapping[str, Any], nonce: str | None) -> Mapping[str, Any] | None:
        """Return what an answer's id token says, once that is known to be true; ``None`` when it has none."""
        for_us = {
            "iss": {"essential": True, "value": self.issuer},
            "aud": {"essential": True, "values": [self._settings.oidc_client_id]},
        }
        return await app.parse_id_token(answer, nonce, claims_options=for_us, leeway=LEEWAY_SECONDS)

    def _given(self, answer: Mapping[str, Any], subject: str) -> Given:
        token = answer.get(f"{self._settings.oidc_token}_token")
        refresh = answer.get("refresh_token")
        if not isinstance(token, str) or not token:
            raise self._not_told()
        return Given(token, subject, refresh if isinstance(refresh, str) and refresh else None)

    def _not_told(self) -> SignInFailed:
        log.warning("%s answers without a token of the sort that is asked for", self.issuer)
        return ProviderRefused(f"{self.name} did not say who you are. The log has the details.")

    @contextmanager
    def _problems(self) -> Generator[None]:
        """Tell what can go wrong with the issuer. The log gets no more than what it is: answers have secrets."""
        try:
            yield
        except self._authlib.OAuthError as problem:
            log.warning("%s refuses a sign-in: %.60r", self.issuer, problem.error)
            raise ProviderRefused(f"{self.name} refused this sign-in. Sign in again.") from None
        except self._jose.JoseError as problem:
            log.warning("What %s says of who signed in is not valid: %s", self.issuer, type(problem).__name__)
            raise ProviderRefused(f"What {self.name} says of you is not valid here. Sign in again.") from None
        except (self._httpx.HTTPError, self._httpx.InvalidURL, ValueError, TypeError, KeyError) as problem:
            log.warning("%s cannot be asked: %s: %.300s", self.issuer, type(problem).__name__, problem)
            raise SignInFailed(f"{self.name} cannot be asked just now. Try again in a moment.") from None


def provider_of(settings: DashboardSettings) -> Provider | None:
    """Return the identity provider of the settings; ``None`` when there is none. Raise ``InvalidSetting``."""
    return Provider(settings) if settings.oidc_issuer is not None else None
