"""Errors of the request itself: which code each carries, what the client may read, what only the log gets.

What a mutation expects to go wrong is data instead (``schema/errors.py``).
"""

import logging
import re
import secrets
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from graphql import GraphQLError
from strawberry.schema.exceptions import InvalidOperationTypeError

from taskengine.errors import InvalidInput, JobNotFound, RedisUnavailable
from taskengine.events import SlowSubscriber
from taskengine_api.roles import Forbidden

log = logging.getLogger(__name__)


class Code(StrEnum):
    """``extensions.code`` of a top-level error."""

    BAD_REQUEST = "BAD_REQUEST"
    """The request is no GraphQL request: its form, its syntax, or fields that do not exist."""
    BAD_USER_INPUT = "BAD_USER_INPUT"
    """A variable or argument was refused."""
    UNAUTHENTICATED = "UNAUTHENTICATED"
    """There is no key, or none that opens anything."""
    FORBIDDEN = "FORBIDDEN"
    """The viewer's role does not allow it."""
    NOT_FOUND = "NOT_FOUND"
    """A subscription to something that is not there."""
    QUERY_TOO_COMPLEX = "QUERY_TOO_COMPLEX"
    """The document is past one of the limits."""
    RATE_LIMITED = "RATE_LIMITED"
    """Points are spent (``extensions.retryAfterSeconds``), or as many connections or WebSockets are open as may be."""
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    TIMEOUT = "TIMEOUT"
    """It took too long and was given up; a mutation may or may not have happened."""
    SLOW_SUBSCRIBER = "SLOW_SUBSCRIBER"
    """More events waited than are kept for one subscriber; ``extensions.cursor`` is where to go on."""
    UNAVAILABLE = "UNAVAILABLE"
    """Redis does not answer, or too many WebSockets wait to be let in; trying again is right."""
    INTERNAL = "INTERNAL"
    """A bug of ours; ``extensions.errorId`` finds it in the log."""


class RequestRefused(Exception):
    """An HTTP request that is answered with one error and nothing else."""

    def __init__(
        self,
        status: int,
        message: str,
        code: Code = Code.BAD_REQUEST,
        headers: Mapping[str, str] | None = None,
        **facts: Any,
    ) -> None:
        super().__init__(status, message, code, headers)
        self.status = status
        self.message = message
        self.code = code
        self.headers = dict(headers or {})
        self.facts = facts
        """What else a program can read, beside the code."""

    def __str__(self) -> str:
        return self.message


_MAX_MESSAGE = 1_000
"""Characters. GraphQL's own messages repeat names from the document, which are as long as a client likes."""


def coded(message: str, code: Code, **extensions: Any) -> GraphQLError:
    """Return an error with its code."""
    return GraphQLError(message, extensions={"code": code.value, **extensions})


def public(error: GraphQLError, *, executing: bool) -> GraphQLError:
    """Return the error as the client sees it: with a code, and without what only concerns us.

    ``executing`` tells a document that was refused from one that failed while it ran.
    """
    if len(error.message) > _MAX_MESSAGE:
        error.message = error.message[: _MAX_MESSAGE - 1] + "…"
    if error.extensions and "code" in error.extensions:
        return error
    cause = _cause(error)
    if cause is None:
        error.message = _unechoed(error.message)
        return _marked(error, _code_of(error, executing=executing))
    if isinstance(cause, RedisUnavailable):
        return _marked(error, Code.UNAVAILABLE)
    if isinstance(cause, InvalidInput):
        return _marked(error, Code.BAD_USER_INPUT, path=list(cause.path))
    if isinstance(cause, InvalidOperationTypeError):
        return _marked(error, Code.BAD_REQUEST)
    if isinstance(cause, Forbidden):
        return _marked(error, Code.FORBIDDEN)
    if isinstance(cause, JobNotFound):
        return _marked(error, Code.NOT_FOUND)
    if isinstance(cause, SlowSubscriber):
        return _marked(error, Code.SLOW_SUBSCRIBER, cursor=cause.cursor)
    return _masked(error, cause)


_ECHOES = (
    re.compile(r"(?P<kept>.*?(?: Did you mean [^?]*\?)?)[,.]? [Ff]ound: .*", re.DOTALL),
    re.compile(r"(?P<kept>.* cannot represent [\w -]*value): .*", re.DOTALL),
    re.compile(r"(?P<kept>Variable '\S+' has invalid value at \S*\bargs\b[^:]*: expected [^,]*), got .*", re.DOTALL),
)


def _unechoed(message: str) -> str:
    """Take what was given out of GraphQL's complaints about it: arguments may be secret, and beside them any."""
    for echo in _ECHOES:
        if found := echo.fullmatch(message):
            return found["kept"] + ("" if found["kept"].endswith("?") else ".")
    return message


def _cause(error: GraphQLError) -> Exception | None:
    """Return the exception under an error, ``None`` when GraphQL itself complains."""
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _code_of(error: GraphQLError, *, executing: bool) -> Code:
    # So end graphql-core's own limits: on tokens, nesting, and fields to compare with each other.
    if error.message.endswith("aborted."):
        return Code.QUERY_TOO_COMPLEX
    return Code.BAD_USER_INPUT if executing else Code.BAD_REQUEST


def _marked(error: GraphQLError, code: Code, **facts: Any) -> GraphQLError:
    error.extensions = {"code": code.value, **facts}
    return error


def _masked(error: GraphQLError, cause: Exception) -> GraphQLError:
    error_id = f"err_{secrets.token_hex(8)}"
    log.error("%s at %s", error_id, error.path, exc_info=cause)
    hidden = coded("something went wrong on our side; the log has it under this errorId", Code.INTERNAL)
    return GraphQLError(
        hidden.message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions={**(hidden.extensions or {}), "errorId": error_id},
    )
