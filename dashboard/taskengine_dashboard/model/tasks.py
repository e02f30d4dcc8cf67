"""A task that can be enqueued."""

from dataclasses import dataclass
from typing import Self

from taskengine_dashboard.model.json_values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskInfo:
    """A task that can be enqueued, with its own defaults."""

    name: str
    description: str | None
    schema: Json
    enqueue_field: str
    queue: str
    priority: int
    max_attempts: int

    @classmethod
    def read(cls, task: Json) -> Self:
        return cls(
            name=task["name"],
            description=task["description"],
            schema=task["argsSchema"],
            enqueue_field=task["enqueueField"],
            queue=task["queue"]["name"],
            priority=task["priority"],
            max_attempts=task["maxAttempts"],
        )
