"""What pages read and do, for whoever looks: any operation, with the viewer's key, and the one source of this process.

Reads go through the feed and never raise; changes are sent at once and say how it went. Which operations there are
is not known here: each page has its ``questions``, and what changes something is in ``changes/``.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from taskengine_dashboard.client import ApiError, Client, NotSignedIn, Operation
from taskengine_dashboard.feed import Feed, Reading
from taskengine_dashboard.follow import Following, Heard
from taskengine_dashboard.identity import Identity, who_looks
from taskengine_dashboard.model.json_values import Json
from taskengine_dashboard.settings import DashboardSettings

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason why the API did not do what was asked. ``path`` leads into the input."""

    message: str
    path: tuple[str, ...] = ()
    code: str = "INVALID"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """How one change went: what the API gave back, its refusals, or a problem on the way."""

    payload: Json | None = None
    refusals: tuple[Refusal, ...] = ()
    problem: ApiError | None = None

    @property
    def is_done(self) -> bool:
        return not self.refusals and self.problem is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """How a change of several things went. After a problem the rest was not tried."""

    done: int
    refusals: tuple[Refusal, ...] = ()
    not_tried: int = 0
    problem: ApiError | None = None


class Source:
    """Questions and changes of one API, by one viewer. Safe to use from many threads."""

    def __init__(
        self,
        client: Client,
        feed: Feed,
        following: Following,
        settings: DashboardSettings,
        viewer: Identity | None = None,
    ) -> None:
        self._client = client
        self._feed = feed
        self._following = following
        self.settings = settings
        self.viewer = viewer or Identity(None, is_signed_in=False)
        self.api_url = client.url

    def seen_by(self, viewer: Identity) -> "Source":
        """Return the same for this viewer."""
        return Source(self._client, self._feed, self._following, self.settings, viewer)

    def ask(self, operation: Operation, variables: Mapping[str, Any] | None = None) -> Json:
        """Return an operation's data, asked for now; raise ``ApiError``. Pages ``read``, which makes nobody wait."""
        if not self.viewer.may_ask:
            raise NotSignedIn("UNAUTHENTICATED", "Whoever is not at the machine itself needs a key.")
        return self._client.execute(operation, variables, self.viewer.api_key)

    def read(
        self, operation: Operation, variables: Mapping[str, Any] | None, read: Callable[[Json], Answer]
    ) -> Reading[Answer]:
        """Return the newest answer, as ``read`` makes it from the operation's data.

        ``read`` is called once an answer, however many viewers with the same key see it: tables are made there.
        """
        # With the key, or one viewer would be shown what another may see.
        question = (self.viewer, operation.name, json.dumps(variables or {}, sort_keys=True))
        return self._feed.read(question, lambda: read(self.ask(operation, variables)))

    def follow(
        self, operation: Operation, variables: Mapping[str, Any], read: Callable[[Json], Answer]
    ) -> Heard[Answer]:
        """Return what a subscription has told lately, newest last. It begins when it is first asked for.

        It must take a variable ``after``, and each event must have a ``cursor``, to go on after it broke.
        """
        viewer = self.viewer
        if not viewer.may_ask:
            return Heard(problem=NotSignedIn("UNAUTHENTICATED", "Whoever is not at the machine itself needs a key."))
        question = (viewer, operation.name, json.dumps(variables, sort_keys=True))
        return self._following.heard(
            question,
            lambda after: self._client.stream(operation, {**variables, "after": after}, viewer.api_key),
            read,
        )

    def send(self, operation: Operation, variables: Mapping[str, Any]) -> Reply:
        """Change something by a mutation with one field; whoever reads next waits for what it changed."""
        try:
            (payload,) = self.ask(operation, variables).values()
        except ApiError as problem:
            return Reply(problem=problem)
        finally:
            self._feed.expire()
        return Reply(payload=payload, refusals=_refusals(payload))

    def send_each(self, operation: Operation, inputs: Sequence[Mapping[str, Any]]) -> Changed:
        """Make the same change with each of these inputs, one after the other."""
        done, refusals = 0, list[Refusal]()
        for one in inputs:
            reply = self.send(operation, {"input": one})
            if reply.problem is not None:
                not_tried = len(inputs) - done - len(refusals)
                return Changed(done=done, refusals=tuple(refusals), not_tried=not_tried, problem=reply.problem)
            refusals.extend(reply.refusals)
            done += reply.is_done
        return Changed(done=done, refusals=tuple(refusals))

    def expire(self) -> None:
        """Something was changed past us: answers that are asked for from now on are waited for."""
        self._feed.expire()

    def close(self) -> None:
        """End what runs for all viewers."""
        self._feed.close()
        self._following.close()
        self._client.close()


def _refusals(payload: Json) -> tuple[Refusal, ...]:
    return tuple(Refusal(error["message"], tuple(error["path"] or ()), error["code"]) for error in payload["errors"])


class _Opened:
    source: Source | None = None


def open_source(
    url: str, *, settings: DashboardSettings | None = None, transport: httpx.BaseTransport | None = None
) -> Source:
    """Make the source of this process; pages get it by ``source()``."""
    _Opened.source = Source(Client(url, transport=transport), Feed(), Following(), settings or DashboardSettings())
    return _Opened.source


def source() -> Source:
    """Return the source that ``open_source`` made, for whoever looks at the page that is being drawn."""
    if _Opened.source is None:
        raise RuntimeError("no source is open: start the dashboard by `taskengine dashboard`, not by `streamlit run`")
    return _Opened.source.seen_by(who_looks(_Opened.source.settings))


def source_with(api_key: str) -> Source:
    """Return the source that ``open_source`` made, for whoever has this key."""
    if _Opened.source is None:
        raise RuntimeError("no source is open")
    return _Opened.source.seen_by(Identity(api_key, is_signed_in=True))
