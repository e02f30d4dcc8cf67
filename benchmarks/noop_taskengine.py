"""The no-op as a TaskEngine application."""

from taskengine import TaskEngine

engine = TaskEngine.from_env()


@engine.task()
def noop(n: int) -> int:
    return n


def enqueue(count: int) -> None:
    noop.enqueue_many([(n,) for n in range(count)])
