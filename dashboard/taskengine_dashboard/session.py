"""Signing in and out: a key of the API, kept as a cookie that no script can read.

``POST /auth/login`` takes ``{"key": …}`` and asks the API whose it is; ``POST /auth/logout`` clears it. Only our own
pages may call them: ``origins`` refuses others, the cookie is sent for no other site, and a body that is not declared
as JSON is refused, which is what a form of another site cannot do.
"""

import json
import re
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from taskengine_dashboard.client import ApiError, NotSignedIn, Operation
from taskengine_dashboard.identity import COOKIE
from taskengine_dashboard.shapes import is_object
from taskengine_dashboard.source import source_with

LOGIN, LOGOUT = "/auth/login", "/auth/logout"
STAYS_SECONDS = 12 * 3_600
_MAX_BODY = 4_096
_KEY = re.compile(r"[!-~]{1,3800}")
"""A key of the API, or a token of an identity provider that the API knows; browsers keep cookies of 4 kB."""
_NOT_KEPT = {"Cache-Control": "no-store"}

SIGN_IN = Operation("SignIn", "query SignIn { viewer { name role } }")


async def _sign_in(request: Request) -> Response:
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return _refusal(415, "expected a body of application/json")
    key = await _key_of(request)
    if key is None:
        return _refusal(400, "That is no key: one is a single word of at most 3,800 characters.")
    try:
        answer = await run_in_threadpool(source_with(key).ask, SIGN_IN)
    except NotSignedIn as problem:
        return _refusal(401, problem.message)
    except ApiError as problem:
        return _refusal(503, f"{problem.title}. {problem}")
    response = JSONResponse(answer["viewer"], headers=_NOT_KEPT)
    response.set_cookie(
        COOKIE, key, max_age=STAYS_SECONDS, path="/", httponly=True, samesite="strict", secure=_is_secure(request)
    )
    return response


async def _sign_out(request: Request) -> Response:
    response = Response(status_code=204, headers=_NOT_KEPT)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict", secure=_is_secure(request))
    return response


ROUTES = (Route(LOGIN, _sign_in, methods=["POST"]), Route(LOGOUT, _sign_out, methods=["POST"]))


async def _key_of(request: Request) -> str | None:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MAX_BODY:
            return None
    try:
        given: Any = json.loads(body)
    except ValueError:
        return None
    key = given.get("key") if is_object(given) else None
    return key if isinstance(key, str) and _KEY.fullmatch(key) else None


def _refusal(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status, _NOT_KEPT)


def _is_secure(request: Request) -> bool:
    """Whether the browser speaks TLS, be it to a proxy in front of us."""
    return "https" in {request.url.scheme, request.headers.get("x-forwarded-proto")}
