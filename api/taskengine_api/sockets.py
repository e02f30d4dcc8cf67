"""graphql-transport-ws, strictly: every message is checked before it is believed.

A message of another shape closes the connection with 4400 instead of ending in
an exception, and a client that leaves is no error.
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from starlette.websockets import WebSocketDisconnect, WebSocketState
from strawberry.asgi import ASGIWebSocketAdapter
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    ConnectionInitMessage,
    Message,
    SubscribeMessage,
)

from taskengine_api.context import Context
from taskengine_api.errors import Code, RequestRefused, coded

if TYPE_CHECKING:
    from taskengine_api.router import GraphQLEndpoint

MAX_REASON_BYTES = 123
"""What fits into a close frame."""
_CLOSE_CODES = {429: 4429, 503: 1013}
"""By HTTP status; 4403 for any other refusal."""


class SocketAdapter(ASGIWebSocketAdapter):
    """A WebSocket that may be gone at any moment."""

    async def send_json(self, message: Mapping[str, object]) -> None:
        try:
            await super().send_json(message)
        except RuntimeError as error:
            # Starlette says so when one side has closed while this message was made.
            raise WebSocketDisconnected from error

    async def close(self, code: int, reason: str) -> None:
        if self.ws.application_state is WebSocketState.CONNECTED:
            with suppress(WebSocketDisconnect):  # gone while the close waited for its turn
                await super().close(code, reason.encode()[:MAX_REASON_BYTES].decode(errors="ignore"))


class Handler(BaseGraphQLTransportWSHandler[Context, None]):
    """One connection. Each operation runs on the schema of its moment, which may change between two."""

    _gone: Callable[[], None] | None = None
    _leaving: asyncio.Task[None] | None = None

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        payload = message.get("payload", {})
        if isinstance(payload, dict) and not self.connection_init_received and not self.connection_timed_out:
            try:
                self.context = await self._welcome(payload)
            except RequestRefused as refusal:
                self.connection_init_received = True
                await self.websocket.close(_CLOSE_CODES.get(refusal.status, 4403), refusal.message)
                return
        await super().handle_connection_init(message)

    async def _welcome(self, payload: dict[str, Any]) -> Context:
        view = cast("GraphQLEndpoint", self.view)
        socket = cast(SocketAdapter, self.websocket).ws
        ticket = await view.door.let_in(socket, payload)
        self._gone = view.door.stay(ticket, self._leave)
        socket.state.leave_lobby()
        return view.context.seen_by(ticket.viewer)

    def _leave(self) -> None:
        """Close, since the key no longer opens; until that is done nothing more is taken."""
        self.connection_acknowledged = False
        self._leaving = self._leaving or asyncio.create_task(self._close())

    async def _close(self) -> None:
        await self.websocket.close(4403, "the key opens nothing any more")
        for operation_id in list(self.operations):
            await self.cleanup_operation(operation_id)

    async def cleanup_operation(self, operation_id: str) -> None:
        """End an operation whose client asked for that or left, also when the first word of it is lost."""
        operation = self.operations.pop(operation_id, None)
        if operation is not None and operation.task is not None:
            task = cast("asyncio.Task[None]", operation.task)
            task.cancel()
            cast("GraphQLEndpoint", self.view).door.end_soon(task)

    async def shutdown(self) -> None:
        if self._gone is not None:
            self._gone()
        await super().shutdown()

    async def handle_message(self, message: Message) -> None:
        problem = _problem_of(message)
        if problem is not None:
            await self.handle_invalid_message(problem)
            return
        self.schema = self.view.schema
        await super().handle_message(message)

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        limit = self.max_subscriptions_per_connection
        known = not self.connection_acknowledged or message["id"] in self.operations
        if limit is not None and len(self.operations) >= limit and not known:
            words = f"{limit} operations are open on this socket, which is the limit: end one first"
            cast("GraphQLEndpoint", self.view).context.meters.count_error(Code.RATE_LIMITED.value)
            payload = [coded(words, Code.RATE_LIMITED).formatted]
            await self.send_message({"id": message["id"], "type": "error", "payload": payload})
            return
        await super().handle_subscribe(message)

    async def handle_task_exception(self, error: Exception) -> None:
        if not isinstance(error, WebSocketDisconnected):
            await super().handle_task_exception(error)


def _problem_of(message: object) -> str | None:
    """Return what is wrong with the form of a message."""
    if not isinstance(message, dict):
        return "Expected a message to be an object"
    fields = cast("dict[str, Any]", message)
    if not isinstance(fields.get("type"), str):
        return "Expected a message to have a type"
    if fields["type"] in ("subscribe", "complete") and not _is_id(fields.get("id")):
        return "Expected an id of 1 to 128 characters"
    if fields["type"] == "subscribe":
        return _problem_of_operation(fields.get("payload"))
    return None


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= 128


def _problem_of_operation(payload: object) -> str | None:
    if not isinstance(payload, dict):
        return "Expected a payload with a query"
    fields = cast("dict[str, Any]", payload)
    if not isinstance(fields.get("query"), str):
        return "Expected the query to be text"
    if not isinstance(fields.get("variables"), dict | None):
        return "Expected the variables to be an object"
    if not isinstance(fields.get("operationName"), str | None):
        return "Expected the operationName to be text"
    return None
