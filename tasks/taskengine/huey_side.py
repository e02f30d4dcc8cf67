"""What an application that used Huey calls: its constructor's options, data, locks, revoking, looking, consumers.

Each is Huey's call with what it stands for here: a revoked call is a cancelled
job, a lock has an owner, data is JSON. ``docs/from-huey.md`` says where that differs.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import wraps
from inspect import signature
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from huey.api import Huey
from huey.api import Task as HueyTask
from huey.serializer import Serializer, SignedSerializer

from taskengine.data_storage import DataStorage
from taskengine.encryption import Keyring
from taskengine.errors import IllegalMove, InvalidInput, InvalidTask
from taskengine.filters import OLDEST_FIRST, JobFilter
from taskengine.in_place import InPlace
from taskengine.jobs import (
    DEFAULT_PRIORITY,
    HIGHEST_PRIORITY,
    LOWEST_PRIORITY,
    Job,
    JobState,
    Options,
    check_job_id,
    check_priority,
)
from taskengine.listing import Look
from taskengine.locks import RateLimit, TaskLock
from taskengine.records import dumps, ms_of
from taskengine.redaction import joined
from taskengine.retries import Backoff

if TYPE_CHECKING:
    from taskengine.engine import TaskEngine
    from taskengine.settings import Settings
    from taskengine.storage import JobStorage
    from taskengine.task import JobTask, Task

CALL_OPTIONS = frozenset(
    {"id", "eta", "delay", "retries", "retry_delay", "retry_backoff", "priority", "expires", "timeout"}
)
"""What Huey takes out of the arguments of a call."""
SETTABLE = ("eta", "retries", "retry_delay", "retry_backoff", "priority", "expires", "timeout")
"""What its users set on the instance of a call before they enqueue it."""
AT_ONCE = Backoff(base_seconds=0.0, factor=1.0, cap_seconds=1e9, jitter=False)
_KEEP_REVOKED = timedelta(days=30)
"""A call that is revoked before it is enqueued is so for this long."""
_MEANINGLESS = frozenset(
    {"results", "store_none", "utc", "compression", "use_zlib", "immediate_use_memory", "store_intermediate_errors"}
    | {"blocking", "read_timeout", "client_name", "notify_result", "notify_result_ttl", "clean_name", "expire_time"}
)
"""Options of Huey's constructors about what ours does in one way only."""
_PAGE = 100


class JsonSerializer(Serializer):
    """``put`` and ``get`` in JSON: whoever may write to Redis may not run code in our processes."""

    def _serialize(self, data: Any) -> bytes:
        return json.dumps(data, separators=(",", ":"), allow_nan=False).encode()

    def _deserialize(self, data: bytes) -> Any:
        return json.loads(data)


class HueySide(Huey):
    """The part of ``TaskEngine`` that Huey's users know."""

    settings: "Settings"
    keyring: Keyring
    tasks: "dict[str, Task[..., Any]]"
    in_place: InPlace | None = None
    """Where jobs run in immediate mode."""

    def _begin_as_huey(self, name: str, *, immediate: bool, priorities: Any, options: dict[str, Any]) -> None:
        serializer = options.pop("serializer", None)
        if serializer is not None and not isinstance(serializer, (JsonSerializer, SignedSerializer)):
            raise TypeError("data is kept as JSON; a serializer that unpickles has to be a huey SignedSerializer")
        unknown = sorted(options.keys() - _MEANINGLESS)
        if unknown:
            raise TypeError(f"TaskEngine does not take {unknown[0]!r}; Redis is named by url, or host, port and db")
        self._priorities: tuple[float, float] | None = priorities
        self.lock_names: set[str] = set()
        super().__init__(name, serializer=serializer or JsonSerializer(), immediate=immediate)

    # Priorities

    def priority_of(self, given: Any, path: tuple[str, ...] = ("options", "priority")) -> int:
        """Return ours, 1 to 10, for a number that a task or call names.

        The same number, unless the engine was told which numbers a Huey
        application uses (``huey_priorities``): then their range is laid over 1
        to 10, and unset is 0, as with Huey.
        """
        if self._priorities is None:
            return check_priority(DEFAULT_PRIORITY if given is None else given, path)
        low, high = self._priorities
        share = (min(max(given or 0, low), high) - low) / ((high - low) or 1)
        return LOWEST_PRIORITY + round(share * (HIGHEST_PRIORITY - LOWEST_PRIORITY))

    # Immediate mode

    @property
    def immediate(self) -> bool:
        """Whether calls run where they are made, in memory, without Redis."""
        return self._immediate

    @immediate.setter
    def immediate(self, value: bool) -> None:
        if self._immediate != value:
            self._immediate = value
            self.storage = self.create_storage()

    def create_storage(self) -> Any:
        """Huey's way to ask for a storage."""
        self.in_place = InPlace(cast("TaskEngine", self)) if self._immediate else None
        return self.in_place.shelf if self.in_place else self.redis_storage()

    def redis_storage(self) -> "JobStorage":
        """Return the storage on Redis."""
        raise NotImplementedError

    @property
    def job_storage(self) -> "JobStorage":
        """The storage on Redis, by its own type."""
        return cast("JobStorage", self.storage)

    @property
    def shelf(self) -> DataStorage:
        """Where data, locks and revocations are kept: Redis, or memory in immediate mode."""
        return cast("DataStorage", self.storage)

    # Locks and rates

    def lock_task(self, lock_name: str, ttl: float | None = None) -> TaskLock:
        """Return a lock: ``with engine.lock_task("x"):``, or ``@engine.lock_task("x")`` below ``@engine.task()``."""
        return TaskLock(cast("TaskEngine", self), lock_name, ttl)

    def is_locked(self, lock_name: str) -> bool:
        """Whether somebody holds a lock."""
        return self.shelf.is_locked(lock_name)

    def flush_locks(self, *names: str) -> set[str]:
        """Free the locks that this process names, and ``names``, whoever holds them; return which were held."""
        return {name for name in self.lock_names.union(part.strip() for part in names) if self.shelf.free_lock(name)}

    def rate_limit(self, name: str, limit: int, per: float, retry: bool = True) -> RateLimit:
        """Return a guard that allows ``limit`` uses in each stretch of ``per`` seconds."""
        return RateLimit(cast("TaskEngine", self), name, limit, per, retry=retry)

    # Revoking

    def revoke_all(self, task_class: Any, revoke_until: datetime | None = None, revoke_once: bool = False) -> None:
        """Have the jobs of a task end CANCELLED instead of starting: the next one, those until a time, or all."""
        until = None if revoke_until is None else aware(revoke_until)
        self.shelf.revoke_task(_title(task_class), until=until, once=revoke_once)

    def restore_all(self, task_class: Any) -> bool:
        """Take ``revoke_all`` back; tell whether it was so."""
        return self.shelf.restore_task(_title(task_class))

    def revoke(self, task: Any, revoke_until: datetime | None = None, revoke_once: bool = True) -> None:
        """Cancel a job that waits; with ``revoke_until``, unless it is for later. One that runs or ended is left.

        A call that is yet to be enqueued, of a pipeline say, is cancelled when it is and would start.
        """
        del revoke_once
        until = None if revoke_until is None else aware(revoke_until)
        job = self.get_job(_id(task)) or self._revoke_ahead(_id(task), until)
        if job is None or (until is not None and job.run_at is not None and job.run_at >= until):
            return
        try:
            self._cancel(job.id)
        except IllegalMove:
            return  # too late: Huey looks before a task starts, and never again

    def _revoke_ahead(self, job_id: str, until: datetime | None) -> Job | None:
        """Note that a job is not to run once it is there; return it if it came meanwhile."""
        self.shelf.revoke_call(job_id, until=until or datetime.now(UTC) + _KEEP_REVOKED)
        job = self.get_job(job_id)
        if job is not None:
            self.shelf.restore_call(job_id)
        return job

    def restore(self, task: Any) -> bool:
        """Queue a job again that was cancelled; tell whether it was. It is ready now, also if it was for later."""
        job = self.get_job(_id(task))
        if job is None or not job.state.is_final:
            return self.shelf.restore_call(_id(task))
        if job.state is not JobState.CANCELLED:
            return False
        self._restore(job.id)
        return True

    def revoke_by_id(self, id: str, revoke_until: datetime | None = None, revoke_once: bool = True) -> None:
        """Cancel a job that waits."""
        self.revoke(id, revoke_until, revoke_once)

    def restore_by_id(self, id: str) -> bool:
        """Queue a job again that was cancelled."""
        return self.restore(id)

    def is_revoked(self, task: Any, timestamp: datetime | None = None, peek: bool = True) -> bool:
        """Whether a task is revoked, or a job was cancelled or is of a task that is revoked."""
        del peek  # looking uses nothing up
        if isinstance(task, type) or hasattr(task, "task_class"):
            revoked = self.shelf.revocation(_title(task))
            if isinstance(revoked, datetime):
                return (datetime.now(UTC) if timestamp is None else aware(timestamp)) < revoked
            return revoked
        job = self.get_job(_id(task))
        if job is None or not job.state.is_final:
            ahead = self.shelf.is_call_revoked(_id(task))
            return ahead or (job is not None and not isinstance(task, str) and self._is_task_revoked(job))
        return job.state is JobState.CANCELLED

    def _is_task_revoked(self, job: Job) -> bool:
        return job.task in self.tasks and self.is_revoked(self.tasks[job.task])

    def get_job(self, job_id: str) -> Job | None:
        """Return a job, or ``None`` when there is no record of it."""
        check_job_id(job_id)
        if self.in_place is not None:
            return self.in_place.get_job(job_id)
        return self.job_storage.run(self.job_storage.reads.get_jobs([job_id]))[0]

    def traceback_of(self, job: Job) -> str:
        """Return the traceback of a job's last failed attempt, "" when there is none."""
        if self.in_place is not None:
            return self.in_place.traceback_of(job.id)
        (attempts,) = self.job_storage.run(self.job_storage.reads.list_attempts([job]))
        return next((one.error.traceback or "" for one in reversed(attempts) if one.error is not None), "")

    def _cancel(self, job_id: str) -> None:
        if self.in_place is not None:
            self.in_place.cancel(job_id)
        else:
            self.job_storage.run(self.job_storage.store.cancel_job(job_id, terminate=False, reason="revoked"))

    def _restore(self, job_id: str) -> None:
        if self.in_place is not None:
            self.in_place.restore(job_id)
        else:
            self.job_storage.run(self.job_storage.store.retry_job(job_id, attempts=None))

    # Looking

    def pending(self, limit: int | None = None) -> "list[JobTask]":
        """Return the jobs that are ready, in order of creation, as Huey's instances."""
        return self._instances((JobState.QUEUED,), limit)

    def scheduled(self, limit: int | None = None) -> "list[JobTask]":
        """Return the jobs that wait for their time, in order of creation, as Huey's instances."""
        return self._instances((JobState.SCHEDULED, JobState.RETRYING), limit)

    def pending_count(self) -> int:
        """Return how many jobs are ready."""
        return self.in_place.count(JobState.QUEUED) if self.in_place else self.job_storage.queue_size()

    def scheduled_count(self) -> int:
        """Return how many jobs wait for their time."""
        return self.in_place.count(JobState.SCHEDULED) if self.in_place else self.job_storage.schedule_size()

    def result_count(self) -> int:
        """Return how many jobs have COMPLETED or FAILED. Retention removes them, not reading."""
        ended = (JobState.COMPLETED, JobState.FAILED)
        return self.in_place.count(*ended) if self.in_place else self.job_storage.count(*ended)

    def _instances(self, states: tuple[JobState, ...], limit: int | None) -> "list[JobTask]":
        jobs = self.in_place.jobs(states) if self.in_place else self._jobs(states, limit)
        return [self.instance_of(job) for job in list(jobs)[:limit]]

    def _jobs(self, states: tuple[JobState, ...], limit: int | None) -> Iterable[Job]:
        behind, found = None, 0
        look = Look.for_(JobFilter(states=states, tasks=tuple(self.tasks)), OLDEST_FIRST)
        while self.tasks and (limit is None or found < limit):
            reads = self.job_storage.reads
            stretch = self.job_storage.run(reads.list_jobs(look, behind=behind, limit=_PAGE))
            yield from (job for job, _ in stretch.rows)
            if not stretch.more:
                return
            behind, found = stretch.rows[-1][1], found + len(stretch.rows)

    def instance_of(self, job: Job) -> "JobTask":
        """Return Huey's instance of a job, with the arguments that its task would get."""
        task = self.tasks[job.task].task_class
        return task(
            kwargs=self._shown_kwargs(job),
            id=job.id,
            eta=naive(job.run_at),
            retries=retries_left(job),
            priority=job.priority,
            timeout=job.timeout_seconds,
            expires=naive(job.start_before),
            expires_resolved=naive(job.start_before),
            **delays_of(job.backoff),
        )

    def _shown_kwargs(self, job: Job) -> dict[str, Any]:
        """Return a job's arguments as its task would get them, but for secrets, in whose place is ``********``."""
        try:
            return self.tasks[job.task].task_class.signature.load(dumps(job.args))
        except InvalidInput:
            if job.redacted:  # it has a secret that is no text
                return dict(job.args)
            raise

    def args_of(self, job: Job) -> str:
        """Return a job's arguments as JSON, its secrets too; raise ``UnreadableSecret``, ``JobNotFound``."""
        shown = dumps(job.args)
        return joined(shown, self._secrets_of(job.id), self.keyring) if job.redacted else shown

    def _secrets_of(self, job_id: str) -> str:
        if self.in_place is not None:
            return self.in_place.secrets_of(job_id)
        return self.job_storage.load_secrets(job_id)

    def move(self, job_id: str, said: dict[str, Any]) -> bool:
        """Give a job that waits another time and priority; tell whether it did wait."""
        options = options_of(self, said, Backoff())
        at = options.run_at or (datetime.now(UTC) + timedelta(seconds=options.delay) if options.delay else None)
        try:
            if self.in_place is not None:
                self.in_place.reschedule(job_id, 0 if at is None else ms_of(at))
            else:
                self._move(job_id, at, options.priority)
        except IllegalMove:
            return False
        return True

    def _move(self, job_id: str, at: datetime | None, priority: int | None) -> None:
        store, run = self.job_storage.store, self.job_storage.run
        run(store.reschedule_job(job_id, run_at_ms=None if at is None else ms_of(at)))
        if priority is not None:
            run(store.change_priority(job_id, priority))

    def again(self, job: Job, said: dict[str, Any]) -> "JobTask":
        """Return the call of a job once more, with what is said of it in place of its own options."""
        task = self.tasks[job.task]
        kept = {"retries": job.max_attempts - 1, "timeout": job.timeout_seconds}
        call = task.call((), task.task_class.signature.load(self.args_of(job)), kept | said)
        priority = call.options.priority or job.priority
        call.options = replace(call.options, queue=job.queue, tags=job.tags, backoff=job.backoff, priority=priority)
        return call

    # Decorating and consuming

    def context_task(self, obj: Any, as_argument: bool = False, **options: Any) -> Callable[[Callable[..., Any]], Any]:
        """Make a function a task that runs inside ``with obj:``; ``as_argument`` passes what that gives, first."""

        def decorate(function: Callable[..., Any]) -> Any:
            @wraps(function)
            def inside(*args: Any, **kwargs: Any) -> Any:
                with obj as given:
                    return function(given, *args, **kwargs) if as_argument else function(*args, **kwargs)

            if as_argument:
                taken = signature(function)
                inside.__signature__ = taken.replace(parameters=list(taken.parameters.values())[1:])  # pyright: ignore[reportFunctionMemberAccess, reportAttributeAccessIssue]
            return self.task(**options)(inside)

        return decorate

    def create_consumer(self, **options: Any) -> Any:
        """Return a worker made of Huey's options: what ``huey_consumer shop.tasks.engine`` asks for.

        Options about polling and the scheduler have no meaning here: nothing is polled.
        """
        from taskengine.worker.consumer import JobConsumer

        if options.get("worker_type") == "greenlet":
            raise InvalidInput(("worker_type",), "expected thread or process, got 'greenlet'")
        grace = options.get("shutdown_timeout")
        if grace is not None:
            self.settings = replace(self.settings, grace_seconds=grace)
        kept = {"workers", "worker_type", "flush_locks", "extra_locks", "max_tasks"}
        chosen = {name: value for name, value in options.items() if name in kept and value is not None}
        return JobConsumer(cast("TaskEngine", self), **chosen)


def retries_left(job: Job) -> int:
    """Return how often a job is tried again if its attempt, or the next one when it waits, fails."""
    begun = job.attempt_count if job.state is JobState.RUNNING or job.state.is_final else job.attempt_count + 1
    return max(job.max_attempts - max(begun, 1), 0)


def delays_of(backoff: Backoff | None) -> dict[str, Any]:
    """Return Huey's words for a backoff that a call named; nothing when it is the task's."""
    return {} if backoff is None else {"retry_delay": backoff.base_seconds, "retry_backoff": backoff.factor}


def url_of(url: str | None, host: str | None, port: int | None, db: int | None, password: str | None) -> str | None:
    """Return where Redis is, as one URL; ``None`` when nothing was said."""
    if host is None and port is None and db is None and password is None:
        return url
    if url is not None:
        raise TypeError("give either a url, or host, port, db and password")
    secret = f":{quote(password, safe='')}@" if password else ""
    return f"redis://{secret}{host or 'localhost'}:{port or 6379}/{db or 0}"


def split_call(kwargs: dict[str, Any], parameters: frozenset[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Part Huey's options from a call's arguments. A parameter of that name is the task's own."""
    options = {name: value for name, value in kwargs.items() if name in CALL_OPTIONS and name not in parameters}
    return {name: value for name, value in kwargs.items() if name not in options}, options


def options_of(engine: HueySide, call: dict[str, Any], backoff: Backoff | None) -> Options:
    """Return Huey's options of a call as ours. Times without a zone are local, as with Huey.

    ``backoff``: what the task states of its own, ``None`` if nothing: then retries that the call asks for are
    at once, as with Huey.
    """
    known = {name: value for name, value in call.items() if value is not None}
    delay = known.get("delay")
    delay = delay.total_seconds() if isinstance(delay, timedelta) else delay
    at_once = isinstance(delay, (int, float)) and delay < 0  # as with Huey, so is a time that has passed
    return Options(
        id=known.get("id"),
        run_at=aware(known["eta"]) if "eta" in known else None,
        delay=None if "eta" in known or at_once else delay,
        max_attempts=known["retries"] + 1 if "retries" in known else None,
        backoff=_backoff(known, backoff),
        priority=engine.priority_of(known["priority"]) if "priority" in known else None,
        start_before=_expiry(known.get("expires")),
        timeout=known.get("timeout"),
    )


def options_since(engine: HueySide, options: Options, said: dict[str, Any], backoff: Backoff | None) -> Options:
    """Return options with what was set on Huey's instance of a call since. Its times are UTC, as Huey keeps them."""
    times = {name: value.replace(tzinfo=value.tzinfo or UTC) for name, value in said.items() if _is_time(value)}
    new = options_of(engine, said | times, options.backoff or backoff)
    changed = {name: getattr(new, name) for name in ("max_attempts", "backoff", "priority", "timeout")}
    changed = {name: value for name, value in changed.items() if value is not None}
    if "eta" in said:
        changed |= {"run_at": new.run_at, "delay": None}
    if "expires" in said:
        changed["start_before"] = new.start_before
    return replace(options, **changed)


def naive(at: datetime | None) -> datetime | None:
    """Return a time as Huey's instances have it: in UTC, without saying so."""
    return None if at is None else at.astimezone(UTC).replace(tzinfo=None)


def _is_time(value: object) -> bool:
    return isinstance(value, datetime)


def aware(at: datetime) -> datetime:
    """Return a time with its zone: local, if it names none."""
    if not isinstance(at, datetime):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise InvalidInput(("options", "runAt"), f"expected a datetime, got {at!r}")
    return at.astimezone(UTC)


def _expiry(expires: Any) -> datetime | None:
    if expires is None or isinstance(expires, datetime):
        return None if expires is None else aware(expires)
    seconds = expires if isinstance(expires, timedelta) else timedelta(seconds=expires)
    return datetime.now(UTC) + seconds


def _backoff(call: dict[str, Any], stated: Backoff | None) -> Backoff | None:
    if "retry_delay" not in call and "retry_backoff" not in call:
        return AT_ONCE if stated is None and call.get("retries") else None
    default = stated or AT_ONCE
    delay, factor = call.get("retry_delay", default.base_seconds), call.get("retry_backoff", default.factor)
    return Backoff(base_seconds=delay, factor=factor or 1.0, cap_seconds=1e9, jitter=False)


def _title(task: Any) -> str:
    kind = getattr(task, "task_class", task)
    if isinstance(kind, type) and issubclass(kind, HueyTask):
        return kind.__name__
    raise InvalidTask(str(task), "is no task")


def _id(task: Any) -> str:
    return task if isinstance(task, str) else task.id
