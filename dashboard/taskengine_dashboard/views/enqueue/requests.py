"""What the enqueue form makes of its widgets: a request, as it is sent and as it is shown, and how it went. Pure."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from taskengine_dashboard.changes.jobs import ENQUEUE_JOB, RERUN_JOB
from taskengine_dashboard.client import Operation, RequestFailed
from taskengine_dashboard.shapes import is_list, is_object
from taskengine_dashboard.source import Reply
from taskengine_dashboard.views.enqueue import schemas
from taskengine_dashboard.views.enqueue.kinds import Path, Problem
from taskengine_dashboard.views.enqueue.schemas import Schema
from taskengine_dashboard.views.enqueue.typed import TypedMutation, Unsayable

ARGS, OPTIONS = "args", "options"
KEY = "idempotencyKey"
_OPTION_NAMES = {"delay": "delaySeconds", "timeout": "timeoutSeconds"}
"""What an error may call an option, and what the form calls it."""
_REFUSED_VALUE = re.compile(r"Variable '\$input' has invalid value at (?P<path>\S+): (?P<words>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One job to be. ``args`` may be anything while it is being written."""

    task: str
    schema: Schema
    args: Any
    options: Mapping[str, Any]
    typed: TypedMutation | None = None
    again: str | None = None
    """The job that this runs once more."""

    @property
    def is_typed(self) -> bool:
        """Whether the task's own mutation can say it."""
        return self._typed_args(frozenset()) is not None

    @property
    def operation(self) -> Operation:
        """Return the task's own mutation; ``enqueueJob`` where there is none or it has no words for this."""
        if self.again is not None:
            return RERUN_JOB
        return self.typed.operation if self.typed is not None and self.is_typed else ENQUEUE_JOB

    def input(self, key: str | None) -> dict[str, Any]:
        """Return what is sent; ``key`` makes sending it twice enqueue one job."""
        typed = self._typed_args(frozenset())
        return self._with_options({**self._what, ARGS: self.args} if typed is None else typed, key)

    def shown(self, key: str | None) -> dict[str, Any]:
        """Return what is sent with ``********`` for each secret."""
        typed = self._typed_args(frozenset(schemas.secret_places(self.args, self.schema)))
        masked = {**self._what, ARGS: schemas.masked(self.args, self.schema)}
        return self._with_options(masked if typed is None else typed, key)

    @property
    def fingerprint(self) -> str:
        """Return what tells it from other requests, without what is in it."""
        said = json.dumps([self._what, self.args, dict(self.options)], sort_keys=True, default=str)
        return hashlib.sha256(said.encode()).hexdigest()

    def json_path(self, path: Sequence[str]) -> Path:
        """Return where in the form an error's path leads."""
        if len(path) > 1 and path[0] == OPTIONS:
            return (OPTIONS, _OPTION_NAMES.get(path[1], path[1]), *path[2:])
        if path[:1] != (ARGS,):
            return tuple(path)
        given = self.typed.json_path(path) if self.typed is not None and self.is_typed else tuple(path)
        return (ARGS, *schemas.placed(given[1:], self.schema))

    @property
    def _what(self) -> dict[str, str]:
        return {"task": self.task} if self.again is None else {"id": self.again}

    def _typed_args(self, hidden: frozenset[Path]) -> dict[str, Any] | None:
        try:
            return self.typed.args(self.args, hidden) if self.typed is not None else None
        except Unsayable:
            return None

    def _with_options(self, said: dict[str, Any], key: str | None) -> dict[str, Any]:
        given = {KEY: key, **self.options} if key else dict(self.options)
        return {**said, **({OPTIONS: given} if given else {})}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The last request that was to be sent, and how that went."""

    task: str
    args: Any
    options: Mapping[str, Any]
    problems: tuple[Problem, ...] = ()
    job_id: str | None = None
    deduplicated: bool = False

    @classmethod
    def of(cls, request: Request, problems: Iterable[Problem] = ()) -> Self:
        """Return a request that was not sent for what is wrong with it."""
        return cls(task=request.task, args=request.args, options=request.options, problems=tuple(problems))

    @classmethod
    def answered(cls, request: Request, answer: Reply) -> Self:
        """Return what the API said to a request."""
        problems = [Problem(request.json_path(refusal.path), refusal.message) for refusal in answer.refusals]
        if answer.problem is not None:
            problems.append(_on_the_way(request, answer))
        sent = cls.of(request, problems)
        if not answer.is_done or not answer.payload:
            return sent
        return replace(
            sent,
            job_id=answer.payload["job"]["id"],
            deduplicated=bool(answer.payload.get("deduplicated")),
        )

    def seen_against(self, request: Request) -> Self:
        """Return this without the problems whose value has been changed since: they may be mended."""
        before, now = ({ARGS: one.args, OPTIONS: one.options} for one in (self, request))
        kept = tuple(p for p in self.problems if _at(before, p.path) == _at(now, p.path))
        return replace(self, problems=kept)

    def is_about(self, request: Request) -> bool:
        """Whether nothing has been changed since."""
        return (self.args, self.options) == (request.args, request.options)


def options(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that were given; the task's own hold for the rest."""
    return {name: value for name, value in chosen.items() if value not in (None, "", [])}


def _on_the_way(request: Request, answer: Reply) -> Problem:
    """Return a problem of the whole, or of the field whose value GraphQL itself refused."""
    message = str(answer.problem)
    found = _REFUSED_VALUE.fullmatch(message) if isinstance(answer.problem, RequestFailed) else None
    if found is None:
        return Problem((), message)
    return Problem(request.json_path(re.findall(r"[^.\[\]]+", found["path"])), found["words"].rstrip("."))


def _at(value: Any, path: Iterable[str]) -> Any:
    for step in path:
        if is_object(value):
            value = value.get(step)
        elif is_list(value) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value
