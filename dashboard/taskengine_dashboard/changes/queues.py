"""Changes of queues: pause, resume, limits."""

from taskengine_dashboard.client import Operation
from taskengine_dashboard.model.limits import Limits
from taskengine_dashboard.source import Reply, source

PAUSE_QUEUE = Operation(
    "PauseQueue",
    """
mutation PauseQueue($input: PauseQueueInput!) {
  pauseQueue(input: $input) {
    queue { name paused }
    errors { code message path }
  }
}
""",
)

RESUME_QUEUE = Operation(
    "ResumeQueue",
    """
mutation ResumeQueue($input: ResumeQueueInput!) {
  resumeQueue(input: $input) {
    queue { name paused }
    errors { code message path }
  }
}
""",
)

UPDATE_QUEUE = Operation(
    "UpdateQueue",
    """
mutation UpdateQueue($input: UpdateQueueInput!) {
  updateQueue(input: $input) {
    queue { name }
    errors { code message path }
  }
}
""",
)


def pause(queue: str, reason: str) -> Reply:
    """Let nothing more of a queue start; what runs goes on."""
    return source().send(PAUSE_QUEUE, {"input": {"queue": queue, "reason": reason or None}})


def resume(queue: str) -> Reply:
    """Let a queue go on."""
    return source().send(RESUME_QUEUE, {"input": {"queue": queue}})


def limit(queue: str, limits: Limits) -> Reply:
    """Set both limits of a queue; what is ``None`` is lifted."""
    return source().send(UPDATE_QUEUE, {"input": {"queue": queue, **limits.input()}})
