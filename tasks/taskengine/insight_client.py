"""What happened, from outside: the part of the async door for metrics, groups of failures, and the audit."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TypeVar

from taskengine import audit
from taskengine.audit import AuditEntry, AuditPage
from taskengine.errors import InvalidInput
from taskengine.failures import FailureGroup, FailureGroupPage, Failures
from taskengine.jobs import check_group_id, check_name, check_positive_int, order_of
from taskengine.keys import Keys
from taskengine.metrics import Metrics, MetricsWindow, Subject, read_metrics
from taskengine.scripts import Call

T = TypeVar("T")

MAX_PAGE = 100
DEFAULT_PAGE = 50


class InsightClient(ABC):
    """What ``Client`` can tell of what happened, and do about failures that are one problem."""

    _keys: Keys

    @abstractmethod
    async def _run(self, call: Call[T]) -> T: ...
    @abstractmethod
    async def _run_all(self, calls: Sequence[Call[T]]) -> list[T]: ...

    @property
    def _failures(self) -> Failures:
        return Failures(self._keys)

    async def metrics(
        self, window: MetricsWindow = MetricsWindow.HOUR, *, task: str | None = None, queue: str | None = None
    ) -> Metrics:
        """Return counts and latency over a window: of all jobs, of a task, of a queue, or of a task in a queue."""
        for value, path in ((task, "task"), (queue, "queue")):
            if value is not None:
                check_name(value, (path,))
        return await self._run(read_metrics(self._keys, window, task=task, queue=queue))

    async def list_metrics(self, subjects: Sequence[Subject]) -> list[Metrics]:
        """Return the metrics of many queues and tasks, in their order and in one round trip."""
        return await self._run_all(
            [read_metrics(self._keys, one.window, task=one.task, queue=one.queue) for one in subjects]
        )

    async def list_failure_groups(
        self, *, first: int | None = None, after: str | None = None, last: int | None = None, before: str | None = None
    ) -> FailureGroupPage:
        """Return a page of groups, those that failed last first: ``first`` behind ``after``, or ``last`` to ``before``.

        A group that fails again meanwhile moves to the front: a walk through all pages may miss none but those.
        """
        limit, cursor, backward = _page(first, after, last, before)
        order = None if cursor is None else order_of(cursor, path=("before" if backward else "after",))
        return await self._run(self._failures.list_groups(cursor=order, limit=limit, backward=backward))

    async def get_failure_group(self, group: str) -> FailureGroup | None:
        """Return a group, or ``None`` when there is none of that id, or it is forgotten."""
        return (await self.get_failure_groups([group]))[0]

    async def get_failure_groups(self, groups: Sequence[str]) -> list[FailureGroup | None]:
        """Return groups in the order of their ids, in one round trip."""
        wanted = [check_group_id(group) for group in groups]
        return await self._run(self._failures.get_groups(wanted)) if wanted else []

    async def list_failed_jobs(
        self, group: str, *, first: int = MAX_PAGE, after: int | None = None
    ) -> list[tuple[str, int]]:
        """Return ids of a group's FAILED jobs, oldest first, each with the order to go on behind."""
        limit = check_positive_int(first, ("first",), at_most=1_000)
        return await self._run(self._failures.list_failed_jobs(check_group_id(group), after=after, limit=limit))

    async def list_audit_entries(
        self, *, first: int | None = None, after: str | None = None, last: int | None = None, before: str | None = None
    ) -> AuditPage:
        """Return a page of what operators did, newest first: ``first`` behind ``after``, or ``last`` to ``before``."""
        limit, cursor, backward = _page(first, after, last, before)
        if cursor is not None:
            audit.check_cursor(cursor, ("before" if backward else "after",))
        return await self._run(audit.list_entries(self._keys, cursor=cursor, limit=limit, backward=backward))

    async def get_audit_entry(self, entry_id: str) -> AuditEntry | None:
        """Return an entry, or ``None`` when it is not kept any more."""
        audit.check_cursor(entry_id, ("id",))
        # The first one behind the next id that there can be.
        page = await self._run(audit.list_entries(self._keys, cursor=_next_id(entry_id), limit=1))
        return next((entry for entry in page.entries if entry.id == entry_id), None)


def _next_id(entry_id: str) -> str:
    ms, _, number = entry_id.partition("-")
    return f"{ms}-{int(number) + 1}"


def _page(first: int | None, after: str | None, last: int | None, before: str | None) -> tuple[int, str | None, bool]:
    """Return how many, from which cursor, and whether backward; raise ``InvalidInput``."""
    backward = last is not None or before is not None
    if backward and (first is not None or after is not None):
        raise InvalidInput(("last",), "give either first and after, or last and before")
    count, path, cursor = (last, "last", before) if backward else (first, "first", after)
    limit = check_positive_int(DEFAULT_PAGE if count is None else count, (path,), at_most=MAX_PAGE)
    return limit, cursor, backward
