"""A choice of jobs in words: as chips that can be taken away, and as a sentence. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from taskengine_dashboard import wording
from taskengine_dashboard.jobs_query import JobsQuery
from taskengine_dashboard.ranges import IntRange, TimeRange
from taskengine_dashboard.states import state_of

_UNITS = {"m": "minute", "h": "hour", "d": "day"}
_LONGEST = 40


@dataclass(frozen=True, slots=True)
class Chip:
    """One thing that is chosen, and the fields of a ``JobsQuery`` without it."""

    label: str
    without: Mapping[str, Any]


def chips(query: JobsQuery, zone: tzinfo, names: Mapping[str, str]) -> list[Chip]:
    """Return what is chosen beyond state, tasks and queues. ``names`` tells schedules and groups by their ids."""
    return list(_chips(query, zone, names))


def _chips(query: JobsQuery, zone: tzinfo, names: Mapping[str, str]) -> Iterator[Chip]:
    if query.text:
        yield Chip(f"“{_short(query.text)}”", {"text": ""})
    for tag in query.tags:
        yield Chip(f"Tag {_short(tag)}", {"tags": tuple(other for other in query.tags if other != tag)})
    if query.priority:
        yield Chip(f"Priority {priority(query.priority)}", {"priority": None})
    if query.group:
        yield Chip(f"Failure {_short(names.get(query.group, query.group))}", {"group": None})
    if query.schedule:
        yield Chip(f"Schedule {_short(names.get(query.schedule, schedule_name(query.schedule)))}", {"schedule": None})
    if query.created:
        yield Chip(f"Created {time(query.created, zone)}", {"created": None})
    if query.finished:
        yield Chip(f"Finished {time(query.finished, zone)}", {"finished": None})
    if query.args:
        yield Chip(f"Arguments {_short(query.args)}", {"args": ""})


def sentence(query: JobsQuery, zone: tzinfo, names: Mapping[str, str]) -> str:
    """Return which jobs these are, as Markdown: ``All failed jobs of mail.send in queue mail · tag nightly``."""
    state = f"{state_of(query.state).label.lower()} " if query.state else ""
    tasks = f" of {_either(query.tasks)}" if query.tasks else ""
    queues = f" in {_either(query.queues)}" if query.queues else ""
    rest = "".join(f" · {wording.plain(chip.label)}" for chip in chips(query, zone, names))
    return f"All {state}jobs{tasks}{queues}{rest}"


def priority(range_: IntRange) -> str:
    """Return ``7 to 10``, ``from 7``, ``up to 3``, ``5``."""
    if range_.low == range_.high:
        return str(range_.low)
    if range_.low is None:
        return f"up to {range_.high}"
    return f"from {range_.low}" if range_.high is None else f"{range_.low} to {range_.high}"


def time(range_: TimeRange, zone: tzinfo) -> str:
    """Return ``in the last hour``, ``since 24 Nov 2026, 14:00:00``."""
    if range_.span:
        return f"in the last {span(range_.span)}"
    if range_.start and range_.end:
        return f"{wording.stamp(range_.start, zone)} to {wording.stamp(range_.end, zone)}"
    return f"since {wording.stamp(range_.start, zone)}" if range_.start else f"before {wording.stamp(range_.end, zone)}"


def span(text: str) -> str:
    """Return a span of an address in words: ``15 minutes``, ``hour``."""
    number, unit = int(text[:-1]), _UNITS[text[-1]]
    return unit if number == 1 else f"{number} {unit}s"


def schedule_name(schedule_id: str) -> str:
    """Return a schedule's name, which its id consists of."""
    return schedule_id.removeprefix("schedule_")


def _either(names: tuple[str, ...]) -> str:
    return " or ".join(f"**{wording.plain(name)}**" for name in names)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
