"""Schedules from outside: the part of the async door that makes, changes, runs and lists them."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from taskengine.audit import check_by
from taskengine.errors import InvalidInput, ScheduleNotFound, TaskEngineError
from taskengine.jobs import Job, Options, TaskInfo
from taskengine.keys import Keys
from taskengine.records import named_by
from taskengine.redaction import Before, Parted
from taskengine.schedule_store import Saved, ScheduleStore
from taskengine.schedules import Definition, Missed, Schedule, check_schedule_name
from taskengine.scripts import Call

T = TypeVar("T")

_TRIES = 5
"""Two people may change a schedule at once; the second begins anew with what the first left."""


class ScheduleClient(ABC):
    """What ``Client`` can do with schedules."""

    _keys: Keys

    @abstractmethod
    async def _run(self, call: Call[T]) -> T: ...
    @abstractmethod
    async def _task(self, name: str) -> TaskInfo: ...
    @abstractmethod
    async def _now_ms(self) -> int: ...
    @abstractmethod
    def _parted(self, info: TaskInfo, args: object, before: Before | None = None) -> Parted: ...
    @abstractmethod
    async def get_jobs(self, job_ids: Sequence[str]) -> list[Job | None]: ...

    @property
    def _schedules(self) -> ScheduleStore:
        return ScheduleStore(self._keys)

    async def create_schedule(
        self,
        name: str,
        task: str,
        args: Mapping[str, Any],
        *,
        cron: str | None = None,
        every_seconds: float | None = None,
        timezone: str = "UTC",
        options: Options | None = None,
        missed: Missed = Missed.SKIP,
        enabled: bool = True,
        by: str | None = None,
    ) -> Schedule:
        """Have a task enqueued at set times: give ``cron`` or ``every_seconds``. Raises ``InvalidInput``."""
        definition = Definition(
            task=task,
            args={},
            cron=cron,
            every_seconds=every_seconds,
            timezone=timezone,
            missed=missed,
            options=options or Options(),
        ).checked()
        check_schedule_name(name)
        definition = await self._with_args(definition, args)
        saved = await self._save(name, definition, revision=None, enabled=enabled, by=by)
        if saved is Saved.NOT_AS_READ:
            raise InvalidInput(("name",), f"there is another schedule {name!r}; update it, or take another name")
        if saved is Saved.TOO_MANY:
            raise InvalidInput(("name",), "there are as many schedules as there may be; delete one first")
        return await self._there(name)

    async def update_schedule(
        self,
        name: str,
        *,
        enabled: bool | None = None,
        cron: str | None = None,
        every_seconds: float | None = None,
        timezone: str | None = None,
        args: Mapping[str, Any] | None = None,
        options: Options | None = None,
        missed: Missed | None = None,
        by: str | None = None,
    ) -> Schedule:
        """Change what is given, and leave the rest. Ticks that were due before are forgotten.

        ``********`` in ``args`` in place of a secret leaves that as it is.
        ``cron`` takes the place of an interval and the other way round. A schedule that code declares keeps the
        change until its code changes; ``enabled`` it keeps in any case. Raises ``ScheduleNotFound``.
        """
        if cron is not None and every_seconds is not None:
            raise InvalidInput(("cron",), "give either a cron rule or everySeconds", "one of two")
        for _ in range(_TRIES):
            was = await self._there(name)
            changed = _changed(was, cron=cron, every_seconds=every_seconds, timezone=timezone)
            changed = replace(
                changed,
                options=changed.options if options is None else options,
                missed=changed.missed if missed is None else missed,
            ).checked()
            if args is not None:
                changed = await self._with_args(changed, args, Before(was.args, was.secrets))
            on = was.enabled if enabled is None else enabled
            if await self._save(name, changed, revision=was.revision, enabled=on, by=by) is Saved.YES:
                return await self._there(name)
        raise _always_changed(name)

    async def delete_schedule(self, name: str, *, by: str | None = None) -> None:
        """Remove a schedule; its jobs stay. Raises ``ScheduleNotFound``, ``ScheduleDeclared``."""
        await self._run(self._schedules.delete_schedule(check_schedule_name(name), by=check_by(by)))

    async def run_schedule(self, name: str, *, by: str | None = None) -> Job:
        """Enqueue a schedule's job once, now, whether it is enabled or not. Its ticks stay as they are.

        ``by`` is also who enqueued that job; jobs of ticks have nobody's name.
        """
        who = check_by(by)
        for _ in range(_TRIES):
            schedule = await self._there(name)
            row = named_by(schedule.row(name, await self._task(schedule.task), tick_ms=None), who)
            if await self._run(self._schedules.run_schedule(name, row, revision=schedule.revision, by=who)):
                (job,) = await self.get_jobs([str(row[0])])
                assert job is not None, "it was enqueued a moment ago"
                return job
        raise _always_changed(name)

    async def list_schedules(self) -> list[Schedule]:
        """Return all schedules by name."""
        return await self._run(self._schedules.list_schedules())

    async def get_schedule(self, name: str) -> Schedule | None:
        """Return a schedule, or ``None`` when there is none of that name."""
        found = await self._run(self._schedules.list_schedules([check_schedule_name(name)]))
        return found[0] if found else None

    async def get_schedules(self, names: Sequence[str]) -> list[Schedule | None]:
        """Return schedules in the order of their names, in one round trip."""
        if not names:
            return []
        found = {one.name: one for one in await self._run(self._schedules.list_schedules(names))}
        return [found.get(name) for name in names]

    async def _there(self, name: str) -> Schedule:
        schedule = await self.get_schedule(name)
        if schedule is None:
            raise ScheduleNotFound(name)
        return schedule

    async def _with_args(
        self, definition: Definition, args: Mapping[str, Any], before: Before | None = None
    ) -> Definition:
        parted = self._parted(await self._task(definition.task), args, before)
        return replace(definition, args=json.loads(parted.shown), secrets=parted.secrets)

    async def _save(
        self, name: str, definition: Definition, *, revision: int | None, enabled: bool, by: str | None
    ) -> Saved:
        next_ms = definition.next_tick(await self._now_ms()) if enabled else None
        return await self._run(
            self._schedules.save_schedule(
                name, definition, revision=revision, enabled=enabled, next_ms=next_ms, by=check_by(by)
            )
        )


def _always_changed(name: str) -> TaskEngineError:
    return TaskEngineError(f"schedule {name!r} is being changed by others all the time; try again")


def _changed(was: Schedule, *, cron: str | None, every_seconds: float | None, timezone: str | None) -> Definition:
    """Return its definition with another time; one that is given takes the place of the others."""
    given = cron is not None or every_seconds is not None
    return Definition(
        task=was.task,
        args=was.args,
        secrets=was.secrets,
        cron=cron if given else was.cron,
        every_seconds=every_seconds if given else was.every_seconds,
        rule=None if given else was.rule,
        timezone=was.timezone if timezone is None else timezone,
        missed=was.missed,
        options=was.options,
    )
