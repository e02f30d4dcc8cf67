"""A job's life as steps, oldest first: what happened, when, and what is going on now. Pure."""

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Literal

from taskengine_dashboard import wording
from taskengine_dashboard.model.jobs import Failure
from taskengine_dashboard.views.job.questions import Attempt, JobDetail

Mood = Literal["running", "complete", "error"]

_OUTCOMES = {
    "RUNNING": "runs",
    "COMPLETED": "completed",
    "FAILED": "failed",
    "TIMED_OUT": "ran out of time",
    "CANCELLED": "was stopped",
    "WORKER_LOST": "lost its worker",
    "RELEASED": "was given back by its worker",
}
_MOODS: dict[str, Mood] = {"RUNNING": "running", "FAILED": "error", "TIMED_OUT": "error", "WORKER_LOST": "error"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step. ``title`` and ``detail`` are Markdown; ``failure`` is what made it end."""

    title: str
    detail: str
    mood: Mood = "complete"
    failure: Failure | None = None


def steps(job: JobDetail, now: datetime, zone: tzinfo) -> list[Step]:
    """Return the steps of a job as of ``now``."""
    by = f" · by schedule {wording.plain(job.schedule.name)}" if job.schedule else ""
    enqueued = Step(title="Enqueued", detail=f"{wording.stamp(job.created_at, zone)}{by}")
    attempts: list[Step] = []
    before, event = job.created_at, "it was enqueued"
    if job.attempts and job.attempts[0].number > 1:
        attempts.append(Step(title=f"Runs before run {job.attempts[0].number}", detail="are kept no more"))
        before = None
    for attempt in job.attempts:
        attempts.append(_attempt(attempt, before, event, now, zone))
        before, event = attempt.finished_at, f"run {attempt.number}"
    last = _now_or_end(job, now, zone)
    return [enqueued, *attempts, *([last] if last else [])]


def _attempt(attempt: Attempt, before: datetime | None, event: str, now: datetime, zone: tzinfo) -> Step:
    ran = ((attempt.finished_at or now) - attempt.started_at).total_seconds()
    verb = _OUTCOMES.get(attempt.outcome, attempt.outcome.lower())
    how_long = "for" if attempt.outcome == "RUNNING" else "after"
    waited = (attempt.started_at - before).total_seconds() if before else None
    gap = "" if waited is None else f" · {wording.seconds(waited)} after {event}"
    return Step(
        title=f"Run {attempt.number} {verb} {how_long} {wording.seconds(ran)}",
        detail=f"{wording.stamp(attempt.started_at, zone)} on {wording.plain(attempt.worker)}{gap}",
        mood=_MOODS.get(attempt.outcome, "complete"),
        failure=attempt.failure,
    )


def _now_or_end(job: JobDetail, now: datetime, zone: tzinfo) -> Step | None:
    """Return what a job waits for or how it ended; a running one says so in its attempt."""
    match job.state:
        case "SCHEDULED" if job.run_at is None or _waits_for_jobs(job):
            return Step(title="Waits for other jobs", detail=f"{len(job.depends_on)} to complete", mood="running")
        case "SCHEDULED" | "RETRYING":
            verb = "Starts" if job.state == "SCHEDULED" else "Tries again"
            when = wording.ahead(job.run_at, now) if job.run_at else "soon"
            return Step(title=f"{verb} {when}", detail=wording.stamp(job.run_at, zone), mood="running")
        case "QUEUED":
            return Step(
                title="Waits for a worker",
                detail=f"in queue {wording.plain(job.queue)}, priority {job.priority}",
                mood="running",
            )
        case "COMPLETED":
            return Step(title="Completed", detail=wording.stamp(job.finished_at, zone))
        case "FAILED":
            return Step(title="Failed for good", detail=wording.stamp(job.finished_at, zone), mood="error")
        case "CANCELLED":
            reason = f" · {wording.plain(job.cancel_reason)}" if job.cancel_reason else ""
            return Step(title="Cancelled", detail=f"{wording.stamp(job.finished_at, zone)}{reason}", mood="error")
        case _:
            return None


def _waits_for_jobs(job: JobDetail) -> bool:
    return any(other.state != "COMPLETED" for other in job.depends_on)
