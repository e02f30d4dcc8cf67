"""What pages read and do: the operations of ``operations.py`` as methods, and the one source of this process.

Reads go through the feed and never raise; changes are sent at once and say how it went.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from taskengine_dashboard import operations, tables
from taskengine_dashboard.client import ApiError, Client, Operation
from taskengine_dashboard.feed import Feed, Reading
from taskengine_dashboard.jobs_query import JobsQuery
from taskengine_dashboard.model import Catalogue, JobAnswer, JobsPage, Overview, System
from taskengine_dashboard.settings import DashboardSettings

NEWEST_FAILURES = 6
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reason why the API did not do what was asked. ``path`` leads into the input."""

    message: str
    path: tuple[str, ...] = ()
    code: str = "INVALID"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueued:
    """How enqueueing went: a job, or refusals, or a problem on the way."""

    job_id: str | None = None
    refusals: tuple[Refusal, ...] = ()
    problem: ApiError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """How a change of several jobs went. After a problem the rest was not tried."""

    done: int
    refusals: tuple[Refusal, ...] = ()
    not_tried: int = 0
    problem: ApiError | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OverviewTables:
    """An overview with the Arrow tables that its page draws, made once for all viewers."""

    overview: Overview
    queues: tables.Table
    workers: tables.Table
    failures: tables.Table

    @property
    def system(self) -> System:
        return self.overview.system

    @property
    def workers_online(self) -> int:
        return self.overview.workers_online


@dataclass(frozen=True, slots=True)
class JobsTables:
    """A page of jobs with its Arrow table."""

    page: JobsPage
    table: tables.Table

    @property
    def system(self) -> System:
        return self.page.system

    @property
    def workers_online(self) -> int:
        return self.page.workers_online


class Source:
    """Questions and changes of one API. Safe to use from many threads."""

    def __init__(self, client: Client, feed: Feed, settings: DashboardSettings) -> None:
        self._client = client
        self._feed = feed
        self.settings = settings
        self.api_url = client.url

    def overview(self) -> Reading[OverviewTables]:
        def fetch() -> OverviewTables:
            found = Overview.read(self._client.execute(operations.OVERVIEW, {"failures": NEWEST_FAILURES}))
            return OverviewTables(
                overview=found,
                queues=tables.queues(found.queues),
                workers=tables.workers(found.workers, found.system.now),
                failures=tables.failures(found.failures),
            )

        return self._feed.read("overview", fetch)

    def jobs(self, query: JobsQuery) -> Reading[JobsTables]:
        def fetch() -> JobsTables:
            page = JobsPage.read(self._client.execute(operations.JOBS, query.variables()))
            return JobsTables(page, tables.jobs(page.jobs))

        return self._feed.read(query, fetch)

    def job(self, job_id: str) -> Reading[JobAnswer]:
        return self._feed.read(
            ("job", job_id), lambda: JobAnswer.read(self._client.execute(operations.JOB, {"id": job_id}))
        )

    def catalogue(self) -> Reading[Catalogue]:
        return self._feed.read("catalogue", lambda: Catalogue.read(self._client.execute(operations.TASKS)))

    def enqueue(self, request: Mapping[str, Any]) -> Enqueued:
        """Enqueue one job. ``request`` is an ``EnqueueJobInput``."""
        try:
            payload = self._client.execute(operations.ENQUEUE_JOB, {"input": request})["enqueueJob"]
        except ApiError as problem:
            return Enqueued(problem=problem)
        self._feed.expire()
        refusals = _refusals(payload)
        return Enqueued(refusals=refusals) if refusals else Enqueued(job_id=payload["job"]["id"])

    def retry(self, job_ids: Iterable[str]) -> Changed:
        """Retry each of these jobs."""
        return self._change(operations.RETRY_JOB, "retryJob", [{"id": job_id} for job_id in job_ids])

    def cancel(self, job_ids: Iterable[str], *, terminate: bool) -> Changed:
        """Cancel each of these jobs; with ``terminate`` those that run are stopped as well."""
        return self._change(
            operations.CANCEL_JOB, "cancelJob", [{"id": job_id, "terminate": terminate} for job_id in job_ids]
        )

    def expire(self) -> None:
        """Something was changed past us: answers that are asked for from now on are waited for."""
        self._feed.expire()

    def close(self) -> None:
        self._feed.close()
        self._client.close()

    def _change(self, operation: Operation, field: str, inputs: Sequence[Mapping[str, Any]]) -> Changed:
        done, refusals = 0, list[Refusal]()
        problem: ApiError | None = None
        for one in inputs:
            try:
                payload = self._client.execute(operation, {"input": one})[field]
            except ApiError as found:
                problem = found
                break
            refused = _refusals(payload)
            refusals.extend(refused)
            done += not refused
        self._feed.expire()
        not_tried = len(inputs) - done - len(refusals) if problem else 0
        return Changed(done=done, refusals=tuple(refusals), not_tried=not_tried, problem=problem)


def _refusals(payload: Mapping[str, Any]) -> tuple[Refusal, ...]:
    return tuple(Refusal(error["message"], tuple(error["path"] or ()), error["code"]) for error in payload["errors"])


class _Opened:
    source: Source | None = None


def open_source(
    url: str, *, settings: DashboardSettings | None = None, transport: httpx.BaseTransport | None = None
) -> Source:
    """Make the source of this process; pages get it by ``source()``."""
    _Opened.source = Source(Client(url, transport=transport), Feed(), settings or DashboardSettings())
    return _Opened.source


def source() -> Source:
    """Return the source that ``open_source`` made."""
    if _Opened.source is None:
        raise RuntimeError("no source is open: start the dashboard by `taskengine dashboard`, not by `streamlit run`")
    return _Opened.source
