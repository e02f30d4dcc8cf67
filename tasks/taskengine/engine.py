"""``TaskEngine``, a Huey whose jobs have a record.

Decorators, registry, hooks, signals and consumer are Huey's; what a job is and
how it moves is ours (``store.py``).
"""

import inspect
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Self, TypeVar, Unpack, cast, overload

from huey.api import Task as HueyTask
from huey.api import TaskWrapper, chord, group
from huey.registry import Registry
from huey.signals import SIGNAL_ENQUEUED, SIGNAL_SCHEDULED

from taskengine import pipelines
from taskengine.embedded import find_redis_url
from taskengine.encryption import Keyring
from taskengine.errors import InvalidInput, InvalidTask, UnknownDependency
from taskengine.huey_side import HueySide, delays_of, url_of
from taskengine.jobs import (
    DEFAULT_QUEUE,
    JobState,
    Options,
    check_name,
    check_positive_int,
)
from taskengine.options import settled
from taskengine.records import ClaimedJob, dumps, read_job, record_of
from taskengine.results import Result
from taskengine.retries import Backoff
from taskengine.schedules import Declaration, When, declare, rules_of
from taskengine.scripts import Value
from taskengine.settings import Settings
from taskengine.signatures import Signature
from taskengine.storage import JobStorage
from taskengine.store import ROWS_PER_CALL, Added
from taskengine.task import AsyncTask, Exceptions, JobTask, Task, TaskDecorator
from taskengine.worker.dispatch import Dispatcher
from taskengine.worker.execution import execute

Scheduled = TypeVar("Scheduled", bound="Task[..., Any]")


class JobRegistry(Registry):
    """Tasks by the names that their authors chose; a module that moves orphans nothing."""

    def task_to_string(self, task_class: type) -> str:
        """Return the task's name."""
        return task_class.__name__


class TaskEngine(HueySide):
    """A namespace of jobs on one Redis, and the tasks of this process."""

    def __init__(
        self,
        name: str = "default",
        *,
        url: str | None = None,
        settings: Settings | None = None,
        immediate: bool = False,
        huey_priorities: tuple[float, float] | None = None,
        host: str | None = None,
        port: int | None = None,
        db: int | None = None,
        password: str | None = None,
        **huey: Any,
    ) -> None:
        """``name`` is the namespace. Without ``url``, ``TASKENGINE_REDIS_URL`` or the private Redis is used.

        ``immediate``: calls run where they are made, in memory, without Redis.
        ``huey_priorities``: the lowest and highest priority that a Huey application uses, see ``priority_of``.
        ``host``, ``port``, ``db`` and ``password`` in place of ``url``, and Huey's further options, are as Huey's.
        """
        chosen = settings or Settings.from_env(os.environ)
        place = url_of(url, host, port, db, password)
        self.settings = replace(chosen, namespace=name, redis_url=place or chosen.redis_url)
        self.keyring = Keyring(self.settings.encryption_key)
        self.tasks: dict[str, Task[..., Any]] = {}
        self.schedules: dict[str, Declaration] = {}
        self.dispatcher: Dispatcher | None = None
        self._begin_as_huey(name, immediate=immediate, priorities=huey_priorities, options=huey)
        self._registry = JobRegistry()

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Self:
        """Make an engine as the environment says; raise ``InvalidSetting``."""
        settings = Settings.from_env(os.environ if env is None else env)
        return cls(settings.namespace, settings=settings)

    def redis_storage(self) -> JobStorage:
        """Return the storage on Redis."""
        return JobStorage(self.name, url=find_redis_url(self.settings), settings=self.settings)

    def get_task_wrapper_class(self) -> type[Task[..., Any]]:
        """Huey's way to ask what a decorated function becomes."""
        return Task

    def task(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        retries: int | None = None,
        retry_delay: float | None = None,
        retry_backoff: float | None = None,
        priority: int | None = None,
        context: bool = False,
        name: str | None = None,
        *,
        queue: str = DEFAULT_QUEUE,
        max_attempts: int | None = None,
        timeout: float | None = None,
        backoff: Backoff | None = None,
        retry_on: Exceptions | type[BaseException] = (Exception,),
        fail_on: Exceptions | type[BaseException] = (),
        expires: Any = None,
        concurrency_key: Callable[..., object] | None = None,
        concurrency_per_key: int = 1,
        redact: Sequence[str] = (),
    ) -> TaskDecorator:
        """Make a function a task. Raises ``InvalidTask`` when its signature or an option is not usable.

        ``max_attempts``: runs before the job FAILED (Huey's ``retries`` + 1), 1 by default.
        ``backoff``: how long to wait between them (Huey's ``retry_delay`` and ``retry_backoff``
        give one without cap and jitter). ``retry_on`` / ``fail_on``: exceptions that are
        tried again, and those of them that are not. ``timeout`` in seconds, no limit by default and
        for 0. ``expires`` (seconds or a time): a job that has not started by then is CANCELLED.
        ``concurrency_key``: makes a key of the arguments; of jobs with the same key ``concurrency_per_key``
        run at once, across all workers.
        ``redact``: arguments that are secrets though their hints do not say so (``Secret[...]``), as paths such as
        ``"password"``, ``"card.number"`` or ``"cards.*.number"``.
        """
        if callable(retries):
            raise InvalidTask(getattr(retries, "__name__", "?"), "write @engine.task() with parentheses")

        def decorate(function: Callable[..., Any]) -> Task[..., Any]:
            plain: Callable[..., Any] = function.func if isinstance(function, TaskWrapper) else function
            title = name or getattr(plain, "__name__", "task")
            if inspect.isgeneratorfunction(plain) or inspect.isasyncgenfunction(plain):
                raise InvalidTask(title, "it yields, and a task returns; report what happens with current_job")
            if title in self.tasks:
                raise InvalidTask(title, "there is another task of that name; give this one a name= of its own")
            hidden = frozenset({"task"} if context else ())
            silent = all(said is None for said in (backoff, retry_delay, retry_backoff, max_attempts)) and not retries
            try:
                options: dict[str, Any] = {
                    "name": check_name(title, ("name",)),
                    "queue": check_name(queue, ("queue",)),
                    "default_priority": self.priority_of(priority, ("priority",)),
                    "default_expires": expires,
                    "default_retries": _attempts(retries, max_attempts) - 1,
                    "default_timeout": timeout or None,
                    "backoff": _backoff(backoff, retries, retry_delay, retry_backoff),
                    "stated_backoff": None if silent else _backoff(backoff, retries, retry_delay, retry_backoff),
                    "concurrency_key": concurrency_key and staticmethod(concurrency_key),
                    "concurrency_per_key": check_positive_int(concurrency_per_key, ("concurrency_per_key",)),
                    "default_retry_delay": retry_delay or 0,
                    "default_retry_backoff": retry_backoff or 0,
                }
                settled(Options(timeout=timeout), queue=queue, priority=5, max_attempts=1, timeout=None)
            except InvalidInput as error:
                raise InvalidTask(title, str(error)) from None
            task = (AsyncTask if inspect.iscoroutinefunction(plain) else Task)[..., Any](
                self,
                plain,
                context=context,
                signature=Signature(title, plain, hidden=hidden, redact=_paths(title, redact)),
                retry_on=_exceptions(title, "retry_on", retry_on),
                fail_on=_exceptions(title, "fail_on", fail_on),
                **options,
            )
            self.tasks[title] = task
            return task

        return cast("TaskDecorator", decorate)

    @overload
    def schedule(self, task: Scheduled, **when: Unpack[When]) -> Scheduled: ...
    @overload
    def schedule(self, **when: Unpack[When]) -> Callable[[Scheduled], Scheduled]: ...
    def schedule(self, task: Any = None, **when: Unpack[When]) -> Any:
        """Have workers enqueue a task at set times: a decorator above ``@engine.task``, or a call.

        ``cron="*/5 * * * *"``, ``every_seconds=30``, or ``rule``: a function that is asked each minute (what
        Huey's ``crontab()`` returns is one). ``timezone="Europe/Berlin"``, UTC by default; ``args`` by name;
        ``name``, the task's by default; ``missed="skip"`` or ``"run_once"``; ``options`` of the jobs;
        ``enabled=False`` to begin with. Raises ``InvalidInput``.
        """
        if task is None:

            def decorate(decorated: Scheduled) -> Scheduled:
                return self.schedule(decorated, **when)

            return decorate
        if task not in self.tasks.values():
            raise InvalidTask(getattr(task, "__name__", repr(task)), "schedule() goes above @engine.task(...)")
        declared = declare(task.info_once.name, task.task_class.signature, when, self.keyring)
        if declared.name in self.schedules:
            raise InvalidInput(("name",), f"there is another schedule {declared.name!r}; give this one a name")
        self.schedules[declared.name] = declared
        return task

    def periodic_task(
        self, validate_datetime: Callable[[datetime], bool], **options: Any
    ) -> Callable[[Callable[..., Any]], Task[..., Any]]:
        """Make a function a task that workers enqueue when ``validate_datetime`` says so, as with Huey.

        Asked each minute, in UTC. What Huey's ``crontab()`` returns becomes a cron rule. Each tick is one
        job, however many workers run. Further options are those of ``task``.
        """

        def decorate(function: Callable[..., Any]) -> Task[..., Any]:
            return self.schedule(self.task(**options)(function), rule=validate_datetime)

        return decorate

    # Enqueueing

    def submit(self, rows: list[list[Value]], task: "Task[..., Any] | None" = None) -> list[Result[Any]]:
        """Enqueue rows of ``records.row_of``; return a handle for each."""
        if self.in_place is not None:
            self._tell_of(rows)
            added = self.in_place.enqueue(rows)
        else:
            added = self._add(rows)
            self._tell_of([row for row, one in zip(rows, added, strict=True) if one.new])
        signature = None if task is None else task.task_class.signature
        return [Result(self, job_id, signature) for job_id, _ in added]

    def _add(self, rows: list[list[Value]]) -> list[Added]:
        added: list[Added] = []
        for start in range(0, len(rows), ROWS_PER_CALL):
            added += self.job_storage.run(self.job_storage.store.enqueue_jobs(rows[start : start + ROWS_PER_CALL]))
        return added

    def _tell_of(self, rows: Iterable[list[Value]]) -> None:
        """Send Huey's signals of jobs that were enqueued."""
        for row in rows if self.has_receivers else ():
            job_id, record = record_of(row, now_us=time.time_ns() // 1000)
            job = read_job(job_id, [part for pair in record.items() for part in pair])
            if job is not None and job.task in self.tasks:
                signal = SIGNAL_SCHEDULED if job.state is JobState.SCHEDULED else SIGNAL_ENQUEUED
                self._emit(signal, self.instance_of(job))

    def check_dependencies(self, job_ids: Sequence[str]) -> None:
        """Look for all of many: the script that enqueues looks for the first 500, to stay short."""
        for start in range(ROWS_PER_CALL, 0 if self.in_place else len(job_ids), ROWS_PER_CALL):
            look = self.job_storage.reads.missing_jobs(job_ids[start : start + ROWS_PER_CALL])
            if missing := self.job_storage.run(look):
                raise UnknownDependency(0, missing[0])

    def enqueue(self, task: Any) -> Any:
        """Enqueue what ``task.s(...)`` made, also a pipeline, group or chord of such, as with Huey."""
        if not isinstance(task, (JobTask, group, chord)):
            raise TypeError(f"expected a call of a task such as send_mail.s(...), got {type(task).__name__}")
        return pipelines.enqueue(self, task)

    def open_chord(self, chord_id: str, size: int, callback: list[str], *, ttl_ms: int) -> None:
        """Have a callback follow when so many members have ended."""
        if self.in_place is not None:
            self.in_place.open_chord(chord_id, size, callback)
        else:
            opening = self.job_storage.store.open_chord(chord_id, size, dumps(callback), ttl_ms=ttl_ms)
            self.job_storage.run(opening)

    # Reading

    def result(self, id: str, blocking: bool = False, timeout: float | None = None, **options: Any) -> Any:
        """Return the result of a job, as ``Result.get`` does."""
        return Result[Any](self, id).get(blocking, timeout, **options)

    # What Huey's consumer calls

    @property
    def has_receivers(self) -> bool:
        """Whether anyone listens to Huey's signals."""
        return any(self._signal.receivers.values())

    def dequeue(self) -> JobTask | None:
        """Claim a job under a lease; wait up to a second for one. Raises ``RedisUnavailable``."""
        job = self._dispatcher().next()
        if job is None:
            return None
        return self.claimed(job)

    def claimed(self, job: ClaimedJob) -> JobTask:
        """Return what runs of a job that was claimed."""
        task = self.tasks[job.task].task_class(
            id=job.id,
            retries=job.max_attempts - job.attempt,
            priority=job.priority,
            timeout=None if job.timeout_ms is None else job.timeout_ms / 1000,
            **delays_of(job.backoff),
        )
        task.job = job
        return task

    def execute(self, task: JobTask, timestamp: datetime | None = None) -> Any:
        """Run one claimed job to the end of its attempt; return what the task returned, ``None`` if it did not."""
        del timestamp  # a job is claimed when it is due, by Redis's clock
        return execute(self, self.in_place or self._dispatcher(), task)

    def read_schedule(self, timestamp: datetime | None = None) -> list[HueyTask]:
        """Do the sweep that Huey's scheduler comes by for. Nothing is handed back to enqueue one by one."""
        from taskengine.worker.sweep import sweep

        del timestamp
        sweep(self.job_storage, self.settings, rules_of(list(self.schedules.values())))
        return []

    def read_periodic(self, timestamp: datetime | None) -> list[HueyTask]:
        """Return nothing: see ``periodic_task``."""
        del timestamp
        return []

    def _dispatcher(self) -> Dispatcher:
        if self.dispatcher is None:
            raise RuntimeError("only a worker claims jobs; start one with `taskengine worker MODULE:ENGINE`")
        return self.dispatcher


def _attempts(retries: int | None, max_attempts: int | None) -> int:
    if retries is not None and max_attempts is not None:
        raise InvalidInput(("max_attempts",), "give either retries or max_attempts, not both")
    if retries is not None:
        return check_positive_int(retries + 1, ("retries",))
    return check_positive_int(1 if max_attempts is None else max_attempts, ("max_attempts",))


def _backoff(
    backoff: Backoff | None, retries: int | None, retry_delay: float | None, retry_backoff: float | None
) -> Backoff:
    """Who speaks as to Huey (``retries``, not ``max_attempts``) gets Huey's: no delay unless one is given."""
    if retry_delay is None and retry_backoff is None and (backoff is not None or not retries):
        return backoff or Backoff()
    if backoff is not None:
        raise InvalidInput(("backoff",), "give either a backoff or retry_delay and retry_backoff, not both")
    return Backoff(base_seconds=retry_delay or 0.0, factor=retry_backoff or 1.0, cap_seconds=1e9, jitter=False)


def _paths(task: str, redact: object) -> Sequence[str]:
    paths = (redact,) if isinstance(redact, str) else redact
    if isinstance(paths, (list, tuple)) and all(isinstance(path, str) for path in cast("Sequence[Any]", paths)):
        return cast("Sequence[str]", paths)
    raise InvalidTask(task, f"redact: expected paths such as ('password', 'card.number'), got {redact!r:.60}")


def _exceptions(task: str, option: str, value: Any) -> Exceptions:
    kinds: tuple[Any, ...] = value if isinstance(value, tuple) else (value,)  # pyright: ignore[reportUnknownVariableType]
    for kind in kinds:
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise InvalidTask(task, f"{option}: expected exception classes, got {kind!r}")
    return kinds
