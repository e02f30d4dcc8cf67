"""What an operator did, as the audit has it. Pure."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from taskengine_dashboard.model.json_values import Json, moment
from taskengine_dashboard.shapes import is_object


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """Who did what to what, and when."""

    id: str
    at: datetime
    who: str
    action: str
    """``cancel_job``, ``pause_queue``."""
    subject: str
    details: Any

    @classmethod
    def read(cls, entry: Json) -> Self:
        return cls(
            id=entry["id"],
            at=moment(entry["at"]),
            who=entry["viewer"],
            action=entry["action"],
            subject=entry["subject"],
            details=entry["details"],
        )

    @property
    def what(self) -> str:
        """The action in words: ``Cancel job``."""
        return self.action.replace("_", " ").capitalize()

    @property
    def job_id(self) -> str | None:
        """The job that it was done to, if it was one."""
        return self.subject if self.subject.startswith("job_") else None

    @property
    def more(self) -> str:
        """The details on one line: ``reason: incident 7, terminate: true``."""
        if not is_object(self.details):
            return "" if self.details is None else json.dumps(self.details, ensure_ascii=False)
        given = {name: value for name, value in self.details.items() if value not in (None, "", [], {})}
        return ", ".join(f"{name}: {_shown(value)}" for name, value in given.items())


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
