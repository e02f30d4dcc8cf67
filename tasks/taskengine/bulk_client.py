"""Many jobs by one filter: the part of the async door that lists, counts and changes them."""

from abc import ABC, abstractmethod
from collections.abc import Collection
from datetime import datetime
from typing import TypeVar

from taskengine.audit import check_by
from taskengine.bulk import BulkKind, BulkOperation, Bulks, history_of, look_for, narrowed
from taskengine.errors import BulkNotFound, InvalidInput, InvalidInputs
from taskengine.filters import NEWEST_FIRST, JobFilter, JobOrder
from taskengine.ids import new_id
from taskengine.jobs import (
    FINAL_STATES,
    JobPage,
    JobState,
    check_group_id,
    check_job_id,
    check_positive_int,
    check_text,
)
from taskengine.keys import Keys
from taskengine.listing import RECORDS, RECORDS_A_PAGE, Look, Stretch, page_of
from taskengine.reads import Reads
from taskengine.schedules import check_schedule_name
from taskengine.scripts import Call

T = TypeVar("T")

MAX_PAGE = 100
DEFAULT_PAGE = 50
MAX_REASON = 500
RECORDS_COUNTED = 10_000
"""Where no index counts what a filter finds, it is counted among so many jobs."""
_SCRIPTS_A_PAGE = 20
STEPS_AT_ONCE = 5
"""A change to up to a thousand jobs is done when its call returns."""


class BulkClient(ABC):
    """What ``Client`` can do with all jobs that a filter finds."""

    _keys: Keys
    _reads: Reads

    @abstractmethod
    async def _run(self, call: Call[T]) -> T: ...

    @abstractmethod
    async def _read(self, call: Call[T]) -> T: ...

    @property
    def _bulks(self) -> Bulks:
        return Bulks(self._keys)

    async def list_jobs(
        self,
        filter: JobFilter | None = None,
        *,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        order: JobOrder = NEWEST_FIRST,
    ) -> JobPage:
        """Return a page in this order: ``first`` behind ``after``, or ``last`` that end at ``before``.

        An order other than by creation is for jobs in some states alone, see ``JobOrderField``. What no index knows
        of the filter is looked up in a thousand records a page at the most: then ``scanned`` says so, and the page's
        ``end_cursor`` (``start_cursor`` with ``last``) is where to go on.
        """
        look = Look.for_((filter or JobFilter()).checked(), order)
        limit, backward = _limit(first, after, last, before)
        behind = look.place(before, "before") if backward else look.place(after, "after")
        found: Stretch | None = None
        for _ in range(_SCRIPTS_A_PAGE):
            left = min(RECORDS, RECORDS_A_PAGE - (found.looked if found else 0))
            missing = limit - (len(found.rows) if found else 0)
            part = await self._read(
                self._reads.list_jobs(
                    look, behind=behind, limit=missing, backward=backward, records=left, goes_on=found is not None
                )
            )
            found = part if found is None else found.and_then(part)
            behind = found.stopped
            if behind is None or found.looked >= RECORDS_A_PAGE:
                break
        assert found is not None
        return page_of(look, found, backward=backward)

    async def list_schedule_jobs(
        self,
        name: str,
        *,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        order: JobOrder = NEWEST_FIRST,
    ) -> JobPage:
        """Return a page of a schedule's jobs, as ``list_jobs`` does. They outlive their schedule."""
        wanted = JobFilter(schedule=check_schedule_name(name))
        return await self.list_jobs(wanted, first=first, after=after, last=last, before=before, order=order)

    async def retry_jobs(
        self, filter: JobFilter, *, dry_run: bool = False, by: str | None = None
    ) -> tuple[int, BulkOperation | None]:
        """Retry every job that the filter finds: how many there are, and the change unless it is a dry run.

        Up to a thousand are done when this returns; more go on in the background, by any worker. The number is exact
        where an index counts what the filter finds; else it is of the first ten thousand jobs that were looked at.
        """
        return await self._change(BulkKind.RETRY, filter, dry_run=dry_run, by=by)

    async def cancel_jobs(
        self,
        filter: JobFilter,
        *,
        terminate: bool = False,
        reason: str | None = None,
        dry_run: bool = False,
        by: str | None = None,
    ) -> tuple[int, BulkOperation | None]:
        """Cancel every job that the filter finds and that waits; with ``terminate`` running ones too."""
        if reason is not None:
            check_text(reason, ("reason",), at_least=0, at_most=MAX_REASON)
        return await self._change(
            BulkKind.CANCEL, filter, dry_run=dry_run, by=by, terminate=terminate, reason=reason or ""
        )

    async def delete_jobs(
        self, filter: JobFilter, *, dry_run: bool = False, by: str | None = None
    ) -> tuple[int, BulkOperation | None]:
        """Remove the record of every job that the filter finds and that is not RUNNING."""
        return await self._change(BulkKind.DELETE, filter, dry_run=dry_run, by=by)

    async def clear_history(
        self,
        states: Collection[JobState] = tuple(FINAL_STATES),
        *,
        finished_before: datetime | None = None,
        by: str | None = None,
    ) -> BulkOperation:
        """Remove the finished jobs that there are now, the longest finished first, as ``delete_jobs`` does."""
        look = _history(states, finished_before)
        subject = ",".join(look.wanted.states)
        return await self._begin(BulkKind.DELETE, look, by=check_by(by), action="clear_history", subject=subject)

    async def count_history(self, states: Collection[JobState], *, finished_before: datetime | None = None) -> int:
        """Return how many finished jobs ``clear_history`` would remove."""
        return await self._count(_history(states, finished_before))

    async def retry_failure_group(self, group: str, *, by: str | None = None) -> BulkOperation:
        """Run a group's FAILED jobs again now, each once, as ``retry_jobs`` does."""
        return await self._change_group(BulkKind.RETRY, group, by=by, action="retry_failure_group")

    async def delete_failure_group(self, group: str, *, by: str | None = None) -> BulkOperation:
        """Remove a group's FAILED jobs, as ``delete_jobs`` does, and with the last of them the group.

        It comes back when it fails again.
        """
        return await self._change_group(BulkKind.DELETE, group, by=by, action="delete_failure_group")

    async def list_bulk_operations(self) -> list[BulkOperation]:
        """Return the newest hundred changes to many jobs, the newest first."""
        return await self._run(self._bulks.list())

    async def get_bulk_operation(self, bulk_id: str) -> BulkOperation | None:
        """Return a change to many jobs; it is kept for a week after its end."""
        return next(iter(await self._run(self._bulks.list(bulk_id=check_job_id(bulk_id)))), None)

    async def stop_bulk_operation(self, bulk_id: str, *, by: str | None = None) -> BulkOperation:
        """Let a change to many jobs go no further; what it has done stays done. Raises ``BulkNotFound``."""
        await self._run(self._bulks.stop(check_job_id(bulk_id), by=check_by(by)))
        return await self._operation(bulk_id)

    async def _change(
        self,
        kind: BulkKind,
        wanted: JobFilter,
        *,
        dry_run: bool,
        by: str | None,
        terminate: bool = False,
        reason: str = "",
    ) -> tuple[int, BulkOperation | None]:
        name = check_by(by)
        look = look_for(narrowed(wanted.checked(), kind, terminate=terminate))
        if dry_run:
            return await self._count(look), None
        operation = await self._begin(kind, look, by=name, terminate=terminate, reason=reason)
        return operation.matched, operation

    async def _change_group(self, kind: BulkKind, group: str, *, by: str | None, action: str) -> BulkOperation:
        look = look_for(JobFilter(failure_group=check_group_id(group)))
        return await self._begin(kind, look, by=check_by(by), action=action, subject=group)

    async def _begin(
        self,
        kind: BulkKind,
        look: Look,
        *,
        by: str,
        terminate: bool = False,
        reason: str = "",
        action: str = "start_bulk",
        subject: str = "",
    ) -> BulkOperation:
        """Ask for a change, and do it as far as it is soon done."""
        bulk_id, matched = new_id("bulk"), await self._count(look)
        start = self._bulks.start(
            bulk_id,
            kind,
            look,
            matched=matched,
            terminate=terminate,
            reason=reason,
            by=by,
            action=action,
            subject=subject,
        )
        await self._run(start)
        for _ in range(STEPS_AT_ONCE):
            if not await self._run(self._bulks.step(bulk_id)):
                break
        return await self._operation(bulk_id)

    async def _operation(self, bulk_id: str) -> BulkOperation:
        operation = await self.get_bulk_operation(bulk_id)
        if operation is None:
            raise BulkNotFound(bulk_id)
        return operation

    async def _count(self, look: Look) -> int:
        """Return how many jobs a look finds, among the first ten thousand if no index knows."""
        if look.count_by:
            counted = await self._run(self._reads.list_jobs(look, behind=None, limit=0))
            assert counted.total is not None
            return counted.total
        total, seen, behind = 0, 0, None
        while seen < RECORDS_COUNTED:
            found, looked, behind = await self._run(self._reads.count_found_jobs(look, behind=behind))
            total, seen = total + found, seen + looked
            if behind is None:
                break
        return total


def _limit(first: int | None, after: str | None, last: int | None, before: str | None) -> tuple[int, bool]:
    """Return how many, and whether backward; raise ``InvalidInput``."""
    backward = last is not None or before is not None
    if backward and (first is not None or after is not None):
        raise InvalidInput(("last",), "give either first and after, or last and before")
    count, path = (last, "last") if backward else (first, "first")
    return check_positive_int(DEFAULT_PAGE if count is None else count, (path,), at_most=MAX_PAGE), backward


def _history(states: Collection[JobState], before: datetime | None) -> Look:
    if before is not None and before.tzinfo is None:
        raise InvalidInput(("finishedBefore",), f"expected a time with its offset from UTC, got {before!r}")
    return history_of(JobFilter(states=_final(states), finished_before=before))


def _final(states: Collection[JobState]) -> tuple[JobState, ...]:
    wrong = [
        InvalidInput(("states",), f"expected COMPLETED, FAILED or CANCELLED, got {state}")
        for state in states
        if state not in FINAL_STATES
    ]
    if wrong:
        raise InvalidInputs(wrong)
    if not states:
        raise InvalidInput(("states",), "expected at least one of COMPLETED, FAILED and CANCELLED, got none")
    return tuple(sorted(set(states)))
