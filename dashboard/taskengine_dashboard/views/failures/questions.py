"""What the page of failures asks, in one question: a page of problems, and how far changes to many jobs are."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from taskengine_dashboard.client import Operation
from taskengine_dashboard.feed import Reading
from taskengine_dashboard.fragments import FRAME
from taskengine_dashboard.model.bulks import BULK_ROW, BulkRow
from taskengine_dashboard.model.failures import GROUP_ROW, GroupRow, Span
from taskengine_dashboard.model.frame import Frame
from taskengine_dashboard.model.json_values import Json
from taskengine_dashboard.source import source

PAGE_SIZE = 15

FAILURES = Operation(
    "Failures",
    f"""
query Failures($first: Int, $after: String, $last: Int, $before: String, $span: FailureWindow!) {{
  failureGroups(first: $first, after: $after, last: $last, before: $before) {{
    totalCount
    nodes {{ ...GroupRow }}
    pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
  }}
  bulkOperations {{ ...BulkRow }}
  ...Frame
}}
{GROUP_ROW}{BULK_ROW}{FRAME}""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A page of the list: problems that failed last before the cursor ``after``, or later than ``before``."""

    after: str | None = None
    before: str | None = None

    @property
    def is_first(self) -> bool:
        """Whether this is the live top of the list."""
        return not (self.after or self.before)

    def variables(self) -> Mapping[str, Any]:
        """Return a connection's arguments."""
        if self.before:
            return {"last": PAGE_SIZE, "before": self.before}
        return {"first": PAGE_SIZE, **({"after": self.after} if self.after else {})}

    def params(self) -> dict[str, str]:
        """Return what stands in the address for it."""
        return {name: value for name, value in (("after", self.after), ("before", self.before)) if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failures:
    """The answer to ``FAILURES``: those that failed last first."""

    frame: Frame
    groups: tuple[GroupRow, ...]
    bulks: tuple[BulkRow, ...]
    total: int | None
    older: Place | None
    """The next page; ``None`` on the last one."""
    newer: Place | None

    @classmethod
    def read(cls, data: Json) -> Self:
        found, info = data["failureGroups"], data["failureGroups"]["pageInfo"]
        return cls(
            frame=Frame.read(data),
            groups=tuple(map(GroupRow.read, found["nodes"])),
            bulks=tuple(map(BulkRow.read, data["bulkOperations"])),
            total=found["totalCount"],
            older=Place(after=info["endCursor"]) if info["hasNextPage"] and info["endCursor"] else None,
            newer=Place(before=info["startCursor"]) if info["hasPreviousPage"] and info["startCursor"] else None,
        )


def failures(place: Place, span: Span) -> Reading[Failures]:
    """Ask for all that the page shows."""
    return source().read(FAILURES, {**place.variables(), "span": span}, Failures.read)
