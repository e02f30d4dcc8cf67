"""The moves and looks of schedules, as calls of their scripts. Builds calls; the caller has the connection."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from taskengine.jobs import StateCounts, TaskInfo
from taskengine.keys import Keys
from taskengine.reads import read_task
from taskengine.records import text
from taskengine.schedules import Declaration, Definition, Schedule, definition_json, read_schedule
from taskengine.scripts import Call, Value, call


class Saved(IntEnum):
    """What became of a schedule that was to be saved."""

    YES = 1
    NOT_AS_READ = 0
    """There is another of that name, or it was changed meanwhile."""
    TOO_MANY = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class DueSchedule:
    """A schedule whose tick has come, and its task, when some worker published it."""

    schedule: Schedule
    due_ms: int
    task: TaskInfo | None


class ScheduleStore:
    """Schedules, for one namespace."""

    def __init__(self, keys: Keys) -> None:
        self._prefix = keys.prefix

    def save_schedule(
        self,
        name: str,
        definition: Definition,
        *,
        revision: int | None,
        enabled: bool,
        next_ms: int | None,
        by: str = "",
    ) -> Call[Saved]:
        """Make a schedule, or change the one of that revision."""
        return call(
            "save_schedule",
            self._prefix,
            Saved,
            name=name,
            revision="" if revision is None else revision,
            definition=definition_json(definition),
            enabled=int(enabled),
            next_at="" if next_ms is None else next_ms,
            by=by,
        )

    def delete_schedule(self, name: str, *, by: str = "") -> Call[int]:
        """Remove a schedule; its jobs stay."""
        return call("delete_schedule", self._prefix, int, name=name, by=by)

    def run_schedule(self, name: str, row: Sequence[Value], *, revision: int | None = None, by: str = "") -> Call[bool]:
        """Enqueue a schedule's job now; tells whether the schedule was of that revision, if one is given."""
        return call(
            "run_schedule",
            self._prefix,
            bool,
            rows=row,
            name=name,
            revision="" if revision is None else revision,
            by=by,
        )

    def tick_schedule(self, due: DueSchedule, *, due_ms: int, next_ms: int | None, row: Sequence[Value]) -> Call[bool]:
        """A tick becomes a job (or is passed over, with an empty row) and the next is set; tells whether it was due."""
        return call(
            "tick_schedule",
            self._prefix,
            bool,
            rows=row,
            name=due.schedule.name,
            due=due_ms,
            revision=due.schedule.revision,
            next_at="" if next_ms is None else next_ms,
        )

    def register_schedules(self, worker: str, declared: Iterable[Declaration], *, now_ms: int) -> Call[list[str]]:
        """What a worker's code declares; tells the schedules that no code declares any more."""
        rows: list[Value] = []
        for one in declared:
            next_ms = one.definition.next_tick(now_ms)
            kept, first = definition_json(one.definition), int(one.enabled)
            rows += [one.name, kept, "" if next_ms is None else next_ms, first, one.identity or kept]
        return call("register_schedules", self._prefix, _names, rows=rows, worker=worker)

    def list_schedules(self, names: Sequence[str] = ()) -> Call[list[Schedule]]:
        """Those of these names that are there, or all, by name."""

        def decode(reply: Sequence[Sequence[Any]]) -> list[Schedule]:
            found = [read_schedule(text(name), pairs, undeclared=bool(gone)) for name, pairs, gone in reply]
            return sorted(found, key=lambda schedule: schedule.name)

        return call("list_schedules", self._prefix, decode, rows=names)

    def list_due_schedules(self, *, offset: int, limit: int) -> Call[tuple[int, list[DueSchedule]]]:
        """Now in ms, and the schedules that are due, the longest due first."""

        def decode(reply: Sequence[Any]) -> tuple[int, list[DueSchedule]]:
            return int(reply[0]), [_due(*row) for row in reply[1]]

        return call("list_due_schedules", self._prefix, decode, offset=offset, limit=limit)


def _due(name: str | bytes, pairs: Sequence[Any], description: str | bytes) -> DueSchedule:
    schedule = read_schedule(text(name), pairs)
    assert schedule.next_run_at is not None, "it is due"
    task = read_task(schedule.task, json.loads(description), StateCounts()) if description else None
    return DueSchedule(schedule=schedule, due_ms=round(schedule.next_run_at.timestamp() * 1000), task=task)


def _names(reply: Sequence[str | bytes]) -> list[str]:
    return [text(name) for name in reply]
