"""A schedule as it stands in the form: what is sent of it, and which fields are wrong. Pure."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, Self

from taskengine_dashboard import wording
from taskengine_dashboard.shapes import is_object
from taskengine_dashboard.source import Refusal
from taskengine_dashboard.views.schedules.schedule import Schedule

CRON, EVERY = "Cron rule", "Interval"
FIELDS = ("name", "task", "args", "cron", "everySeconds", "timezone")
"""Of the form, as the API's input names them."""
Wrong = Mapping[str, str]
"""What is wrong, by field; by ``""`` what belongs to none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is in the fields. ``rule`` says which of ``cron`` and ``every_seconds`` counts."""

    name: str = ""
    task: str | None = None
    args: str = "{}"
    """As JSON."""
    rule: str = CRON
    cron: str = ""
    every_seconds: float | None = None
    timezone: str = "UTC"

    @classmethod
    def of(cls, schedule: Schedule) -> Self:
        """Return the form of a schedule that is there."""
        return cls(
            name=schedule.name,
            task=schedule.task,
            args=wording.pretty(schedule.args),
            rule=EVERY if schedule.every_seconds is not None else CRON,
            cron=schedule.cron or "",
            every_seconds=schedule.every_seconds,
            timezone=schedule.timezone,
        )

    def wrong(self) -> Wrong:
        """Return what cannot be sent; the API judges the rest."""
        found: dict[str, str] = {}
        if not self.name.strip():
            found["name"] = "a schedule needs a name"
        if not self.task:
            found["task"] = "choose what it enqueues"
        if (problem := _json_problem(self.args)) is not None:
            found["args"] = problem
        if self.rule == CRON and not self.cron.strip():
            found["cron"] = "expected five fields, such as 0 7 * * 1-5"
        if self.rule == EVERY and self.every_seconds is None:
            found["everySeconds"] = "expected a number of seconds, 1 or more"
        return found

    def input(self) -> dict[str, Any]:
        """Return a ``CreateScheduleInput``, of a draft with nothing wrong."""
        return {"name": self.name.strip(), "task": self.task, "args": json.loads(self.args or "{}"), **self._times()}

    def changes(self, before: "Draft") -> dict[str, Any]:
        """Return what an ``UpdateScheduleInput`` has of it: only what is not as it was."""
        was, now = before._times(), self._times()
        changed = {name: value for name, value in now.items() if was.get(name) != value}
        args = json.loads(self.args or "{}")
        return {**changed, **({"args": args} if args != json.loads(before.args) else {})}

    def _times(self) -> dict[str, Any]:
        rule = {"cron": self.cron.strip()} if self.rule == CRON else {"everySeconds": self.every_seconds}
        return {**rule, "timezone": self.timezone}


def refused(refusals: Iterable[Refusal]) -> Wrong:
    """Return what the API says is wrong, by field."""
    found: dict[str, str] = {}
    for refusal in refusals:
        field = refusal.path[0] if refusal.path and refusal.path[0] in FIELDS else ""
        inside = ".".join(refusal.path[1:]) if field else ".".join(refusal.path)
        said = f"{inside}: {refusal.message}" if inside else refusal.message
        found[field] = f"{found[field]}; {said}" if field in found else said
    return found


def _json_problem(text: str) -> str | None:
    try:
        args: Any = json.loads(text or "{}", parse_constant=_no_number)
    except ValueError as problem:
        return f"is not JSON: {problem}"
    return None if is_object(args) else "expected an object with the arguments by name, such as {}"


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
