"""What the page of activity asks: the frame and what to filter by, or a page of the audit; and what it listens to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from taskengine_dashboard import wording
from taskengine_dashboard.client import Operation
from taskengine_dashboard.feed import Reading
from taskengine_dashboard.follow import Heard
from taskengine_dashboard.fragments import FRAME
from taskengine_dashboard.model.frame import Frame
from taskengine_dashboard.model.json_values import Json, moment
from taskengine_dashboard.source import source
from taskengine_dashboard.tables import Table
from taskengine_dashboard.views.activity import tables
from taskengine_dashboard.views.activity.entries import Entry

AUDIT_SIZE = 50

ACTIVITY = Operation(
    "Activity",
    f"""
query Activity {{
  tasks {{ name }}
  queues {{ name }}
  ...Frame
}}
{FRAME}""",
)

AUDIT = Operation(
    "Audit",
    f"""
query Audit($first: Int, $after: String, $last: Int, $before: String) {{
  auditEntries(first: $first, after: $after, last: $last, before: $before) {{
    nodes {{ id at viewer action subject details }}
    pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }}
  }}
  ...Frame
}}
{FRAME}""",
)

JOB_EVENTS = Operation(
    "JobEvents",
    """
subscription JobEvents($kinds: [JobEventKind!]!, $filter: JobFilter, $after: String) {
  jobEvents(kinds: $kinds, filter: $filter, after: $after) {
    kind: __typename
    cursor
    at
    job { id task { name } queue { name } }
    ... on JobStateChanged { from to attempt message }
    ... on JobProgressed { progress { current total message } }
    ... on JobLogged { log { level message attempt } }
  }
}
""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Which events: of these kinds, and of jobs in these states, of these tasks, in these queues; all if empty."""

    kinds: tuple[str, ...]
    states: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()

    def variables(self) -> Mapping[str, Any]:
        """Return the subscription's variables."""
        chosen = {"states": self.states, "tasks": self.tasks, "queues": self.queues}
        return {
            "kinds": list(self.kinds),
            "filter": {name: list(values) for name, values in chosen.items() if values},
        }

    @property
    def is_filtered(self) -> bool:
        return bool(self.states or self.tasks or self.queues)


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """One event: a job that moved, told how far it is, or said something; or events that were missed."""

    cursor: str
    at: datetime
    job_id: str | None
    task: str | None
    queue: str | None
    state: str | None
    """The state that a job came to; ``None`` for what is no move."""
    text: str

    @classmethod
    def read(cls, event: Json) -> Self:
        job: Json = event["job"] or {}
        return cls(
            cursor=event["cursor"],
            at=moment(event["at"]),
            job_id=job.get("id"),
            task=job["task"]["name"] if job else None,
            queue=job["queue"]["name"] if job else None,
            state=event.get("to"),
            text=_text(event),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """The answer to ``ACTIVITY``."""

    frame: Frame
    tasks: tuple[str, ...]
    queues: tuple[str, ...]

    @classmethod
    def read(cls, data: Json) -> Self:
        return cls(
            frame=Frame.read(data),
            tasks=tuple(sorted(task["name"] for task in data["tasks"])),
            queues=tuple(sorted(queue["name"] for queue in data["queues"])),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """The answer to ``AUDIT``: newest first, with the places of the pages around it, as they stand in an address."""

    frame: Frame
    entries: tuple[Entry, ...]
    table: Table
    older: Mapping[str, str] | None
    newer: Mapping[str, str] | None

    @classmethod
    def read(cls, data: Json) -> Self:
        found, info = data["auditEntries"], data["auditEntries"]["pageInfo"]
        entries = tuple(map(Entry.read, found["nodes"]))
        return cls(
            frame=Frame.read(data),
            entries=entries,
            table=tables.audit(entries),
            older={"after": info["endCursor"]} if info["hasNextPage"] and info["endCursor"] else None,
            newer={"before": info["startCursor"]} if info["hasPreviousPage"] and info["startCursor"] else None,
        )


def activity() -> Reading[Activity]:
    """Ask what the stream can be narrowed to."""
    return source().read(ACTIVITY, None, Activity.read)


def audit(*, after: str | None, before: str | None) -> Reading[Audit]:
    """Ask for a page of the audit."""
    if before:
        return source().read(AUDIT, {"last": AUDIT_SIZE, "before": before}, Audit.read)
    return source().read(AUDIT, {"first": AUDIT_SIZE, **({"after": after} if after else {})}, Audit.read)


def happened(watch: Watch) -> Heard[Happened]:
    """Return the newest events, oldest first."""
    return source().follow(JOB_EVENTS, watch.variables(), Happened.read)


def _text(event: Json) -> str:
    match event["kind"]:
        case "JobProgressed":
            progress: Json = event["progress"]
            of = "" if progress["total"] is None else f" of {wording.number(progress['total'])}"
            said = f": {progress['message']}" if progress["message"] else ""
            return f"{wording.number(progress['current'])}{of}{said}"
        case "JobLogged":
            return f"{event['log']['level'].lower()}: {event['log']['message']}"
        case "JobEventsLost":
            return "Some events were missed: more happened than is kept"
        case _:
            return _move(event)


def _move(event: Json) -> str:
    message: str = event.get("message") or ""
    if event.get("from") is None:
        return message or "enqueued"
    attempt = f"run {event['attempt']}" if event.get("attempt") else f"was {event['from'].lower()}"
    return f"{attempt}: {message}" if message else attempt
