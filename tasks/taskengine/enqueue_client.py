"""Making jobs by a task's name and JSON: the part of the async door that enqueues."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from redis import asyncio as aioredis
from redis.exceptions import RedisError

from taskengine import catalogue
from taskengine.audit import check_by
from taskengine.encryption import Keyring
from taskengine.errors import InvalidInput, InvalidInputs, JobNotFound, UnknownDependency
from taskengine.ids import new_id
from taskengine.jobs import Job, Options, TaskInfo, check_job_id
from taskengine.keys import Keys
from taskengine.options import as_before, settled
from taskengine.reads import Reads
from taskengine.records import named_by, read_job, row_of, text, with_fields
from taskengine.redaction import Before, Parted
from taskengine.scripts import Call, Value, ours
from taskengine.settings import Settings
from taskengine.store import ROWS_PER_CALL, ROWS_PER_CHANGE, Added, Store

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A job to be: a task's name, its arguments by parameter name, and options."""

    task: str
    args: Mapping[str, Any]
    options: Options = field(default_factory=Options)


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueued:
    """What became of an enqueue: the new job, or the first one with its idempotency key."""

    job: Job
    deduplicated: bool


class EnqueueClient(ABC):
    """How ``Client`` makes jobs."""

    _keys: Keys
    _keyring: Keyring
    _reads: Reads
    _redis: aioredis.Redis
    _settings: Settings
    _store: Store

    @abstractmethod
    async def _run(self, call: Call[T]) -> T: ...

    @abstractmethod
    async def _task(self, name: str) -> TaskInfo: ...

    @abstractmethod
    async def get_jobs(self, job_ids: Sequence[str]) -> list[Job | None]:
        """Return jobs in the order of their ids."""

    # ``by`` is kept as ``Job.enqueued_by``, also where a method does not say so.

    async def enqueue(self, job: NewJob, *, by: str | None = None) -> Enqueued:
        """Enqueue one job, or find the first one with its idempotency key. Raises as ``enqueue_job``."""
        (one,) = await self._enqueue([await self._row(job)], by=check_by(by))
        return one

    async def enqueue_job(
        self, task: str, args: Mapping[str, Any], options: Options | None = None, *, by: str | None = None
    ) -> Job:
        """Enqueue one job; raise ``UnknownTask``, ``InvalidInput`` or ``TooLarge`` and change nothing."""
        return (await self.enqueue_jobs([NewJob(task=task, args=args, options=options or Options())], by=by))[0]

    async def enqueue_jobs(self, jobs: Sequence[NewJob], *, by: str | None = None) -> list[Job]:
        """Enqueue many; when one is refused, none is enqueued.

        Up to 1,000 go in as one change; more go in batches of 1,000.
        """
        return [one.job for one in await self._enqueue([await self._row(job) for job in jobs], by=check_by(by))]

    async def enqueue_all(self, jobs: Sequence[NewJob | InvalidInput], *, by: str | None = None) -> list[Enqueued]:
        """Enqueue up to 1,000 as one change, or none of them.

        In place of a job may stand what was wrong with it before it was one. Raises ``InvalidInputs`` with everything
        that is wrong; paths begin with ``jobs`` and the place in the list.
        """
        check_batch(jobs)
        rows: list[list[Value]] = []
        problems: list[InvalidInput] = []
        for place, job in enumerate(jobs):
            try:
                rows.append(await self._row(job))
            except InvalidInput as refused:
                problems += _of_job(place, refused)
        if problems:
            raise InvalidInputs(problems)
        try:
            return await self._enqueue(rows, by=check_by(by))
        except UnknownDependency as unknown:
            raise InvalidInputs(_of_job(unknown.row, unknown)) from None

    async def rerun_job(
        self,
        job_id: str,
        args: Mapping[str, Any] | None = None,
        options: Options | None = None,
        *,
        by: str | None = None,
    ) -> Job:
        """Enqueue a job's task once more as a new job, which names the first in ``rerun_of``.

        Its arguments, secrets too, are those of the first, or ``args``, in which ``********`` in place of a secret
        stands for the one that the first had there. Queue, priority, attempts, timeout, backoff and tags are the
        first's where ``options`` says nothing of them. Raises ``JobNotFound``, ``UnknownTask``, ``InvalidInput``.
        """
        job, secrets = await self._with_secrets(check_job_id(job_id))
        info = await self._task(job.task)
        parted = self._parted(info, job.args if args is None else args, Before(job.args, secrets))
        row = await self._row_with(info, parted, as_before(job, options or Options()))
        (one,) = await self._enqueue([with_fields(row, {"rerun_of": job.id})], by=check_by(by))
        return one.job

    async def _with_secrets(self, job_id: str) -> tuple[Job, str]:
        """Return a job, and its secrets as its record keeps them: to be handed on, not to be read."""
        try:
            record: Any = await self._redis.hgetall(self._keys.job(job_id))
        except RedisError as error:
            raise ours(error) from None
        job = self._found(job_id, read_job(job_id, [part for pair in record.items() for part in pair]))
        return job, text(record.get("secrets", ""))

    async def enqueue_each(
        self, jobs: Sequence[NewJob | InvalidInput], *, by: str | None = None
    ) -> list[Enqueued | InvalidInput]:
        """Enqueue many, each for itself: what was refused, also before it came here, stands in its place."""
        who = check_by(by)
        answers: list[Enqueued | InvalidInput] = []
        rows: dict[int, list[Value]] = {}
        for place, job in enumerate(jobs):
            try:
                rows[place] = await self._row(job)
            except InvalidInput as refused:
                answers.append(refused)
            else:
                answers.append(UnknownDependency(place, ""))  # until it is in
        for start in range(0, len(rows), ROWS_PER_CHANGE):
            few = dict(list(rows.items())[start : start + ROWS_PER_CHANGE])
            await self._enqueue_what_can_be(few, answers, by=who)
        return answers

    async def _enqueue_what_can_be(
        self, rows: dict[int, list[Value]], answers: list[Enqueued | InvalidInput], *, by: str
    ) -> None:
        """Leave out one row after the other whose dependencies are not there, and enqueue the rest."""
        while rows:
            places = list(rows)
            try:
                enqueued = await self._enqueue(list(rows.values()), by=by)
            except UnknownDependency as unknown:
                answers[places[unknown.row]] = unknown
                del rows[places[unknown.row]]
            else:
                for place, one in zip(places, enqueued, strict=True):
                    answers[place] = one
                return

    async def _enqueue(self, rows: Sequence[list[Value]], *, by: str) -> list[Enqueued]:
        named = [named_by(row, by) for row in rows]
        added: list[Added] = []
        for start in range(0, len(named), ROWS_PER_CHANGE):
            added += await self._run(self._store.enqueue_jobs(named[start : start + ROWS_PER_CHANGE]))
        found = await self.get_jobs([job_id for job_id, _ in added])
        return [
            Enqueued(job=self._found(job_id, job), deduplicated=not new)
            for (job_id, new), job in zip(added, found, strict=True)
        ]

    async def _row(self, job: NewJob | InvalidInput) -> list[Value]:
        if isinstance(job, InvalidInput):
            raise job
        info = await self._task(job.task)
        args = self._parted(info, job.args)
        return await self._row_with(info, args, job.options)

    def _parted(self, info: TaskInfo, args: object, before: Before | None = None) -> Parted:
        text = catalogue.check_args(info, args, max_bytes=self._settings.max_args_bytes, before=before)
        return catalogue.part_args(info, text, self._keyring, before)

    async def _row_with(self, info: TaskInfo, args: Parted, given: Options) -> list[Value]:
        options = settled(
            given,
            queue=info.queue,
            priority=info.priority,
            max_attempts=info.max_attempts,
            timeout=info.timeout_seconds,
        )
        assert options.queue is not None
        assert options.priority is not None
        await self._check_dependencies(options.depends_on)
        job_id = options.id or new_id("job")
        return row_of(job_id, info.name, args, queue=options.queue, priority=options.priority, options=options)

    async def _check_dependencies(self, job_ids: Sequence[str]) -> None:
        """Look for all of many: the script that enqueues looks for the first 500, to stay short."""
        for start in range(ROWS_PER_CALL, len(job_ids), ROWS_PER_CALL):
            missing = await self._run(self._reads.missing_jobs(job_ids[start : start + ROWS_PER_CALL]))
            if missing:
                raise UnknownDependency(0, missing[0])

    @staticmethod
    def _found(job_id: str, job: Job | None) -> Job:
        if job is None:
            raise JobNotFound(job_id)
        return job


def check_batch(jobs: Sequence[object]) -> None:
    """Raise ``InvalidInput`` for more jobs than can be enqueued as one change."""
    if len(jobs) > ROWS_PER_CHANGE:
        problem = f"expected at most {ROWS_PER_CHANGE:,} jobs, got {len(jobs):,}"
        raise InvalidInput(("jobs",), problem, f"at most {ROWS_PER_CHANGE}")


def _of_job(place: int, refused: InvalidInput) -> Sequence[InvalidInput]:
    """Return what is wrong with one of many jobs, with paths that say which."""
    problems = refused.problems if isinstance(refused, InvalidInputs) else (refused,)
    for problem in problems:
        problem.path = ("jobs", str(place), *problem.path)
    return problems
