"""What the page of schedules asks, in one question, and the answer with the Arrow table that is drawn of it."""

from dataclasses import dataclass
from typing import Self

from taskengine_dashboard.client import Operation
from taskengine_dashboard.feed import Reading
from taskengine_dashboard.fragments import FRAME, JOB_ROW
from taskengine_dashboard.model.frame import Frame, Role
from taskengine_dashboard.model.json_values import Json
from taskengine_dashboard.source import source
from taskengine_dashboard.tables import Table
from taskengine_dashboard.views.schedules import tables
from taskengine_dashboard.views.schedules.schedule import Schedule

SCHEDULES = Operation(
    "Schedules",
    f"""
query Schedules {{
  schedules {{
    id name summary cron everySeconds timezone args enabled declared nextRunAt
    task {{ name }}
    lastJob {{ ...JobRow }}
  }}
  tasks {{ name }}
  ...Frame
}}
{JOB_ROW}{FRAME}""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedules:
    """The answer to ``SCHEDULES``, by name."""

    frame: Frame
    schedules: tuple[Schedule, ...]
    tasks: tuple[str, ...]
    table: Table

    @classmethod
    def read(cls, data: Json) -> Self:
        frame = Frame.read(data)
        schedules = sorted(map(Schedule.read, data["schedules"]), key=lambda schedule: schedule.name)
        return cls(
            frame=frame,
            schedules=tuple(schedules),
            tasks=tuple(sorted(task["name"] for task in data["tasks"])),
            table=tables.schedules(schedules, frame.now, may_change=frame.may(Role.OPERATOR)),
        )


def schedules() -> Reading[Schedules]:
    """Ask for all that the page shows."""
    return source().read(SCHEDULES, None, Schedules.read)
