"""Job <-> Redis hash: the only codec. Also attempts, events, and what a worker gets when it claims.

Fields that have the value most jobs have are left out of the hash, to keep it small.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from taskengine.jobs import (
    Attempt,
    AttemptOutcome,
    Job,
    JobError,
    JobState,
    LogLevel,
    LogLine,
    Options,
    Progress,
    StateCounts,
    WorkerInfo,
)
from taskengine.redaction import Parted, redacted_in
from taskengine.retries import Backoff
from taskengine.scripts import Value

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedJob:
    """What a worker gets to know of a job that it holds."""

    id: str
    lease: str
    task: str
    queue: str
    priority: int
    attempt: int
    max_attempts: int
    run: int
    created_us: int
    args: str
    """JSON text, not yet validated, with ``********`` in place of secrets."""
    timeout_ms: int | None
    key: str = ""
    """Its concurrency key, ``""`` when whoever enqueued it did not know it, or there is none."""
    tags: tuple[str, ...]
    backoff: Backoff | None = None
    """Its own, if not its task's."""
    then: str = ""
    """JSON of the call that follows when it COMPLETED, ``""`` for none."""
    secrets: str = field(default="", repr=False)
    """JSON of its secret arguments (``redaction.py``), ``""`` when it has none."""


SEALED = "!"
"""Begins a checkpoint that is kept as a secret: no JSON begins so."""


def is_sealed(checkpoint: str | bytes) -> bool:
    """Whether a checkpoint is a secret."""
    return text(checkpoint).startswith(SEALED)


def row_of(job_id: str, task: str, args: Parted | str, *, queue: str, priority: int, options: Options) -> list[Value]:
    """Return one row of ``enqueue_jobs.lua``. ``options`` has been checked and its defaults filled in."""
    delay = "" if options.delay is None else round(options.delay * 1000)
    run_at = "" if options.run_at is None else ms_of(options.run_at)
    shown, secrets = (args, "") if isinstance(args, str) else args
    fields: list[Value] = ["args", shown]
    if secrets:
        fields += ["secrets", secrets]
    if options.start_before is not None:
        fields += ["start_before", ms_of(options.start_before)]
    if options.idempotency_key is not None:
        fields += ["idempotency_key", options.idempotency_key]
    if options.max_attempts is not None and options.max_attempts != 1:
        fields += ["max_attempts", options.max_attempts]
    if options.timeout is not None:
        fields += ["timeout_ms", round(options.timeout * 1000)]
    if options.tags:
        fields += ["tags", dumps(options.tags)]
    if options.backoff is not None:
        fields += ["backoff", dumps(asdict(options.backoff))]
    return [job_id, task, queue, priority, delay, run_at, ",".join(options.depends_on), len(fields), *fields]


def with_fields(row: list[Value], fields: Mapping[str, str]) -> list[Value]:
    """Return a row of ``row_of`` whose record has further fields."""
    added = [part for pair in fields.items() for part in pair]
    return [*row[:7], int(row[7]) + len(added), *row[8:], *added]


def named_by(row: list[Value], by: str) -> list[Value]:
    """Return a row of ``row_of`` whose record says who enqueued it; ``""`` is nobody."""
    return with_fields(row, {"enqueued_by": by}) if by else row


def call_of(row: Sequence[Value], before: str = "", after: str = "") -> list[str]:
    """Return a row as a call that follows a job (``follow_ups.lua``).

    What comes of the job is put between ``before`` and ``after``; without them the row's own arguments hold.
    """
    args = [before, after] if before else [str(row[9]), ""]
    return [*map(str, row[:6]), *args, *map(str, row[10:])]


def dependencies_of(row: Sequence[Value]) -> list[str]:
    """Return the ids of the jobs that a row of ``row_of`` depends on."""
    return str(row[6]).split(",") if row[6] else []


def record_of(row: Sequence[Value], *, now_us: int) -> tuple[str, dict[str, str]]:
    """Return the id and the record of a row of ``row_of``, as ``enqueue_jobs.lua`` writes it."""
    job_id, task, queue, priority, delay, run_at, _, _, *fields = map(str, row)
    now_ms = now_us // 1000
    due = now_ms + int(delay) if delay else int(run_at or 0)
    state = JobState.SCHEDULED if due > now_ms else JobState.QUEUED
    record = {"state": state.value, "task": task, "queue": queue, "priority": priority, "created": str(now_us)}
    return job_id, record | dict(zip(fields[::2], fields[1::2], strict=True)) | ({"run_at": str(due)} if due else {})


def read_claimed(rows: Sequence[Sequence[Any]]) -> list[ClaimedJob]:
    """Read the first part of what ``claim_jobs.lua`` returns."""
    return [
        ClaimedJob(
            id=text(row[0]),
            lease=text(row[1]),
            task=text(row[2]),
            queue=text(row[3]),
            priority=int(row[4]),
            attempt=int(row[5]),
            max_attempts=int(row[6]),
            run=int(row[7]),
            created_us=int(row[8]),
            args=text(row[9]),
            timeout_ms=int(row[10]) if row[10] else None,
            tags=tuple(json.loads(row[11])) if row[11] else (),
            backoff=Backoff(**json.loads(row[12])) if row[12] else None,
            then=text(row[13]),
            key=text(row[14]),
            secrets=text(row[15]),
        )
        for row in rows
    ]


def read_job(job_id: str, pairs: Sequence[Any]) -> Job | None:
    """Read a record as ``HGETALL`` gives it to a script: field, value, ... ``None`` when it is empty."""
    if not pairs:
        return None
    flat = [text(item) for item in pairs]
    record = dict(zip(flat[::2], flat[1::2], strict=True))
    state = JobState(record["state"])
    created_us = int(record["created"])
    created_at = instant(created_us / 1000)
    started_at = _optional(record, "started_at", _ms)
    return Job(
        id=job_id,
        task=record["task"],
        queue=record["queue"],
        state=state,
        priority=int(record["priority"]),
        args=json.loads(record["args"]),
        redacted=redacted_in(record.get("secrets", "")),
        created_at=created_at,
        order=created_us,
        max_attempts=int(record.get("max_attempts", 1)),
        attempt_count=int(record.get("attempt", 0)),
        run_count=int(record.get("run", 0)),
        worker_losses=int(record.get("losses", 0)),
        timeout_seconds=_optional(record, "timeout_ms", lambda value: int(value) / 1000 or None),
        tags=tuple(json.loads(record.get("tags", "[]"))),
        run_at=_optional(record, "run_at", _ms),
        backoff=_optional(record, "backoff", lambda value: Backoff(**json.loads(value))),
        ready_at=_optional(record, "ready_at", _ms) or (None if state is JobState.SCHEDULED else created_at),
        started_at=started_at,
        finished_at=_optional(record, "finished_at", _ms),
        worker=record.get("worker"),
        result=_optional(record, "result", json.loads),
        error=_optional(record, "error", lambda value: _error(json.loads(value))),
        failure_group=record.get("failure_group"),
        progress=_optional(record, "progress", lambda value: read_progress(json.loads(value))),
        start_before=_optional(record, "start_before", _ms),
        idempotency_key=record.get("idempotency_key"),
        concurrency_key=record.get("key"),
        rerun_of=record.get("rerun_of"),
        enqueued_by=record.get("enqueued_by"),
        blockers=int(record.get("blockers", 0)),
        schedule=record.get("schedule"),
        cancel_requested="cancel" in record and state is JobState.RUNNING,
        cancel_reason=record.get("cancel_reason"),
    )


def read_progress(data: dict[str, Any]) -> Progress:
    """Read progress as ``report_progress.lua`` keeps it."""
    return Progress(
        current=data["current"],
        total=data.get("total"),
        message=data.get("message"),
        updated_at=instant(data["updated_at"]),
    )


def read_attempts(job: Job, lines: Iterable[str | bytes]) -> list[Attempt]:
    """Return a job's runs, oldest first: the ended ones that were kept, and the one its record tells of."""
    attempts = [_attempt(job.id, json.loads(line)) for line in lines]
    if job.state in (JobState.RUNNING, JobState.COMPLETED) and job.started_at is not None:
        attempts.append(
            Attempt(
                job_id=job.id,
                number=job.run_count,
                outcome=AttemptOutcome(job.state.value),
                worker=job.worker or "",
                started_at=job.started_at,
                finished_at=job.finished_at,
            )
        )
    return attempts


def read_worker(name: str, facts: dict[str, Any], beat: int, *, online: bool, asked_to_drain: bool) -> WorkerInfo:
    """Read what a worker told with its last heartbeat, and what was asked of it."""
    return WorkerInfo(
        name=name,
        hostname=facts["hostname"],
        pid=facts["pid"],
        version=facts["version"],
        queues=tuple(facts["queues"]),
        concurrency=facts["concurrency"],
        mode=facts["mode"],
        started_at=instant(facts["started_at"]),
        last_heartbeat_at=instant(beat),
        online=online,
        draining=facts["draining"] or asked_to_drain,
        cpu_percent=facts.get("cpu_percent"),
        memory_bytes=facts.get("memory_bytes"),
        running=tuple(facts["running"]),
    )


def read_log_line(job_id: str, row: Sequence[Any]) -> LogLine:
    """Read a line as ``list_logs.lua`` gives it: cursor, at, run, level, JSON."""
    data = json.loads(row[4])
    return LogLine(
        job_id=job_id,
        cursor=text(row[0]),
        at=instant(int(row[1])),
        attempt=int(row[2]),
        level=LogLevel(text(row[3])),
        message=data["message"],
        logger=data.get("logger"),
        fields=data.get("fields", {}),
    )


def read_log_entry(job_id: str, cursor: str, fields: Mapping[str, str]) -> LogLine:
    """Read a line as its stream keeps it."""
    return read_log_line(job_id, [cursor, *(fields[name] for name in ("at", "run", "level", "line"))])


def read_counts(numbers: Sequence[int]) -> StateCounts:
    """Read seven numbers in the order of ``JobState``."""
    return StateCounts(*(int(number) for number in numbers))


def error_json(error: JobError) -> str:
    """Return what the record keeps of an error."""
    facts = {"exception": error.exception, "message": error.message, "retryable": error.retryable}
    return dumps(facts if error.place is None else {**facts, "place": error.place})


def dumps(value: Any) -> str:
    """Return compact JSON; raise ``ValueError`` or ``TypeError`` for what JSON cannot say."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def printable(words: str) -> str:
    r"""Return text that Redis can keep: names of files that are not UTF-8 come as ``\udce9`` and the like."""
    return words.encode("utf-8", "backslashreplace").decode()


def text(value: str | bytes) -> str:
    """Return a reply of Redis as text, whether or not the connection decodes."""
    return value.decode() if isinstance(value, bytes) else str(value)


def instant(ms: float) -> datetime:
    """Return milliseconds since 1970 as an aware datetime."""
    return datetime.fromtimestamp(ms / 1000, tz=UTC)


def ms_of(at: datetime) -> int:
    """Return an aware datetime as milliseconds since 1970."""
    return round(at.timestamp() * 1000)


def _ms(value: str) -> datetime:
    return instant(int(value))


def _optional(record: dict[str, str], name: str, read: Callable[[str], T]) -> T | None:
    value = record.get(name)
    return None if value is None else read(value)


def _error(data: dict[str, Any], traceback: str | None = None) -> JobError:
    return JobError(
        exception=data["exception"],
        message=data["message"],
        retryable=data["retryable"],
        traceback=traceback,
        place=data.get("place"),
    )


def _attempt(job_id: str, data: dict[str, Any]) -> Attempt:
    return Attempt(
        job_id=job_id,
        number=data["number"],
        outcome=AttemptOutcome(data["outcome"]),
        worker=data["worker"],
        started_at=instant(data["started_at"]),
        finished_at=instant(data["finished_at"]),
        error=_error(data["error"], data.get("traceback")) if "error" in data else None,
        next_attempt_at=instant(data["next_attempt_at"]) if "next_attempt_at" in data else None,
        message=data.get("message"),
    )
