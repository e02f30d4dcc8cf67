"""For the tests of people who use TaskEngine: run jobs in the test's own process, and say what was enqueued.

Two ways. ``engine_in_place`` needs no Redis: a call runs where it is made. With
a Redis (the pytest plugin brings one), jobs are enqueued as in production and
run when the test says ``drain(engine)``: with real records, retries and
limits, in this process, one after the other.

Time is Redis's, and cannot be stopped. ``move_time`` moves the jobs instead:
what waits becomes due so much earlier.
"""

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from typing import Any, cast

from pydantic_core import to_jsonable_python

from taskengine.catalogue import describe
from taskengine.engine import TaskEngine
from taskengine.errors import TaskEngineError
from taskengine.filters import OLDEST_FIRST, JobFilter
from taskengine.jobs import Job, JobState
from taskengine.listing import Look, Place
from taskengine.secrets import Secret
from taskengine.storage import JobStorage
from taskengine.task import Task
from taskengine.worker.dispatch import Dispatcher
from taskengine.worker.facts import WorkerFacts, worker_name
from taskengine.worker.queue_choice import QueueChoice

WAITING = (JobState.SCHEDULED, JobState.QUEUED, JobState.RETRYING)
MAX_RUNS = 10_000
"""``drain`` gives up after so many: a task that enqueues itself would never let it end."""
_PAGE = 100


@contextmanager
def engine_in_place(engine: TaskEngine) -> Generator[TaskEngine]:
    """Run calls where they are made, in memory, without Redis, inside the block.

    ``send_mail(...)`` returns when the job has ended; its ``Result`` has the
    outcome. A failed task raises when its result is read, as always. Retries
    follow at once; what is for later is kept and does not run.
    """
    before = engine.immediate
    engine.immediate = True
    try:
        yield engine
    finally:
        engine.immediate = before


@contextmanager
def bound(engine: TaskEngine, url: str) -> Generator[TaskEngine]:
    """Have an engine use another Redis inside the block: one of the tests, not that of its settings."""
    before = engine.storage
    engine.storage = JobStorage(engine.name, url=url, settings=engine.settings)
    try:
        yield engine
    finally:
        engine.storage.close()
        engine.storage = before


def drain(engine: TaskEngine, queue: str | None = None) -> list[Job]:
    """Run every job that is ready, also those that they enqueue; return them as they are now, in order of running.

    ``queue``: only that one's. What is due counts as ready; what is for later,
    a retry after a backoff too, stays until ``move_time``. Raises
    ``StillBusy`` after 10,000 runs.
    """
    ran: dict[str, None] = {}
    with _worker(engine, queue) as dispatcher:
        for number in count():
            job = dispatcher.next_now()
            if job is None:
                break
            if number == MAX_RUNS:
                raise StillBusy(job.task, MAX_RUNS)
            engine.execute(engine.claimed(job))
            dispatcher.flush()
            ran[job.id] = None
    jobs = (engine.get_job(job_id) for job_id in ran)
    return [job for job in jobs if job is not None]


class StillBusy(TaskEngineError):
    """``drain`` ran very many jobs and there were still more."""

    def __init__(self, task: str, runs: int) -> None:
        super().__init__(task, runs)
        self.task = task
        self.runs = runs

    def __str__(self) -> str:
        return f"after {self.runs:,} runs there is still a job of {self.task!r} to run; does it enqueue itself?"


@contextmanager
def _worker(engine: TaskEngine, queue: str | None) -> Generator[Dispatcher]:
    storage, name = engine.job_storage, worker_name()
    facts = WorkerFacts(name=name, queues=(queue or "*",), concurrency=1, mode="thread").as_json([])
    tasks = {title: describe(task.info_once) for title, task in engine.tasks.items()}
    storage.run(storage.store.register_worker(name, facts, tasks))
    lease_ms = round(engine.settings.lease_seconds * 1000)
    dispatcher = Dispatcher(
        storage, worker=name, queues=QueueChoice(names=(queue or "*",)), threads=1, lease_ms=lease_ms
    )
    before, engine.dispatcher = engine.dispatcher, dispatcher
    try:
        yield dispatcher
    finally:
        dispatcher.close()
        engine.dispatcher = before
        storage.run(storage.store.forget_workers(name))


def move_time(engine: TaskEngine, seconds: float | timedelta) -> int:
    """Let so much time pass for every job that waits: each becomes due so much earlier. Returns how many there are.

    Moves run times, ends of backoffs and expiries of SCHEDULED and RETRYING
    jobs, and expiries of QUEUED ones. Nothing else knows: when a job was
    created, rate limits, schedules' next ticks and the clock itself stay. For
    a test's own Redis: workers elsewhere would see the jobs move.
    """
    span = seconds.total_seconds() if isinstance(seconds, timedelta) else seconds
    return _shift(engine, {}, default_ms=-round(span * 1000))


def _shift(engine: TaskEngine, by_ms: Mapping[str, int], *, default_ms: int) -> int:
    """Add milliseconds to the times of each job that waits."""
    keys, redis = engine.job_storage.keys, engine.job_storage.redis
    pipeline = redis.pipeline()
    moved: set[str] = set()
    for zset, field_name in ((keys.waiting, "run_at"), (keys.expiring, "start_before")):
        ids = cast("list[str]", redis.zrange(zset, 0, -1))
        for job_id in ids:
            span = by_ms.get(job_id, default_ms)
            pipeline.zincrby(zset, span, job_id)
            pipeline.hincrby(keys.job(job_id), field_name, span)
        moved.update(ids)
    pipeline.execute()
    return len(moved)


@dataclass
class Clock:
    """Time that stands still for an engine's waiting jobs until it is moved."""

    engine: TaskEngine
    _at_us: int = field(init=False)

    def __post_init__(self) -> None:
        self._at_us = self._now_us()

    def move(self, seconds: float | timedelta) -> int:
        """Let so much time pass, as ``move_time`` does; return how many jobs wait."""
        self.hold()
        return move_time(self.engine, seconds)

    def drain(self, queue: str | None = None) -> list[Job]:
        """Run what is due by this clock, as ``drain`` does."""
        self.hold()
        return drain(self.engine, queue)

    def hold(self) -> None:
        """Take back the time that really passed: each job waits as long as it did when it was last looked at."""
        now, storage = self._now_us(), self.engine.job_storage
        ids = cast("list[str]", storage.redis.zrange(storage.keys.waiting, 0, -1))
        ids += cast("list[str]", storage.redis.zrange(storage.keys.expiring, 0, -1))
        jobs = storage.run(storage.reads.get_jobs(list(dict.fromkeys(ids)))) if ids else []
        passed = {job.id: (now - max(self._at_us, job.order)) // 1000 for job in jobs if job is not None}
        _shift(self.engine, passed, default_ms=0)
        self._at_us = now

    def _now_us(self) -> int:
        seconds, microseconds = self.engine.job_storage.redis.time()
        return seconds * 1_000_000 + microseconds


@contextmanager
def frozen_time(engine: TaskEngine) -> Generator[Clock]:
    """Give a clock that stands: what waits becomes due only by ``clock.move``, seen by ``clock.drain``."""
    clock = Clock(engine)
    yield clock
    clock.hold()


def enqueued(task: Task[..., Any], *, queue: str | None = None) -> list[Job]:
    """Return the jobs of a task that wait (SCHEDULED, QUEUED or RETRYING), in order of creation."""
    engine = task.huey
    if engine.in_place is not None:
        found = engine.in_place.jobs(WAITING)
        return [job for job in found if job.task == task.info_once.name and queue in (None, job.queue)]
    wanted = JobFilter(states=WAITING, tasks=(task.info_once.name,), queues=() if queue is None else (queue,))
    look = Look.for_(wanted, OLDEST_FIRST)
    behind: Place | None = None
    jobs: list[Job] = []
    while True:
        stretch = engine.job_storage.run(engine.job_storage.reads.list_jobs(look, behind=behind, limit=_PAGE))
        jobs += [job for job, _ in stretch.rows]
        if not stretch.more:
            return jobs
        behind = stretch.rows[-1][1]


def assert_enqueued(
    task: Task[..., Any],
    *,
    args: Mapping[str, Any] | tuple[Any, ...] | None = None,
    queue: str | None = None,
    priority: int | None = None,
    tags: tuple[str, ...] | None = None,
    delay: float | None = None,
    times: int | None = None,
) -> list[Job]:
    """Assert that a job of the task waits, exactly ``times`` if given; return those that fit.

    ``args`` as in a call: a tuple by position or a dict by name; a dict may
    name some only. ``delay``: seconds from its creation to its time, give or take one.
    """
    waiting = enqueued(task, queue=queue)
    wanted = task.task_class.signature.by_name(args) if isinstance(args, tuple) else dict(args or {})
    fitting = [
        job
        for job in waiting
        if _has(task, job, wanted)
        and priority in (None, job.priority)
        and tags in (None, job.tags)
        and (delay is None or _is_after(job, delay))
    ]
    asked = {"args": args, "queue": queue, "priority": priority, "tags": tags, "delay": delay}
    said = ", ".join(f"{name}={value!r}" for name, value in asked.items() if value is not None)
    if len(fitting) != times if times is not None else not fitting:
        how_many = "a job" if times is None else f"{times} jobs"
        there = "\n".join(f"  {job.args} in {job.queue}, priority {job.priority}, {job.state}" for job in waiting)
        found = f"found {len(fitting)}; these wait:\n{there or '  none'}"
        raise AssertionError(f"expected {how_many} of {task.info_once.name}({said}), {found}")
    return fitting


def assert_not_enqueued(task: Task[..., Any], *, queue: str | None = None) -> None:
    """Assert that no job of the task waits."""
    waiting = enqueued(task, queue=queue)
    if waiting:
        raise AssertionError(f"expected no job of {task.info_once.name}, found {len(waiting)}: {waiting[0].args}")


def _has(task: Task[..., Any], job: Job, wanted: Mapping[str, Any]) -> bool:
    """Whether a job has these arguments, as the task gets them or as JSON has them."""
    text = task.huey.args_of(job)  # also what is secret can be asserted
    typed, args = task.task_class.signature.load(text), json.loads(text)
    return all(name in typed and _is(typed[name], args.get(name), value) for name, value in wanted.items())


def _is(typed: Any, plain: Any, wanted: Any) -> bool:
    if isinstance(typed, Secret) and not isinstance(wanted, Secret):
        typed = cast("Any", typed).reveal()
    return typed == wanted or (not isinstance(wanted, Secret) and plain == to_jsonable_python(wanted))


def _is_after(job: Job, seconds: float) -> bool:
    return job.run_at is not None and abs((job.run_at - job.created_at).total_seconds() - seconds) <= 1.0
