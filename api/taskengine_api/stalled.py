"""Connections whose client reads nothing any more, or never ends what it asks: closed after a while.

What is sent waits in the kernel, then in this process, and then whoever sends it waits: a client that leaves its socket
unread would be waited for without end, since not even a close gets past what lies before it. So a connection on which
nothing has moved for a while is told so, by a close frame where there is a way for one, and is cut a little later.

A request has a while to arrive whole, for a connection that says nothing, or half a head, holds a file for nothing.

These are uvicorn's own protocols, with patience that ends. They know nothing of what is sent.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

log = logging.getLogger(__name__)

SLOW_CLIENT = 4420
"""The code of the close: what was sent has not been read. Coming back, with the last cursor, is right."""
PARTING_SECONDS = 5.0
"""How long a close frame may take to be read, and answered, before the connection is cut."""


class Patience:
    """Watches what a transport has still to send, from when it is too much until it is less: it has to become less."""

    def __init__(self, seconds: float, give_up: Callable[[], None]) -> None:
        self.seconds = seconds
        self._give_up = give_up
        self._left = 0
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, transport: asyncio.Transport) -> None:
        self.end()
        self._left = transport.get_write_buffer_size()
        self._timer = asyncio.get_running_loop().call_later(self.seconds, self._look, transport)

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self, transport: asyncio.Transport) -> None:
        if transport.get_write_buffer_size() < self._left:
            self.begin(transport)
        else:
            self._timer = None
            self._give_up()


class _Watched(asyncio.Protocol):
    """In front of a protocol of uvicorn's: waits with patience while it cannot send."""

    transport: asyncio.Transport
    _patience: Patience

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._patience.begin(self.transport)

    @override
    def resume_writing(self) -> None:
        self._patience.end()
        super().resume_writing()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._patience.end()
        super().connection_lost(exc)


class PatientHttp(_Watched, HttpToolsProtocol):
    """HTTP: there is no last word that could be said in the middle of an answer or stream, so it is cut."""

    def __init__(self, *of_uvicorn: Any, stalled_seconds: float, arrival_seconds: float, **also: Any) -> None:
        super().__init__(*of_uvicorn, **also)
        self._patience = Patience(stalled_seconds, self._cut)
        self._arrival_seconds = arrival_seconds
        self._arrival: asyncio.TimerHandle | None = None

    @override
    def connection_made(  # pyright: ignore[reportIncompatibleMethodOverride]: uvicorn's own takes what can be written to
        self, transport: asyncio.Transport
    ) -> None:
        super().connection_made(transport)
        self._expect()

    @override
    def data_received(self, data: bytes) -> None:
        if not self.cycle or self.cycle.response_complete:
            self._expect()
        super().data_received(data)

    @override
    def on_message_complete(self) -> None:
        self._has_arrived()
        super().on_message_complete()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._has_arrived()
        super().connection_lost(exc)

    def _cut(self) -> None:
        log.info("%s has read nothing of an answer for %g s: cut", self.client, self._patience.seconds)
        self.transport.abort()

    def _expect(self) -> None:
        """From the first byte on, or the first moment: a request sent bit by bit has no longer."""
        if self._arrival is None:
            self._arrival = asyncio.get_running_loop().call_later(self._arrival_seconds, self._tire)

    def _has_arrived(self) -> None:
        if self._arrival is not None:
            self._arrival.cancel()
            self._arrival = None

    def _tire(self) -> None:
        log.info("%s has not sent a whole request within %g s: cut", self.client, self._arrival_seconds)
        self.transport.abort()


class PatientWebSocket(_Watched, WebSocketsSansIOProtocol):
    """A WebSocket: closed with 4420, and cut when that is not read either."""

    def __init__(self, *of_uvicorn: Any, stalled_seconds: float, **also: Any) -> None:
        super().__init__(*of_uvicorn, **also)
        self._patience = Patience(stalled_seconds, self._close)
        self._given_up = False
        self.close_timeout = PARTING_SECONDS

    @override
    def handle_ping(self) -> None:
        """Answer, unless nothing is read: a flood of pings would have us keep all the answers."""
        if self.writable.is_set() and not self._given_up:
            super().handle_ping()
        else:
            self.conn.data_to_send()

    @override
    def keepalive_timeout(self) -> None:
        """A ping was not answered: uvicorn closes, which alone waits for all that is still to be sent."""
        super().keepalive_timeout()
        self._part(1011, "keepalive ping timeout")

    @override
    async def send(self, message: Any) -> None:
        await self.writable.wait()
        if self._given_up:
            raise ClientDisconnected
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            # Refused with an answer of ours: uvicorn forgets that, and would log an error for each.
            self.handshake_complete = True

    def _close(self) -> None:
        log.info("%s has read nothing of its WebSocket for %g s: closed", self.client, self._patience.seconds)
        reason = f"what was sent has not been read for {self._patience.seconds:g} s; go on after the last cursor"
        if not self.close_sent and not self.transport.is_closing():
            self.stop_keepalive()
            self.conn.send_close(SLOW_CLIENT, reason)
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.close_sent = True
        self._part(SLOW_CLIENT, reason)

    def _part(self, code: int, reason: str) -> None:
        """Have the application end now, and the connection soon."""
        if self._given_up:
            return
        self._given_up = True
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.writable.set()
        if (
            self.read_paused and not self.transport.is_closing()
        ):  # else the client's answer to the close would not be seen
            self.read_paused = False
            self.transport.resume_reading()
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(PARTING_SECONDS, self.transport.abort)
