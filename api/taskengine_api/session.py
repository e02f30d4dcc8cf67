"""``/api/session``: signing in from a page, so that the key is kept where no script can read it.

``POST`` takes a key and sets it as a cookie, ``GET`` tells who asks, ``DELETE`` clears it.
"""

from starlette.requests import Request
from starlette.responses import Response

from taskengine_api import bodies
from taskengine_api.access import COOKIE, Door, Ticket
from taskengine_api.errors import Code, RequestRefused
from taskengine_api.settings import ApiSettings

STAYS_SECONDS = 12 * 3_600
_MAX_KEY = 3_800
"""Of a token; browsers keep cookies of 4 kB."""
NOT_KEPT = {"Cache-Control": "no-store"}


class Session:
    """The endpoint, an ASGI-style function of a request."""

    def __init__(self, door: Door, settings: ApiSettings) -> None:
        self._door = door
        self._settings = settings

    async def answer(self, request: Request) -> Response:
        """Answer; never raise what the client did wrong."""
        try:
            if request.method == "POST":
                return await self._sign_in(request)
            if request.method == "DELETE":
                self._door.check_origin(request)
                return _signed_out(request)
            return _told(await self._door.let_in(request))
        except RequestRefused as refusal:
            return bodies.refused(refusal)

    async def _sign_in(self, request: Request) -> Response:
        self._door.check_origin(request)
        bodies.check_content_type(request.headers.get("content-type"))
        given = bodies.read_object(await bodies.read_body(request, self._settings.max_body_bytes))
        key = given.get("key")
        if not isinstance(key, str) or not 1 <= len(key) <= _MAX_KEY:
            raise RequestRefused(
                400, f"expected `key` to be the text of a key, got {bodies.kind_of(key)}", Code.BAD_REQUEST
            )
        response = _told(await self._door.by_secret(key))
        response.set_cookie(
            COOKIE, key, max_age=STAYS_SECONDS, path="/", httponly=True, samesite="strict", secure=_is_secure(request)
        )
        return response


def _told(ticket: Ticket) -> Response:
    body = bodies.write_json({"name": ticket.viewer.name, "role": ticket.viewer.role.value})
    return Response(body, 200, NOT_KEPT, bodies.PLAIN_JSON)


def _signed_out(request: Request) -> Response:
    response = Response(status_code=204, headers=NOT_KEPT)
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict", secure=_is_secure(request))
    return response


def _is_secure(request: Request) -> bool:
    """Whether the browser speaks TLS, be it to a proxy in front of us."""
    return "https" in (request.url.scheme, request.headers.get("x-forwarded-proto"))
