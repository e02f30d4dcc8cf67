"""TaskEngine: a job system one can ask.

The names below are the public ones. They are loaded when first used, so that
who only enqueues or reads (``taskengine.client``) does not import Huey.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from taskengine.client import Client
    from taskengine.engine import TaskEngine
    from taskengine.enqueue_client import NewJob
    from taskengine.errors import (
        Fail,
        IllegalMove,
        InvalidInput,
        InvalidSetting,
        InvalidTask,
        JobCancelled,
        JobNotFound,
        RedisUnavailable,
        Retry,
        ScheduleDeclared,
        ScheduleNotFound,
        Snooze,
        TaskEngineError,
        UnknownTask,
        UnreadableSecret,
    )
    from taskengine.filters import JobFilter, JobOrder, JobOrderField
    from taskengine.jobs import Job, JobState, LogLevel, Options
    from taskengine.results import Result
    from taskengine.retries import Backoff
    from taskengine.schedules import Missed, Schedule
    from taskengine.secrets import Secret
    from taskengine.settings import Settings
    from taskengine.task import Task
    from taskengine.worker.context import current_job

__all__ = [
    "Backoff",
    "Client",
    "Fail",
    "IllegalMove",
    "InvalidInput",
    "InvalidSetting",
    "InvalidTask",
    "Job",
    "JobCancelled",
    "JobFilter",
    "JobNotFound",
    "JobOrder",
    "JobOrderField",
    "JobState",
    "LogLevel",
    "Missed",
    "NewJob",
    "Options",
    "RedisUnavailable",
    "Result",
    "Retry",
    "Schedule",
    "ScheduleDeclared",
    "ScheduleNotFound",
    "Secret",
    "Settings",
    "Snooze",
    "Task",
    "TaskEngine",
    "TaskEngineError",
    "UnknownTask",
    "UnreadableSecret",
    "current_job",
]

_HOMES = {
    "client": ("Client",),
    "engine": ("TaskEngine",),
    "enqueue_client": ("NewJob",),
    "errors": (
        "Fail",
        "IllegalMove",
        "InvalidInput",
        "InvalidSetting",
        "InvalidTask",
        "JobCancelled",
        "JobNotFound",
        "RedisUnavailable",
        "Retry",
        "Snooze",
        "ScheduleDeclared",
        "ScheduleNotFound",
        "TaskEngineError",
        "UnknownTask",
        "UnreadableSecret",
    ),
    "filters": ("JobFilter", "JobOrder", "JobOrderField"),
    "jobs": ("Job", "JobState", "LogLevel", "Options"),
    "results": ("Result",),
    "retries": ("Backoff",),
    "schedules": ("Missed", "Schedule"),
    "secrets": ("Secret",),
    "settings": ("Settings",),
    "task": ("Task",),
    "worker.context": ("current_job",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
