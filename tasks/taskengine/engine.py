"""``TaskEngine``, a Huey whose jobs have a record, and ``Task``, a function that became one.

Decorators, registry, hooks, signals and consumer are Huey's; what a job is and
how it moves is ours (``store.py``).
"""

import inspect
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar, Generic, ParamSpec, Self, TypeVar, cast

from huey.api import Huey, TaskWrapper
from huey.api import Task as HueyTask
from huey.registry import Registry

from taskengine.catalogue import check_size
from taskengine.embedded import find_redis_url
from taskengine.errors import InvalidInput, InvalidInputs, InvalidTask
from taskengine.ids import new_id
from taskengine.jobs import (
    DEFAULT_PRIORITY,
    DEFAULT_QUEUE,
    Job,
    Options,
    TaskInfo,
    check_job_id,
    check_name,
    check_positive_int,
    check_priority,
)
from taskengine.options import settled
from taskengine.records import ClaimedJob, row_of
from taskengine.results import Result
from taskengine.retries import Backoff
from taskengine.scripts import Value
from taskengine.settings import Settings
from taskengine.signatures import Signature
from taskengine.storage import JobStorage
from taskengine.store import ROWS_PER_CALL
from taskengine.worker.dispatch import Dispatcher
from taskengine.worker.execution import execute

P = ParamSpec("P")
R = TypeVar("R")

Exceptions = tuple[type[BaseException], ...]


class JobTask(HueyTask):
    """Huey's instance of a call, with what ours needs to run. ``Task`` makes a subclass for each function."""

    def create_id(self) -> str:
        """Return an id of ours."""
        return new_id("job")

    job: ClaimedJob
    signature: ClassVar[Signature]
    queue: ClassVar[str]
    backoff: ClassVar[Backoff]
    retry_on: ClassVar[Exceptions]
    fail_on: ClassVar[Exceptions]


class Task(TaskWrapper, Generic[P, R]):
    """A function that became a task. Calling it enqueues a job; ``call_local`` runs it here."""

    task_base = JobTask
    huey: "TaskEngine"
    task_class: type[JobTask]

    @property
    def info(self) -> TaskInfo:
        """What workers publish of it."""
        return TaskInfo(
            name=self.task_class.__name__,
            args_schema=self.task_class.signature.args_schema,
            queue=self.task_class.queue,
            priority=self.task_class.default_priority,
            max_attempts=self.task_class.default_retries + 1,
            timeout_seconds=self.task_class.default_timeout,
            description=inspect.getdoc(self.func) if self.func.__doc__ else None,
        )

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Result[R]:
        """Enqueue a job with these arguments; raise ``InvalidInput`` and enqueue nothing if they are wrong."""
        return self.huey.submit([self._row(args, kwargs, Options())], self)[0]

    def enqueue(self, *args: Any, options: Options | None = None, **kwargs: Any) -> Result[R]:
        """Enqueue a job with these arguments and options."""
        return self.huey.submit([self._row(args, kwargs, _options(options))], self)[0]

    def enqueue_many(
        self, calls: Iterable[Mapping[str, Any] | tuple[Any, ...]], options: Options | None = None
    ) -> list[Result[R]]:
        """Enqueue a job for each call, given as a dict by parameter name or a tuple by position.

        When one is refused, none is enqueued; the path of the error begins with its number.
        Goes to Redis in batches of 500.
        """
        chosen = _options(options)
        rows: list[list[Value]] = []
        for number, call in enumerate(calls):
            try:
                rows.append(self._row(*_call(call), chosen))
            except InvalidInput as error:
                problems = error.problems if isinstance(error, InvalidInputs) else (error,)
                raise InvalidInputs(
                    [InvalidInput((str(number), *one.path), one.message, one.constraint) for one in problems]
                ) from None
        if chosen.id is not None and len(rows) > 1:
            raise InvalidInput(("options", "id"), f"one id cannot be that of {len(rows)} jobs; leave it out")
        return self.huey.submit(rows, self)

    def call_local(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """Call the plain function, here and now."""
        return self.func(*args, **kwargs)

    def unregister(self) -> bool:
        """Forget the task: this process neither publishes nor runs it any more."""
        self.huey.tasks.pop(self.task_class.__name__, None)
        return super().unregister()

    def _row(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], options: Options) -> list[Value]:
        info = self.info_once
        chosen = settled(
            options,
            queue=info.queue,
            priority=info.priority,
            max_attempts=info.max_attempts,
            timeout=info.timeout_seconds,
        )
        args_json = self.task_class.signature.dump(args, kwargs)
        check_size(args_json, self.huey.settings.max_args_bytes)
        queue, priority = cast("str", chosen.queue), cast("int", chosen.priority)
        return row_of(chosen.id or new_id("job"), info.name, args_json, queue=queue, priority=priority, options=chosen)

    @cached_property
    def info_once(self) -> TaskInfo:
        """``info``, made once."""
        return self.info


class JobRegistry(Registry):
    """Tasks by the names that their authors chose; a module that moves orphans nothing."""

    def task_to_string(self, task_class: type) -> str:
        """Return the task's name."""
        return task_class.__name__


class TaskEngine(Huey):
    """A namespace of jobs on one Redis, and the tasks of this process."""

    def __init__(self, name: str = "default", *, url: str | None = None, settings: Settings | None = None) -> None:
        """``name`` is the namespace. Without ``url``, ``TASKENGINE_REDIS_URL`` or the private Redis is used."""
        chosen = settings or Settings.from_env(os.environ)
        self.settings = replace(chosen, namespace=name, redis_url=url or chosen.redis_url)
        self.tasks: dict[str, Task[..., Any]] = {}
        self.dispatcher: Dispatcher | None = None
        super().__init__(name)
        self._registry = JobRegistry()

    @classmethod
    def from_env(cls, env: Mapping[str, str] | None = None) -> Self:
        """Make an engine as the environment says; raise ``InvalidSetting``."""
        settings = Settings.from_env(os.environ if env is None else env)
        return cls(settings.namespace, settings=settings)

    def create_storage(self) -> JobStorage:
        """Huey's way to ask for a storage."""
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
    ) -> Callable[[Callable[P, R]], Task[P, R]]:
        """Make a function a task. Raises ``InvalidTask`` when its signature or an option is not usable.

        ``max_attempts``: runs before the job FAILED (Huey's ``retries`` + 1), 1 by default.
        ``backoff``: how long to wait between them (Huey's ``retry_delay`` and ``retry_backoff``
        give one without cap and jitter). ``retry_on`` / ``fail_on``: exceptions that are
        tried again, and those of them that are not. ``timeout`` in seconds.
        """
        if callable(retries):
            raise InvalidTask(getattr(retries, "__name__", "?"), "write @engine.task() with parentheses")

        def decorate(function: Callable[P, R]) -> Task[P, R]:
            plain = cast("Callable[P, R]", function.func if isinstance(function, TaskWrapper) else function)
            title = name or getattr(plain, "__name__", "task")
            if inspect.iscoroutinefunction(plain):
                raise InvalidTask(title, "async def tasks are not supported yet; call asyncio.run() inside a plain one")
            if title in self.tasks:
                raise InvalidTask(title, "there is another task of that name; give this one a name= of its own")
            hidden = frozenset({"task"} if context else ())
            try:
                options: dict[str, Any] = {
                    "name": check_name(title, ("name",)),
                    "queue": check_name(queue, ("queue",)),
                    "default_priority": check_priority(
                        DEFAULT_PRIORITY if priority is None else priority, ("priority",)
                    ),
                    "default_retries": _attempts(retries, max_attempts) - 1,
                    "default_timeout": timeout,
                    "backoff": _backoff(backoff, retry_delay, retry_backoff),
                }
                settled(Options(timeout=timeout), queue=queue, priority=5, max_attempts=1, timeout=None)
            except InvalidInput as error:
                raise InvalidTask(title, str(error)) from None
            task = Task[P, R](
                self,
                plain,
                context=context,
                signature=Signature(title, plain, hidden=hidden),
                retry_on=_exceptions(title, "retry_on", retry_on),
                fail_on=_exceptions(title, "fail_on", fail_on),
                **options,
            )
            self.tasks[title] = task
            return task

        return decorate

    def periodic_task(self, *_: Any, **__: Any) -> Any:
        """Refuse: schedules are not part of this version, and a task that never ran would be worse."""
        raise InvalidTask("periodic_task", "schedules are not supported yet")

    # Enqueueing

    def submit(self, rows: list[list[Value]], task: "Task[..., Any] | None" = None) -> list[Result[Any]]:
        """Enqueue rows of ``records.row_of``; return a handle for each."""
        store = self.job_storage.store
        for start in range(0, len(rows), ROWS_PER_CALL):
            self.job_storage.run(store.enqueue_jobs(rows[start : start + ROWS_PER_CALL]))
        signature = None if task is None else task.task_class.signature
        return [Result(self, str(row[0]), signature) for row in rows]

    def enqueue(self, task: Any) -> Result[Any]:
        """Enqueue an instance that ``task.s(...)`` or ``task.schedule(...)`` made, as with Huey."""
        if not isinstance(task, JobTask):
            raise TypeError(f"expected a call of a task such as send_mail.s(...), got {type(task).__name__}")
        if task.expires or task.on_complete or task.on_error:
            raise InvalidInput(("options",), "expires, then() and error() are not supported yet")
        wrapper = self.tasks[type(task).__name__]
        options = Options(
            id=task.id,
            priority=task.priority,
            max_attempts=task.retries + 1,
            timeout=task.timeout,
            run_at=task.eta if task.eta is None or task.eta.tzinfo else task.eta.replace(tzinfo=UTC),
        )
        return wrapper.enqueue(*task.args, options=options, **task.kwargs)

    # Reading

    @property
    def job_storage(self) -> JobStorage:
        """The storage, by its own type."""
        return cast("JobStorage", self.storage)

    def get_job(self, job_id: str) -> Job | None:
        """Return a job, or ``None`` when there is no record of it."""
        return self.job_storage.run(self.job_storage.reads.get_jobs([check_job_id(job_id)]))[0]

    def result(self, id: str, blocking: bool = False, timeout: float | None = None, *_: Any, **__: Any) -> Any:
        """Return the result of a job, as ``Result.get`` does."""
        return Result[Any](self, id).get(blocking=blocking, timeout=timeout)

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
        task = self.tasks[job.task].task_class(
            id=job.id,
            retries=job.max_attempts - job.attempt,
            priority=job.priority,
            timeout=None if job.timeout_ms is None else job.timeout_ms / 1000,
        )
        task.job = job
        return task

    def execute(self, task: JobTask, timestamp: datetime | None = None) -> None:
        """Run one claimed job to the end of its attempt."""
        del timestamp  # a job is claimed when it is due, by Redis's clock
        execute(self, self._dispatcher(), task)

    def read_schedule(self, timestamp: datetime | None = None) -> list[HueyTask]:
        """Do the sweep that Huey's scheduler comes by for. Nothing is handed back to enqueue one by one."""
        from taskengine.worker.sweep import sweep

        del timestamp
        sweep(self.job_storage, self.settings)
        return []

    def read_periodic(self, timestamp: datetime | None) -> list[HueyTask]:
        """Return nothing: see ``periodic_task``."""
        del timestamp
        return []

    def _dispatcher(self) -> Dispatcher:
        if self.dispatcher is None:
            raise RuntimeError("only a worker claims jobs; start one with `taskengine worker MODULE:ENGINE`")
        return self.dispatcher


def _options(options: object) -> Options:
    if options is None or isinstance(options, Options):
        return options or Options()
    raise InvalidInput(
        ("options",), f"expected Options, got {type(options).__name__}; a parameter of that name is given by position"
    )


def _call(call: object) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
    if isinstance(call, tuple):
        return cast("tuple[Any, ...]", call), {}
    if isinstance(call, Mapping):
        return (), cast("Mapping[str, Any]", call)
    raise InvalidInput(("args",), f"expected a tuple of arguments or a dict of them by name, got {type(call).__name__}")


def _attempts(retries: int | None, max_attempts: int | None) -> int:
    if retries is not None and max_attempts is not None:
        raise InvalidInput(("max_attempts",), "give either retries or max_attempts, not both")
    if retries is not None:
        return check_positive_int(retries + 1, ("retries",))
    return check_positive_int(1 if max_attempts is None else max_attempts, ("max_attempts",))


def _backoff(backoff: Backoff | None, retry_delay: float | None, retry_backoff: float | None) -> Backoff:
    if retry_delay is None and retry_backoff is None:
        return backoff or Backoff()
    if backoff is not None:
        raise InvalidInput(("backoff",), "give either a backoff or retry_delay and retry_backoff, not both")
    return Backoff(base_seconds=retry_delay or 0.0, factor=retry_backoff or 1.0, cap_seconds=1e9, jitter=False)


def _exceptions(task: str, option: str, value: Any) -> Exceptions:
    kinds: tuple[Any, ...] = value if isinstance(value, tuple) else (value,)  # pyright: ignore[reportUnknownVariableType]
    for kind in kinds:
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise InvalidTask(task, f"{option}: expected exception classes, got {kind!r}")
    return kinds
