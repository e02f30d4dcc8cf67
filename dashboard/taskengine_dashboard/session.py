"""Signing in and out: a key of the API, kept as a cookie that no script can read.

``POST /auth/login`` takes ``{"key": …}`` and asks the API whose it is; ``POST /auth/logout`` clears it, and says where
one signs out of the identity provider. Only our own pages may call them: ``origins`` refuses others, the cookie is sent
for no other site, and a body that is not declared as JSON is refused, which is what a form of another site cannot do.
"""

import json
import re
import time
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from taskengine_dashboard.client import ApiError, NotSignedIn, Operation
from taskengine_dashboard.identity import COOKIE, PROBLEM, RENEWAL
from taskengine_dashboard.model.json_values import Json
from taskengine_dashboard.oidc import Provider
from taskengine_dashboard.shapes import is_object
from taskengine_dashboard.source import source_with
from taskengine_dashboard.tokens import LEEWAY_SECONDS, ends_at

LOGIN, LOGOUT = "/auth/login", "/auth/logout"
STAYS_SECONDS = 12 * 3_600
_MAX_BODY = 4_096
_KEY = re.compile(r"[!-~]{1,3800}")
"""A key of the API, or a token of an identity provider that the API knows; browsers keep cookies of 4 kB."""
NOT_KEPT = {"Cache-Control": "no-store"}

SIGN_IN = Operation("SignIn", "query SignIn { viewer { name role } }")


def routes(provider: Provider | None = None) -> tuple[Route, ...]:
    """Return the routes beside the pages; ``provider`` is who else signs viewers in."""

    async def sign_out(request: Request) -> Response:
        key = request.cookies.get(COOKIE)
        leads_to = await provider.end(key) if provider and key else None
        response = JSONResponse({"leads_to": leads_to}, headers=NOT_KEPT) if leads_to else Response(None, 204, NOT_KEPT)
        forget(request, response, COOKIE, RENEWAL, PROBLEM, secure=_is_secure(request))
        return response

    return (Route(LOGIN, _sign_in, methods=["POST"]), Route(LOGOUT, sign_out, methods=["POST"]))


async def viewer_of(key: str) -> Json:
    """Return who has a key, as the API says; raise ``ApiError``."""
    return (await run_in_threadpool(source_with(key).ask, SIGN_IN))["viewer"]


def fits(key: str) -> bool:
    """Whether it looks like a key or a token, and a cookie can hold it."""
    return _KEY.fullmatch(key) is not None


def keep(request: Request, response: Response, key: str, *, secure: bool) -> None:
    """Have the browser keep a key that the API accepts, no longer than it opens anything."""
    ends = ends_at(key)
    seconds = STAYS_SECONDS if ends is None else max(1, min(STAYS_SECONDS, int(ends + LEEWAY_SECONDS - time.time())))
    response.set_cookie(COOKIE, key, max_age=seconds, path="/", httponly=True, samesite="strict", secure=secure)
    forget(request, response, PROBLEM, secure=secure)


def forget(request: Request, response: Response, *names: str, secure: bool) -> None:
    """Have the browser forget these cookies, of those that it has."""
    for name in names:
        if name in request.cookies:
            response.delete_cookie(name, path="/", httponly=True, samesite="strict", secure=secure)


async def _sign_in(request: Request) -> Response:
    given = await body_of(request)
    if isinstance(given, Response):
        return given
    key = given.get("key")
    if not isinstance(key, str) or not fits(key):
        return refusal(400, "That is no key: one is a single word of at most 3,800 characters.")
    try:
        viewer = await viewer_of(key)
    except NotSignedIn as problem:
        return refusal(401, problem.message)
    except ApiError as problem:
        return refusal(503, f"{problem.title}. {problem}")
    response = JSONResponse(viewer, headers=NOT_KEPT)
    secure = _is_secure(request)
    keep(request, response, key, secure=secure)
    forget(request, response, RENEWAL, secure=secure)
    return response


async def body_of(request: Request) -> Json | Response:
    """Return the JSON object that one of our pages sent; a refusal for anything else."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return refusal(415, "expected a body of application/json")
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MAX_BODY:
                return refusal(400, f"expected a body of at most {_MAX_BODY:,} bytes")
    except ClientDisconnect:
        return refusal(400, "expected the whole body")
    try:
        given: Any = json.loads(body)
    except ValueError:
        given = None
    return given if is_object(given) else refusal(400, "expected an object")


def refusal(status: int, message: str) -> Response:
    """Return an answer that says what was wrong."""
    return JSONResponse({"message": message}, status, NOT_KEPT)


def _is_secure(request: Request) -> bool:
    """Whether the browser speaks TLS, be it to a proxy in front of us."""
    return "https" in {request.url.scheme, request.headers.get("x-forwarded-proto")}
