"""Which jobs, and in which order: what a list, a change to many or a subscription is about.

Plain data and pure functions: no Redis, no clock. ``lua/fragments/filters.lua`` says the same of records that
``JobFilter.matches`` says of jobs; ``tests/tasks/test_filters.py`` holds both sides to each other.
"""

import json
import re
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Self, cast

from taskengine.errors import InvalidInput
from taskengine.jobs import (
    FINAL_STATES,
    HIGHEST_PRIORITY,
    LOWEST_PRIORITY,
    Job,
    JobState,
    check_group_id,
    check_job_id,
    check_name,
    check_priority,
    check_text,
)
from taskengine.records import dumps
from taskengine.secrets import MARKER

MAX_IDS = 1_000
MAX_NAMES = 100
"""Queues, tasks or tags that one filter may name."""
MAX_TAG = 100
MAX_SEARCH = 200
"""Characters of a text to look for."""
MAX_ASKED_BYTES = 4_096
MAX_ASKED_DEPTH = 10
MAX_EXACT = 2**53 - 1
"""Beyond it, JSON numbers are told apart by no two programs alike."""

_ESCAPE = re.compile(r'\\(?:u00([0-7][0-9a-fA-F])|(["\\/bfnrt]))')
_SHORT = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_HIDDEN = f'"{MARKER}"'
_ASCII_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


class JobOrderField(StrEnum):
    """What jobs can be ordered by."""

    CREATED_AT = "CREATED_AT"
    """When they were enqueued: jobs in any state."""
    RUN_AT = "RUN_AT"
    """When they are due: those that wait for a time, SCHEDULED and RETRYING. Not those that wait for other jobs."""
    FINISHED_AT = "FINISHED_AT"
    """When they ended: COMPLETED, FAILED and CANCELLED."""
    PRIORITY = "PRIORITY"
    """Which runs first: QUEUED. Within a priority, the greater is who came earlier; aging lifts who waits."""


ORDERABLE: Mapping[JobOrderField, tuple[JobState, ...]] = {
    JobOrderField.CREATED_AT: tuple(JobState),
    JobOrderField.RUN_AT: (JobState.SCHEDULED, JobState.RETRYING),
    JobOrderField.FINISHED_AT: tuple(state for state in JobState if state in FINAL_STATES),
    JobOrderField.PRIORITY: (JobState.QUEUED,),
}
"""The states whose jobs have an index in this order. Asked for without states, an order lists these."""


@dataclass(frozen=True, slots=True)
class JobOrder:
    """An order of jobs. No two have the same place: ties are broken by id."""

    field: JobOrderField = JobOrderField.CREATED_AT
    descending: bool = True


NEWEST_FIRST = JobOrder()
OLDEST_FIRST = JobOrder(descending=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs: fields are ANDed, members of one field ORed; an empty or absent field does not filter."""

    ids: tuple[str, ...] = ()
    states: tuple[JobState, ...] = ()
    queues: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    """Jobs with at least one of them."""
    schedule: str | None = None
    """Jobs of the schedule of this name."""
    failure_group: str | None = None
    """The FAILED jobs of this group of failures."""
    priority: tuple[int | None, int | None] | None = None
    """From the first to the second, both included; ``None`` is no bound."""
    created_from: datetime | None = None
    created_before: datetime | None = None
    finished_from: datetime | None = None
    """Of jobs in a final state."""
    finished_before: datetime | None = None
    text: str | None = None
    """In the arguments as JSON, the error or a tag, in capitals or not. Nothing is found in secrets."""
    args_contain: Mapping[str, Any] | None = None
    """Objects are asked for by subset, each element of a list anywhere in the list, scalars by equality."""

    @property
    def needs_record(self) -> bool:
        """Whether it asks for more than ``matches_facts`` can tell."""
        return self != JobFilter(ids=self.ids, states=self.states, queues=self.queues, tasks=self.tasks)

    def matches_facts(self, *, job_id: str, state: JobState, queue: str, task: str) -> bool:
        """Whether a job with these facts may be one of them; for certain unless ``needs_record``."""
        return (
            (not self.ids or job_id in self.ids)
            and (not self.states or state in self.states)
            and (not self.queues or queue in self.queues)
            and (not self.tasks or task in self.tasks)
        )

    def matches(self, job: Job) -> bool:
        """Whether a job is one of them, as it is."""
        return (
            self.matches_facts(job_id=job.id, state=job.state, queue=job.queue, task=job.task)
            and (not self.tags or not set(self.tags).isdisjoint(job.tags))
            and self.schedule in (None, job.schedule)
            and (self.failure_group is None or _failed_in(self.failure_group, job))
            and _within_priority(self.priority, job.priority)
            and _within(self.created_from, job.created_at, self.created_before)
            and _within(self.finished_from, _ended_at(job), self.finished_before)
            and (self.text is None or Search.of(self.text).finds(job))
            and (not self.args_contain or contains(_shown_args(job), self.args_contain))
        )

    def checked(self, path: tuple[str, ...] = ("filter",)) -> Self:
        """Return it with each name once; raise ``InvalidInput`` naming the field of what no job could be asked by."""
        checked = replace(
            self,
            ids=_each(self.ids, (*path, "ids"), MAX_IDS, check_job_id),
            states=tuple(state for state in JobState if state in self.states),
            queues=_each(self.queues, (*path, "queues"), MAX_NAMES, check_name),
            tasks=_each(self.tasks, (*path, "tasks"), MAX_NAMES, check_name),
            tags=_each(self.tags, (*path, "tags"), MAX_NAMES, _check_tag),
            args_contain=self.args_contain or None,
        )
        if self.schedule is not None:
            check_name(self.schedule, (*path, "schedule"))
        if self.failure_group is not None:
            check_group_id(self.failure_group, (*path, "failureGroup"))
        _check_priorities(self.priority, (*path, "priority"))
        _check_range(self.created_from, self.created_before, (*path, "createdAt"))
        _check_range(self.finished_from, self.finished_before, (*path, "finishedAt"))
        if self.text is not None:
            check_text(self.text, (*path, "text"), at_most=MAX_SEARCH)
        if self.args_contain is not None:
            _check_asked(self.args_contain, (*path, "argsContain"))
        return checked

    def ordered_by(self, order: JobOrder, path: tuple[str, ...] = ("filter", "states")) -> Self:
        """Return it for the states that can be ordered so; raise ``InvalidInput`` when it asks for others."""
        can = ORDERABLE[order.field]
        others = [state for state in self.states if state not in can]
        if others:
            wanted = " or ".join(can)
            problem = f"expected {wanted}, which can be ordered by {order.field}, got {', '.join(others)}"
            raise InvalidInput(path, problem, wanted)
        return self if self.states or can == tuple(JobState) else replace(self, states=can)


@dataclass(frozen=True, slots=True)
class Search:
    """A text as it is looked for: in small letters, and with what else each of its letters may be written as."""

    needle: str
    variants: tuple[tuple[str, str], ...]
    """Letter beyond ASCII as it may stand in a text, and as the needle has it."""

    @classmethod
    def of(cls, text: str) -> Self:
        """Return how a text is looked for."""
        needle = "".join(_small(letter) for letter in text)
        pairs = {(other, letter) for letter in needle if not letter.isascii() for other in _written(letter)}
        return cls(needle, tuple(sorted(pairs)))

    def is_in(self, text: str) -> bool:
        """Whether it stands in a text."""
        folded = text.translate(_ASCII_LOWER)
        for written, letter in self.variants:
            folded = folded.replace(written, letter)
        return self.needle in folded

    def finds(self, job: Job) -> bool:
        """Whether it stands in a job's arguments, error or tags."""
        error = (job.error.exception, job.error.message) if job.error else ()
        args = dumps(job.args).replace(_HIDDEN, '""') if job.redacted else dumps(job.args)
        return any(self.is_in(text) for text in (_unescaped(args), *error, *job.tags))


def contains(have: Any, asked: Any) -> bool:
    """Whether a JSON value has what is asked for in it."""
    if isinstance(asked, Mapping):
        fields = cast("Mapping[str, Any]", asked)
        return isinstance(have, Mapping) and all(name in have and contains(have[name], fields[name]) for name in fields)
    if isinstance(asked, (list, tuple)):
        if not isinstance(have, (list, tuple)):
            return False
        there, elements = cast("Sequence[Any]", have), cast("Sequence[Any]", asked)
        return all(any(contains(one, element) for one in there) for element in elements)
    if isinstance(asked, (int, float)) and not isinstance(asked, bool):
        return isinstance(have, (int, float)) and not isinstance(have, bool) and _double(have) == _double(asked)
    return type(have) is type(asked) and have == asked


def _shown_args(job: Job) -> dict[str, Any]:
    """A job's arguments, with what nobody can ask for in place of secrets."""
    return json.loads(dumps(job.args).replace(_HIDDEN, "1e999")) if job.redacted else job.args


def _double(number: float) -> float:
    """A number as JSON's readers have it."""
    try:
        return float(number)
    except OverflowError:
        return float("inf") if number > 0 else float("-inf")


def _small(letter: str) -> str:
    small = letter.lower()
    return small if len(small) == 1 else letter


def _written(letter: str) -> set[str]:
    return {other for other in (letter.upper(), letter.title()) if len(other) == 1 and other != letter}


def _unescaped(json_text: str) -> str:
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)) if found[1] else _SHORT.get(found[2], found[2]), json_text)


def _ended_at(job: Job) -> datetime | None:
    return job.finished_at if job.state.is_final else None


def _failed_in(group: str, job: Job) -> bool:
    return job.state is JobState.FAILED and job.failure_group == group


def _within_priority(bounds: tuple[int | None, int | None] | None, priority: int) -> bool:
    low, high = bounds or (None, None)
    return (low is None or priority >= low) and (high is None or priority <= high)


def _within(start: datetime | None, at: datetime | None, end: datetime | None) -> bool:
    if start is None and end is None:
        return True
    return at is not None and (start is None or at >= start) and (end is None or at < end)


def _each(values: Sequence[str], path: tuple[str, ...], at_most: int, check: Any) -> tuple[str, ...]:
    unique = tuple(dict.fromkeys(values))
    if len(unique) > at_most:
        raise InvalidInput(path, f"expected at most {at_most:,}, got {len(unique):,}", f"at most {at_most}")
    for position, value in enumerate(values):
        check(value, (*path, str(position)))
    return unique


def _check_tag(tag: object, path: tuple[str, ...]) -> str:
    return check_text(tag, path, at_most=MAX_TAG)


def _check_priorities(bounds: tuple[int | None, int | None] | None, path: tuple[str, ...]) -> None:
    if bounds is None:
        return
    for bound, name in zip(bounds, ("gte", "lte"), strict=True):
        if bound is not None:
            check_priority(bound, (*path, name))
    low, high = bounds[0] or LOWEST_PRIORITY, bounds[1] or HIGHEST_PRIORITY
    if low > high:
        raise InvalidInput(path, f"expected gte to be at most lte, got {low} and {high}", "gte <= lte")


def _check_range(start: datetime | None, end: datetime | None, path: tuple[str, ...]) -> None:
    for at, name in ((start, "gte"), (end, "lt")):
        if at is not None and (not isinstance(at, datetime) or at.tzinfo is None):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise InvalidInput((*path, name), f"expected a time with its offset from UTC, got {at!r}")
    if start is not None and end is not None and start >= end:
        problem = f"expected gte to be before lt, got {start.isoformat()} and {end.isoformat()}"
        raise InvalidInput(path, problem, "gte < lt")


def _check_asked(asked: object, path: tuple[str, ...]) -> None:
    if not isinstance(asked, Mapping):
        raise InvalidInput(path, f"expected an object with some of the arguments, got {reprlib.repr(asked)[:40]}")
    try:
        size = len(json.dumps(asked, ensure_ascii=False, allow_nan=False).encode())
    except RecursionError:
        size = 0  # what is too deep is found next
    except (TypeError, ValueError) as problem:
        raise InvalidInput(path, f"expected JSON: {problem}") from None
    if size > MAX_ASKED_BYTES:
        raise InvalidInput(path, f"expected at most {MAX_ASKED_BYTES:,} bytes of JSON, got {size:,}")
    _check_value(cast("Mapping[str, Any]", asked), path, 1)


def _check_value(value: Any, path: tuple[str, ...], depth: int) -> None:
    if depth > MAX_ASKED_DEPTH:
        raise InvalidInput(path, f"expected at most {MAX_ASKED_DEPTH} levels of objects and lists")
    if isinstance(value, Mapping):
        for name, inner in cast("Mapping[str, Any]", value).items():
            _check_value(inner, (*path, str(name)), depth + 1)
    elif isinstance(value, (list, tuple)):
        for position, inner in enumerate(cast("Sequence[Any]", value)):
            _check_value(inner, (*path, str(position)), depth + 1)
    elif isinstance(value, int) and abs(value) > MAX_EXACT:
        problem = f"expected a whole number between -{MAX_EXACT:,} and {MAX_EXACT:,}, got {value:,}"
        raise InvalidInput(path, problem, f"at most {MAX_EXACT}")
