"""Which jobs and in which order, as clients say it."""

from datetime import datetime
from enum import Enum
from typing import cast

import strawberry

from taskengine import filters as domain
from taskengine.errors import InvalidInput
from taskengine.jobs import check_group_id, check_name
from taskengine_api.scalars import Json
from taskengine_api.schema.enums import JobState
from taskengine_api.schema.nodes import Prefix


@strawberry.input(description="Inclusive bounds; an absent one is none.")
class IntRange:
    """Inclusive bounds."""

    gte: int | None = strawberry.field(default=None, description="At least this.")
    lte: int | None = strawberry.field(default=None, description="At most this.")


@strawberry.input(description="Half-open interval; an absent end is open.")
class DateTimeRange:
    """Half-open interval."""

    gte: datetime | None = strawberry.field(default=None, description="Not before this.")
    lt: datetime | None = strawberry.field(default=None, description="Before this.")


@strawberry.input(description="Which jobs: fields are ANDed, list members ORed; absent or empty does not filter.")
class JobFilter:
    """Which jobs."""

    ids: list[strawberry.ID] | None = strawberry.field(default=None, description="With one of these ids.")
    states: list[JobState] | None = strawberry.field(default=None, description="In one of these states.")
    queues: list[str] | None = strawberry.field(default=None, description="In one of these queues.")
    tasks: list[str] | None = strawberry.field(default=None, description="Of one of these tasks.")
    tags: list[str] | None = strawberry.field(default=None, description="With one of these tags.")
    schedule_id: strawberry.ID | None = strawberry.field(
        default=None, description="Enqueued by this schedule: `schedule_` and its name."
    )
    failure_group_id: strawberry.ID | None = strawberry.field(
        default=None, description="FAILED, and of this group of failures."
    )
    priority: IntRange | None = strawberry.field(default=None, description="With a priority within these bounds.")
    created_at: DateTimeRange | None = strawberry.field(default=None, description="Enqueued in this time.")
    finished_at: DateTimeRange | None = strawberry.field(
        default=None, description="In a final state, and finished in this time."
    )
    text: str | None = strawberry.field(
        default=None,
        description="Case-insensitive, in arguments, error and tags; looks at a bounded number of jobs a page.",
    )
    args_contain: Json | None = strawberry.field(
        default=None,
        description="Arguments that contain this JSON: objects by subset, each element of a list anywhere in the "
        "list, scalars by equality. Looks at a bounded number of jobs a page.",
    )

    def to_domain(self) -> domain.JobFilter:
        """Return the engine's filter; raise ``InvalidInput`` for an id that is not of its kind."""
        created, finished = self.created_at or DateTimeRange(), self.finished_at or DateTimeRange()
        return domain.JobFilter(
            ids=tuple(self.ids or ()),
            states=tuple(self.states or ()),
            queues=tuple(self.queues or ()),
            tasks=tuple(self.tasks or ()),
            tags=tuple(self.tags or ()),
            schedule=None if self.schedule_id is None else _schedule_of(self.schedule_id),
            failure_group=None if self.failure_group_id is None else check_group_id(self.failure_group_id, _GROUP),
            priority=None if self.priority is None else (self.priority.gte, self.priority.lte),
            created_from=created.gte,
            created_before=created.lt,
            finished_from=finished.gte,
            finished_before=finished.lt,
            text=self.text or None,
            args_contain=cast("dict[str, object] | None", self.args_contain),
        )


@strawberry.enum(description="What jobs can be ordered by. Without `states`, the filter is for those an order is for.")
class JobOrderField(Enum):
    """What jobs can be ordered by."""

    CREATED_AT = strawberry.enum_value("CREATED_AT", description="When they were enqueued: jobs in any state.")
    RUN_AT = strawberry.enum_value(
        "RUN_AT", description="When they are due: SCHEDULED and RETRYING, but not those that wait for other jobs."
    )
    FINISHED_AT = strawberry.enum_value("FINISHED_AT", description="When they ended: COMPLETED, FAILED and CANCELLED.")
    PRIORITY = strawberry.enum_value(
        "PRIORITY", description="Which runs first: QUEUED. Within a priority, the greater is who came earlier."
    )


@strawberry.enum(description="Which end of an order comes first.")
class OrderDirection(Enum):
    """Which end of an order comes first."""

    ASC = strawberry.enum_value("ASC", description="The least first: the oldest.")
    DESC = strawberry.enum_value("DESC", description="The greatest first: the newest.")


@strawberry.input(description="An order of jobs; no two have the same place: ties are broken by id.")
class JobOrder:
    """An order of jobs."""

    field: JobOrderField = strawberry.field(description="What to order by.")
    direction: OrderDirection = strawberry.field(description="Which end comes first.")

    def to_domain(self) -> domain.JobOrder:
        """Return the engine's order."""
        field = domain.JobOrderField(self.field.value)
        return domain.JobOrder(field, descending=self.direction is OrderDirection.DESC)


_GROUP = ("filter", "failureGroupId")

NEWEST_FIRST = JobOrder(field=JobOrderField.CREATED_AT, direction=OrderDirection.DESC)


def _schedule_of(schedule_id: str) -> str:
    """Return a schedule's name from its id."""
    prefix, _, name = schedule_id.partition("_")
    path = ("filter", "scheduleId")
    if prefix != Prefix.SCHEDULE:
        raise InvalidInput(path, f"expected {Prefix.SCHEDULE}_ and the name of a schedule, got {schedule_id[:40]!r}")
    return check_name(name, path)
