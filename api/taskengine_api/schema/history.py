"""Clearing the history: removing many finished jobs, and how far that is."""

from datetime import datetime, timedelta
from typing import Annotated

import strawberry

from taskengine.jobs import FINAL_STATES
from taskengine_api import operations
from taskengine_api.context import Info
from taskengine_api.schema.enums import BulkKind, BulkState, JobState, Role
from taskengine_api.schema.errors import UserError, mutation
from taskengine_api.schema.nodes import Node


@strawberry.type(description="A change to many jobs, done in the background: paced, counted, reported.")
class BulkOperation(Node):
    """A change to many jobs. The process that took it carries it out; it does not outlive that."""

    kind: BulkKind = strawberry.field(description="What is done to each job.")
    state: BulkState = strawberry.field(description="How far it is.")
    matched: int = strawberry.field(description="Jobs that it is to change, as of its start.")
    changed: int = strawberry.field(description="Jobs changed so far.")
    skipped: int = strawberry.field(description="Jobs that were gone or no longer matched when their turn came.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    finished_at: datetime | None = strawberry.field(description="When it ended; null while it runs.")
    requested_by: str | None = strawberry.field(description="Who asked for it; null when nobody had to say.")

    @classmethod
    def from_domain(cls, operation: operations.BulkOperation) -> "BulkOperation":
        """Show an operation as it stands."""
        return cls(
            id=strawberry.ID(operation.id),
            kind=operation.kind,
            state=operation.state,
            matched=operation.matched,
            changed=operation.changed,
            skipped=operation.skipped,
            created_at=operation.created_at,
            finished_at=operation.finished_at,
            requested_by=None,
        )


def _all_final() -> list[JobState]:
    return [state for state in JobState if state in FINAL_STATES]


@strawberry.input(description="Which finished jobs to remove.")
class ClearHistoryInput:
    """Which finished jobs to remove."""

    states: list[JobState] = strawberry.field(
        default_factory=_all_final, description="Those in one of these final states."
    )
    finished_before: datetime | None = strawberry.field(
        default=None, description="Those finished before this; by default all that are finished now."
    )


@strawberry.type(description="What became of clearing the history.")
class ClearHistoryPayload:
    """What became of clearing the history."""

    operation: BulkOperation | None = strawberry.field(
        default=None, description="Done when this returns if the jobs are few, else still RUNNING: ask `node` for it."
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list[UserError], description="Why nothing was removed; empty when it was."
    )


@strawberry.type
class HistoryMutations:
    """What can be done to the history."""

    @mutation("Removes finished jobs with all that is kept of them, the longest finished first.", needs=Role.ADMIN)
    async def clear_history(
        self,
        info: Info,
        input: Annotated[
            ClearHistoryInput, strawberry.argument(description="Which jobs; all finished ones by default.")
        ],
    ) -> ClearHistoryPayload:
        client = info.context.client
        by = info.context.viewer.name
        before = input.finished_before or _just_after((await client.ping()).now)
        matched = await client.count_history(input.states, finished_before=before)

        async def step(limit: int) -> int:
            return await client.clear_history(input.states, finished_before=before, limit=limit, by=by)

        operation = await info.context.operations.run(BulkKind.DELETE, matched, step)
        return ClearHistoryPayload(operation=BulkOperation.from_domain(operation))


def _just_after(now: datetime) -> datetime:
    """Include what finished within this millisecond, which is as fine as the history goes."""
    return now + timedelta(milliseconds=1)
