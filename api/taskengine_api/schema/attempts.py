"""Attempts: the runs of one job, and what went wrong in them."""

from datetime import datetime

import strawberry
from strawberry import Private

from taskengine import jobs as domain
from taskengine_api.context import Info
from taskengine_api.paging import PageInfo
from taskengine_api.roles import Role, needs
from taskengine_api.schema.enums import AttemptOutcome
from taskengine_api.schema.nodes import Node, Prefix, id_of


@strawberry.type(description="Why an attempt failed.")
class JobError:
    """Why an attempt failed."""

    exception: str = strawberry.field(description="Name of the exception's class.")
    message: str = strawberry.field(description="What the exception says.")
    retryable: bool = strawberry.field(description="Whether the task may be tried again after it.")
    kept_traceback: Private[str | None]
    of_job: Private[domain.Job | None]

    @classmethod
    def from_domain(cls, error: domain.JobError, of_job: domain.Job | None = None) -> "JobError":
        """Show an error. Tracebacks are kept with attempts: a job's own error looks for it there."""
        return cls(
            exception=error.exception,
            message=error.message,
            retryable=error.retryable,
            kept_traceback=error.traceback,
            of_job=of_job,
        )

    @needs(Role.OPERATOR, hidden=True)
    @strawberry.field(description="Where in the task's code it happened.")
    async def traceback(self, info: Info) -> str | None:
        if self.kept_traceback is not None or self.of_job is None:
            return self.kept_traceback
        attempts = await info.context.loaders.attempts.load(self.of_job)
        return next((attempt.error.traceback for attempt in reversed(attempts) if attempt.error), None)


@strawberry.type(description="One run of a job by a worker.")
class Attempt(Node):
    """One run of a job by a worker."""

    number: int = strawberry.field(description="Counts every run of the job, from 1.")
    outcome: AttemptOutcome = strawberry.field(description="How it ended.")
    worker_name: str = strawberry.field(description="Name of the worker that ran it.")
    started_at: datetime = strawberry.field(description="When it started.")
    finished_at: datetime | None = strawberry.field(description="When it ended; null while it runs.")
    error: JobError | None = strawberry.field(description="Why it failed, if it did.")
    next_attempt_at: datetime | None = strawberry.field(
        description="When the next attempt was set to start, if there is one."
    )

    @classmethod
    def from_domain(cls, attempt: domain.Attempt) -> "Attempt":
        """Show one of the engine's attempts."""
        return cls(
            id=id_of(Prefix.ATTEMPT, f"{attempt.number}_{attempt.job_id}"),
            number=attempt.number,
            outcome=attempt.outcome,
            worker_name=attempt.worker,
            started_at=attempt.started_at,
            finished_at=attempt.finished_at,
            error=JobError.from_domain(attempt.error) if attempt.error else None,
            next_attempt_at=attempt.next_attempt_at,
        )


@strawberry.type(description="An attempt and its place in the list.")
class AttemptEdge:
    """An attempt and its place in the list."""

    cursor: str = strawberry.field(description="Its place, for `after` and `before`.")
    node: Attempt = strawberry.field(description="The attempt.")


@strawberry.type(description="A page of attempts, oldest first.")
class AttemptConnection:
    """A page of attempts, oldest first."""

    edges: list[AttemptEdge] = strawberry.field(description="The attempts with their cursors.")
    nodes: list[Attempt] = strawberry.field(description="The attempts.")
    page_info: PageInfo = strawberry.field(description="Where this page lies.")
    total_count: int | None = strawberry.field(description="Attempts that are kept of the job.")
