"""What the enqueue form makes of its widgets: a request, and what is wrong with it. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from taskengine_dashboard.shapes import is_list, is_object
from taskengine_dashboard.source import Reply
from taskengine_dashboard.views.enqueue.forms import Path, Problem

ARGS, OPTIONS = "args", "options"
_OPTION_NAMES = {"delay": "delaySeconds", "delay_seconds": "delaySeconds", "max_attempts": "maxAttempts"}
"""What an error may call an option, and what the form calls it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The last request that was to be sent, and how that went."""

    request: Mapping[str, Any]
    problems: tuple[Problem, ...] = ()
    job_id: str | None = None

    @classmethod
    def answered(cls, request: Mapping[str, Any], answer: Reply) -> Self:
        """Return what the API said to a request."""
        problems = [Problem(_named(refusal.path), refusal.message) for refusal in answer.refusals]
        if answer.problem is not None:
            problems.append(Problem((), str(answer.problem)))
        return cls(
            request=request,
            problems=tuple(problems),
            job_id=answer.payload["job"]["id"] if answer.is_done and answer.payload else None,
        )

    def seen_against(self, request: Mapping[str, Any]) -> Self:
        """Return this without the problems whose value has been changed since: they may be mended."""
        kept = tuple(p for p in self.problems if _at(self.request, p.path) == _at(request, p.path))
        return replace(self, problems=kept)


def options(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options that were given; the task's own hold for the rest."""
    return {name: value for name, value in chosen.items() if value not in (None, "", [])}


def request(task: str, args: Any, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return an ``EnqueueJobInput``."""
    given = options(chosen)
    return {"task": task, ARGS: args, **({OPTIONS: given} if given else {})}


def _named(path: Sequence[str]) -> Path:
    if len(path) > 1 and path[0] == OPTIONS:
        return (OPTIONS, _OPTION_NAMES.get(path[1], path[1]), *path[2:])
    return tuple(path)


def _at(value: Any, path: Iterable[str]) -> Any:
    for step in path:
        if is_object(value):
            value = value.get(step)
        elif is_list(value) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value
