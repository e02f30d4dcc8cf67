"""The async door to the engine, for everyone who runs no tasks: the API, scripts, tests.

Enqueues by name and JSON against the published catalogue, reads, steers and
listens. Imports neither Huey nor anyone's tasks.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar, cast

from redis import asyncio as aioredis
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from taskengine import reads
from taskengine.access_client import AccessClient
from taskengine.audit import check_by
from taskengine.bulk_client import DEFAULT_PAGE, MAX_PAGE, MAX_REASON, STEPS_AT_ONCE, BulkClient
from taskengine.encryption import Keyring
from taskengine.enqueue_client import EnqueueClient
from taskengine.errors import InvalidInput, UnknownTask
from taskengine.event_pages import EventPage, read_event_page
from taskengine.events import Event, EventFeed, check_cursor
from taskengine.gathering import Gathering
from taskengine.insight_client import InsightClient
from taskengine.jobs import (
    Attempt,
    Dependencies,
    Job,
    LogLevel,
    LogLine,
    LogPage,
    QueueInfo,
    StateCounts,
    TaskInfo,
    WorkerInfo,
    check_job_id,
    check_log_cursor,
    check_name,
    check_positive_int,
    check_priority,
    check_text,
)
from taskengine.keys import Keys
from taskengine.listing import RECORDS
from taskengine.monitor_client import MonitorClient
from taskengine.reads import Lanes, Reads
from taskengine.records import is_sealed, ms_of, read_log_entry, text
from taskengine.rules import KEEP, Keep, Kind, Rate, Rules
from taskengine.schedule_client import ScheduleClient
from taskengine.scripts import Call, arun_all, ours
from taskengine.secrets import MARKER
from taskengine.settings import Settings
from taskengine.store import Store
from taskengine.waiting import Waiting

T = TypeVar("T")

_CATALOGUE_SECONDS = 1.0
_CONNECTIONS = 50
_CONNECTION_SECONDS = 5.0
"""How long to wait for a connection when all are in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RedisInfo:
    """The Redis that holds everything."""

    version: str
    memory_bytes: int
    memory_limit_bytes: int | None
    persistence: str
    """``aof``, ``rdb``, ``aof+rdb`` or ``none``."""
    now: datetime


class Client(EnqueueClient, BulkClient, ScheduleClient, InsightClient, AccessClient, MonitorClient):
    """One namespace of one Redis. Connects when first used; safe for many tasks of one event loop.

    Every method raises ``RedisUnavailable`` within about two seconds when Redis does not answer.
    """

    def __init__(self, url: str, *, namespace: str = "default", settings: Settings | None = None) -> None:
        self._settings = settings or Settings()
        self._keys = Keys(namespace)
        self._store = Store(self._keys)
        self._reads = Reads(self._keys, lease_ms=round(self._settings.lease_seconds * 1000))
        self._redis = _connect(url, timeout=2.0)
        self._together = cast("aioredis.Redis", Gathering(self._redis))
        # The event reader blocks for a second at a time: it has a connection with more patience.
        self._listener = _connect(url, timeout=5.0)
        self._feed = EventFeed(self._listener, self._keys)
        self._keyring = Keyring(self._settings.encryption_key)
        self._catalogue: tuple[float, dict[str, TaskInfo]] = (0.0, {})

    async def close(self) -> None:
        """Close the connections and stop listening."""
        await self._feed.close()
        await self._listener.aclose()
        await self._redis.aclose()

    async def ping(self) -> RedisInfo:
        """Return what Redis says of itself."""
        try:
            info: dict[str, Any] = await self._redis.info()
            seconds, microseconds = await self._redis.time()
            saves = await self._saves_snapshots()
        except RedisError as error:
            raise ours(error) from None
        kept = [kind for kind, on in (("aof", info["aof_enabled"]), ("rdb", saves)) if on]
        return RedisInfo(
            version=str(info["redis_version"]),
            memory_bytes=int(info["used_memory"]),
            memory_limit_bytes=int(info["maxmemory"]) or None,
            persistence="+".join(kept) or "none",
            now=datetime.fromtimestamp(seconds + microseconds / 1e6, tz=UTC),
        )

    async def _saves_snapshots(self) -> bool:
        try:
            return bool((await self._redis.config_get("save"))["save"])
        except ResponseError:
            return True  # a managed Redis, which keeps its settings to itself: those make snapshots

    async def _task(self, name: str) -> TaskInfo:
        """Return a published task, from a copy at most a second old; ask again before saying that it is unknown."""
        read_at, known = self._catalogue
        if name not in known or time.monotonic() - read_at > _CATALOGUE_SECONDS:
            known = {task.name: task for task in reads.tasks_of(await self._read_catalogue(), [])}
            self._catalogue = (time.monotonic(), known)
        if name not in known:
            raise UnknownTask(name, sorted(known))
        return known[name]

    async def _read_catalogue(self) -> dict[str, Any]:
        try:
            return cast("dict[str, Any]", await self._redis.hgetall(self._keys.catalogue))
        except RedisError as error:
            raise ours(error) from None

    # Reading

    async def get_job(self, job_id: str) -> Job | None:
        """Return a job, or ``None`` when there is no record of it."""
        return (await self.get_jobs([job_id]))[0]

    async def get_jobs(self, job_ids: Sequence[str]) -> list[Job | None]:
        """Return jobs in the order of their ids, in one round trip."""
        return await self._run(self._reads.get_jobs(job_ids)) if job_ids else []

    async def list_attempts(self, jobs: Sequence[Job]) -> list[list[Attempt]]:
        """Return the runs of each job, oldest first, the present one included."""
        return await self._run(self._reads.list_attempts(jobs)) if jobs else []

    async def list_logs(
        self,
        job_id: str,
        *,
        first: int | None = None,
        after: str | None = None,
        last: int | None = None,
        before: str | None = None,
        min_level: LogLevel = LogLevel.DEBUG,
    ) -> LogPage:
        """Return what is kept of what a job said: ``first`` lines behind ``after``, or ``last`` that end at ``before``.

        Raises ``JobNotFound``.
        """
        backward = last is not None or before is not None
        if backward and (first is not None or after is not None):
            raise InvalidInput(("last",), "give either first and after, or last and before")
        path, wanted = ("last", last) if backward else ("first", first)
        limit = check_positive_int(DEFAULT_PAGE if wanted is None else wanted, (path,), at_most=MAX_PAGE)
        for name, cursor in (("after", after), ("before", before)):
            if cursor is not None:
                check_log_cursor(cursor, path=(name,))
        page = self._reads.list_logs(
            check_job_id(job_id),
            min_level=LogLevel(min_level),
            after=after or "",
            before=before or "",
            limit=limit,
            backward=backward,
        )
        return await self._read(page)

    async def list_log_lines(self, job_id: str, first: str, last: str) -> list[LogLine]:
        """Return the lines from one cursor to another, both included, that are kept: those of a ``Logged`` event."""
        for name, cursor in (("first", first), ("last", last)):
            check_log_cursor(cursor, path=(name,))
        try:
            entries: Any = await self._together.xrange(self._keys.logs(check_job_id(job_id)), first, last)
        except RedisError as error:
            raise ours(error) from None
        return [read_log_entry(job_id, cursor, fields) for cursor, fields in entries]

    async def get_checkpoint(self, job_id: str) -> Any:
        """Return what a job last saved with ``current_job.checkpoint``; ``None`` when there is nothing.

        That of a job with secret arguments is a secret too: ``********``.
        """
        try:
            saved: Any = await self._redis.get(self._keys.checkpoint(check_job_id(job_id)))
        except RedisError as error:
            raise ours(error) from None
        return None if saved is None else MARKER if is_sealed(saved) else json.loads(saved)

    async def count_jobs(self) -> StateCounts:
        """Return how many jobs there are in each state."""
        return reads.total_of(await self._lanes())

    async def list_queues(self) -> list[QueueInfo]:
        """Return the queues that have jobs or that a task names, by name."""
        lanes, tasks = await asyncio.gather(self._lanes(), self._read_catalogue())
        queues = {queue.name: queue for queue in reads.queues_of(lanes)}
        for task in reads.tasks_of(tasks, []):
            queues.setdefault(task.queue, QueueInfo(name=task.queue, counts=StateCounts()))
        return [queues[name] for name in sorted(queues)]

    async def list_tasks(self) -> list[TaskInfo]:
        """Return the tasks that workers have published, by name, with their counts."""
        lanes, tasks = await asyncio.gather(self._lanes(), self._read_catalogue())
        return reads.tasks_of(tasks, lanes)

    async def check_task(self, name: str) -> None:
        """Raise ``UnknownTask`` for a name that no worker published and that nothing holds back either."""
        try:
            await self._task(name)
        except UnknownTask:
            rules = await self.list_rules()
            if (Kind.TASK, name) not in rules.pauses.keys() | rules.limits.keys():
                raise

    async def list_workers(self) -> list[WorkerInfo]:
        """Return the workers that are here or were a while ago, by name."""
        return await self._run(self._reads.list_workers())

    async def catalogue_version(self) -> int:
        """Return a number that rises when the published tasks change."""
        try:
            version: Any = await self._redis.get(self._keys.catalogue_version)
        except RedisError as error:
            raise ours(error) from None
        return int(text(version)) if version else 0

    async def _lanes(self) -> Lanes:
        return await self._run(self._reads.count_jobs())

    # Steering

    async def cancel_job(
        self, job_id: str, *, terminate: bool = False, reason: str | None = None, by: str | None = None
    ) -> Job:
        """Cancel a job that waits; with ``terminate`` also ask a running one to stop."""
        if reason is not None:
            check_text(reason, ("reason",), at_least=0, at_most=MAX_REASON)
        name = check_by(by)
        move = self._store.cancel_job(check_job_id(job_id), terminate=terminate, reason=reason or "", by=name)
        await self._run(move)
        return self._found(job_id, await self.get_job(job_id))

    async def retry_job(self, job_id: str, *, attempts: int | None = None, by: str | None = None) -> Job:
        """Run a FAILED, CANCELLED or RETRYING job again now, with at least ``attempts`` more."""
        if attempts is not None:
            check_positive_int(attempts, ("attempts",))
        await self._run(self._store.retry_job(check_job_id(job_id), attempts=attempts, by=check_by(by)))
        return self._found(job_id, await self.get_job(job_id))

    async def reschedule_job(self, job_id: str, run_at: datetime | None = None, *, by: str | None = None) -> Job:
        """Give a job that waits another time; ``None`` is now."""
        run_at_ms = None if run_at is None else ms_of(run_at)
        move = self._store.reschedule_job(check_job_id(job_id), run_at_ms=run_at_ms, by=check_by(by))
        await self._run(move)
        return self._found(job_id, await self.get_job(job_id))

    async def change_job_priority(self, job_id: str, priority: int, *, by: str | None = None) -> Job:
        """Give a job that waits another priority, 1 (last) to 10 (first)."""
        check_priority(priority, ("priority",))
        await self._run(self._store.change_priority(check_job_id(job_id), priority, by=check_by(by)))
        return self._found(job_id, await self.get_job(job_id))

    async def explain_job(self, job_id: str) -> Waiting | None:
        """Say why a job is not running; ``None`` when it runs or has ended. Raises ``JobNotFound``."""
        return await self._run(self._reads.explain_job(check_job_id(job_id)))

    async def explain_jobs(self, job_ids: Sequence[str]) -> list[Waiting | None]:
        """Say why jobs are not running, in the order of their ids and in one look.

        ``None`` for one that runs, has ended or is not there. At most 100 ids.
        """
        _check_few(job_ids)
        return await self._run(self._reads.explain_jobs(job_ids)) if job_ids else []

    async def list_dependencies(self, job_ids: Sequence[str]) -> list[Dependencies]:
        """Return whom jobs wait or waited for and who waits for them, at most 100 of each. At most 100 ids."""
        _check_few(job_ids)
        return await self._run(self._reads.list_dependencies(job_ids, limit=MAX_PAGE)) if job_ids else []

    async def pause(self, kind: Kind, name: str, *, by: str | None = None, reason: str | None = None) -> bool:
        """Start nothing more of a queue or task; what runs goes on. Tells whether it was not paused yet."""
        for value, path in ((by, "by"), (reason, "reason")):
            if value is not None:
                check_text(value, (path,), at_least=0, at_most=MAX_REASON)
        move = self._store.pause(kind, check_name(name, (kind,)), by=by or "", reason=reason or "")
        return bool(await self._run(move))

    async def resume(self, kind: Kind, name: str, *, by: str | None = None) -> bool:
        """Let a queue or task go on. Tells whether it was paused."""
        return bool(await self._run(self._store.resume(kind, check_name(name, (kind,)), by=check_by(by))))

    async def set_limits(
        self,
        kind: Kind,
        name: str,
        *,
        concurrency: int | Keep | None = KEEP,
        rate: Rate | Keep | None = KEEP,
        per_key: int | Keep | None = KEEP,
        by: str | None = None,
    ) -> None:
        """Limit a queue or task across all workers, from the next claim on; ``None`` lifts a limit.

        ``per_key``: of a task with a concurrency key, at once for each; ``None`` is what its code says.
        """
        check_name(name, (kind,))
        who = check_by(by)
        move = self._store.set_limits(kind, name, concurrency=concurrency, rate=rate, per_key=per_key, by=who)
        await self._run(move)

    async def set_aging(self, seconds: float | None, *, by: str | None = None) -> bool:
        """Let waiting so long lift a job by one priority step, for all queues and workers; ``None`` for never.

        So a job of priority 1 goes before one of priority 10 that came more than nine times as many seconds later.
        Jobs that are ready get their new places in small steps, the first thousand before this returns and the
        others by any worker within seconds; until then new and old places mix. Tells whether it was not so before.
        """
        changed = await self._run(self._store.set_aging(seconds, by=check_by(by)))
        for _ in range(STEPS_AT_ONCE):
            if not await self._run(self._store.rescore_jobs(limit=RECORDS)):
                break
        return changed

    async def list_rules(self) -> Rules:
        """Return every pause and limit, and how jobs age."""
        return await self._run(self._reads.list_rules())

    async def delete_job(self, job_id: str, *, by: str | None = None) -> None:
        """Remove the record of a job that is not RUNNING."""
        await self._run(self._store.delete_job(check_job_id(job_id), by=check_by(by)))

    async def drain_worker(self, name: str, *, by: str | None = None) -> WorkerInfo:
        """Let a worker take no new job, and stop when its running ones are done; asking twice is no error.

        It takes nothing more from now on. It hears of it within about a second, and ends with exit code 0.
        Raises ``WorkerNotFound``, ``WorkerOffline``.
        """
        lease_ms = round(self._settings.lease_seconds * 1000)
        move = self._store.drain_worker(check_name(name, ("name",)), lease_ms=lease_ms, by=check_by(by))
        return await self._run(move)

    # Listening

    def events(self, *, after: str | None = None, job_id: str | None = None) -> AsyncIterator[Event]:
        """Yield what happens to jobs, or to one: every event after a cursor, then live; without a cursor, from now on.

        Raises ``SlowSubscriber`` when the caller falls too far behind.
        """
        return self._feed.subscribe(after, job_id=job_id)

    def past_events(self, *, after: str, until: str, job_id: str | None = None) -> AsyncIterator[Event]:
        """Yield what happened to jobs, or to one, between two cursors, the second included; then end."""
        return self._feed.past(after, until, job_id=job_id)

    async def list_job_events(
        self,
        job: Job,
        *,
        limit: int = DEFAULT_PAGE,
        after: str | None = None,
        until: str | None = None,
        backward: bool = False,
    ) -> EventPage:
        """Return what is kept of what happened to a job, oldest first: up to ``limit`` later than ``after``.

        ``until``: not later than this event. ``backward``: the last of them. Looks at a bounded part of the events
        of all jobs: see ``EventPage``.
        """
        check_positive_int(limit, ("limit",), at_most=MAX_PAGE + 1)
        for cursor, name in ((after, "after"), (until, "before")):
            if cursor is not None:
                check_cursor(cursor, (name,))
        redis, keys = self._together, self._keys
        return await read_event_page(redis, keys, job, limit=limit, after=after, until=until, backward=backward)

    async def newest_cursor(self) -> str:
        """Return the cursor of the newest event: ``events`` after it gives all that comes after this call."""
        return await self._feed.newest()

    async def _now_ms(self) -> int:
        try:
            answer: Any = await self._redis.time()
        except RedisError as error:
            raise ours(error) from None
        return int(answer[0]) * 1000 + int(answer[1]) // 1000

    async def _run(self, call: Call[T]) -> T:
        return await call.arun(self._redis)

    async def _read(self, call: Call[T]) -> T:
        """Run a script that only looks, together with what others look for at this moment."""
        return await call.arun(self._together)

    async def _run_all(self, calls: Sequence[Call[T]]) -> list[T]:
        return await arun_all(calls, self._redis)


def _check_few(job_ids: Sequence[str]) -> None:
    if len(job_ids) > MAX_PAGE:
        raise InvalidInput(("ids",), f"expected at most {MAX_PAGE} ids, got {len(job_ids)}")


def _connect(url: str, *, timeout: float) -> aioredis.Redis:
    """Once more at once on a cut connection: every script may be sent twice.

    Who comes when all connections are in use waits for one: a thousand subscribers may come at once.
    """
    pool = aioredis.BlockingConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType]
        url,
        max_connections=_CONNECTIONS,
        timeout=_CONNECTION_SECONDS,
        socket_timeout=timeout,
        socket_connect_timeout=1.0,
        retry=Retry(ConstantBackoff(0.05), 1, supported_errors=(RedisConnectionError,)),
        decode_responses=True,
    )
    return aioredis.Redis.from_pool(pool)
