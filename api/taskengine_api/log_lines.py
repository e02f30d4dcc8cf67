"""The lines that ``Logged`` events tell of: read once, for all subscribers of a process."""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass, field

from taskengine.client import Client
from taskengine.events import Logged
from taskengine.jobs import LogLine

REMEMBERED = 256
"""Events whose lines are kept at hand: subscribers get to an event within moments of each other."""

Loading = asyncio.Task[list[LogLine]]


@dataclass(slots=True)
class LogLines:
    """Lines by event."""

    client: Client
    _known: OrderedDict[str, Loading] = field(default_factory=OrderedDict[str, Loading])

    async def of(self, event: Logged) -> list[LogLine]:
        """Return the lines that are still kept, oldest first."""
        loading = self._known.get(event.cursor)
        if loading is None:
            loading = asyncio.ensure_future(self.client.list_log_lines(event.job_id, event.first, event.last))
            loading.add_done_callback(lambda done: self._forget_failed(event.cursor, done))
            self._known[event.cursor] = loading
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        # Whoever leaves meanwhile must not take the lines away from the others.
        return await asyncio.shield(loading)

    def _forget_failed(self, cursor: str, done: Loading) -> None:
        if done.cancelled() or done.exception() is not None:
            self._known.pop(cursor, None)
