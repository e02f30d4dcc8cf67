"""``taskengine worker MODULE:ENGINE``: find the engine, and run its consumer until told to stop."""

import importlib
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from taskengine.errors import InvalidSetting, did_you_mean
from taskengine.settings import Settings
from taskengine.worker.consumer import JobConsumer
from taskengine.worker.queue_choice import QueueChoice

if TYPE_CHECKING:
    from taskengine.engine import TaskEngine


def run_worker(target: str, *, concurrency: int, mode: str, queues: QueueChoice, settings: Settings) -> int:
    """Run a worker in this process; return its exit code. Raises ``InvalidSetting``, ``RedisUnavailable``."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(message)s", datefmt="%H:%M:%S")
    logging.getLogger("huey").setLevel(logging.WARNING)
    engine = load_engine(target)
    _check_namespace(target, engine, settings)
    consumer = JobConsumer(engine, queues=queues, workers=concurrency, worker_type=mode)
    logging.getLogger("taskengine.worker").info(
        "worker %s: %d %s workers for %s, %d tasks",
        consumer.facts.name,
        concurrency,
        mode,
        queues,
        len(engine.tasks),
    )
    consumer.run()
    logging.shutdown()
    # A thread that did not end in time has given its job back; waiting for it would wait for ever.
    sys.stdout.flush()
    os._exit(0)


def _check_namespace(target: str, engine: "TaskEngine", settings: Settings) -> None:
    """A worker in another namespace than the API and the dashboard would work unseen."""
    if engine.settings.namespace != settings.namespace:
        problem = (
            f"is {settings.namespace!r}, but {target} is named {engine.settings.namespace!r}:"
            f" set TASKENGINE_NAMESPACE={engine.settings.namespace}, so that all look at the same jobs"
        )
        raise InvalidSetting("TASKENGINE_NAMESPACE", problem)


def load_engine(target: str) -> "TaskEngine":
    """Import ``module:attribute``, as uvicorn does; raise ``InvalidSetting`` that says what is wrong."""
    from taskengine.engine import TaskEngine

    module_name, _, attribute = target.partition(":")
    if not module_name or not attribute:
        raise InvalidSetting(target, "is not MODULE:ENGINE, for example shop.tasks:engine")
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not module_name.startswith(error.name):
            raise
        raise InvalidSetting(target, f"names no module {error.name!r} on the path of {Path.cwd()}") from None
    engine = getattr(module, attribute, None)
    if not isinstance(engine, TaskEngine):
        engines = [name for name, value in vars(module).items() if isinstance(value, TaskEngine)]
        hint = did_you_mean(attribute, engines) or (f"; it has {', '.join(engines)}" if engines else "")
        raise InvalidSetting(target, f"names no TaskEngine {attribute!r} in {module_name}{hint}")
    return engine
