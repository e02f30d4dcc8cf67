"""Failures that are one problem: the same task, exception and place in the user's own code.

The place is the last frame of a traceback that is neither a library's nor ours: where the user's own code
was when it failed. Its line is shown and not compared, so that an edit above it makes no new problem of an old one.
``lua/fragments/failures.lua`` counts, in the move that ends the attempt.

``place_of``, ``folded`` and ``group_id`` are pure; the rest builds calls and reads answers.
"""

import hashlib
import re
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from taskengine.keys import Keys
from taskengine.records import instant, text
from taskengine.scripts import Call, call

MAX_PLACE = 300
_STANDARD_LIBRARY = tuple({sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")})
_SITES = frozenset({"site-packages", "dist-packages"})
_OURS = Path(__file__).parent
_OUR_TASKS = (_OURS / "samples", _OURS / "samples.py")
"""Of our own package, these are tasks as a user would write them."""

_FOLDS = (
    (re.compile(r"(?<!\w)(['\"])[^'\"\n]+\1(?!\w)"), "'…'"),
    (re.compile(r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b"), "#"),
    (re.compile(r"\b[A-Za-z]+_(?=[a-z]*[0-9])[0-9a-z]{20,}\b"), "#"),
    (re.compile(r"\b0x[0-9a-fA-F]+\b"), "#"),
    (re.compile(r"\b(?=[a-fA-F]*[0-9])[0-9a-fA-F]{8,}\b"), "#"),
    (re.compile(r"[0-9]+(?:[.,:_/-][0-9]+)*"), "#"),
    (re.compile(r"\s+"), " "),
)


class FailureWindow(StrEnum):
    """How far back one looks at the course of a problem. The present part, which is not over, is the last."""

    HOUR = "HOUR"
    """60 parts of a minute."""
    DAY = "DAY"
    """24 parts of an hour."""
    WEEK = "WEEK"
    """28 parts of six hours."""


_COURSES = {FailureWindow.HOUR: (60, 60), FailureWindow.DAY: (3600, 24), FailureWindow.WEEK: (21600, 28)}
"""Seconds of a part, and how many there are: as in ``lua/fragments/failures.lua``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailurePoint:
    """How often a problem happened in one part of a time."""

    at: datetime
    """When the part began."""
    count: int
    """Attempts that failed so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroup:
    """Failures that are one problem."""

    id: str
    task: str
    exception: str
    message: str
    """The newest one, as it was."""
    place: str | None
    """``shop/mail.py:42 in send``, as of the newest; ``None`` when none of the user's own code had begun."""
    count: int
    """Attempts that failed so, since ``first_at``."""
    failed_jobs: int
    """Jobs that are FAILED for it now."""
    first_at: datetime
    last_at: datetime
    sample: str
    """Id of the job that failed last."""
    order: int
    """Rises with each failure, unique: what pages are ordered by."""
    as_of: datetime
    """When it was read."""
    parts: Mapping[str, int] = field(default_factory=dict[str, int], repr=False)
    """Attempts that failed so, by ``<seconds of a part>:<its first second>``."""

    @property
    def summary(self) -> str:
        """The message without what differs from one failure to the next."""
        return folded(self.message)

    def course(self, window: FailureWindow) -> tuple[FailurePoint, ...]:
        """Return how often it happened in each part of a window, oldest first and without gaps."""
        seconds, kept = _COURSES[window]
        now = int(self.as_of.timestamp())
        last = now - now % seconds
        starts = range(last - seconds * (kept - 1), last + 1, seconds)
        return tuple(
            FailurePoint(at=instant(start * 1000), count=self.parts.get(f"{seconds}:{start}", 0)) for start in starts
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroupPage:
    """A page of groups, those that failed last first. Each one's cursor is ``cursor_of(group)``."""

    groups: tuple[FailureGroup, ...]
    has_next: bool
    has_previous: bool
    total: int


def place_of(frames: TracebackType | None) -> str | None:
    """Return where the user's own code was, ``None`` when no frame is theirs.

    Where all of it is installed beside its libraries, own is what belongs to the package that the frames begin in.
    """
    found = [step for step in _walk(frames) if not _is_pythons_or_ours(step.tb_frame.f_code.co_filename)]
    own = [step for step in found if not _is_installed(step.tb_frame.f_code.co_filename)]
    if found and not own:
        own = [step for step in found if _package(step.tb_frame) == _package(found[0].tb_frame)]
    if not own:
        return None
    frame = own[-1].tb_frame
    return f"{_short_path(frame)}:{own[-1].tb_lineno} in {frame.f_code.co_qualname}"[:MAX_PLACE]


def folded(message: str) -> str:
    """Return a message on one line, with quoted text as ``'…'`` and numbers, ids and addresses as ``#``."""
    for pattern, replacement in _FOLDS:
        message = pattern.sub(replacement, message)
    return message.strip()


def group_id(task: str, exception: str, place: str | None) -> str:
    """Return the fingerprint of a failure."""
    where = re.sub(r":\d+ in ", " in ", place or "")
    return "fail_" + hashlib.sha1(f"{task}\n{exception}\n{where}".encode(), usedforsecurity=False).hexdigest()[:16]


def cursor_of(group: FailureGroup) -> str:
    """Return the opaque position of a group in a page."""
    return format(group.order, "x")


class Failures:
    """What one may ask and do about groups of failures, for one namespace."""

    def __init__(self, keys: Keys) -> None:
        self._prefix = keys.prefix

    def list_groups(self, *, cursor: int | None, limit: int, backward: bool = False) -> Call[FailureGroupPage]:
        """A page behind the group with the order ``cursor``; ``backward``, the page that ends before it."""

        def decode(reply: Sequence[Any]) -> FailureGroupPage:
            total, more, before, rows, now = reply
            found = [_read_group(text(row[0]), row[1], row[2], now) for row in rows]
            groups = [group for group in found if group is not None]
            return FailureGroupPage(
                groups=tuple(reversed(groups) if backward else groups),
                has_next=bool(before if backward else more),
                has_previous=bool(more if backward else before),
                total=int(total),
            )

        position = "" if cursor is None else cursor
        return call("list_failure_groups", self._prefix, decode, backward=int(backward), cursor=position, limit=limit)

    def get_groups(self, groups: Sequence[str]) -> Call[list[FailureGroup | None]]:
        """Groups by id, in the order of the ids; ``None`` for one that is forgotten."""

        def decode(reply: Sequence[Any]) -> list[FailureGroup | None]:
            rows, now = reply
            return [_read_group(group, row[0], row[1], now) for group, row in zip(groups, rows, strict=True)]

        return call("get_failure_groups", self._prefix, decode, rows=groups)

    def list_failed_jobs(self, group: str, *, after: int | None, limit: int) -> Call[list[tuple[str, int]]]:
        """Ids and orders of a group's FAILED jobs, oldest first, behind the job with the order ``after``."""

        def decode(reply: Sequence[Any]) -> list[tuple[str, int]]:
            return [(text(job_id), int(order)) for job_id, order in zip(reply[::2], reply[1::2], strict=True)]

        position = "" if after is None else after
        return call("list_failed_jobs", self._prefix, decode, group=group, after=position, limit=limit)


def _read_group(group: str, failed_jobs: Any, pairs: Sequence[Any], now: Any) -> FailureGroup | None:
    if not pairs:
        return None
    flat = [text(item) for item in pairs]
    facts = dict(zip(flat[::2], flat[1::2], strict=True))
    return FailureGroup(
        id=group,
        task=facts["task"],
        exception=facts["exception"],
        message=facts["message"],
        place=facts["place"] or None,
        count=int(facts["count"]),
        failed_jobs=int(failed_jobs),
        first_at=instant(int(facts["first"]) / 1000),
        last_at=instant(int(facts["last"]) / 1000),
        sample=facts["sample"],
        order=int(facts["last"]),
        as_of=instant(int(now)),
        parts={name: int(count) for name, count in facts.items() if ":" in name},
    )


def _walk(frames: TracebackType | None) -> Iterator[TracebackType]:
    while frames is not None:
        yield frames
        frames = frames.tb_next


@lru_cache(maxsize=1024)
def _is_pythons_or_ours(filename: str) -> bool:
    path = Path(filename)
    if filename.startswith("<"):
        return True
    if path.is_relative_to(_OURS):
        return not any(path.is_relative_to(tasks) for tasks in _OUR_TASKS)
    return not _is_installed(filename) and any(path.is_relative_to(library) for library in _STANDARD_LIBRARY)


@lru_cache(maxsize=1024)
def _is_installed(filename: str) -> bool:
    return not _SITES.isdisjoint(Path(filename).parts)


def _package(frame: FrameType) -> str:
    return _module(frame).partition(".")[0]


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _short_path(frame: FrameType) -> str:
    """The file as far as it is its module's name: the same on every machine."""
    path, module = Path(frame.f_code.co_filename), _module(frame)
    names = module.count(".") + 1 + (path.stem == "__init__")
    return "/".join(path.parts[-names:])
