"""``/graphql`` over HTTP, WebSocket and server-sent events: Strawberry's view, held to the specification.

Strawberry answers bodies such as ``null`` with 500, calls every response
``application/json`` and gives GraphiQL to whoever accepts anything. What is
here keeps to GraphQL over HTTP (the draft's 400 for a refused document, 405
with ``Allow`` for a mutation by GET) and to graphql-transport-ws.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from functools import partial
from math import ceil
from typing import Any, cast

from cross_web import AsyncHTTPRequestAdapter, HTTPException, StarletteRequestAdapter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import MissingQueryError
from strawberry.http import GraphQLHTTPResponse, GraphQLRequestData
from strawberry.http.base import BaseRequestProtocol
from strawberry.http.streaming import HTTPStreamTransport
from strawberry.schema.exceptions import InvalidOperationTypeError
from strawberry.subscriptions import GRAPHQL_SSE_PROTOCOL, GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType
from typing_extensions import override

from taskengine_api import bodies, graphiql
from taskengine_api.access import Door, Ticket
from taskengine_api.bodies import EVENT_STREAM, GRAPHQL_JSON, PLAIN_JSON
from taskengine_api.context import Context
from taskengine_api.errors import Code, RequestRefused
from taskengine_api.lobby import Lobby
from taskengine_api.results import accepted_age
from taskengine_api.schema.build import Schema
from taskengine_api.settings import ApiSettings
from taskengine_api.sockets import Handler, SocketAdapter

ALLOWED = {"Allow": "GET, POST"}
NOT_KEPT = {"Cache-Control": "no-store"}


class GraphQLEndpoint(GraphQL[Context, None]):
    """The ASGI application at ``/graphql``. ``schema`` may be replaced while requests are served."""

    schema: Schema
    graphql_transport_ws_handler_class = Handler
    websocket_adapter_class = SocketAdapter  # pyright: ignore[reportAssignmentType]

    def __init__(
        self,
        schema: Schema,
        context: Context,
        door: Door,
        settings: ApiSettings,
    ) -> None:
        super().__init__(
            schema,
            graphql_ide="graphiql" if settings.graphiql else None,
            subscription_protocols=(GRAPHQL_TRANSPORT_WS_PROTOCOL, GRAPHQL_SSE_PROTOCOL),
            connection_init_wait_timeout=timedelta(seconds=5),
            max_subscriptions_per_connection=settings.max_subscriptions,
            allowed_origins=settings.origins,
        )
        self.context = context
        self.door = door
        self._settings = settings
        self._lobby = Lobby(most=settings.max_new_sockets, most_of_one_address=settings.max_new_sockets_per_address)
        self.request_adapter_class = self._adapter

    def use(self, schema: Schema) -> None:
        """Answer by this schema from now on; what runs already goes on with its own."""
        self.schema = schema

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._serve(WebSocket(scope, receive=receive, send=send))
            return
        request = Request(scope, receive)
        response = await self._respond(request)
        try:
            await response(scope, receive, send)
        finally:
            # Not left to the collector of garbage: a subscription would go on until that comes.
            self.door.close_soon(getattr(response, "body_iterator", None))

    async def _serve(self, socket: WebSocket) -> None:
        """Serve a WebSocket, refused before it is one where too many wait to be let in."""
        try:
            leave = self._lobby.enter(socket.client.host if socket.client else "")
        except RequestRefused as error:
            self.context.meters.count_error(error.code.value)
            await socket.send_denial_response(bodies.refused(error))
            return
        socket.state.leave_lobby = leave
        try:
            await self.run(socket)
        finally:
            leave()

    async def _respond(self, request: Request) -> Response:
        try:
            return await self.run(request)
        except HTTPException as error:
            return self._refusal(request, RequestRefused(error.status_code, error.reason))
        except RequestRefused as error:
            return self._refusal(request, error)

    def _refusal(self, request: Request, error: RequestRefused) -> Response:
        self.context.meters.count_error(error.code.value)
        return _refusal(request, error)

    def _adapter(self, request: Request) -> "LimitedRequest":
        return LimitedRequest(request, self._settings.max_body_bytes)

    @override
    async def get_context(self, request: Request | WebSocket, response: Response | WebSocket) -> Context:
        """Let in who asks. Over a WebSocket that waits for ``connection_init``, which may bring the key."""
        if isinstance(request, WebSocket) or not self._needs_viewer(request):
            return cast(Context, None)
        ticket = await self.door.let_in(request)
        request.state.ticket = ticket
        return self.context.seen_by(ticket.viewer)

    def _needs_viewer(self, request: Request) -> bool:
        """Whether it is a GraphQL request: the playground's page is for everyone, other methods are for nobody."""
        is_page = bool(self.graphql_ide) and self.should_render_graphql_ide(StarletteRequestAdapter(request))
        return request.method in ("GET", "POST") and not is_page

    async def get_sub_response(self, request: Request | WebSocket) -> Response:
        """The response of this one request: what is found out on the way is kept on it, never on ``self``."""
        response = await super().get_sub_response(request)
        response.media_type = bodies.response_type(request.headers.get("accept"))
        return response

    def is_request_allowed(self, request: BaseRequestProtocol) -> bool:
        if request.method not in ("GET", "POST"):
            raise RequestRefused(405, f"expected GET or POST, got {request.method}", headers=ALLOWED)
        return True

    # What came

    def should_render_graphql_ide(self, request: BaseRequestProtocol) -> bool:
        """A browser says that it wants HTML; whoever takes anything wants GraphQL."""
        wants_page = "text/html" in bodies.accepted(request.headers.get("accept", ""))
        return request.method == "GET" and wants_page and request.query_params.get("query") is None

    @override
    async def render_graphql_ide(self, request: Request) -> Response:
        return graphiql.page()

    def decode_json(self, data: str | bytes) -> object:
        return bodies.read_json(data)

    def _get_stream_transport_from_headers(self, headers: Mapping[str, str]) -> HTTPStreamTransport | None:
        wanted = bodies.response_type(headers.get("accept"))
        return super()._get_stream_transport_from_headers(headers) if wanted == EVENT_STREAM else None

    async def parse_http_body(self, request: AsyncHTTPRequestAdapter) -> GraphQLRequestData:
        transport = self._get_stream_transport_from_headers(request.headers)
        if bodies.response_type(request.headers.get("accept")) is None:
            raise RequestRefused(406, f"answers are {GRAPHQL_JSON}, {PLAIN_JSON} or {EVENT_STREAM}")
        if request.method == "GET":
            data: object = self.parse_query_params(request.query_params)  # pyright: ignore[reportArgumentType]
        else:
            bodies.check_content_type(request.content_type)
            body = await request.get_body()
            bodies.check_containers(body)
            data = self.parse_json(body)
        return _request_data(data, protocol=transport.protocol if transport else "http")

    # What is answered

    @override
    async def execute_single(
        self,
        request: Request,
        request_adapter: AsyncHTTPRequestAdapter,
        sub_response: Response,
        context: Context,
        root_value: None,
        request_data: GraphQLRequestData,
    ) -> ExecutionResult:
        age = min(accepted_age(request.headers.get("cache-control")), self._settings.cache_seconds)
        work = partial(self._execute, request_adapter.method, context, request_data)
        result = await context.results.answer(self._key(context, request_data), age, work) if age else await work()
        if _is_refused(result) and sub_response.media_type == GRAPHQL_JSON:
            sub_response.status_code = 400
        if (seconds := _retry_seconds(result)) is not None:
            sub_response.status_code = 429
            sub_response.headers["Retry-After"] = str(ceil(seconds))
        return result

    def _key(self, context: Context, data: GraphQLRequestData) -> object:
        """What makes two requests the same: the schema, who asks, and all that is asked."""
        return (self.schema, context.viewer, data.query, data.operation_name, bodies.write_json(data.variables))

    async def _execute(self, method: str, context: Context, data: GraphQLRequestData) -> ExecutionResult:
        allowed = {OperationType.QUERY} if method == "GET" else {OperationType.QUERY, OperationType.MUTATION}
        work = self.schema.execute(
            data.query,
            variable_values=data.variables,
            context_value=context,
            operation_name=data.operation_name,
            allowed_operation_types=allowed,
            operation_extensions=data.extensions,
        )
        try:
            return await asyncio.wait_for(work, self._settings.request_seconds)
        except TimeoutError:
            seconds = self._settings.request_seconds
            message = f"there is no answer within {seconds:g} s; a mutation may or may not have happened"
            raise RequestRefused(503, message, Code.TIMEOUT) from None
        except InvalidOperationTypeError as error:
            raise _wrong_transport(method, error.operation_type) from None
        except MissingQueryError:
            raise RequestRefused(400, "the request has no `query`") from None

    async def process_result(self, request: Request, result: ExecutionResult) -> GraphQLHTTPResponse:
        response = await super().process_result(request, result)
        if _is_refused(result):
            del response["data"]
        return response

    async def create_streaming_response(
        self,
        request: Request | WebSocket,
        stream: Callable[[], AsyncIterator[str]],
        sub_response: Response,
        headers: Mapping[str, str],
    ) -> Response:
        ticket: Ticket = request.state.ticket
        self.door.check_room(ticket)

        def watched() -> AsyncIterator[str]:
            return self.door.while_welcome(ticket, stream())

        return await super().create_streaming_response(request, watched, sub_response, headers)

    def encode_json(self, data: object) -> str:
        """As text: WebSockets are to send text frames."""
        return bodies.write_json(data).decode()

    def create_response(
        self, response_data: GraphQLHTTPResponse | list[GraphQLHTTPResponse], sub_response: Response
    ) -> Response:
        status = sub_response.status_code or 200
        headers = {**sub_response.headers, **NOT_KEPT}
        return Response(bodies.write_json(response_data), status, headers, sub_response.media_type)


def _is_refused(result: ExecutionResult) -> bool:
    """Whether the document was refused before anything ran: no data, and no error has a place in it."""
    errors = result.errors or []
    return result.data is None and bool(errors) and all(error.path is None for error in errors)


def _retry_seconds(result: ExecutionResult) -> float | None:
    """Return when to come again, where the viewer has spent what there was."""
    for error in result.errors or ():
        if error.extensions and error.extensions.get("code") == Code.RATE_LIMITED:
            return error.extensions.get("retryAfterSeconds")
    return None


class LimitedRequest(StarletteRequestAdapter):
    """A request whose body is read up to a limit."""

    def __init__(self, request: Request, limit: int) -> None:
        super().__init__(request)
        self._limit = limit

    async def get_body(self) -> bytes:
        return await bodies.read_body(self._request, self._limit)


def _request_data(data: object, *, protocol: Any) -> GraphQLRequestData:
    if not isinstance(data, dict):
        raise RequestRefused(400, f"expected one JSON object, got {bodies.kind_of(data)}")
    wanted = {"query": str, "operationName": str, "variables": dict, "extensions": dict}
    values: dict[str, Any] = {name: data.get(name) for name in wanted}  # pyright: ignore[reportUnknownMemberType]
    for name, kind in wanted.items():
        if not isinstance(values[name], kind | None):
            expected = "text" if kind is str else "an object"
            raise RequestRefused(400, f"expected {name} to be {expected} or null, got {bodies.kind_of(values[name])}")
    return GraphQLRequestData(
        query=values["query"],
        variables=values["variables"],
        operation_name=values["operationName"],
        extensions=values["extensions"],
        protocol=protocol,
    )


def _wrong_transport(method: str, operation: OperationType) -> RequestRefused:
    if operation is OperationType.SUBSCRIPTION:
        return RequestRefused(400, f"subscriptions are answered over a WebSocket, or as {EVENT_STREAM}")
    return RequestRefused(405, f"{operation.value}s cannot be sent by {method}", headers={"Allow": "POST"})


def _refusal(request: Request, error: RequestRefused) -> Response:
    wanted = bodies.response_type(request.headers.get("accept"))
    return bodies.refused(error, GRAPHQL_JSON if wanted == GRAPHQL_JSON else PLAIN_JSON)
