"""Changes to many jobs at once, carried out by this process: paced, counted, reported.

An operation lives as long as the process; when that ends, what was done is
done and the rest is not. Asking again for the same goes on where it stopped.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from taskengine.errors import TaskEngineError
from taskengine.ids import new_id

log = logging.getLogger(__name__)

BATCH = 500
AT_ONCE = 5_000
"""Up to so many jobs the caller waits for; beyond that the rest goes on in the background."""
REMEMBERED = 100
"""So many operations can still be asked for by id."""

Step = Callable[[int], Awaitable[int]]
"""Changes at most so many jobs and tells how many; 0 when none is left."""


class BulkKind(StrEnum):
    """What is done to each job."""

    DELETE = "DELETE"


class BulkState(StrEnum):
    """How far an operation is."""

    RUNNING = "RUNNING"
    DONE = "DONE"
    STOPPED = "STOPPED"
    """It ended before all was done; the log says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOperation:
    """One such change, as it stands. Immutable: progress gives a new one."""

    id: str
    kind: BulkKind
    state: BulkState
    matched: int
    changed: int = 0
    created_at: datetime
    finished_at: datetime | None = None

    @property
    def skipped(self) -> int:
        """Matched, but no longer there to be changed when their turn came. 0 while it runs."""
        return 0 if self.state is BulkState.RUNNING else max(0, self.matched - self.changed)


@dataclass(slots=True)
class BulkOperations:
    """The operations of this process."""

    _known: OrderedDict[str, BulkOperation] = field(default_factory=OrderedDict[str, BulkOperation])
    _running: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def get(self, operation_id: str) -> BulkOperation | None:
        """Return an operation as it stands now."""
        return self._known.get(operation_id)

    async def run(self, kind: BulkKind, matched: int, step: Step) -> BulkOperation:
        """Change ``matched`` jobs by repeating ``step``; return when done, or at once when they are many."""
        operation = BulkOperation(
            id=new_id("bulk"), kind=kind, state=BulkState.RUNNING, matched=matched, created_at=datetime.now(UTC)
        )
        self._keep(operation)
        if matched <= AT_ONCE:
            await self._work(operation, step)
        else:
            task = asyncio.create_task(self._work_on(operation, step), name=operation.id)
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return self._known[operation.id]

    async def close(self) -> None:
        """Stop what runs in the background."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _work_on(self, operation: BulkOperation, step: Step) -> None:
        try:
            await self._work(operation, step)
        except TaskEngineError as error:
            log.warning("%s stopped: %s", operation.id, error)
        except Exception:
            log.exception("%s stopped", operation.id)

    async def _work(self, operation: BulkOperation, step: Step) -> None:
        changed = 0
        state = BulkState.STOPPED
        try:
            while changed < operation.matched:
                started = time.monotonic()
                count = await step(min(BATCH, operation.matched - changed))
                if count == 0:
                    break
                changed += count
                self._keep(replace(operation, changed=changed))
                # As long as the step took: everyone else has Redis half of the time.
                await asyncio.sleep(time.monotonic() - started)
            state = BulkState.DONE
        finally:
            self._keep(replace(operation, changed=changed, state=state, finished_at=datetime.now(UTC)))

    def _keep(self, operation: BulkOperation) -> None:
        self._known[operation.id] = operation
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
