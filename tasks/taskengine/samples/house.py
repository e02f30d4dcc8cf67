"""The engine that the sample tasks belong to, and which job they run for."""

from taskengine import TaskEngine, current_job
from taskengine.ids import new_id
from taskengine.worker.context import NoCurrentJob

engine = TaskEngine.from_env()


def this_job() -> tuple[str, int]:
    """Return id and attempt of the running job. Outside a worker (``call_local``) each call is a first attempt."""
    try:
        return current_job.id, current_job.attempt
    except NoCurrentJob:
        return new_id("local"), 1
