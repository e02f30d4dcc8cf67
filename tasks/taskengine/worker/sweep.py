"""What has to be done every second, by any worker: due jobs, dead workers' jobs, old records."""

import logging
import time
from collections.abc import Mapping

from taskengine.bulk import Bulks
from taskengine.errors import RedisUnavailable
from taskengine.jobs import FINAL_STATES
from taskengine.schedules import Rule
from taskengine.scripts import Call
from taskengine.settings import Settings
from taskengine.storage import JobStorage
from taskengine.worker.ticks import tick_schedules

logger = logging.getLogger("taskengine.worker")

_BATCH = 200
"""Jobs a script: each call blocks Redis for some milliseconds at most."""
_ROUNDS = 20
_BULK_SECONDS = 0.3
_RESCORE_SECONDS = 0.3
_TRIM_SHARE = 0.9
"""From this share of the memory budget on, finished jobs make place."""
FORGET_WORKERS_MS = 3_600_000


def sweep(storage: JobStorage, settings: Settings, rules: Mapping[str, Rule] | None = None) -> None:
    """Tick schedules, promote what is due, rescue what lost its worker, remove what is past its time.

    Waits when Redis is away. ``rules`` are the functions that this process's schedules ask, by schedule.
    """
    store = storage.store
    try:
        tick_schedules(storage, rules or {})
        _until_done(storage, store.promote_jobs(limit=_BATCH))
        rescued = _until_done(storage, store.rescue_jobs(max_losses=settings.max_worker_losses, limit=_BATCH))
        if rescued:
            logger.warning("%d jobs had lost their worker and were given to others", rescued)
        trim(storage, settings)
        storage.run_once(store.forget_workers(silent_ms=FORGET_WORKERS_MS))
        step_bulks(storage)
        rescore(storage)
    except RedisUnavailable as problem:
        logger.warning("the sweep waits for Redis: %s", problem)


def trim(storage: JobStorage, settings: Settings) -> None:
    """Remove finished jobs by age and by number, of each state its own, and near the memory budget the oldest."""
    store = storage.store
    for state in sorted(FINAL_STATES):
        keep_ms = round(settings.kept_seconds(state) * 1000)
        keep_jobs = settings.kept_jobs(state)
        _until_done(storage, store.trim_jobs(keep_ms=keep_ms, keep_jobs=keep_jobs, limit=_BATCH, states=[state]))
    storage.run_once(store.set_budget(settings.max_redis_bytes))
    for _ in range(_ROUNDS):
        if not storage.run_once(store.memory_over(_TRIM_SHARE)):
            return
        if not storage.run_once(store.clear_jobs(sorted(FINAL_STATES), before_ms=None, limit=_BATCH)):
            return


def step_bulks(storage: JobStorage) -> None:
    """Take changes to many jobs forward, for a part of the second so that the sweep stays punctual."""
    bulks = Bulks(storage.keys)
    until = time.monotonic() + _BULK_SECONDS
    for operation in reversed(storage.run_once(bulks.list(running=True))):
        while time.monotonic() < until and storage.run_once(bulks.step(operation.id)):
            pass


def rescore(storage: JobStorage) -> None:
    """Give ready jobs their places after a change of aging, for a part of the second."""
    until = time.monotonic() + _RESCORE_SECONDS
    while storage.run_once(storage.store.rescore_jobs(limit=_BATCH)) and time.monotonic() < until:
        pass


def _until_done(storage: JobStorage, step: Call[int]) -> int:
    total = 0
    for _ in range(_ROUNDS):
        done = storage.run_once(step)
        total += done
        if done < _BATCH:
            break
    return total
