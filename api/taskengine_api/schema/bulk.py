"""Changes to many jobs at once: by a filter, or what is finished; how far each is, and stopping one."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

import strawberry

from taskengine import bulk
from taskengine.jobs import FINAL_STATES
from taskengine_api.context import Info
from taskengine_api.roles import Role
from taskengine_api.schema.enums import BulkKind, BulkState, JobState
from taskengine_api.schema.errors import UserError, mutation
from taskengine_api.schema.filters import JobFilter
from taskengine_api.schema.nodes import Node


@strawberry.type(description="A change to many jobs, done in the background: paced, resumable, reported.")
class BulkOperation(Node):
    """A change to many jobs. Workers carry it out, and go on with it when one of them dies."""

    kind: BulkKind = strawberry.field(description="What is done to each job.")
    state: BulkState = strawberry.field(description="How far it is.")
    matched: int = strawberry.field(
        description="Jobs found when it was asked for: all, or those among the first 10,000 where no index counts them."
    )
    changed: int = strawberry.field(description="Jobs changed so far.")
    skipped: int = strawberry.field(description="Jobs that could not be changed when their turn came.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    finished_at: datetime | None = strawberry.field(description="When it ended; null while it runs.")
    requested_by: str | None = strawberry.field(description="Who asked for it; null when nobody had to say.")

    @classmethod
    def from_domain(cls, operation: bulk.BulkOperation) -> "BulkOperation":
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
            requested_by=operation.requested_by,
        )


@strawberry.input(description="Which jobs to change. Those that come later are not touched.")
class BulkJobsInput:
    """Which jobs to change."""

    filter: JobFilter = strawberry.field(description="Which jobs; of these, those whose state allows it.")
    dry_run: bool = strawberry.field(default=False, description="Only count them.")


@strawberry.type(description="What became of a change to many jobs.")
class BulkJobsPayload:
    """What became of a change to many jobs."""

    matched: int = strawberry.field(
        default=0,
        description="Jobs that it is for: all, or those among the first 10,000 where no index counts them.",
    )
    operation: BulkOperation | None = strawberry.field(
        default=None,
        description="The change; null when it is a dry run. Up to a thousand jobs are done when this returns; "
        "with more it is still RUNNING: ask `node` for it.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list[UserError], description="Why nothing was changed; empty when it was."
    )

    @classmethod
    def of(cls, answer: tuple[int, bulk.BulkOperation | None]) -> "BulkJobsPayload":
        """Show what the client answered."""
        matched, operation = answer
        return cls(matched=matched, operation=BulkOperation.from_domain(operation) if operation else None)


BulkJobs = Annotated[BulkJobsInput, strawberry.argument(description="Which jobs.")]


@strawberry.input(description="Which change to many jobs to stop.")
class StopBulkOperationInput:
    """Which change to many jobs to stop."""

    id: strawberry.ID = strawberry.field(description="Its id.")


@strawberry.type(description="What became of stopping a change to many jobs.")
class StopBulkOperationPayload:
    """What became of stopping a change to many jobs."""

    operation: BulkOperation | None = strawberry.field(
        default=None, description="The change as it is now; what it has done stays done."
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list[UserError], description="Why it was not stopped; empty when it was, or had ended."
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
class BulkQueries:
    """What can be asked of changes to many jobs."""

    @strawberry.field(description="The newest hundred changes to many jobs, the newest first.")
    async def bulk_operations(self, info: Info) -> list[BulkOperation]:
        return _shown(await info.context.client.list_bulk_operations())


@strawberry.type
class BulkMutations:
    """What can be done to many jobs at once."""

    @mutation("Cancels every job that the filter finds and that waits.", needs=Role.OPERATOR)
    async def cancel_jobs(self, info: Info, input: BulkJobs) -> BulkJobsPayload:
        client, by = info.context.client, info.context.viewer.name
        return BulkJobsPayload.of(await client.cancel_jobs(input.filter.to_domain(), dry_run=input.dry_run, by=by))

    @mutation("Retries every job that the filter finds and that is FAILED, CANCELLED or RETRYING.", needs=Role.OPERATOR)
    async def retry_jobs(self, info: Info, input: BulkJobs) -> BulkJobsPayload:
        client, by = info.context.client, info.context.viewer.name
        return BulkJobsPayload.of(await client.retry_jobs(input.filter.to_domain(), dry_run=input.dry_run, by=by))

    @mutation("Removes the record of every job that the filter finds and that is not RUNNING.", needs=Role.ADMIN)
    async def delete_jobs(self, info: Info, input: BulkJobs) -> BulkJobsPayload:
        client, by = info.context.client, info.context.viewer.name
        return BulkJobsPayload.of(await client.delete_jobs(input.filter.to_domain(), dry_run=input.dry_run, by=by))

    @mutation("Lets a change to many jobs go no further. Stopping one that has ended is no error.", needs=Role.OPERATOR)
    async def stop_bulk_operation(
        self, info: Info, input: Annotated[StopBulkOperationInput, strawberry.argument(description="Which one.")]
    ) -> StopBulkOperationPayload:
        stopped = await info.context.client.stop_bulk_operation(input.id, by=info.context.viewer.name)
        return StopBulkOperationPayload(operation=BulkOperation.from_domain(stopped))

    @mutation("Removes finished jobs with all that is kept of them, the longest finished first.", needs=Role.ADMIN)
    async def clear_history(
        self,
        info: Info,
        input: Annotated[
            ClearHistoryInput, strawberry.argument(description="Which jobs; all finished ones by default.")
        ],
    ) -> ClearHistoryPayload:
        operation = await info.context.client.clear_history(
            input.states, finished_before=input.finished_before, by=info.context.viewer.name
        )
        return ClearHistoryPayload(operation=BulkOperation.from_domain(operation))


def _shown(operations: Sequence[bulk.BulkOperation]) -> list[BulkOperation]:
    return [BulkOperation.from_domain(operation) for operation in operations]
