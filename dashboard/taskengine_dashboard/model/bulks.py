"""Changes to many jobs: what is done, and how far that is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from taskengine_dashboard import wording
from taskengine_dashboard.model.json_values import Json, maybe_moment, moment

BULK_ROW = """
fragment BulkRow on BulkOperation {
  id
  kind
  state
  matched
  changed
  skipped
  createdAt
  finishedAt
  requestedBy
}
"""
"""A change to many jobs: what ``BulkRow`` reads."""

_DOING = {"RETRY": "Retrying", "CANCEL": "Cancelling", "DELETE": "Deleting"}
_DONE = {"RETRY": "Retried", "CANCEL": "Cancelled", "DELETE": "Deleted"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkRow:
    """One change to many jobs. ``changed`` and ``skipped`` grow until it has ended."""

    id: str
    kind: str
    state: str
    matched: int
    """Jobs found when it was asked for; more may turn out to match where no index counted them."""
    changed: int
    skipped: int
    """Those that had moved on when their turn came."""
    created_at: datetime
    finished_at: datetime | None
    requested_by: str | None

    @classmethod
    def read(cls, bulk: Json) -> Self:
        return cls(
            id=bulk["id"],
            kind=bulk["kind"],
            state=bulk["state"],
            matched=bulk["matched"],
            changed=bulk["changed"],
            skipped=bulk["skipped"],
            created_at=moment(bulk["createdAt"]),
            finished_at=maybe_moment(bulk["finishedAt"]),
            requested_by=bulk["requestedBy"],
        )

    @property
    def is_running(self) -> bool:
        return self.state == "RUNNING"

    @property
    def fraction(self) -> float:
        """How much of it is done, 0 to 1."""
        return min((self.changed + self.skipped) / self.matched, 1.0) if self.matched else 1.0

    @property
    def told(self) -> str:
        """What it does or has done, in a sentence without its full stop."""
        if self.is_running:
            verb = _DOING.get(self.kind, self.kind.capitalize())
            return f"{verb} {wording.plural(self.matched, 'job')}: {wording.count(self.changed + self.skipped)} so far"
        stopped = f"Stopped at {self.fraction:.0%}. " if self.state == "STOPPED" else ""
        skipped = f"; {wording.count(self.skipped)} had moved on and were left alone" if self.skipped else ""
        verb = _DONE.get(self.kind, self.kind.capitalize())
        return f"{stopped}{verb} {wording.plural(self.changed, 'job')}{skipped}"
