"""Request bodies and media types: read with a limit, strictly, and answered in kind."""

import gc
import json
import math
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, NoReturn, cast

import orjson
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from strawberry.http.parse_content_type import parse_content_type

from taskengine_api.errors import Code, RequestRefused

GRAPHQL_JSON = "application/graphql-response+json"
PLAIN_JSON = "application/json"
EVENT_STREAM = "text/event-stream"

_DRAINED = 64
"""A body up to so many times the limit is read to its end and dropped, so that the client gets to read our answer."""


async def read_body(request: Request, limit: int) -> bytes:
    """Return the body; refuse one over the limit without ever holding more than that."""
    length = request.headers.get("content-length", "")
    declared = int(length) if length.isdecimal() and len(length) < 20 else 0
    if declared > limit * _DRAINED:
        raise _too_large(limit)
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > limit * _DRAINED:
                break
            if size <= limit:
                parts.append(part)
            else:
                parts.clear()
    except ClientDisconnect:
        raise RequestRefused(400, "the connection ended in the middle of the request body") from None
    if size > limit:
        raise _too_large(limit)
    return b"".join(parts)


MAX_CONTAINERS = 100_000
"""Lists and objects in one body. Each takes some tenths of a microsecond wherever it is looked at."""


def check_containers(text: bytes) -> None:
    """Raise ``RequestRefused`` where a body has room for more lists and objects than are taken."""
    if (count := _containers(text)) > MAX_CONTAINERS:
        words = f"the request body has {count:,} lists and objects; at most {MAX_CONTAINERS:,} are allowed"
        raise RequestRefused(413, words, Code.PAYLOAD_TOO_LARGE)


def _containers(text: str | bytes) -> int:
    """Count what may begin one; those that stand in a text are counted too."""
    return text.count("[") + text.count("{") if isinstance(text, str) else text.count(b"[") + text.count(b"{")


def _too_large(limit: int) -> RequestRefused:
    return RequestRefused(413, f"the request body may have {limit:,} bytes at most", Code.PAYLOAD_TOO_LARGE)


def read_json(text: str | bytes) -> Any:
    """Parse JSON as the standard has it; raise ``JSONDecodeError`` for anything else, however it is broken."""
    try:
        if isinstance(text, bytes):
            text = text.decode()
        if _containers(text) > MAX_CONTAINERS:
            raise ValueError(f"more than {MAX_CONTAINERS:,} lists and objects")
        with _uncollected():
            value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
        if "\\ud" in text or "\\uD" in text:
            # Half a surrogate pair is no text, though the parser lets it pass.
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise json.JSONDecodeError(str(error) or "nested too deeply", "", 0) from error
    return value


@contextmanager
def _uncollected() -> Generator[None]:
    """Keep the collector of garbage away: what is made here is all in use, and looking through it takes longer."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(f"{digits:.20} is larger than numbers may be")
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def write_json(value: object) -> bytes:
    """Write JSON; what the fast writer cannot (whole numbers past 64 bits) goes the slow way."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def read_object(text: bytes) -> dict[str, Any]:
    """Parse a body that is to be one JSON object; raise ``RequestRefused``."""
    check_containers(text)
    try:
        value = read_json(text)
    except json.JSONDecodeError:
        raise RequestRefused(400, "Unable to parse request body as JSON") from None
    if not isinstance(value, dict):
        raise RequestRefused(400, f"expected one JSON object, got {kind_of(value)}")
    return cast("dict[str, Any]", value)


def check_content_type(header: str | None) -> None:
    """Raise ``RequestRefused`` unless a body is JSON. Pages of other sites can send no JSON without asking first."""
    name, parameters = parse_content_type(header or "")
    charset = parameters.get("charset", "utf-8").lower()
    if name.lower() != PLAIN_JSON or charset not in ("utf-8", "utf8"):
        raise RequestRefused(415, f"expected Content-Type {PLAIN_JSON} in UTF-8, got {header!r:.100}")


def refused(error: RequestRefused, media_type: str = PLAIN_JSON) -> Response:
    """Return the answer to a request that was refused."""
    body = {"errors": [{"message": error.message, "extensions": {"code": error.code.value, **error.facts}}]}
    return Response(write_json(body), error.status, error.headers, media_type)


def kind_of(value: object) -> str:
    """Return what JSON calls a value of this kind."""
    kinds = {"dict": "an object", "list": "an array", "str": "text", "bool": "a boolean", "NoneType": "null"}
    return kinds.get(type(value).__name__, "a number")


def accepted(header: str) -> list[str]:
    """Return the media types of an ``Accept`` header without those of weight 0, in the order of their weight."""
    weighted: list[tuple[float, str]] = []
    for part in header.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((text[2:] for text in parameters if text.startswith("q=")), "1")
        if name and (value := _weight(weight)) > 0:
            weighted.append((value, name))
    return [name for _, name in sorted(weighted, key=lambda pair: -pair[0])]


def _weight(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


def response_type(header: str | None) -> str | None:
    """Return the media type to answer in: JSON of either name, or a stream; ``None`` if nothing fits.

    JSON comes first wherever it is accepted at all: urql lists the event stream
    beside it with every query.
    """
    names = accepted(header or "*/*")
    for name in names:
        if name in (GRAPHQL_JSON, PLAIN_JSON):
            return name
        if name in ("*/*", "application/*"):
            return PLAIN_JSON
    return EVENT_STREAM if EVENT_STREAM in names else None
