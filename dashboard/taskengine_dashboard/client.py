"""GraphQL over HTTP: one pooled client for the whole process.

Knows how to ask and what can go wrong, not what is asked. Everything that can
go wrong is an ``ApiError``:

ApiError
├── ApiUnreachable   nothing answers at that address
├── ApiSlow          no answer in time
├── ApiRefused       an answer, but not a GraphQL one
└── RequestFailed    GraphQL's own top-level errors; ``code`` says of what kind
    └── NotSignedIn  the API wants a key, or knows the given one no more
"""

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit

import httpx

from taskengine_dashboard.shapes import is_object

TIMEOUT = httpx.Timeout(4.0, connect=1.0)
"""A page is no use after that, and a stuck API must not hold its threads for long."""
STREAM_TIMEOUT = httpx.Timeout(TIMEOUT.connect, read=30.0)
"""A stream says something more often than that, even when nothing happens."""


class ApiError(Exception):
    """The API gave nothing that can be shown. ``title`` heads a banner, ``str()`` explains."""

    title: ClassVar[str] = "The API did not answer"
    keeps_figures: ClassVar[bool] = True
    """Whether what was shown before may stay while this lasts."""


class ApiUnreachable(ApiError):
    """Nothing answers at the API's address."""

    title = "The API is not reachable"

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url

    def __str__(self) -> str:
        return f"Nothing answers at {self.url}."


class ApiSlow(ApiError):
    """The API accepted the request and did not answer in time."""

    title = "The API does not answer in time"

    def __init__(self, url: str, seconds: float) -> None:
        super().__init__(url, seconds)
        self.url = url
        self.seconds = seconds

    def __str__(self) -> str:
        return f"{self.url} gave no answer within {self.seconds:g} seconds."


class ApiRefused(ApiError):
    """Something answered, but not with GraphQL."""

    title = "The API refused the request"

    def __init__(self, url: str, status: int) -> None:
        super().__init__(url, status)
        self.url = url
        self.status = status

    def __str__(self) -> str:
        return f"{self.url} answered HTTP {self.status}, which is not a GraphQL answer."


class RequestFailed(ApiError):
    """The API answered with top-level errors: Redis is away, a limit, or a bug on either side."""

    title = "The API could not answer"

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.message


class NotSignedIn(RequestFailed):
    """The API wants a key, or knows the given one no more: nothing may be shown to whoever this is."""

    title = "Please sign in"
    keeps_figures = False


@dataclass(frozen=True, slots=True)
class Operation:
    """A named GraphQL operation. ``name`` is the one that its text declares."""

    name: str
    text: str


class Client:
    """Sends operations to one API. Safe to use from many threads."""

    def __init__(self, url: str, *, transport: httpx.BaseTransport | None = None) -> None:
        self.url = endpoint_of(url)
        # Proxies of the environment are for the outside world; the API is a neighbour.
        self._http = httpx.Client(timeout=TIMEOUT, transport=transport, trust_env=False)

    def execute(
        self, operation: Operation, variables: Mapping[str, Any] | None = None, api_key: str | None = None
    ) -> dict[str, Any]:
        """Return the operation's ``data``; raise ``ApiError`` if there is none."""
        with self._problems():
            response = self._http.post(self.url, json=_body(operation, variables), headers=_authorization(api_key))
        return _data_of(response, self.url)

    def stream(
        self, operation: Operation, variables: Mapping[str, Any] | None = None, api_key: str | None = None
    ) -> Generator[dict[str, Any] | None]:
        """Yield the ``data`` of each event of a subscription until it ends; raise ``ApiError`` when it breaks.

        ``None`` in between says that nothing has happened, so that whoever listens may think of something else.
        """
        headers = {"Accept": "text/event-stream", **_authorization(api_key)}
        request = self._http.build_request(
            "POST", self.url, json=_body(operation, variables), headers=headers, timeout=STREAM_TIMEOUT
        )
        with self._problems():
            response = self._http.send(request, stream=True)
        try:
            yield None
            if not response.headers.get("content-type", "").startswith("text/event-stream"):
                with self._problems():
                    response.read()
                _data_of(response, self.url)
                raise ApiRefused(self.url, response.status_code)
            yield from self._events_of(response)
        finally:
            response.close()

    def _events_of(self, response: httpx.Response) -> Generator[dict[str, Any] | None]:
        lines = response.iter_lines()
        while True:
            with self._problems():
                line = next(lines, None)
            if line is None or line == "event: complete":
                return
            yield _data_in(json.loads(line.removeprefix("data: "))) if line.startswith("data: {") else None

    @contextmanager
    def _problems(self) -> Generator[None]:
        """Tell what goes wrong on the way as an ``ApiError``."""
        try:
            yield
        except httpx.ConnectTimeout:
            raise ApiUnreachable(self.url) from None
        except httpx.TimeoutException:
            raise ApiSlow(self.url, TIMEOUT.read or 0) from None
        except httpx.TransportError:
            raise ApiUnreachable(self.url) from None

    def close(self) -> None:
        """Give the pooled connections back."""
        self._http.close()


def endpoint_of(url: str) -> str:
    """Return the GraphQL endpoint of an API's address, which may be the endpoint itself."""
    bare = url.rstrip("/")
    return bare if urlsplit(bare).path.endswith("/graphql") else f"{bare}/graphql"


def _authorization(api_key: str | None) -> dict[str, str]:
    return {"Authorization": f"Bearer {api_key}"} if api_key else {}


def _body(operation: Operation, variables: Mapping[str, Any] | None) -> dict[str, Any]:
    return {"query": operation.text, "operationName": operation.name, "variables": dict(variables or {})}


def _data_of(response: httpx.Response, url: str) -> dict[str, Any]:
    try:
        answer: Any = response.json()
    except ValueError:
        raise ApiRefused(url, response.status_code) from None
    if not is_object(answer) or not ("data" in answer or "errors" in answer):
        raise ApiRefused(url, response.status_code)
    return _data_in(answer)


def _data_in(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the ``data`` of an answer; raise its first error."""
    if answer.get("errors"):
        first: dict[str, Any] = answer["errors"][0]
        extensions: dict[str, Any] = first.get("extensions") or {}
        code = str(extensions.get("code", "INTERNAL"))
        problem = NotSignedIn if code == "UNAUTHENTICATED" else RequestFailed
        raise problem(code, str(first.get("message", "no message")))
    return answer["data"]
