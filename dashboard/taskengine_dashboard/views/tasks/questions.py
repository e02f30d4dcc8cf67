"""What the page of tasks asks, in one question."""

from dataclasses import dataclass
from typing import Self

from taskengine_dashboard.client import Operation
from taskengine_dashboard.feed import Reading
from taskengine_dashboard.fragments import COUNTS, FRAME
from taskengine_dashboard.model.counts import Counts
from taskengine_dashboard.model.frame import Frame
from taskengine_dashboard.model.json_values import Json
from taskengine_dashboard.model.limits import LIMITS, Limits
from taskengine_dashboard.model.metrics import METRICS, Metrics
from taskengine_dashboard.source import source

TASKS = Operation(
    "Tasks",
    f"""
query Tasks($window: MetricsWindow!) {{
  tasks {{
    name description enqueueField paused priority maxAttempts timeoutSeconds {LIMITS}
    queue {{ name }}
    counts {COUNTS}
    metrics(window: $window) {{ ...Metrics }}
  }}
  ...Frame
}}
{METRICS}{FRAME}""",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One task with all that is known of it; queue, priority, attempts and timeout are its jobs' unless they say."""

    name: str
    description: str
    enqueue_field: str
    queue: str
    priority: int
    max_attempts: int
    timeout_seconds: float | None
    paused: bool
    limits: Limits
    counts: Counts
    metrics: Metrics

    @classmethod
    def read(cls, task: Json) -> Self:
        return cls(
            name=task["name"],
            description=(task["description"] or "").strip(),
            enqueue_field=task["enqueueField"],
            queue=task["queue"]["name"],
            priority=task["priority"],
            max_attempts=task["maxAttempts"],
            timeout_seconds=task["timeoutSeconds"],
            paused=task["paused"],
            limits=Limits.read(task),
            counts=Counts.read(task["counts"]),
            metrics=Metrics.read(task["metrics"]),
        )

    @property
    def in_short(self) -> str:
        """The first paragraph of what it says of itself."""
        return " ".join(self.description.split("\n\n", 1)[0].split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """The answer to ``TASKS``: first those that are paused, then those that fail most, then by name."""

    frame: Frame
    tasks: tuple[Task, ...]

    @classmethod
    def read(cls, data: Json) -> Self:
        tasks = sorted(map(Task.read, data["tasks"]), key=lambda t: (not t.paused, -t.counts.of("FAILED"), t.name))
        return cls(frame=Frame.read(data), tasks=tuple(tasks))


def tasks(window: str) -> Reading[Tasks]:
    """Ask for all that the page shows."""
    return source().read(TASKS, {"window": window}, Tasks.read)
