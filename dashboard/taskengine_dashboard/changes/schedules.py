"""Changes of schedules: made, changed, switched on and off, run once, deleted."""

from collections.abc import Mapping
from typing import Any

from taskengine_dashboard.client import Operation
from taskengine_dashboard.source import Reply, source

CREATE_SCHEDULE = Operation(
    "CreateSchedule",
    """
mutation CreateSchedule($input: CreateScheduleInput!) {
  createSchedule(input: $input) {
    schedule { id name }
    errors { code message path }
  }
}
""",
)

UPDATE_SCHEDULE = Operation(
    "UpdateSchedule",
    """
mutation UpdateSchedule($input: UpdateScheduleInput!) {
  updateSchedule(input: $input) {
    schedule { id name }
    errors { code message path }
  }
}
""",
)

DELETE_SCHEDULE = Operation(
    "DeleteSchedule",
    """
mutation DeleteSchedule($input: DeleteScheduleInput!) {
  deleteSchedule(input: $input) {
    deletedId
    errors { code message path }
  }
}
""",
)

RUN_SCHEDULE = Operation(
    "RunSchedule",
    """
mutation RunSchedule($input: RunScheduleInput!) {
  runSchedule(input: $input) {
    job { id }
    errors { code message path }
  }
}
""",
)


def create(input: Mapping[str, Any]) -> Reply:
    """Make a schedule of a ``CreateScheduleInput``."""
    return source().send(CREATE_SCHEDULE, {"input": input})


def change(schedule_id: str, changed: Mapping[str, Any]) -> Reply:
    """Change what is given, and leave the rest."""
    return source().send(UPDATE_SCHEDULE, {"input": {"id": schedule_id, **changed}})


def switch(schedule_id: str, *, enabled: bool) -> Reply:
    """Let it enqueue at its times, or not."""
    return change(schedule_id, {"enabled": enabled})


def delete(schedule_id: str) -> Reply:
    """Remove it; its jobs stay."""
    return source().send(DELETE_SCHEDULE, {"input": {"id": schedule_id}})


def run(schedule_id: str) -> Reply:
    """Enqueue its job once, now; its times stay as they are."""
    return source().send(RUN_SCHEDULE, {"input": {"id": schedule_id}})
