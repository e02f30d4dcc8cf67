"""The door: who asks, by what a request carries. Knows headers, peers and keys; nothing of GraphQL.

A key comes as ``Authorization: Bearer …``, in the payload of ``connection_init``, or as a cookie, which counts only for
requests of our own pages. A token of an identity provider comes in the same ways. Without any key, who is on the
machine itself is let in as ``local``, and nobody else.
"""

import asyncio
import hmac
import logging
import time
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from math import inf
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection, Request
from starlette.responses import Response

from taskengine.api_keys import Found, digest_of
from taskengine.client import Client
from taskengine.errors import RedisUnavailable
from taskengine_api import bodies
from taskengine_api.errors import Code, RequestRefused
from taskengine_api.roles import LOCAL, Role, Viewer
from taskengine_api.settings import ApiSettings, OpenLoopback
from taskengine_api.tokens import Tokens, tokens_of

log = logging.getLogger(__name__)

COOKIE = "taskengine_key"
RECHECK_SECONDS = 1.0
"""How old a copy of what a key opens may be: so long a revoked key still works."""
_REMEMBERED = 1_000
_MAX_SECRET = 8_192
_SCHEME = "bearer "
_CHALLENGE = {"WWW-Authenticate": 'Bearer realm="taskengine"'}
_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via")
_WANTED = "a key is needed: send it as `Authorization: Bearer …`; `taskengine keys create` makes one"


@dataclass(frozen=True, slots=True)
class Ticket:
    """Who was let in, and by which key, so that one can look again later."""

    viewer: Viewer
    digest: str | None
    """Of the key's secret; ``None`` for who was let in by a token, or by nothing."""
    ends: float | None = None
    """When the token does, in seconds since the epoch; ``None`` for who did not show one."""


class Door:
    """Lets in who may ask, and keeps track of who stays."""

    def __init__(self, client: Client, settings: ApiSettings) -> None:
        self._client = client
        self._settings = settings
        self._own_digest = digest_of(settings.key) if settings.key else None
        self._tokens: Tokens | None = tokens_of(settings)
        self._hosts = _HOSTS | {name.lower() for name in settings.hosts}
        self._origins = frozenset(settings.origins)
        self._known: OrderedDict[str, tuple[float, Found]] = OrderedDict()
        self._closing: set[asyncio.Task[None]] = set()
        self._staying: dict[object, tuple[Ticket, Callable[[], None]]] = {}

    # Coming in

    async def let_in(self, request: HTTPConnection, payload: dict[str, Any] | None = None) -> Ticket:
        """Tell who asks; raise ``RequestRefused``. ``payload`` is that of ``connection_init``."""
        self.check_origin(request)
        secret = _secret_of(request, payload)
        if secret is not None:
            return await self._by_key(secret)
        secret = self._secret_of_cookie(request)
        if secret is not None:
            with suppress(RequestRefused):  # a cookie that was good once is as good as none
                return await self._by_key(secret)
        return await self._without_key(request)

    async def by_secret(self, secret: str) -> Ticket:
        """Tell whose key it is; raise ``RequestRefused``."""
        return await self._by_key(secret)

    def check_origin(self, request: HTTPConnection) -> None:
        """Refuse what the page of another site sends, whatever it carries."""
        origin = request.headers.get("origin")
        if origin is not None and not self._is_ours(request, origin) and origin not in self._origins:
            raise RequestRefused(403, f"pages of {origin:.100} may not ask here", Code.FORBIDDEN)
        # Browsers send no Origin with some requests, but say that another site made the page send them.
        if origin is None and request.headers.get("sec-fetch-site") == "cross-site":
            raise RequestRefused(403, "pages of other sites may not ask here", Code.FORBIDDEN)

    async def _by_key(self, secret: str) -> Ticket:
        if self._tokens is not None and self._tokens.could_be(secret):
            bearer = await self._tokens.read(secret)
            return Ticket(bearer.viewer, None, bearer.ends)
        digest = digest_of(secret)
        if self._own_digest is not None and hmac.compare_digest(digest, self._own_digest):
            return Ticket(Viewer("environment", Role.ADMIN), digest)
        found = await self._look(digest)
        if found.key is None:
            raise RequestRefused(
                401, "this key opens nothing: it was revoked, or has ended", Code.UNAUTHENTICATED, _CHALLENGE
            )
        return Ticket(Viewer(found.key.name, found.key.role), digest)

    async def _without_key(self, request: HTTPConnection) -> Ticket:
        if not await self._is_open():
            raise RequestRefused(401, _WANTED, Code.UNAUTHENTICATED, _CHALLENGE)
        if not is_loopback(request.client.host if request.client else "") or _is_forwarded(request):
            problem = f"without a key only the machine itself is served, directly; {_WANTED}"
            raise RequestRefused(401, problem, Code.UNAUTHENTICATED, _CHALLENGE)
        host = _host_of(request)
        if host not in self._hosts:
            # A page from elsewhere may have had its name point here: the browser takes it for our own then.
            problem = f"without a key this is served as localhost, not as {host:.100}; TASKENGINE_API_HOSTS adds names"
            raise RequestRefused(403, problem, Code.FORBIDDEN)
        return Ticket(LOCAL, None)

    async def _is_open(self) -> bool:
        if self._settings.open_loopback is OpenLoopback.AUTO:
            return self._tokens is None and (await self._look("")).keys == 0
        return self._settings.open_loopback is OpenLoopback.ON

    async def _look(self, digest: str) -> Found:
        """Return what a digest opens, from a copy at most a second old."""
        seen = self._known.get(digest)
        if seen is not None and time.monotonic() - seen[0] < RECHECK_SECONDS:
            return _unless_ended(seen[1])
        try:
            found = await self._client.find_api_key(digest)
        except RedisUnavailable as error:
            # While Redis is away there is nothing to be had: who was known may ask, and hears just that.
            if seen is not None:
                return _unless_ended(seen[1])
            raise RequestRefused(503, str(error), Code.UNAVAILABLE) from None
        self._known[digest] = (time.monotonic(), found)
        self._known.move_to_end(digest)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return found

    def _secret_of_cookie(self, request: HTTPConnection) -> str | None:
        """Return the key in the cookie, if the browser says that one of our own pages sent it."""
        origin = request.headers.get("origin")
        same = (
            request.headers.get("sec-fetch-site") == "same-origin" if origin is None else self._is_ours(request, origin)
        )
        return request.cookies.get(COOKIE) if same else None

    @staticmethod
    def _is_ours(request: HTTPConnection, origin: str) -> bool:
        try:
            parts = urlsplit(origin)
        except ValueError:
            return False
        return parts.scheme in {"http", "https"} and parts.netloc.lower() == request.headers.get("host", "").lower()

    def guarding(self, answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """Have an endpoint answer only those who may ask."""

        async def guarded(request: Request) -> Response:
            try:
                await self.let_in(request)
            except RequestRefused as refusal:
                return bodies.refused(refusal)
            return await answer(request)

        return guarded

    # Staying

    def check_room(self, ticket: Ticket) -> None:
        """Raise ``RequestRefused`` when someone has as many open connections as they may."""
        name, limit = ticket.viewer.name, self._settings.max_connections
        if sum(other.viewer.name == name for other, _ in self._staying.values()) >= limit:
            raise RequestRefused(429, f"{name!r} has {limit} open connections, which is the limit", Code.RATE_LIMITED)

    def stay(self, ticket: Ticket, leave: Callable[[], None]) -> Callable[[], None]:
        """Count someone who stays connected, until what is returned is called; ``leave`` is called when they must go.

        Raises ``RequestRefused``.
        """
        self.check_room(ticket)
        stay = object()
        self._staying[stay] = (ticket, leave)
        return lambda: self._staying.pop(stay, None) and None

    async def while_welcome(self, ticket: Ticket, chunks: AsyncIterator[str]) -> AsyncGenerator[str]:
        """Yield what comes, and end when the key no longer opens."""
        told = asyncio.Event()
        gone = self.stay(ticket, told.set)
        leaving = asyncio.ensure_future(told.wait())
        step: asyncio.Future[str] | None = None
        try:
            while not told.is_set():
                step = asyncio.ensure_future(anext(chunks))
                await asyncio.wait({step, leaving}, return_when=asyncio.FIRST_COMPLETED)
                if step.done():
                    yield step.result()
        except StopAsyncIteration:
            pass
        finally:
            gone()
            leaving.cancel()
            # Not awaited: when the client left, whatever is awaited here is cancelled at once.
            if step is not None and not step.done():
                self.end_soon(step)
            else:
                self.close_soon(chunks)

    def close_soon(self, chunks: object) -> None:
        """End a stream that nobody reads any more, whatever becomes of who asks for that."""
        if isinstance(chunks, AsyncGenerator):
            self.end_soon(asyncio.ensure_future(chunks.aclose()))

    def end_soon(self, work: asyncio.Future[Any]) -> None:
        """Cancel what nobody waits for any more, until it has ended."""
        ending = asyncio.create_task(_end(work), name="taskengine-ending")
        self._closing.add(ending)
        ending.add_done_callback(self._closing.discard)

    async def look(self) -> None:
        """Learn whether there are keys, so that it is known when Redis goes away. It may be away already."""
        with suppress(RequestRefused):
            self._known[""] = (-inf, await self._look(""))  # to be asked again, if Redis is there

    async def watch(self) -> None:
        """Have those leave, again and again, whose key no longer opens; until cancelled."""
        while True:
            await asyncio.sleep(RECHECK_SECONDS)
            try:
                await self._look_around()
            except RequestRefused as problem:
                log.debug("Nobody is asked to leave: %s", problem)

    async def _look_around(self) -> None:
        for held in {ticket for ticket, _ in self._staying.values()}:
            if not await self._still_opens(held):
                for ticket, leave in list(self._staying.values()):
                    if ticket == held:
                        leave()

    async def _still_opens(self, ticket: Ticket) -> bool:
        if ticket.ends is not None:
            return time.time() < ticket.ends
        if ticket.digest is None:
            return await self._is_open()
        return ticket.digest == self._own_digest or (await self._look(ticket.digest)).key is not None


async def _end(work: asyncio.Future[Any]) -> None:
    """Cancel until it has ended: before Python 3.12 what redis-py waits with can lose a cancellation."""
    await asyncio.wait({work}, timeout=0)
    while not work.done():
        work.cancel()
        await asyncio.wait({work}, timeout=0.1)
    if not work.cancelled() and (error := work.exception()) is not None:
        log.debug("A stream that its client left ended with %r", error)


def _secret_of(request: HTTPConnection, payload: dict[str, Any] | None) -> str | None:
    """Return the key that a request or ``connection_init`` shows."""
    given = payload or {}
    shown: object = next((given[name] for name in given if name.lower() == "authorization"), None)
    shown = request.headers.get("authorization") if shown is None else shown
    if shown is None:
        return None
    if not isinstance(shown, str) or shown[: len(_SCHEME)].lower() != _SCHEME or len(shown) > _MAX_SECRET:
        problem = "expected the authorization to be `Bearer` and a key"
        raise RequestRefused(401, problem, Code.UNAUTHENTICATED, _CHALLENGE)
    return shown[len(_SCHEME) :].strip()


def _unless_ended(found: Found) -> Found:
    ends = found.key.expires_at if found.key else None
    return Found(found.keys, None) if ends is not None and ends <= datetime.now(UTC) else found


def is_loopback(host: str) -> bool:
    """Whether an address or name is that of the machine itself, as the machine sees it."""
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _is_forwarded(request: HTTPConnection) -> bool:
    """Whether a proxy on this machine hands on what came from anywhere."""
    return any(name in request.headers for name in _FORWARDED)


def _host_of(request: HTTPConnection) -> str:
    """Return the name by which we were called, without its port."""
    try:
        return (urlsplit(f"//{request.headers.get('host', '')}").hostname or "").lower()
    except ValueError:
        return ""
