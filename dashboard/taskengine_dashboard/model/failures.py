"""Failures that are one problem: the same task, exception and place."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self

from taskengine_dashboard.model.json_values import Json, moment

Span = Literal["HOUR", "DAY", "WEEK"]
"""How far back the course of a problem goes, as the API names it."""

GROUP_ROW = """
fragment GroupRow on FailureGroup {
  id
  task { name }
  exception
  summary
  message
  location
  count
  failedCount
  firstAt
  lastAt
  sample { id }
  course(window: $span) { at count }
}
"""
"""A group in a list: what ``GroupRow`` reads. The operation has a ``$span: FailureWindow!``."""


@dataclass(frozen=True, slots=True)
class CoursePoint:
    """How often a problem happened in one part of a span, from ``at`` on."""

    at: datetime
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    """One problem as lists show it."""

    id: str
    task: str
    exception: str
    summary: str
    """The message without what differs from one failure to the next."""
    message: str
    location: str | None
    count: int
    """Attempts that failed so since ``first_at``."""
    failed: int
    """Jobs that are FAILED for it now."""
    first_at: datetime
    last_at: datetime
    sample: str | None
    """Id of the job that failed last, as long as its record is kept."""
    course: tuple[CoursePoint, ...]
    """How often it happened, oldest first. The last part is not over."""

    @classmethod
    def read(cls, group: Json) -> Self:
        return cls(
            id=group["id"],
            task=group["task"]["name"],
            exception=group["exception"],
            summary=group["summary"],
            message=group["message"],
            location=group["location"],
            count=group["count"],
            failed=group["failedCount"],
            first_at=moment(group["firstAt"]),
            last_at=moment(group["lastAt"]),
            sample=group["sample"]["id"] if group["sample"] else None,
            course=tuple(CoursePoint(moment(point["at"]), point["count"]) for point in group["course"]),
        )

    @property
    def headline(self) -> str:
        """``ValueError: row # …`` in one line, the exception without its module."""
        name = self.exception.rpartition(".")[2]
        first_line = self.summary.strip().split("\n", 1)[0]
        return f"{name}: {first_line}" if first_line else name
