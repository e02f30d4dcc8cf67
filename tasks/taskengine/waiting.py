"""Why is it not running? One reason, in facts and in a sentence for a person.

The facts come from ``lua/explain_jobs.lua``, which looks at what a claim looks
at, so that the answer cannot disagree with what happens. In the order below,
the first that holds is the reason.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from taskengine.jobs import JobState
from taskengine.records import instant, text
from taskengine.rules import Pause, read_pause


class WaitingReason(StrEnum):
    """What a waiting job waits for."""

    RUN_AT = "RUN_AT"
    BACKOFF = "BACKOFF"
    DEPENDENCY = "DEPENDENCY"
    QUEUE_PAUSED = "QUEUE_PAUSED"
    TASK_PAUSED = "TASK_PAUSED"
    NO_WORKER = "NO_WORKER"
    RATE_LIMIT = "RATE_LIMIT"
    CONCURRENCY_LIMIT = "CONCURRENCY_LIMIT"
    JOBS_AHEAD = "JOBS_AHEAD"
    STARTING = "STARTING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """The one thing a job waits for."""

    reason: WaitingReason
    message: str
    jobs_ahead: int | None = None
    """Jobs of its queue that will be claimed before it, as of now."""
    until: datetime | None = None
    """The known end of the wait."""
    estimated_start_at: datetime | None = None
    """When it starts if its queue goes on as it lately did: a guess. ``None`` when the queue does not move."""
    job_ids: tuple[str, ...] = ()
    """Jobs that it waits for, or that hold its limit; at most five."""


def read_waiting(reply: str | bytes) -> Waiting | None:
    """Read one fact of ``explain_jobs.lua``: ``None`` for a job that does not wait."""
    facts: dict[str, Any] = json.loads(text(reply))
    if facts["state"] not in (JobState.SCHEDULED, JobState.QUEUED, JobState.RETRYING):
        return None
    found = next(found for rule in _RULES if (found := rule(facts)) is not None)
    return replace(found, estimated_start_at=_estimate(facts, found))


def _estimate(facts: dict[str, Any], found: Waiting) -> datetime | None:
    """Say when as many attempts will have ended as jobs are before it, and not before the wait has its known end."""
    if found.jobs_ahead is None or not facts.get("ms_a_job"):
        return None
    guess = instant(facts["now"] + found.jobs_ahead * facts["ms_a_job"])
    return guess if found.until is None else max(guess, found.until)


def _run_at(facts: dict[str, Any]) -> Waiting | None:
    if facts["state"] != JobState.SCHEDULED or facts["blockers"] or not facts.get("run_at"):
        return None
    until = instant(facts["run_at"])
    return Waiting(reason=WaitingReason.RUN_AT, message=f"it is scheduled for {_clock(until)}", until=until)


def _backoff(facts: dict[str, Any]) -> Waiting | None:
    if facts["state"] != JobState.RETRYING:
        return None
    until = instant(facts["run_at"])
    message = f"its last attempt failed; the next one is due at {_clock(until)}"
    return Waiting(reason=WaitingReason.BACKOFF, message=message, until=until)


def _dependency(facts: dict[str, Any]) -> Waiting | None:
    if not facts["blockers"]:
        return None
    ids = tuple(facts.get("blocked_by") or ())
    count = facts["blockers"]
    message = f"it waits for {count} {'job' if count == 1 else 'jobs'} to complete: {_names(ids, count)}"
    return Waiting(reason=WaitingReason.DEPENDENCY, message=message, job_ids=ids)


def _queue_paused(facts: dict[str, Any]) -> Waiting | None:
    return _paused(facts, "queue", WaitingReason.QUEUE_PAUSED)


def _task_paused(facts: dict[str, Any]) -> Waiting | None:
    return _paused(facts, "task", WaitingReason.TASK_PAUSED)


def _paused(facts: dict[str, Any], kind: str, reason: WaitingReason) -> Waiting | None:
    said = facts.get(f"{kind}_paused")
    return said and Waiting(reason=reason, message=f"{kind} {facts[kind]} is paused {_since(read_pause(said))}")


def _no_worker(facts: dict[str, Any]) -> Waiting | None:
    if facts["knowing"]:
        return None
    if not facts["workers"] and facts["leaving"]:
        message = "the workers that are online drain: they take nothing more"
    elif not facts["workers"]:
        message = "no worker is online"
    elif not facts["serving"]:
        message = f"none of the {facts['workers']} online workers serves queue {facts['queue']}"
    else:
        message = f"no online worker of queue {facts['queue']} knows task {facts['task']}"
    return Waiting(reason=WaitingReason.NO_WORKER, message=message)


def _rate_limit(facts: dict[str, Any]) -> Waiting | None:
    if not facts.get("rate"):
        return None
    kind, rule = facts["rate"], facts["rate_rule"]
    until = instant(facts["now"] + facts["rate_ms"])
    message = (
        f"{kind} {facts[kind]} may start {rule['jobs']:g} jobs in {rule['per_ms'] / 1000:g} s;"
        f" the next one at {_clock(until)}"
    )
    return Waiting(reason=WaitingReason.RATE_LIMIT, message=message, jobs_ahead=facts.get("ahead"), until=until)


def _concurrency_limit(facts: dict[str, Any]) -> Waiting | None:
    if not facts.get("limit"):
        return None
    kind, count, ids = facts["limit"], facts["limit_of"], tuple(facts["holders"])
    whose = f"{kind} {facts[kind]}" if kind != "key" else f"task {facts['task']} for {facts['key']!r}"
    message = f"{whose} runs {count} {'job' if count == 1 else 'jobs'} at once: {_names(ids, count)}"
    return Waiting(reason=WaitingReason.CONCURRENCY_LIMIT, message=message, jobs_ahead=facts.get("ahead"), job_ids=ids)


def _jobs_ahead(facts: dict[str, Any]) -> Waiting | None:
    ahead = facts.get("ahead")
    if not ahead:
        return None
    count = "1 job is" if ahead == 1 else f"{ahead} jobs are"
    message = f"{count} ahead of it in queue {facts['queue']}"
    return Waiting(reason=WaitingReason.JOBS_AHEAD, message=message, jobs_ahead=ahead)


def _starting(facts: dict[str, Any]) -> Waiting:
    message = "it is next; a worker takes it as soon as one is free"
    return Waiting(reason=WaitingReason.STARTING, message=message, jobs_ahead=facts.get("ahead"))


_RULES: tuple[Callable[[dict[str, Any]], Waiting | None], ...] = (
    _run_at,
    _backoff,
    _dependency,
    _queue_paused,
    _task_paused,
    _no_worker,
    _rate_limit,
    _concurrency_limit,
    _jobs_ahead,
    _starting,
)


def _since(pause: Pause) -> str:
    by = f" by {pause.by}" if pause.by else ""
    return f"since {_clock(pause.at)}{by}" + (f": {pause.reason}" if pause.reason else "")


def _clock(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _names(ids: tuple[str, ...], count: int) -> str:
    return ", ".join(ids) + (f" and {count - len(ids)} more" if count > len(ids) else "")
