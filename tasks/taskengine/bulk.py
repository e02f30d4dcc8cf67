"""One change to many jobs: retry, cancel or delete all that a filter finds.

The change is a record in Redis, taken forward in steps of some hundred jobs by
whoever comes by (``worker/sweep.py``, or the client that asked for it): each
step is one script that moves the jobs and notes how far it is, so a crash
loses nothing and does nothing twice. It touches the jobs that were there when
it was asked for, and no newer ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from taskengine.errors import InvalidInput
from taskengine.filters import JobFilter
from taskengine.jobs import JobState
from taskengine.keys import Keys
from taskengine.records import instant, text
from taskengine.scripts import Call, call

STEP = 200
"""Jobs a script: it blocks Redis for some milliseconds at most."""


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
    return replace(wanted, states=states)


class Bulks:
    """The moves and looks of changes to many jobs, for one namespace."""

    def __init__(self, keys: Keys) -> None:
        self._prefix = keys.prefix

    def start(
        self, bulk_id: str, kind: BulkKind, wanted: JobFilter, *, matched: int, terminate: bool, reason: str, by: str
    ) -> Call[int]:
        """Begin a change to what ``wanted`` finds now."""
        return call(
            "start_bulk",
            self._prefix,
            int,
            id=bulk_id,
            kind=kind,
            states=",".join(wanted.states),
            queues=",".join(wanted.queues),
            tasks=",".join(wanted.tasks),
            matched=matched,
            terminate=int(terminate),
            reason=reason,
            by=by,
        )

    def step(self, bulk_id: str) -> Call[int]:
        """Change the next jobs; tells how many it looked at."""
        return call("step_bulk", self._prefix, int, id=bulk_id, limit=STEP)

    def stop(self, bulk_id: str, *, by: str = "") -> Call[int]:
        """Go no further; tells whether there is such a change."""
        return call("stop_bulk", self._prefix, int, id=bulk_id, by=by)

    def list(self, *, running: bool = False, bulk_id: str = "") -> Call[list[BulkOperation]]:
        """Changes, the newest first: all, those under way, or one."""
        return call("list_bulks", self._prefix, _read, running=int(running), id=bulk_id)


def _read(reply: Sequence[Any]) -> list[BulkOperation]:
    return [_operation(text(bulk_id), [text(item) for item in pairs]) for bulk_id, pairs in reply]


def _operation(bulk_id: str, pairs: Sequence[str]) -> BulkOperation:
    fields = dict(zip(pairs[::2], pairs[1::2], strict=True))
    finished = fields.get("finished_at")
    return BulkOperation(
        id=bulk_id,
        kind=BulkKind(fields["kind"]),
        state=BulkState(fields["state"]),
        matched=int(fields["matched"]),
        changed=int(fields["changed"]),
        skipped=int(fields["skipped"]),
        created_at=instant(int(fields["created_at"])),
        finished_at=None if finished is None else instant(int(finished)),
        requested_by=fields["by"] or None,
    )
