"""Immediate mode: a job runs where it is enqueued, in this process's memory, without Redis.

The attempt is that of a worker (``worker/execution.py``), and so are arguments
and results as JSON, hooks, signals and ``current_job``. Retries follow at
once; what is for later is kept and does not run.
"""

import json
import logging
import threading
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from huey.storage import MemoryStorage

from taskengine.data_storage import CALL
from taskengine.errors import IllegalMove, JobNotFound, UnknownDependency
from taskengine.jobs import FINAL_STATES, Job, JobState
from taskengine.records import ClaimedJob, dependencies_of, dumps, read_job, record_of
from taskengine.retries import Backoff
from taskengine.scripts import Value
from taskengine.store import Added, Answer, Ending, Outcome, Said
from taskengine.worker.context import JobContext

if TYPE_CHECKING:
    from taskengine.engine import TaskEngine

Record = dict[str, str]
WORKER = "in-place"
_log = logging.getLogger("taskengine.job")
MAX_KEPT = 10_000
"""Jobs that are remembered: beyond that the oldest that have ended are forgotten."""


class Shelf(MemoryStorage):
    """Huey's data in memory, with the locks, uses and revocations of ours."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self._guard = threading.Lock()
        self._owners: dict[str, str] = {}
        self._uses: dict[str, tuple[int, int]] = {}
        self._revoked: dict[str, datetime | str] = {}

    def take_lock(self, name: str, owner: str, *, ttl_ms: int) -> bool:
        """Take a lock. It has no end but its release: this memory ends with its process."""
        del ttl_ms
        with self._guard:
            return self._owners.setdefault(name, owner) == owner

    def free_lock(self, name: str, owner: str = "*") -> bool:
        with self._guard:
            if name not in self._owners or owner not in ("*", self._owners[name]):
                return False
            del self._owners[name]
            return True

    def is_locked(self, name: str) -> bool:
        return name in self._owners

    def count_use(self, name: str, *, limit: int, per_ms: int) -> tuple[bool, float]:
        now = time.time() * 1000
        stretch = int(now // per_ms)
        with self._guard:
            known, count = self._uses.get(name, (stretch, 0))
            count = count if known == stretch else 0
            if count < limit:
                self._uses[name] = (stretch, count + 1)
            return count < limit, ((stretch + 1) * per_ms - now) / 1000

    def uses(self, name: str) -> int:
        return self._uses.get(name, (0, 0))[1]

    def forget_uses(self, name: str) -> None:
        self._uses.pop(name, None)

    def revoke_task(self, task: str, *, until: datetime | None, once: bool) -> None:
        self._revoked[task] = "once" if once else until or "always"

    def restore_task(self, task: str) -> bool:
        return self._revoked.pop(task, None) is not None

    def revoke_call(self, job_id: str, *, until: datetime) -> None:
        self._revoked[CALL + job_id] = until

    def restore_call(self, job_id: str) -> bool:
        return self._revoked.pop(CALL + job_id, None) is not None

    def is_call_revoked(self, job_id: str) -> bool:
        until = self._revoked.get(CALL + job_id)
        return isinstance(until, datetime) and until > datetime.now(until.tzinfo)

    def take_revocation_of_call(self, job_id: str) -> bool:
        """Whether a job is not to run since its call was revoked before it came."""
        revoked = self.is_call_revoked(job_id)
        self._revoked.pop(CALL + job_id, None)
        return revoked

    def revocation(self, task: str) -> datetime | bool:
        revoked = self._revoked.get(task)
        return revoked if isinstance(revoked, datetime) else revoked is not None

    def take_revocation(self, task: str) -> bool:
        """Whether the next job of a task is not to run."""
        revoked = self._revoked.get(task)
        over = isinstance(revoked, datetime) and revoked <= datetime.now(revoked.tzinfo)
        if over or revoked == "once":
            del self._revoked[task]
        return revoked is not None and not over


@dataclass
class Chord:
    """Members that have not all ended, and the call that follows the last."""

    size: int
    callback: list[str]
    reports: dict[int, str] = field(default_factory=dict)


class InPlace:
    """The jobs of an engine in immediate mode. Stands where a worker has its dispatcher."""

    def __init__(self, engine: "TaskEngine") -> None:
        self._engine = engine
        self._records: dict[str, Record] = {}
        self._chords: dict[str, Chord] = {}
        self._checkpoints: dict[str, str] = {}
        self._tracebacks: dict[str, str] = {}
        self._dependencies: dict[str, Sequence[str]] = {}
        self._keys: dict[tuple[str, str], str] = {}
        self._last_us = 0
        self.shelf = Shelf(engine.name)

    # Jobs

    def enqueue(self, rows: Sequence[Sequence[Value]]) -> list[Added]:
        """Run what is not for later, one after the other."""
        added: list[Added] = []
        for number, row in enumerate(rows):
            self._last_us = max(time.time_ns() // 1000, self._last_us + 1)
            job_id, record = record_of(row, now_us=self._last_us)
            known = self._known(job_id, record)
            added.append(Added(known or job_id, new=known is None))
            if known is None:
                self._keep(job_id, record, dependencies_of(row), number)
                self._start(job_id)
        return added

    def _known(self, job_id: str, record: Record) -> str | None:
        """Return the job that there is already of this id, or of this task and key."""
        if job_id in self._records:
            return job_id
        key = record.get("idempotency_key")
        return None if key is None else self._keys.get((record["task"], key))

    def _keep(self, job_id: str, record: Record, dependencies: Sequence[str], row: int) -> None:
        for dependency in dependencies:
            if dependency not in self._records:
                raise UnknownDependency(row, dependency)
        self._records[job_id] = record
        if dependencies:
            self._dependencies[job_id] = dependencies
        if "idempotency_key" in record:
            self._keys[record["task"], record["idempotency_key"]] = job_id
        if len(self._records) > MAX_KEPT:
            oldest = (known for known, its in self._records.items() if its["state"] in FINAL_STATES)
            forgotten = next(oldest, job_id)
            self._records.pop(forgotten)
            self._tracebacks.pop(forgotten, None)

    def _start(self, job_id: str) -> None:
        """Run a job, unless it is for later or waits for others."""
        record = self._records[job_id]
        states = {its: self._state(its) for its in self._dependencies.get(job_id, ())}
        ended = [(its, state) for its, state in states.items() if state in ("FAILED", "CANCELLED", "GONE")]
        if ended:
            del self._dependencies[job_id]
            dependency, state = ended[0]
            self._cancel(job_id, f"it depends on {dependency}, which is {'gone' if state == 'GONE' else state}")
        elif any(state != "COMPLETED" for state in states.values()):
            record["state"] = "SCHEDULED"
        else:
            self._dependencies.pop(job_id, None)
            if int(record.get("run_at", 0)) <= time.time_ns() // 1_000_000:
                record["state"] = "QUEUED"
            self._run(job_id)

    def _state(self, job_id: str) -> str:
        return self._records[job_id]["state"] if job_id in self._records else "GONE"

    def get_job(self, job_id: str) -> Job | None:
        """Return a job, or ``None``."""
        record = self._records.get(job_id)
        return None if record is None else read_job(job_id, [part for pair in record.items() for part in pair])

    def secrets_of(self, job_id: str) -> str:
        """Return the secret arguments of a job, as its record keeps them."""
        return self._record(job_id).get("secrets", "")

    def traceback_of(self, job_id: str) -> str:
        """Return the traceback of a job's last failed attempt, "" when there is none."""
        return self._tracebacks.get(job_id, "")

    def jobs(self, states: Collection[JobState]) -> Iterator[Job]:
        """Yield the jobs that are in one of these states."""
        for job_id, record in list(self._records.items()):
            job = self.get_job(job_id) if record["state"] in states else None
            if job is not None:
                yield job

    def count(self, *states: JobState) -> int:
        """Return how many jobs are in these states."""
        return sum(record["state"] in states for record in self._records.values())

    def cancel(self, job_id: str) -> None:
        """Cancel a job that is for later."""
        record = self._record(job_id)
        if record["state"] not in (JobState.SCHEDULED, JobState.CANCELLED):
            raise IllegalMove(job_id, record["state"], "CANCELLED")
        self._cancel(job_id, "revoked")

    def _cancel(self, job_id: str, reason: str) -> None:
        record = self._records[job_id]
        record |= {"state": "CANCELLED", "cancel_reason": reason, "finished_at": _now()}
        self._follow(job_id, record)

    def reschedule(self, job_id: str, due_ms: int) -> None:
        """Give a job that waits another time; run it if that is here, as 0 is."""
        record = self._record(job_id)
        if record["state"] != JobState.SCHEDULED:
            raise IllegalMove(job_id, record["state"], "RESCHEDULED")
        record["run_at"] = str(due_ms)
        self._start(job_id)

    def restore(self, job_id: str) -> None:
        """Run a job that was cancelled."""
        self._record(job_id)["state"] = "QUEUED"
        self._run(job_id)

    def _record(self, job_id: str) -> Record:
        if job_id not in self._records:
            raise JobNotFound(job_id)
        return self._records[job_id]

    # An attempt

    def _run(self, job_id: str) -> None:
        record = self._records[job_id]
        while record["state"] == "QUEUED":
            if self.shelf.take_revocation_of_call(job_id):
                self._cancel(job_id, "revoked")
                return
            if self.shelf.take_revocation(record["task"]):
                self._cancel(job_id, "its task is revoked")
                return
            if "start_before" in record and int(record["start_before"]) <= time.time_ns() // 1_000_000:
                self._cancel(job_id, "expired")
                return
            self._engine.execute(self._engine.claimed(self._claim(job_id, record)))

    def _claim(self, job_id: str, record: Record) -> ClaimedJob:
        attempt, run = int(record.get("attempt", 0)) + 1, int(record.get("run", 0)) + 1
        record |= {"state": "RUNNING", "attempt": str(attempt), "run": str(run), "started_at": _now(), "worker": WORKER}
        timeout, backoff = record.get("timeout_ms"), record.get("backoff")
        return ClaimedJob(
            id=job_id,
            lease=str(run),
            task=record["task"],
            queue=record["queue"],
            priority=int(record["priority"]),
            attempt=attempt,
            max_attempts=int(record.get("max_attempts", 1)),
            run=run,
            created_us=int(record["created"]),
            args=record["args"],
            timeout_ms=None if timeout is None else int(timeout),
            tags=tuple(json.loads(record.get("tags", "[]"))),
            backoff=None if backoff is None else Backoff(**json.loads(backoff)),
            then=record.get("then", ""),
            key=record.get("key", ""),
            secrets=record.get("secrets", ""),
        )

    def begin(self, job: ClaimedJob) -> JobContext:
        """Return what a job's task may talk to."""
        return JobContext(job, self)

    def finish(self, context: JobContext, outcome: Outcome | None, *, now: bool = False) -> None:
        """Note how an attempt ended."""
        del now
        if outcome is None:
            return
        self.append_logs(context.job, outcome.logs)
        record = self._records[context.job.id]
        if outcome.ending is Ending.RELEASED:
            record["state"] = "QUEUED"
            raise KeyboardInterrupt
        if outcome.ending is Ending.COMPLETED:
            self._complete(record, outcome)
        elif outcome.ending is Ending.CANCELLED:
            record |= {"state": "CANCELLED", "finished_at": _now()}
        elif outcome.ending is Ending.SNOOZED:
            after_ms = outcome.retry_ms or 0
            run_at = str(outcome.run_at_ms or int(_now()) + after_ms)
            record |= {"state": "SCHEDULED", "run_at": run_at, "attempt": str(context.job.attempt - 1)}
        elif outcome.retry_ms is not None and context.job.attempt < context.job.max_attempts:
            record |= {"state": "QUEUED", "error": outcome.value}
        else:
            record |= {"state": "FAILED", "finished_at": _now(), "error": outcome.value}
            self._tracebacks[context.job.id] = json.loads(outcome.traceback or '""')
        self._follow(context.job.id, record)

    def _complete(self, record: Record, outcome: Outcome) -> None:
        record |= {"state": "COMPLETED", "finished_at": _now()}
        self._checkpoints.pop(outcome.job_id, None)
        record.pop("error", None)
        if outcome.value:
            record["result"] = outcome.value
        for call in json.loads(outcome.calls or "[]"):
            self._follow_with(call, "")

    # What an attempt says: see ``worker.context.Wire``

    def report_progress(self, job: ClaimedJob, progress: str) -> Answer:
        """Note how far an attempt is."""
        self._records[job.id]["progress"] = progress[:-1] + f',"updated_at":{_now()}}}'
        return Answer.OK

    def append_logs(self, job: ClaimedJob, lines: Sequence[Said]) -> Answer:
        """Hand on to the standard ``logging`` what an attempt said: nobody reads it later."""
        for said in lines:
            _log.log(getattr(logging, said.level), "job %s: %s", job.id, said.line)
        return Answer.OK

    def save_checkpoint(self, job: ClaimedJob, data: str) -> Answer:
        """Keep where an attempt is."""
        self._checkpoints[job.id] = data
        return Answer.OK

    def load_checkpoint(self, job: ClaimedJob) -> str | None:
        """Return what was kept."""
        return self._checkpoints.get(job.id) or None

    def note_deadline(self, context: JobContext, seconds: float, retry_ms: int | None) -> None:
        """Nothing: no other process looks on."""

    # What follows: in Python what follow_ups.lua does in Redis

    def open_chord(self, chord_id: str, size: int, callback: list[str]) -> None:
        """Have a callback follow when so many members have ended."""
        self._chords[chord_id] = Chord(size, callback)

    def _follow(self, job_id: str, record: Record) -> None:
        if record["state"] not in FINAL_STATES:
            return
        for waiting in [its for its, dependencies in self._dependencies.items() if job_id in dependencies]:
            self._start(waiting)
        if "follows" not in record:
            return
        follows = json.loads(record["follows"])
        if record["state"] == "FAILED" and "error" in follows:
            self._follow_with(follows["error"], record["error"])
        if follows.get("chord") in self._chords and not (record["state"] == "COMPLETED" and "later" in follows):
            self._report_to_chord(follows["chord"], int(follows["number"]), _report_of(record))

    def _report_to_chord(self, chord_id: str, number: int, report: str) -> None:
        chord = self._chords[chord_id]
        chord.reports.setdefault(number, report)
        if len(chord.reports) == chord.size:
            del self._chords[chord_id]
            self._follow_with(chord.callback, f"[{','.join(text for _, text in sorted(chord.reports.items()))}]")

    def _follow_with(self, call: list[str], given: str) -> None:
        job_id, task, queue, priority, delay, run_at, before, after, *fields = call
        fields = ["args", before + given + after, *fields]
        self.enqueue([[job_id, task, queue, priority, delay, run_at, "", len(fields), *fields]])


def _report_of(record: Record) -> str:
    if record["state"] == "COMPLETED":
        return record.get("result", "null")
    reason = {"exception": "JobCancelled", "message": record.get("cancel_reason", "cancelled"), "retryable": False}
    return f'{{"error":{record["error"] if record["state"] == "FAILED" else dumps(reason)}}}'


def _now() -> str:
    return str(time.time_ns() // 1_000_000)
