"""Where viewers go to an identity provider and come back, as routes beside the pages.

``POST /auth/oidc`` says where the provider is, and leaves what to compare with in a cookie, sealed: any dashboard of
the same configuration can go on with it. ``GET /auth/oidc/callback`` is where the provider leads back. What it gave
becomes the same cookie as a key, once the API accepts it. ``POST /auth/oidc/renew`` does so again before that ends.
"""

import hmac
import logging
import re
import secrets
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from taskengine_dashboard.client import ApiError, RequestFailed
from taskengine_dashboard.identity import COOKIE, PROBLEM, RENEWAL
from taskengine_dashboard.oidc import CALLBACK, Given, Provider, ProviderRefused, SignInFailed
from taskengine_dashboard.session import NOT_KEPT, STAYS_SECONDS, body_of, fits, forget, keep, refusal, viewer_of
from taskengine_dashboard.tokens import renew_at

log = logging.getLogger(__name__)

START, RENEW = "/auth/oidc", "/auth/oidc/renew"
FLOW = "taskengine_sign_in"
FLOW_SECONDS = 600
"""How long one may take to sign in at the provider."""
PROBLEM_SECONDS = 60
PASS_SECONDS = 60
"""How long a page may take to hand over what it was renewed with."""
_OWN_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]{0,2000}")
_ERROR = re.compile(r"[a-z_]{1,40}")
_STALE = "That sign-in was begun in another browser, or too long ago. Sign in again."


def routes(provider: Provider | None) -> tuple[Route, ...]:
    """Return the routes of a provider; none where there is none."""
    if provider is None:
        return ()
    ours = _Routes(provider)
    return (
        Route(START, ours.start, methods=["POST"]),
        Route(CALLBACK, ours.come_back, methods=["GET"]),
        Route(RENEW, ours.renew, methods=["POST"]),
    )


def own_path(given: object) -> str:
    """Return a path of ours to lead back to; the first page for what is none, such as an address elsewhere."""
    return given if isinstance(given, str) and _OWN_PATH.fullmatch(given) and not given.startswith("/auth/") else "/"


class _Routes:
    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._seal = provider.seal
        self._secure = provider.public_url.startswith("https:")
        # The browser takes such a name from this very host alone: no neighbour can plant a sign-in of its own.
        self._flow = f"__Host-{FLOW}" if self._secure else FLOW

    async def start(self, request: Request) -> Response:
        """Say where the provider is; it leads back to ``next``."""
        given = await body_of(request)
        if isinstance(given, Response):
            return given
        if request.headers.get("host", "").lower() != self._provider.public_url.partition("//")[2]:
            address = self._provider.public_url
            return refusal(409, f"Open {address} to sign in with {self._provider.name}: it leads back there.")
        try:
            begun = await self._provider.begin()
        except SignInFailed as problem:
            return refusal(503, str(problem))
        response = JSONResponse({"leads_to": begun.address}, headers=NOT_KEPT)
        flow = {"state": begun.state, "nonce": begun.nonce, "verifier": begun.verifier}
        # Lax: the provider's page leads back here, and Strict cookies would stay away.
        self._set(response, self._flow, "flow", flow | {"next": own_path(given.get("next"))}, FLOW_SECONDS, "lax")
        return response

    async def come_back(self, request: Request) -> Response:
        """Sign in who comes from the provider, or tell on the page that they left why not."""
        flow = self._seal.open("flow", request.cookies.get(self._flow), FLOW_SECONDS)
        response = RedirectResponse(own_path(flow and flow["next"]), 303, NOT_KEPT | {"Referrer-Policy": "no-referrer"})
        try:
            given = await self._given(request, flow)
            await self._ask_api(given.token)
        except SignInFailed as problem:
            self._set(response, PROBLEM, "problem", {"said": str(problem)}, PROBLEM_SECONDS)
        else:
            self._keep(request, response, given, until=time.time() + STAYS_SECONDS, sign_in=secrets.token_urlsafe(16))
        response.delete_cookie(self._flow, path="/", httponly=True, samesite="lax", secure=self._secure)
        return response

    async def renew(self, request: Request) -> Response:
        """Put another token in place of one that ends, and give the page a pass to it that only we can read."""
        if isinstance(refused := await body_of(request), Response):
            return refused
        kept = self._seal.open("renewal", request.cookies.get(RENEWAL), STAYS_SECONDS)
        if kept is None or kept["until"] <= time.time():
            return self._not_renewed(request)
        token = request.cookies.get(COOKIE, "")
        given = None
        if renew_at(token) <= time.time():  # else another tab has done it
            try:
                given = await self._provider.renew(kept["refresh"], kept["subject"])
                await self._ask_api(given.token)
            except ProviderRefused:
                return self._not_renewed(request)
            except SignInFailed as problem:
                return refusal(503, str(problem))
            token = given.token
        a_pass = self._seal.close("pass", {"token": token, "sign_in": kept["sign_in"]})
        response = JSONResponse({"renewed": a_pass}, headers=NOT_KEPT)
        if given:
            self._keep(request, response, given, until=kept["until"], sign_in=kept["sign_in"])
        return response

    async def _given(self, request: Request, flow: dict[str, Any] | None) -> Given:
        """Return what the provider gives for the code that it sent; raise ``SignInFailed``."""
        said = request.query_params
        if flow is None or not hmac.compare_digest(said.get("state", "").encode(), flow["state"].encode()):
            raise SignInFailed(_STALE)
        if said.get("iss", self._provider.issuer) != self._provider.issuer:
            raise SignInFailed(f"That sign-in is not of {self._provider.name}. Sign in again.")
        if "error" in said:
            error = said["error"] if _ERROR.fullmatch(said["error"]) else "error"
            raise ProviderRefused(f"{self._provider.name} did not sign you in ({error}).")
        return await self._provider.finish(said.get("code", ""), nonce=flow["nonce"], verifier=flow["verifier"])

    async def _ask_api(self, token: str) -> None:
        """Raise ``SignInFailed`` for a token that opens nothing."""
        if not fits(token):
            log.warning("A token of %s has %d characters: too many for a cookie", self._provider.name, len(token))
            problem = f"What {self._provider.name} says of you is too long for a cookie: {len(token):,} characters."
            raise ProviderRefused(problem)
        try:
            await viewer_of(token)
        except RequestFailed as problem:
            kind = SignInFailed if problem.code == "UNAVAILABLE" else ProviderRefused
            raise kind(
                f"{self._provider.name} knows you, but the API does not let you in: {str(problem).rstrip('.')}."
            ) from None
        except ApiError as problem:
            raise SignInFailed(f"{problem.title}. {problem}") from None

    def _keep(self, request: Request, response: Response, given: Given, *, until: float, sign_in: str) -> None:
        keep(request, response, given.token, secure=self._secure)
        if given.refresh is None:
            return forget(request, response, RENEWAL, secure=self._secure)
        kept = {"refresh": given.refresh, "subject": given.subject, "until": until, "sign_in": sign_in}
        return self._set(response, RENEWAL, "renewal", kept, max(1, int(until - time.time())))

    def _not_renewed(self, request: Request) -> Response:
        response = JSONResponse({"renewed": None}, headers=NOT_KEPT)
        forget(request, response, RENEWAL, secure=self._secure)
        return response

    def _set(
        self, response: Response, name: str, purpose: str, content: dict[str, Any], seconds: int, site: Any = "strict"
    ) -> None:
        text = self._seal.close(purpose, content)
        if not fits(text):
            log.warning("What %s renews sign-ins for is too long for a cookie: they are not renewed", name)
            return
        response.set_cookie(name, text, seconds, path="/", httponly=True, samesite=site, secure=self._secure)
