"""Why a job is not running: the one thing that it waits for."""

from datetime import datetime

import strawberry

from taskengine import waiting as domain
from taskengine_api.schema.enums import WaitingReason


@strawberry.type(description="The one thing a waiting job waits for, in words and in facts.")
class Waiting:
    """The one thing a waiting job waits for."""

    reason: WaitingReason = strawberry.field(description="What it is.")
    message: str = strawberry.field(
        description="One sentence for a person, e.g. `queue mail is paused since 2030-01-31 10:02:00 UTC by ops@`."
    )
    jobs_ahead: int | None = strawberry.field(
        description="Jobs that will be claimed before this one, as of now; null while it is not in line."
    )
    until: datetime | None = strawberry.field(
        description="Known end of the wait: its time, the end of its backoff, the next start that a rate allows."
    )
    estimated_start_at: datetime | None = strawberry.field(
        description="When it starts if its queue goes on as in the last minute, or hour when that had little;"
        " null when the queue is not moving, or the job is not in line."
    )

    @classmethod
    def from_domain(cls, waiting: domain.Waiting) -> "Waiting":
        """Show what the engine found."""
        return cls(
            reason=waiting.reason,
            message=waiting.message,
            jobs_ahead=waiting.jobs_ahead,
            until=waiting.until,
            estimated_start_at=waiting.estimated_start_at,
        )
