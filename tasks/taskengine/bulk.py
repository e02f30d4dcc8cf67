"""One change to many jobs: retry, cancel or delete all that a filter finds.

The change is a record in Redis, taken forward in steps of some hundred jobs by
whoever comes by (``worker/sweep.py``, or the client that asked for it): each
step is one script that moves the jobs and notes how far it is, so a crash
loses nothing and does nothing twice. It touches the jobs that were there when
it was asked for, and no newer ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from taskengine.errors import InvalidInput
from taskengine.filters import OLDEST_FIRST, JobFilter, JobOrder, JobOrderField
from taskengine.jobs import FINAL_STATES, JobState
from taskengine.keys import Keys
from taskengine.listing import RECORDS, SEARCHED_BYTES, Look
from taskengine.records import dumps, instant, text
from taskengine.scripts import Call, call


class BulkKind(StrEnum):
    """What is done to each job."""

    RETRY = "RETRY"
    CANCEL = "CANCEL"
    DELETE = "DELETE"


class BulkState(StrEnum):
    """How far a change is."""

    RUNNING = "RUNNING"
    DONE = "DONE"
    STOPPED = "STOPPED"


APPLIES_TO: dict[BulkKind, tuple[JobState, ...]] = {
    BulkKind.RETRY: (JobState.RETRYING, JobState.FAILED, JobState.CANCELLED),
    BulkKind.CANCEL: (JobState.SCHEDULED, JobState.QUEUED, JobState.RETRYING),
    BulkKind.DELETE: tuple(state for state in JobState if state is not JobState.RUNNING),
}
"""In which states a job can be changed so; others that the filter finds are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOperation:
    """A change to many jobs. ``changed`` and ``skipped`` grow until it has ended."""

    id: str
    kind: BulkKind
    state: BulkState
    matched: int
    """Found when it was asked for; grows when that was a part only and more are found."""
    changed: int
    skipped: int
    created_at: datetime
    finished_at: datetime | None
    requested_by: str | None


def narrowed(wanted: JobFilter, kind: BulkKind, *, terminate: bool = False) -> JobFilter:
    """Return the filter for the jobs that can be changed so; raise ``InvalidInput`` when it finds none ever."""
    can = APPLIES_TO[kind] + ((JobState.RUNNING,) if terminate else ())
    states = tuple(state for state in can if not wanted.states or state in wanted.states)
    if not states:
        problem = f"expected one of {', '.join(can)}, got {', '.join(wanted.states)}"
        raise InvalidInput(("filter", "states"), problem)
    if (wanted.finished_from or wanted.finished_before) and FINAL_STATES.isdisjoint(states):
        raise InvalidInput(("filter", "finishedAt"), f"expected none: what is {' or '.join(states)} has not finished")
    return replace(wanted, states=states)


def look_for(wanted: JobFilter) -> Look:
    """Return how a change goes through the jobs that a filter, narrowed, is for.

    By creation, unless all that is named is when they finished.
    """
    named = wanted.ids or wanted.tags or wanted.schedule or wanted.failure_group
    if not named and (wanted.finished_from or wanted.finished_before):
        finished = tuple(state for state in wanted.states if state in FINAL_STATES)
        return history_of(replace(wanted, states=finished))
    return Look.for_(wanted, OLDEST_FIRST)


def history_of(wanted: JobFilter) -> Look:
    """Return how a change goes through finished jobs, the longest finished first."""
    return Look.for_(wanted, JobOrder(JobOrderField.FINISHED_AT, descending=False))


class Bulks:
    """The moves and looks of changes to many jobs, for one namespace."""

    def __init__(self, keys: Keys) -> None:
        self._prefix = keys.prefix

    def start(
        self,
        bulk_id: str,
        kind: BulkKind,
        look: Look,
        *,
        matched: int,
        terminate: bool = False,
        reason: str = "",
        by: str = "",
        action: str = "start_bulk",
        subject: str = "",
    ) -> Call[int]:
        """Begin a change to what ``look`` finds now. The audit calls it ``action``, by its id or ``subject``."""
        slots = look.slots()
        return call(
            "start_bulk",
            self._prefix,
            int,
            id=bulk_id,
            kind=kind,
            filter=slots["filter"],
            order=slots["order"],
            sources=slots["sources"],
            whole=slots["whole"],
            matched=matched,
            terminate=int(terminate),
            reason=reason,
            by=by,
            action=action,
            subject=subject,
            details=dumps({"operation": bulk_id, "kind": kind, "matched": matched, **said(look.wanted)}),
        )

    def step(self, bulk_id: str) -> Call[bool]:
        """Change the next jobs; tells whether there is more to do."""
        return call("step_bulk", self._prefix, bool, id=bulk_id, records=RECORDS, bytes=SEARCHED_BYTES)

    def stop(self, bulk_id: str, *, by: str = "") -> Call[int]:
        """Go no further; tells whether there is such a change."""
        return call("stop_bulk", self._prefix, int, id=bulk_id, by=by)

    def list(self, *, running: bool = False, bulk_id: str = "") -> Call[list[BulkOperation]]:
        """Changes, the newest first: all, those under way, or one."""
        return call("list_bulks", self._prefix, _read, running=int(running), id=bulk_id)


def said(wanted: JobFilter) -> dict[str, Any]:
    """Return what a filter asks for, as JSON has it."""
    given = {field.name: getattr(wanted, field.name) for field in fields(wanted)}
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in given.items()
        if value is not None and value != ()
    }


def _read(reply: Sequence[Any]) -> list[BulkOperation]:
    return [_operation(text(bulk_id), [text(item) for item in pairs]) for bulk_id, pairs in reply]


def _operation(bulk_id: str, pairs: Sequence[str]) -> BulkOperation:
    record = dict(zip(pairs[::2], pairs[1::2], strict=True))
    finished = record.get("finished_at")
    return BulkOperation(
        id=bulk_id,
        kind=BulkKind(record["kind"]),
        state=BulkState(record["state"]),
        matched=int(record["matched"]),
        changed=int(record["changed"]),
        skipped=int(record["skipped"]),
        created_at=instant(int(record["created_at"])),
        finished_at=None if finished is None else instant(int(finished)),
        requested_by=record["by"] or None,
    )
