"""Tells Redis which schedules a worker's code declares, and people which ones no code declares any more."""

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from taskengine.engine import TaskEngine

logger = logging.getLogger("taskengine.worker")


def register_schedules(engine: "TaskEngine", worker: str) -> None:
    """Make or update what the code declares. Raises ``RedisUnavailable``."""
    storage = engine.job_storage
    move = storage.schedules.register_schedules(worker, list(engine.schedules.values()), now_ms=storage.now_ms())
    for name in storage.run_once(move):
        logger.warning("schedule %r is declared by no code any more; it goes on until it is disabled or deleted", name)
