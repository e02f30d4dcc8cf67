"""The moves of a job, as calls of their scripts. Each changes everything that belongs to it, or nothing.

Builds calls and reads answers; the caller has the connection. Inputs have been checked.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from taskengine.jobs import FINAL_STATES, JobState, WorkerInfo
from taskengine.keys import Keys
from taskengine.records import ClaimedJob, read_claimed, read_worker, text
from taskengine.rules import KEEP, Keep, Kind, Rate, aging_arg, concurrency_arg, rate_args
from taskengine.scripts import Call, Value, call

ROWS_PER_CALL = 500
"""At most so many rows go to one script, where a batch need not be one change: it runs for a few milliseconds."""
ROWS_PER_CHANGE = 1_000
"""At most so many jobs are enqueued as one change."""


class Answer(StrEnum):
    """What a script says of one attempt's wish."""

    OK = "OK"
    LEASE_LOST = "LEASE_LOST"
    JOB_NOT_FOUND = "JOB_NOT_FOUND"
    CANCEL = "CANCEL"
    """The job is still held, and someone asked to stop it."""


class Said(NamedTuple):
    """A line that an attempt said, on its way to Redis."""

    number: int
    """Which line of the attempt it is, from 1."""
    at: float
    """By ``time.monotonic()``: Redis gets its age, since clocks of machines differ."""
    level: str
    line: str
    """JSON of message, logger and fields."""


Say = tuple[str, str, Sequence[Said]]
"""A job's id, the lease it is held under, and lines in their order without a gap."""


class Ending(StrEnum):
    """How a worker ends an attempt."""

    COMPLETED = "COMPLETED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    CANCELLED = "CANCELLED"
    RELEASED = "RELEASED"
    """``value`` may say why."""
    SNOOZED = "SNOOZED"
    """The task does not want to run now: ``retry_ms`` or ``run_at_ms`` says when, ``value`` why."""
    UNSTARTED = "UNSTARTED"
    """Claimed and given back before it began: leaves no trace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of an attempt, as its worker reports it."""

    job_id: str
    lease: str
    ending: Ending
    value: str = ""
    """The result or the error as JSON."""
    traceback: str = ""
    """JSON text of the traceback."""
    retry_ms: int | None = None
    """Delay before another attempt; ``None`` when the error forbids one."""
    run_at_ms: int | None = None
    """When a SNOOZED job runs again; else ``retry_ms`` says after how long."""
    progress: str = ""
    logs: Sequence[Said] = ()
    """Lines that were not sent yet: they have to reach Redis before the outcome, see ``append_logs``."""
    calls: str = ""
    """JSON list of the calls that follow when it COMPLETED."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a claim brought, and what became of the outcomes that went with it."""

    jobs: list[ClaimedJob]
    next_due_ms: int | None
    """Time until the next waiting job is due."""
    answers: list[Answer]


class Heartbeat(NamedTuple):
    """What a worker hears when its heart beats."""

    registered: bool
    answers: list[Answer]
    """For each job held, in their order."""
    drained_by: str | None
    """Who asked it to drain, ``""`` when nobody said; ``None`` when it is not to."""


class Added(NamedTuple):
    """What became of one row of an enqueue."""

    job_id: str
    """Of the job there is now: the first one with this idempotency key, if there was one."""
    new: bool


class Store:
    """The moves, for one namespace."""

    def __init__(self, keys: Keys) -> None:
        self._prefix = keys.prefix

    def enqueue_jobs(self, rows: Iterable[Sequence[Value]]) -> Call[list[Added]]:
        """Nothing -> QUEUED or SCHEDULED; rows by ``records.row_of``. All or, raising, none."""
        flat = [value for row in rows for value in row]

        def decode(reply: Sequence[Sequence[Any]]) -> list[Added]:
            return [Added(text(job_id), bool(new)) for job_id, new in reply]

        return call("enqueue_jobs", self._prefix, decode, rows=flat)

    def open_chord(self, chord_id: str, size: int, callback: str, *, ttl_ms: int) -> Call[int]:
        """A chord whose ``size`` members are about to be enqueued; ``callback`` is a call of ``follow_ups.lua``."""
        return call("open_chord", self._prefix, int, id=chord_id, size=size, callback=callback, ttl_ms=ttl_ms)

    def claim_jobs(self, worker: str, queues: str, count: int, *, lease_ms: int, slot: str = "") -> Call[Claim]:
        """QUEUED -> RUNNING under a lease, best first."""
        return call(
            "claim_jobs",
            self._prefix,
            _read_claim,
            worker=worker,
            slot=slot,
            queues=queues,
            count=count,
            lease_ms=lease_ms,
        )

    def finish_jobs(
        self, outcomes: Sequence[Outcome], worker: str, queues: str, count: int, *, lease_ms: int, slot: str = ""
    ) -> Call[Claim]:
        """RUNNING -> what the attempts came to; then a claim of ``count`` in the same round trip."""
        rows: list[Value] = []
        for outcome in outcomes:
            retry = "" if outcome.retry_ms is None else outcome.retry_ms
            if outcome.run_at_ms is not None:
                retry = f"@{outcome.run_at_ms}"
            rows += [outcome.job_id, outcome.lease, outcome.ending, retry]
            rows += [outcome.value, outcome.traceback, outcome.progress, outcome.calls]
        return call(
            "finish_jobs",
            self._prefix,
            _read_claim,
            rows=rows,
            worker=worker,
            slot=slot,
            queues=queues,
            count=count,
            lease_ms=lease_ms,
        )

    def renew_leases(
        self, worker: str, held: Sequence[tuple[str, str]], facts: str, *, lease_ms: int
    ) -> Call[Heartbeat]:
        """A heartbeat of a worker that holds these (id, lease)."""
        rows = [value for pair in held for value in pair]

        def decode(reply: Sequence[Any]) -> Heartbeat:
            registered, answers, asked_by = reply
            return Heartbeat(bool(registered), _answers(answers), None if asked_by is None else text(asked_by))

        return call(
            "renew_leases",
            self._prefix,
            decode,
            rows=rows,
            worker=worker,
            lease_ms=lease_ms,
            facts=facts,
        )

    def drain_worker(self, worker: str, *, lease_ms: int, by: str = "") -> Call[WorkerInfo]:
        """A worker takes no new job, and stops when its running ones are done."""

        def decode(reply: Sequence[Any]) -> WorkerInfo:
            facts, beat = reply
            return read_worker(worker, json.loads(facts), int(beat), online=True, asked_to_drain=True)

        return call("drain_worker", self._prefix, decode, worker=worker, lease_ms=lease_ms, by=by)

    def rescue_jobs(self, *, max_losses: int, limit: int) -> Call[int]:
        """RUNNING with a lease that ran out -> QUEUED, or FAILED after too many losses."""
        return call("rescue_jobs", self._prefix, int, max_losses=max_losses, limit=limit)

    def surrender_jobs(self, worker: str, slot: str) -> Call[int]:
        """What a worker's dead child held runs out now; tells how many jobs."""
        return call("surrender_jobs", self._prefix, int, worker=worker, slot=slot)

    def promote_jobs(self, *, limit: int) -> Call[int]:
        """SCHEDULED and RETRYING that are due -> QUEUED."""
        return call("promote_jobs", self._prefix, int, limit=limit)

    def cancel_job(self, job_id: str, *, terminate: bool, reason: str, by: str = "") -> Call[int]:
        """SCHEDULED, QUEUED, RETRYING -> CANCELLED; RUNNING is asked to stop when ``terminate``."""
        return call("cancel_job", self._prefix, int, id=job_id, terminate=int(terminate), reason=reason, by=by)

    def retry_job(self, job_id: str, *, attempts: int | None, by: str = "") -> Call[int]:
        """FAILED, CANCELLED, RETRYING -> QUEUED with at least ``attempts`` more."""
        more = "" if attempts is None else attempts
        return call("retry_job", self._prefix, int, id=job_id, attempts=more, by=by)

    def reschedule_job(self, job_id: str, *, run_at_ms: int | None, by: str = "") -> Call[int]:
        """SCHEDULED, QUEUED, RETRYING: another time, ``None`` for now."""
        run_at = "" if run_at_ms is None else run_at_ms
        return call("reschedule_job", self._prefix, int, id=job_id, run_at=run_at, by=by)

    def change_priority(self, job_id: str, priority: int, *, by: str = "") -> Call[int]:
        """SCHEDULED, QUEUED, RETRYING: another priority."""
        return call("change_priority", self._prefix, int, id=job_id, priority=priority, by=by)

    def pause(self, kind: Kind, name: str, *, by: str, reason: str) -> Call[int]:
        """Start nothing more of a queue or task; tells whether it was not paused yet."""
        return call("pause", self._prefix, int, kind=kind, name=name, by=by, reason=reason)

    def resume(self, kind: Kind, name: str, *, by: str = "") -> Call[int]:
        """Let a queue or task go on; tells whether it was paused."""
        return call("resume", self._prefix, int, kind=kind, name=name, by=by)

    def set_limits(
        self,
        kind: Kind,
        name: str,
        *,
        concurrency: int | Keep | None,
        rate: Rate | Keep | None,
        per_key: int | Keep | None = KEEP,
        by: str = "",
    ) -> Call[int]:
        """Limit a queue or task from the next claim on; ``None`` lifts a limit."""
        jobs, per_ms = rate_args(rate)
        return call(
            "set_limits",
            self._prefix,
            int,
            kind=kind,
            name=name,
            concurrency=concurrency_arg(concurrency),
            jobs=jobs,
            per_ms=per_ms,
            per_key=concurrency_arg(per_key, "perKeyLimit"),
            by=by,
        )

    def set_aging(self, seconds: float | None, *, by: str = "") -> Call[bool]:
        """Waiting so long lifts a job by one priority step; tells whether that is new."""
        return call("set_aging", self._prefix, bool, step_us=aging_arg(seconds), by=by)

    def rescore_jobs(self, *, limit: int) -> Call[bool]:
        """Give ready jobs their places after a change of aging; tells whether there may be more."""
        return call("rescore_jobs", self._prefix, bool, limit=limit)

    def declare_key_limits(self, limits: Mapping[str, int]) -> Call[int]:
        """How many jobs of a task may run at once for each concurrency key, as the code says."""
        return call("declare_key_limits", self._prefix, int, rows=[value for pair in limits.items() for value in pair])

    def assign_key(self, job_id: str, lease: str, key: str) -> Call[bool]:
        """The concurrency key of a claimed job; tells whether it may begin, else it was given back."""
        return call("assign_key", self._prefix, bool, id=job_id, lease=lease, key=key)

    def delete_job(self, job_id: str, *, by: str = "") -> Call[int]:
        """Remove the record of a job that is not RUNNING."""
        return call("delete_job", self._prefix, int, id=job_id, by=by)

    def trim_jobs(
        self, *, keep_ms: int, keep_jobs: int, limit: int, states: Collection[JobState] = FINAL_STATES
    ) -> Call[int]:
        """Remove finished jobs that are past their time or over their number; tells how many."""
        wanted = ",".join(sorted(states))
        return call("trim_jobs", self._prefix, int, states=wanted, keep_ms=keep_ms, keep_jobs=keep_jobs, limit=limit)

    def set_budget(self, max_bytes: int | None, *, by: str = "") -> Call[int]:
        """How much memory Redis may use before nothing more is taken in; ``None`` for no limit of ours."""
        return call("set_budget", self._prefix, int, bytes="" if max_bytes is None else max_bytes, by=by)

    def memory_over(self, share: float) -> Call[int]:
        """How many bytes Redis uses more than this share of the budget; 0 when it is below, or there is none."""
        return call("memory_over", self._prefix, int, share=share)

    def clear_jobs(self, states: Collection[JobState], *, before_ms: int | None, limit: int, by: str = "") -> Call[int]:
        """Remove finished jobs, the longest finished first; tells how many."""
        return call(
            "clear_jobs",
            self._prefix,
            int,
            states=",".join(states),
            before="" if before_ms is None else before_ms,
            limit=limit,
            by=by,
        )

    def report_progress(self, reports: Sequence[tuple[str, str, str]]) -> Call[list[Answer]]:
        """Progress of attempts as (id, lease, json)."""
        return call("report_progress", self._prefix, _answers, rows=[value for row in reports for value in row])

    def append_logs(self, said: Sequence[Say], *, now: float) -> Call[list[Answer]]:
        """Keep what attempts said; ``now`` by ``time.monotonic()``. Lines that are known are not kept again."""
        rows: list[Value] = []
        for job_id, lease, lines in said:
            rows += [job_id, lease, lines[0].number if lines else 1, len(lines)]
            for line in lines:
                rows += [max(round((now - line.at) * 1000), 0), line.level, line.line]
        return call("append_logs", self._prefix, _answers, rows=rows)

    def save_checkpoint(self, job_id: str, lease: str, data: str) -> Call[Answer]:
        """JSON of where an attempt is; "" forgets what was saved."""
        return call(
            "save_checkpoint", self._prefix, lambda reply: Answer(text(reply)), id=job_id, lease=lease, data=data
        )

    def register_worker(self, worker: str, facts: str, tasks: Mapping[str, str]) -> Call[int]:
        """A worker is here; ``tasks`` are descriptions by name."""
        rows = [value for pair in tasks.items() for value in pair]
        return call("register_worker", self._prefix, int, rows=rows, worker=worker, facts=facts)

    def forget_workers(self, worker: str = "", *, silent_ms: int = 0) -> Call[int]:
        """Take one worker, or all that were silent for so long, off the list."""
        return call("forget_workers", self._prefix, int, worker=worker, after_ms=silent_ms)


def _read_claim(reply: Sequence[object]) -> Claim:
    jobs, due, *answers = reply
    return Claim(
        jobs=read_claimed(jobs),  # pyright: ignore[reportArgumentType]
        next_due_ms=None if due == -1 else int(due),  # pyright: ignore[reportArgumentType]
        answers=_answers(answers[0]) if answers else [],  # pyright: ignore[reportArgumentType]
    )


def _answers(reply: Sequence[str | bytes]) -> list[Answer]:
    return [Answer(text(answer)) for answer in reply]
