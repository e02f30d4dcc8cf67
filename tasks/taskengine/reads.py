"""Looking at jobs, queues, tasks and workers: read-only scripts, one round trip each, one instant each.

Builds calls and reads answers; the caller has the connection.
"""

import json
from collections.abc import Sequence
from typing import Any

from taskengine.errors import JobNotFound
from taskengine.jobs import (
    Attempt,
    Dependencies,
    Job,
    JobState,
    LogLevel,
    LogPage,
    QueueInfo,
    StateCounts,
    TaskInfo,
    WorkerInfo,
)
from taskengine.keys import Keys
from taskengine.listing import RECORDS, SEARCHED_BYTES, Look, Place, Stretch
from taskengine.records import instant, read_attempts, read_counts, read_job, read_log_line, read_worker, text
from taskengine.rules import Rules, read_rules
from taskengine.scripts import Call, call
from taskengine.waiting import Waiting, read_waiting

Lanes = list[tuple[str, str, StateCounts, int]]
"""Queue, task, counts, and since when (ms) its ready jobs wait; -1 when none does."""


class Reads:
    """The looks, for one namespace."""

    def __init__(self, keys: Keys, *, lease_ms: int) -> None:
        self._prefix = keys.prefix
        self._lease_ms = lease_ms

    def get_jobs(self, job_ids: Sequence[str]) -> Call[list[Job | None]]:
        """Jobs by id, in the order of the ids."""

        def decode(reply: Sequence[Sequence[Any]]) -> list[Job | None]:
            return [read_job(job_id, pairs) for job_id, pairs in zip(job_ids, reply, strict=True)]

        return call("get_jobs", self._prefix, decode, rows=job_ids)

    def missing_jobs(self, job_ids: Sequence[str]) -> Call[list[str]]:
        """Those of the ids that there is no job of."""
        return call("missing_jobs", self._prefix, lambda reply: [text(job_id) for job_id in reply], rows=job_ids)

    def list_jobs(
        self,
        look: Look,
        *,
        behind: Place | None,
        limit: int,
        backward: bool = False,
        records: int = RECORDS,
        goes_on: bool = False,
    ) -> Call[Stretch]:
        """Jobs behind a place, at most ``limit``, looking at so many records; ``backward``, those before it.

        ``goes_on``: a page that was begun, whose total and what is before it are known.
        """
        return call(
            "list_jobs",
            self._prefix,
            Stretch.read,
            **look.slots(count=not goes_on),
            down=int(look.down(backward=backward)),
            score="" if behind is None else behind.score,
            id="" if behind is None else behind.job_id,
            limit=limit,
            records=records,
            bytes=SEARCHED_BYTES,
            back=int(not goes_on),
        )

    def count_found_jobs(self, look: Look, *, behind: Place | None) -> Call[tuple[int, int, Place | None]]:
        """How many of the next jobs a look finds, how many those are, and where to go on if there are more."""

        def decode(reply: Sequence[Any]) -> tuple[int, int, Place | None]:
            found, looked, score, job_id = reply
            return int(found), int(looked), Place(int(score), text(job_id)) if score else None

        slots = look.slots()
        return call(
            "count_found_jobs",
            self._prefix,
            decode,
            filter=slots["filter"],
            order=slots["order"],
            sources=slots["sources"],
            score="" if behind is None else behind.score,
            id="" if behind is None else behind.job_id,
            records=RECORDS,
            bytes=SEARCHED_BYTES,
        )

    def list_attempts(self, jobs: Sequence[Job]) -> Call[list[list[Attempt]]]:
        """The runs of each job, oldest first."""

        def decode(reply: Sequence[Sequence[str | bytes]]) -> list[list[Attempt]]:
            return [read_attempts(job, lines) for job, lines in zip(jobs, reply, strict=True)]

        return call("list_attempts", self._prefix, decode, rows=[job.id for job in jobs])

    def list_logs(
        self, job_id: str, *, min_level: LogLevel, after: str, before: str, limit: int, backward: bool
    ) -> Call[LogPage]:
        """Lines of a job between two cursors ("" for none): the first of them, or with ``backward`` the last."""

        def decode(reply: Sequence[Any]) -> LogPage:
            said, total, some_before, more, rows = reply
            return LogPage(
                lines=tuple(read_log_line(job_id, row) for row in rows),
                has_next=bool(more),
                has_previous=bool(some_before),
                total=int(total),
                said=int(said),
            )

        levels = list(LogLevel)[list(LogLevel).index(min_level) :]
        return call(
            "list_logs",
            self._prefix,
            decode,
            id=job_id,
            levels=f",{','.join(levels)},",
            after=after,
            before=before,
            limit=limit,
            backward=int(backward),
        )

    def explain_job(self, job_id: str) -> Call[Waiting | None]:
        """Why a job is not running; ``None`` when it does not wait. Raises ``JobNotFound``."""

        def decode(reply: Sequence[Any]) -> Waiting | None:
            if not reply[0]:
                raise JobNotFound(job_id)
            return read_waiting(reply[0])

        return call("explain_jobs", self._prefix, decode, rows=[job_id], lease_ms=self._lease_ms)

    def explain_jobs(self, job_ids: Sequence[str]) -> Call[list[Waiting | None]]:
        """Why jobs are not running, in the order of the ids; ``None`` for one that does not wait, or is gone."""

        def decode(reply: Sequence[Any]) -> list[Waiting | None]:
            return [read_waiting(facts) if facts else None for facts in reply]

        return call("explain_jobs", self._prefix, decode, rows=job_ids, lease_ms=self._lease_ms)

    def list_dependencies(self, job_ids: Sequence[str], *, limit: int) -> Call[list[Dependencies]]:
        """Whom jobs depend on and who waits for them, in the order of the ids."""

        def decode(reply: Sequence[Any]) -> list[Dependencies]:
            return [
                Dependencies(depends_on=tuple(map(text, on)), dependents=tuple(map(text, waiting)))
                for on, waiting in reply
            ]

        return call("list_dependencies", self._prefix, decode, rows=job_ids, limit=limit)

    def list_rules(self) -> Call[Rules]:
        """What is paused and what is limited."""
        return call("list_rules", self._prefix, read_rules)

    def count_jobs(self) -> Call[Lanes]:
        """Counts by queue and task."""

        def decode(reply: Sequence[Sequence[Any]]) -> Lanes:
            return [(text(row[0]), text(row[1]), read_counts(row[2:9]), int(row[9])) for row in reply]

        return call("count_jobs", self._prefix, decode)

    def list_workers(self) -> Call[list[WorkerInfo]]:
        """Workers by name; online when heard of within a lease."""

        def decode(reply: Sequence[Any]) -> list[WorkerInfo]:
            now, rows = int(reply[0]), reply[1]
            found = [
                read_worker(
                    text(name),
                    json.loads(facts),
                    int(beat),
                    online=now - int(beat) <= self._lease_ms,
                    asked_to_drain=bool(asked),
                )
                for name, facts, beat, asked in rows
            ]
            return sorted(found, key=lambda worker: worker.name)

        return call("list_workers", self._prefix, decode)


def total_of(lanes: Lanes) -> StateCounts:
    """Add up counts."""
    return _sum([counts for _, _, counts, _ in lanes])


def queues_of(lanes: Lanes) -> list[QueueInfo]:
    """Return the queues that have jobs, by name."""
    names = sorted({queue for queue, _, _, _ in lanes})
    found: list[QueueInfo] = []
    for name in names:
        own = [lane for lane in lanes if lane[0] == name]
        since = min((lane[3] for lane in own if lane[3] >= 0), default=None)
        counts = _sum([lane[2] for lane in own])
        found.append(QueueInfo(name=name, counts=counts, oldest_ready_at=None if since is None else instant(since)))
    return found


def tasks_of(catalogue: dict[str, Any], lanes: Lanes) -> list[TaskInfo]:
    """Return the published tasks with their counts, by name. ``catalogue`` is the hash, its values JSON."""
    by_task: dict[str, list[StateCounts]] = {}
    for _, task, counts, _ in lanes:
        by_task.setdefault(task, []).append(counts)
    descriptions = {text(name): json.loads(description) for name, description in catalogue.items()}
    return [read_task(name, descriptions[name], _sum(by_task.get(name, []))) for name in sorted(descriptions)]


def read_task(name: str, description: dict[str, Any], counts: StateCounts) -> TaskInfo:
    """Read one entry of the catalogue."""
    return TaskInfo(
        name=name,
        args_schema=description["args_schema"],
        queue=description["queue"],
        priority=description["priority"],
        max_attempts=description["max_attempts"],
        timeout_seconds=description.get("timeout_seconds"),
        description=description.get("description"),
        encrypts=description.get("encrypts", False),
        counts=counts,
    )


def _sum(counts: Sequence[StateCounts]) -> StateCounts:
    names = [state.value.lower() for state in JobState]
    return StateCounts(**{name: sum(getattr(one, name) for one in counts) for name in names})
