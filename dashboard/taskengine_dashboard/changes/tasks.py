"""Changes of tasks: pause, resume, limits."""

from typing import Any

from taskengine_dashboard.client import Operation
from taskengine_dashboard.model.limits import Limits
from taskengine_dashboard.source import Reply, source

UPDATE_TASK = Operation(
    "UpdateTask",
    """
mutation UpdateTask($input: UpdateTaskInput!) {
  updateTask(input: $input) {
    task { name paused }
    errors { code message path }
  }
}
""",
)


def pause(task: str) -> Reply:
    """Let nothing more of a task start; what runs goes on."""
    return _update(task, paused=True)


def resume(task: str) -> Reply:
    """Let a task go on."""
    return _update(task, paused=False)


def limit(task: str, limits: Limits) -> Reply:
    """Set both limits of a task; what is ``None`` is lifted."""
    return _update(task, **limits.input())


def _update(task: str, **changes: Any) -> Reply:
    return source().send(UPDATE_TASK, {"input": {"task": task, **changes}})
