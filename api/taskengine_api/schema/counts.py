"""How many jobs are in each state."""

import strawberry

from taskengine import jobs as domain
from taskengine_api.context import Info


@strawberry.type(description="Number of jobs in each state.")
class StateCounts:
    """Number of jobs in each state."""

    scheduled: int = strawberry.field(description="Jobs that wait for a time.")
    queued: int = strawberry.field(description="Jobs that are ready for a worker.")
    running: int = strawberry.field(description="Jobs that a worker runs.")
    retrying: int = strawberry.field(description="Jobs that wait to be tried again.")
    completed: int = strawberry.field(description="Jobs that are done and still kept.")
    failed: int = strawberry.field(description="Jobs that failed for good and are still kept.")
    cancelled: int = strawberry.field(description="Jobs that were cancelled and are still kept.")

    @classmethod
    def from_domain(cls, counts: domain.StateCounts) -> "StateCounts":
        """Show the engine's counts."""
        return cls(
            scheduled=counts.scheduled,
            queued=counts.queued,
            running=counts.running,
            retrying=counts.retrying,
            completed=counts.completed,
            failed=counts.failed,
            cancelled=counts.cancelled,
        )


@strawberry.type
class CountQueries:
    """What can be asked of all jobs together."""

    @strawberry.field(description="Jobs in each state, everywhere: exact, and never counted by a scan.")
    async def counts(self, info: Info) -> StateCounts:
        return StateCounts.from_domain(await info.context.client.count_jobs())
