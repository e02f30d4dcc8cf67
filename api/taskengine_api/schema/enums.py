"""The engine's own enums as the schema shows them: the same values, each with a description."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition
from taskengine.jobs import AttemptOutcome, JobState

from taskengine_api.operations import BulkKind, BulkState

E = TypeVar("E", bound=StrEnum)


def _described(enum: type[E], description: str, values: Mapping[E, str]) -> type[E]:
    made = strawberry.enum(enum, description=description)
    definition: StrawberryEnumDefinition = made.__strawberry_definition__  # pyright: ignore[reportAttributeAccessIssue, reportUnknownVariableType]
    for value in definition.values:
        value.description = values[enum[value.name]]
    return made


_described(
    JobState,
    "Where a job is in its life.",
    {
        JobState.SCHEDULED: "Waits for a time (delay, runAt).",
        JobState.QUEUED: "Ready; waits for a worker.",
        JobState.RUNNING: "A worker runs it.",
        JobState.RETRYING: "An attempt failed; waits for the next one (backoff).",
        JobState.COMPLETED: "Done; its result is kept.",
        JobState.FAILED: "All attempts failed, or the error was not retryable.",
        JobState.CANCELLED: "Stopped by someone before it was done.",
    },
)
_described(
    AttemptOutcome,
    "How one run of a job ended, or that it has not.",
    {
        AttemptOutcome.RUNNING: "It runs now.",
        AttemptOutcome.COMPLETED: "The task returned.",
        AttemptOutcome.FAILED: "The task raised an error.",
        AttemptOutcome.TIMED_OUT: "It ran longer than the job's timeout.",
        AttemptOutcome.CANCELLED: "Someone had it stopped.",
        AttemptOutcome.WORKER_LOST: "The worker died or was cut off; the job went back to its queue.",
        AttemptOutcome.RELEASED: "The worker was stopping and gave the job back.",
    },
)
_described(BulkKind, "What is done to each job.", {BulkKind.DELETE: "Its record is removed."})
_described(
    BulkState,
    "How far a bulk operation is.",
    {
        BulkState.RUNNING: "It goes on in the background.",
        BulkState.DONE: "All that matched has had its turn.",
        BulkState.STOPPED: "It ended before all was done; the same again goes on from there.",
    },
)
