"""Changes of workers: drain."""

from taskengine_dashboard.client import Operation
from taskengine_dashboard.source import Reply, source

DRAIN_WORKER = Operation(
    "DrainWorker",
    """
mutation DrainWorker($input: DrainWorkerInput!) {
  drainWorker(input: $input) {
    worker { name draining }
    errors { code message path }
  }
}
""",
)


def drain(worker_id: str) -> Reply:
    """Let a worker take nothing more, and stop when what it runs is done."""
    return source().send(DRAIN_WORKER, {"input": {"id": worker_id}})
