"""Pages: where one ends and how to go on, for lists that Redis pages and for short ones in memory."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

import strawberry

from taskengine.errors import InvalidInput
from taskengine.jobs import check_positive_int

T = TypeVar("T")

MAX_PAGE = 100
DEFAULT_PAGE = 50

First = Annotated[int | None, strawberry.argument(description="How many from the start, at most 100; 50 by default.")]
After = Annotated[str | None, strawberry.argument(description="Only what comes after this cursor.")]
Last = Annotated[int | None, strawberry.argument(description="How many from the end, at most 100.")]
Before = Annotated[str | None, strawberry.argument(description="Only what comes before this cursor.")]


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    """Where a page lies in its list."""

    has_next_page: bool = strawberry.field(description="Whether more comes after this page.")
    has_previous_page: bool = strawberry.field(description="Whether there is something before this page.")
    start_cursor: str | None = strawberry.field(
        description="Cursor of the first one here, or where the look ended; null on an empty page."
    )
    end_cursor: str | None = strawberry.field(
        description="Cursor of the last one here, or where the look ended; null on an empty page."
    )

    @classmethod
    def around(cls, cursors: Sequence[str], *, more_after: bool, more_before: bool) -> "PageInfo":
        """Describe the page that has these cursors."""
        return cls(
            has_next_page=more_after,
            has_previous_page=more_before,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        )


def page_of(
    rows: Sequence[T],
    cursors: Sequence[str],
    *,
    first: int | None,
    after: str | None,
    last: int | None,
    before: str | None,
) -> tuple[list[tuple[str, T]], PageInfo]:
    """Cut a page out of a list that is read whole anyway; raise ``InvalidInput`` as the client's pages do."""
    if (last is not None or before is not None) and (first is not None or after is not None):
        raise InvalidInput(("last",), "give either first and after, or last and before")
    start = 0 if after is None else _place(cursors, after, "after") + 1
    end = len(rows) if before is None else _place(cursors, before, "before")
    if last is not None or before is not None:
        size = check_positive_int(DEFAULT_PAGE if last is None else last, ("last",), at_most=MAX_PAGE)
        start = max(start, end - size)
    else:
        size = check_positive_int(DEFAULT_PAGE if first is None else first, ("first",), at_most=MAX_PAGE)
        end = min(end, start + size)
    part = list(zip(cursors[start:end], rows[start:end], strict=True))
    more_after, more_before = end < len(rows), start > 0
    return part, PageInfo.around([cursor for cursor, _ in part], more_after=more_after, more_before=more_before)


def _place(cursors: Sequence[str], cursor: str, name: str) -> int:
    if cursor not in cursors:
        raise InvalidInput((name,), f"expected a cursor that a page returned, got {cursor[:40]!r}")
    return cursors.index(cursor)
