"""Which pages may open our websocket, or sign in: those that we served ourselves, under a name that we go by.

Everything that a viewer can do goes over that websocket. Without this a page of
anyone, open in the same browser, could steer jobs: by naming us from elsewhere,
or by a name of its own that suddenly leads to this machine (DNS rebinding).
"""

import logging
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_FORBIDDEN = PlainTextResponse("pages of other sites may not ask here\n", 403)
_log = logging.getLogger(__name__)


class OnlyOurPages:
    """Refuses another page its websockets and posts. ``hosts`` are the names that we go by; none means any."""

    def __init__(self, app: ASGIApp, hosts: tuple[str, ...]) -> None:
        self._app = app
        self._hosts = frozenset(hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if _changes_something(scope) and (refused := self._why_not(Headers(scope=scope))):
            _log.warning("refused a %s: %s", scope["type"], refused)
            refusal = WebSocketClose(code=1008) if scope["type"] == "websocket" else _FORBIDDEN
            await refusal(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _why_not(self, headers: Headers) -> str | None:
        host, origin = headers.get("host", ""), headers.get("origin")
        if self._hosts and urlsplit(f"//{host}").hostname not in self._hosts:
            return f"{host!r} is none of the names in TASKENGINE_DASHBOARD_ALLOWED_HOSTS"
        if origin is None:
            # No browser, or one that says otherwise whose page it is.
            return "a page of another site sent it" if headers.get("sec-fetch-site") == "cross-site" else None
        ours = urlsplit(origin)
        if ours.netloc == host or ours.hostname in self._hosts:
            return None
        return f"it was opened by a page of {origin!r}"


def _changes_something(scope: Scope) -> bool:
    return scope["type"] == "websocket" or (scope["type"] == "http" and scope["method"] not in _SAFE)
