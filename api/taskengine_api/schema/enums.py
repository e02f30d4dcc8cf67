"""The engine's own enums as the schema shows them: the same values, each with a description.

Import them from here: a type that is declared with one takes it as it is at that moment.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from taskengine.bulk import BulkKind, BulkState
from taskengine.failures import FailureWindow
from taskengine.jobs import AttemptOutcome, JobState, LogLevel
from taskengine.metrics import MetricsWindow
from taskengine.roles import Role
from taskengine.waiting import WaitingReason

__all__ = [
    "AttemptOutcome",
    "BulkKind",
    "BulkState",
    "FailureWindow",
    "JobState",
    "LogLevel",
    "MetricsWindow",
    "Role",
    "WaitingReason",
]

_ENUMS: Mapping[type[StrEnum], tuple[str, Mapping[Any, str]]] = {
    JobState: (
        "Where a job is in its life.",
        {
            JobState.SCHEDULED: "Waits for a time (delay, runAt) or for the jobs it depends on.",
            JobState.QUEUED: "Ready; waits for a worker.",
            JobState.RUNNING: "A worker runs it.",
            JobState.RETRYING: "An attempt failed; waits for the next one (backoff).",
            JobState.COMPLETED: "Done; its result is kept.",
            JobState.FAILED: "All attempts failed, or the error was not retryable.",
            JobState.CANCELLED: "Stopped by someone before it was done.",
        },
    ),
    AttemptOutcome: (
        "How one run of a job ended, or that it has not.",
        {
            AttemptOutcome.RUNNING: "It runs now.",
            AttemptOutcome.COMPLETED: "The task returned.",
            AttemptOutcome.FAILED: "The task raised an error.",
            AttemptOutcome.TIMED_OUT: "It ran longer than the job's timeout.",
            AttemptOutcome.CANCELLED: "Someone had it stopped.",
            AttemptOutcome.WORKER_LOST: "The worker died or was cut off; the job went back to its queue.",
            AttemptOutcome.RELEASED: "The worker was stopping and gave the job back, or the task put it off.",
        },
    ),
    LogLevel: (
        "How much a line of a job's log matters, from least to most.",
        {
            LogLevel.DEBUG: "For whoever looks for a mistake.",
            LogLevel.INFO: "What happens.",
            LogLevel.WARNING: "Something is not as it should be.",
            LogLevel.ERROR: "Something failed.",
        },
    ),
    MetricsWindow: (
        "How far back to look.",
        {
            MetricsWindow.MINUTE: "The last 60 seconds.",
            MetricsWindow.HOUR: "The last 60 minutes.",
            MetricsWindow.DAY: "The last 24 hours.",
            MetricsWindow.WEEK: "The last 7 days.",
        },
    ),
    FailureWindow: (
        "How far back to look at the course of a problem.",
        {
            FailureWindow.HOUR: "The last 60 minutes, by minutes.",
            FailureWindow.DAY: "The last 24 hours, by hours.",
            FailureWindow.WEEK: "The last 7 days, by quarters of a day.",
        },
    ),
    WaitingReason: (
        "What a waiting job waits for.",
        {
            WaitingReason.RUN_AT: "The time that it is scheduled for.",
            WaitingReason.BACKOFF: "The end of the pause after an attempt that failed.",
            WaitingReason.DEPENDENCY: "Other jobs, to complete.",
            WaitingReason.QUEUE_PAUSED: "Someone, to resume its queue.",
            WaitingReason.TASK_PAUSED: "Someone, to resume its task.",
            WaitingReason.CONCURRENCY_LIMIT: "Another job, to end: as many run as may run at once.",
            WaitingReason.RATE_LIMIT: "The next start that a rate limit allows.",
            WaitingReason.NO_WORKER: "A worker of its queue that knows its task.",
            WaitingReason.JOBS_AHEAD: "Jobs that are before it in line.",
            WaitingReason.STARTING: "Nothing but a free worker: it is next.",
        },
    ),
    BulkKind: (
        "What is done to each job.",
        {
            BulkKind.RETRY: "It runs again now.",
            BulkKind.CANCEL: "It is cancelled.",
            BulkKind.DELETE: "Its record is removed.",
        },
    ),
    BulkState: (
        "How far a bulk operation is.",
        {
            BulkState.RUNNING: "It goes on in the background.",
            BulkState.DONE: "All that matched has had its turn.",
            BulkState.STOPPED: "Someone stopped it; what it had done stays done.",
        },
    ),
    Role: (
        "What a viewer may do; each role may also do what those before it may.",
        {
            Role.VIEWER: "See everything but tracebacks.",
            Role.OPERATOR: "Also enqueue and steer, and read tracebacks.",
            Role.ADMIN: "Also remove many jobs at once, set limits, and make keys.",
        },
    ),
}


for _enum, (_description, _values) in _ENUMS.items():
    _made: Any = strawberry.enum(_enum, description=_description)
    _definition: StrawberryEnumDefinition = _made.__strawberry_definition__
    for _value in _definition.values:
        _value.description = _values[_enum[_value.name]]
