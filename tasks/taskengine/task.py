"""A function that became a task, and a call of it."""

import inspect
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, ClassVar, Generic, ParamSpec, Protocol, TypeVar, cast, overload

from huey.api import Task as HueyTask
from huey.api import TaskWrapper

from taskengine.catalogue import check_size
from taskengine.errors import InvalidInput, InvalidInputs
from taskengine.huey_side import CALL_OPTIONS, SETTABLE, naive, options_of, options_since, split_call
from taskengine.ids import new_id
from taskengine.jobs import Options, TaskInfo, check_text
from taskengine.masks import NO_MASK, Mask
from taskengine.options import MAX_KEY, settled
from taskengine.records import ClaimedJob, row_of, with_fields
from taskengine.redaction import Parted
from taskengine.results import Result, ResultGroup
from taskengine.retries import Backoff
from taskengine.scripts import Value
from taskengine.secrets import MARKER
from taskengine.signatures import Signature

if TYPE_CHECKING:
    from taskengine.engine import TaskEngine

P = ParamSpec("P")
R = TypeVar("R")

Exceptions = tuple[type[BaseException], ...]


class JobTask(HueyTask):
    """Huey's instance of a call, with what ours needs to run. ``Task`` makes a subclass for each function."""

    def __eq__(self, other: object) -> bool:
        """Whether both are of one job: an instance made of a record knows its times by Redis's clock."""
        return isinstance(other, JobTask) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def create_id(self) -> str:
        """Return an id of ours."""
        return new_id("job")

    job: ClaimedJob
    options = Options()
    """What the call said of it."""
    as_made: "dict[str, Any] | None" = None
    """What Huey's attributes were then; one that is set afterwards wins, see ``chosen``."""
    signature: ClassVar[Signature]
    is_async: ClassVar[bool]
    """Whether it is an ``async def``, which runs on the process's event loop."""
    queue: ClassVar[str]
    backoff: ClassVar[Backoff]
    stated_backoff: ClassVar[Backoff | None]
    """The same, if the task says anything of it; ``None`` leaves who speaks as to Huey to Huey's way, at once."""
    retry_on: ClassVar[Exceptions]
    fail_on: ClassVar[Exceptions]
    concurrency_key: ClassVar[Callable[..., object] | None] = None
    concurrency_per_key: ClassVar[int] = 1

    def chosen(self, engine: "TaskEngine") -> Options:
        """Return the options of the call with what was set since on the instance, as in ``task.retries = 2``."""
        made = self.as_made or {}
        said = {name: getattr(self, name) for name in made if getattr(self, name) != made[name]}
        options = replace(self.options, id=self.id)
        return options_since(engine, options, said, self.stated_backoff) if said else options


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
            encrypts=bool(self.task_class.signature.redaction.parameters) and self.huey.keyring.encrypts,
        )

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Result[R]:
        """Enqueue a job with these arguments; raise ``InvalidInput`` and enqueue nothing if they are wrong.

        As with Huey, ``priority=``, ``delay=`` and the like among them are options, unless the task has
        a parameter of that name.
        """
        if self.task_class.default_expires is None and CALL_OPTIONS.isdisjoint(kwargs):
            return self.huey.submit([self.row(args, kwargs, Options())], self)[0]
        return self.huey.enqueue(self.s(*args, **kwargs))

    def s(self, *args: Any, **kwargs: Any) -> JobTask:
        """Return a call that is not enqueued yet: for ``engine.enqueue``, pipelines, groups and chords."""
        plain, said = split_call(kwargs, self.task_class.signature.parameters)
        return self.call(args, plain, said)

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any], said: dict[str, Any]) -> JobTask:
        """Return a call with Huey's options apart from its arguments."""
        if said.get("expires") is None:
            said = said | {"expires": self.task_class.default_expires}
        options = options_of(self.huey, said, self.task_class.stated_backoff)
        task = self.task_class(
            args,
            kwargs,
            id=options.id,
            eta=naive(
                options.run_at if options.delay is None else datetime.now(UTC) + timedelta(seconds=options.delay)
            ),
            retries=said.get("retries"),
            retry_delay=said.get("retry_delay"),
            retry_backoff=said.get("retry_backoff"),
            priority=options.priority,
            timeout=options.timeout,
            expires=naive(options.start_before),
            expires_resolved=naive(options.start_before),
        )
        task.options = options
        task.as_made = {name: getattr(task, name) for name in SETTABLE}
        return task

    def schedule(
        self,
        args: Any = None,
        kwargs: dict[str, Any] | None = None,
        eta: datetime | None = None,
        delay: float | timedelta | None = None,
        **options: Any,
    ) -> Result[R]:
        """Enqueue a job for later, as with Huey: ``schedule((1, 2), delay=60)``, ``schedule(60)``.

        One argument need not be a tuple: ``schedule(1, delay=60)``.
        """
        if eta is None and delay is None:
            if isinstance(args, datetime):
                eta = args
            elif isinstance(args, (int, float, timedelta)):
                delay = args
            else:
                raise ValueError("schedule() missing required eta= or delay=")
            args = None
        if kwargs is not None and not isinstance(kwargs, dict):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ValueError(f"schedule() takes kwargs as a dict, got {kwargs!r}")
        unknown = sorted(options.keys() - CALL_OPTIONS)
        if unknown:
            raise TypeError(f"schedule() got an unexpected keyword argument {unknown[0]!r}")
        said = {"eta": eta, "delay": delay, **options}
        given = (
            () if args is None else tuple(cast("Iterable[Any]", args)) if isinstance(args, (tuple, list)) else (args,)
        )
        return self.huey.enqueue(self.call(given, kwargs or {}, said))

    def map(self, it: Iterable[Any]) -> ResultGroup:
        """Enqueue a job for each item; a tuple is several arguments."""
        calls = [cast("tuple[Any, ...]", item) if isinstance(item, tuple) else (item,) for item in it]
        return ResultGroup(self.enqueue_many(calls))

    def enqueue(self, *args: Any, options: Options | None = None, **kwargs: Any) -> Result[R]:
        """Enqueue a job with these arguments and options."""
        return self.huey.submit([self.row(args, kwargs, _options(options))], self)[0]

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
                rows.append(self.row(*_call(call), chosen))
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

    def create_task(
        self, func: Callable[..., Any], context: bool = False, name: str | None = None, **settings: Any
    ) -> type[JobTask]:
        """Huey's way to make the class of a task's calls. Coroutine functions it refuses, but not their callers."""
        if not inspect.iscoroutinefunction(func):
            return super().create_task(func, context, name, is_async=False, **settings)

        @wraps(func)
        def begin(*args: Any, **kwargs: Any) -> Any:
            return func(*args, **kwargs)

        return super().create_task(begin, context, name, is_async=True, **settings)

    def unregister(self) -> bool:
        """Forget the task: this process neither publishes nor runs it any more."""
        name = self.task_class.__name__
        self.huey.tasks.pop(name, None)
        for schedule in [one.name for one in self.huey.schedules.values() if one.definition.task == name]:
            del self.huey.schedules[schedule]
        return super().unregister()

    def row(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], options: Options) -> list[Value]:
        """Return the row of a call (``records.row_of``); raise ``InvalidInput``."""
        signature = self.task_class.signature
        args_json = signature.dump(args, kwargs)
        check_size(args_json, self.huey.settings.max_args_bytes)
        row = self.row_with(signature.part(args_json, self.huey.keyring), options)
        if self.task_class.concurrency_key is None:
            return row
        given = signature.load(args_json)
        mask = signature.mask(signature.redaction.values(args_json), given)
        return with_fields(row, {"key": self.key_of(given, mask)})

    def row_with(self, args: Parted, options: Options) -> list[Value]:
        """Return the row of a call whose arguments have been checked, without its concurrency key."""
        info = self.info_once
        chosen = settled(
            options,
            queue=info.queue,
            priority=info.priority,
            max_attempts=info.max_attempts,
            timeout=info.timeout_seconds,
        )
        self.huey.check_dependencies(chosen.depends_on)
        queue, priority = cast("str", chosen.queue), cast("int", chosen.priority)
        job_id = chosen.id or new_id("job")
        return row_of(job_id, info.name, args, queue=queue, priority=priority, options=chosen)

    def key_of(self, arguments: Mapping[str, Any], mask: Mask) -> str:
        """Return the concurrency key of a call; raise ``InvalidInput`` when it can be none."""
        make = self.task_class.concurrency_key
        key = "" if make is None else str(make(**arguments))
        if mask is not NO_MASK and (mask(key) != key or MARKER in key):
            raise InvalidInput(("concurrency_key",), "holds a secret argument, and keys are shown; make it of others")
        return check_text(key, ("concurrency_key",), at_most=MAX_KEY)

    @cached_property
    def info_once(self) -> TaskInfo:
        """``info``, made once."""
        return self.info


class AsyncTask(Task[P, R]):
    """A coroutine function that became a task. ``R`` is what it returns when awaited."""

    def call_local(self, *args: P.args, **kwargs: P.kwargs) -> Coroutine[Any, Any, R]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Call the plain function, here and now: await what it returns."""
        return self.func(*args, **kwargs)


class TaskDecorator(Protocol):
    """What ``engine.task(...)`` returns: it makes a function a task, with the types of its arguments and result."""

    @overload
    def __call__(self, function: Callable[P, Coroutine[Any, Any, R]], /) -> AsyncTask[P, R]: ...
    @overload
    def __call__(self, function: Callable[P, R], /) -> Task[P, R]: ...


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
