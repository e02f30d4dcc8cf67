"""What a schedule is: which job it enqueues, when it ticks, and how it is kept in Redis.

Plain data and pure functions. Who enqueues at a tick is ``worker/ticks.py``.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import Any, Literal, Self, TypedDict, cast

from taskengine.cron import (
    check_cron,
    check_interval,
    cron_in_words,
    cron_ticks,
    interval_in_words,
    interval_ticks,
    minute_ticks,
    zone,
)
from taskengine.crontab import cron_of
from taskengine.encryption import Keyring
from taskengine.errors import InvalidInput
from taskengine.ids import new_id
from taskengine.jobs import Options, TaskInfo, check_name
from taskengine.options import settled
from taskengine.records import dumps, instant, row_of, text, with_fields
from taskengine.redaction import Parted, fingerprints
from taskengine.scripts import Value
from taskengine.signatures import Signature

Rule = Callable[[datetime], object]
"""Whether a schedule ticks in the minute that begins at a time, given without its zone, as Huey does."""

_OPTIONS = ("queue", "priority", "max_attempts", "timeout", "tags")
"""What a schedule may say of its jobs; the rest belongs to one job."""


_CALLED = {
    "delay": "delaySeconds",
    "run_at": "runAt",
    "start_before": "startBefore",
    "idempotency_key": "idempotencyKey",
    "depends_on": "dependsOn",
}
"""What callers outside call those that it may not say."""


class Missed(StrEnum):
    """What becomes of ticks at which no worker was there."""

    SKIP = "skip"
    """They are passed over. A tick that is at most a minute late is not missed."""
    RUN_ONCE = "run_once"
    """One job makes up for all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a schedule enqueues, and when: one of ``cron``, ``every_seconds`` and ``rule``."""

    task: str
    args: Mapping[str, Any]
    """By parameter name, with ``********`` in place of secrets."""
    secrets: str = field(default="", repr=False)
    """JSON of its secret arguments (``redaction.py``), ``""`` when it has none."""
    cron: str | None = None
    every_seconds: float | None = None
    """Counted from 1970 in UTC: 3,600 is on the hour, and a restart does not begin anew."""
    rule: str | None = None
    """Name of a Python function that workers whose code declares the schedule ask each minute."""
    timezone: str = "UTC"
    missed: Missed = Missed.SKIP
    options: Options = field(default_factory=Options)

    @property
    def summary(self) -> str:
        """When it ticks, in plain words."""
        if self.cron is not None:
            return cron_in_words(self.cron, self.timezone)
        if self.every_seconds is not None:
            return interval_in_words(self.every_seconds)
        return f"When {self.rule} says so, asked every minute ({self.timezone})"

    def ticks(self, after_ms: int) -> Iterator[int]:
        """Yield its ticks later than a time, in ms. Those of a rule are the minutes in which it is asked."""
        if self.cron is not None:
            return cron_ticks(self.cron, self.timezone, after_ms)
        if self.every_seconds is not None:
            return interval_ticks(self.every_seconds, after_ms)
        return minute_ticks(after_ms)

    def next_tick(self, after_ms: int) -> int | None:
        """Return its first tick later than a time, in ms; ``None`` when there is none any more."""
        return next(self.ticks(after_ms), None)

    def next_runs(self, after_ms: int, count: int) -> list[datetime]:
        """Return its next ticks."""
        return [instant(tick) for tick in islice(self.ticks(after_ms), count)]

    def checked(self) -> Self:
        """Return it tidied; raise ``InvalidInput``. Its arguments and its task are not looked at."""
        given = [name for name in ("cron", "every_seconds", "rule") if getattr(self, name) is not None]
        if len(given) != 1:
            raise InvalidInput(("cron",), "give either a cron rule or everySeconds", "one of two")
        zone(self.timezone)
        _check_options(self.options)
        return replace(
            self,
            cron=None if self.cron is None else check_cron(self.cron),
            every_seconds=None if self.every_seconds is None else check_interval(self.every_seconds),
            missed=_missed(self.missed),
        )

    def row(self, name: str, info: TaskInfo, *, tick_ms: int | None) -> list[Value]:
        """Return the row of ``enqueue_jobs.lua`` for a job of this schedule; ``run_at`` is its tick."""
        options = settled(
            replace(self.options, run_at=None if tick_ms is None else instant(tick_ms)),
            queue=info.queue,
            priority=info.priority,
            max_attempts=info.max_attempts,
            timeout=info.timeout_seconds,
        )
        queue, priority = cast("str", options.queue), cast("int", options.priority)
        args = Parted(dumps(self.args), self.secrets)
        row = row_of(new_id("job"), self.task, args, queue=queue, priority=priority, options=options)
        return with_fields(row, {"schedule": name})


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule(Definition):
    """A schedule as it is now."""

    name: str
    enabled: bool
    created_at: datetime
    next_run_at: datetime | None = None
    """``None`` when it is disabled. In the past: no worker could enqueue it yet."""
    last_run_at: datetime | None = None
    """The last tick that became a job; runs by hand are not ticks."""
    last_job_id: str | None = None
    declared: bool = False
    """Code declares it, or did."""
    undeclared: bool = False
    """Code declared it once, and no worker that is here declares it any more. It goes on until someone ends it."""
    revision: int = 1
    """Rises with each change of what it enqueues or when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """A schedule as a worker's code has it."""

    name: str
    definition: Definition
    enabled: bool = True
    """When it is registered for the first time; from then on an operator decides."""
    rule: Rule | None = None
    identity: str = ""
    """Differs when the code has another schedule; secrets are sealed otherwise each time, which is no difference."""


class When(TypedDict, total=False):
    """What ``engine.schedule`` takes."""

    name: str
    cron: str
    every_seconds: float
    rule: Rule
    timezone: str
    args: Mapping[str, Any]
    missed: Missed | Literal["skip", "run_once"]
    options: Options
    enabled: bool


def declare(task: str, signature: Signature, when: When, keyring: Keyring) -> Declaration:
    """Return a schedule of a task as code declares it; raise ``InvalidInput``."""
    unknown = sorted(when.keys() - When.__annotations__.keys())
    if unknown:
        raise InvalidInput((unknown[0],), f"schedule() takes {', '.join(When.__annotations__)}")
    rule = when.get("rule")
    # What Huey's crontab() returns is a function, but says no more than a cron rule, which has words and a next time.
    same = None if rule is None or "cron" in when else cron_of(rule)
    args = signature.part(signature.dump((), when.get("args", {})), keyring)
    definition = Definition(
        task=task,
        args=json.loads(args.shown),
        secrets=args.secrets,
        cron=when.get("cron", same),
        every_seconds=when.get("every_seconds"),
        rule=None if rule is None or same is not None else _title(rule),
        timezone=when.get("timezone", "UTC"),
        missed=_missed(when.get("missed", Missed.SKIP)),
        options=when.get("options", Options()),
    ).checked()
    return Declaration(
        name=check_schedule_name(when.get("name", task)),
        definition=definition,
        enabled=when.get("enabled", True),
        rule=None if definition.rule is None else rule,
        identity=definition_json(replace(definition, secrets=args.secrets and fingerprints(args.secrets, keyring))),
    )


def rules_of(declared: Iterable[Declaration]) -> dict[str, Rule]:
    """Return the functions that schedules ask, by schedule."""
    return {one.name: one.rule for one in declared if one.rule is not None}


def definition_json(definition: Definition) -> str:
    """Return what a schedule's record keeps of it."""
    options = {name: getattr(definition.options, name) for name in _OPTIONS}
    kept = {
        "task": definition.task,
        "args": definition.args,
        "secrets": definition.secrets or None,
        "cron": definition.cron,
        "every_seconds": definition.every_seconds,
        "rule": definition.rule,
        "timezone": definition.timezone,
        "missed": definition.missed.value,
        "options": {name: value for name, value in options.items() if value not in (None, ())},
    }
    return dumps({name: value for name, value in kept.items() if value is not None})


def read_schedule(name: str, pairs: Sequence[Any], *, undeclared: bool = False) -> Schedule:
    """Read a record as ``HGETALL`` gives it to a script."""
    flat = [text(item) for item in pairs]
    record = dict(zip(flat[::2], flat[1::2], strict=True))
    kept: dict[str, Any] = json.loads(record["definition"])
    options: dict[str, Any] = kept.get("options", {})
    if "tags" in options:
        options["tags"] = tuple(options["tags"])
    return Schedule(
        name=name,
        task=kept["task"],
        args=kept["args"],
        secrets=kept.get("secrets", ""),
        cron=kept.get("cron"),
        every_seconds=kept.get("every_seconds"),
        rule=kept.get("rule"),
        timezone=kept["timezone"],
        missed=Missed(kept["missed"]),
        options=Options(**options),
        enabled=record["enabled"] == "1",
        created_at=instant(int(record["created_at"])),
        next_run_at=_instant(record.get("next_at", "")),
        last_run_at=_instant(record.get("last_at", "")),
        last_job_id=record.get("last_job"),
        declared="declared" in record,
        undeclared=undeclared,
        revision=int(record["revision"]),
    )


def check_schedule_name(name: object, path: tuple[str, ...] = ("name",)) -> str:
    """Return the name of a schedule, or raise ``InvalidInput``."""
    return check_name(name, path)


def _title(rule: Rule) -> str:
    return str(getattr(rule, "__qualname__", type(rule).__qualname__))


def _check_options(options: Options) -> None:
    usual = Options()
    for option in fields(Options):
        if option.name not in _OPTIONS and getattr(options, option.name) != getattr(usual, option.name):
            allowed = ", ".join(_OPTIONS)
            raise InvalidInput(
                ("options", _CALLED.get(option.name, option.name)),
                f"a schedule cannot say that of its jobs, only {allowed}",
            )
    settled(options, queue="default", priority=5, max_attempts=1, timeout=None)


def _missed(value: object) -> Missed:
    try:
        return Missed(value)
    except ValueError:
        raise InvalidInput(("missed",), f"expected 'skip' or 'run_once', got {value!r:.60}") from None


def _instant(ms: str) -> datetime | None:
    return instant(int(ms)) if ms else None
