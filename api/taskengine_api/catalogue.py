"""Keeps the schema in step with the tasks that workers publish, while requests are served.

The API starts without Redis and without tasks, and picks both up when they come.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress

from taskengine.client import Client
from taskengine.errors import RedisUnavailable
from taskengine_api.schema.build import Schema

log = logging.getLogger(__name__)


class Catalogue:
    """Looks for a new version of the catalogue and hands on the schema made from it."""

    def __init__(self, client: Client, base: Schema, use: Callable[[Schema], None], *, every_seconds: float) -> None:
        self._client = client
        self._base = base
        self._use = use
        self._every_seconds = every_seconds
        self._version: int | None = None
        self._away = False
        self._stopped = asyncio.Event()

    async def follow(self) -> None:
        """Look again and again, until ``stop``."""
        while not self._stopped.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._every_seconds):
                    await self._stopped.wait()
            await self.refresh()

    def stop(self) -> None:
        """Let ``follow`` end, within the seconds that Redis may take to answer it."""
        self._stopped.set()

    async def refresh(self) -> None:
        """Look once. What was in use stays so when Redis is away or what is published makes no schema."""
        try:
            await self._refresh()
        except RedisUnavailable as error:
            if not self._away:
                log.warning("Redis is away, so the typed mutations stay as they are: %s", error)
            self._away = True
        except Exception:
            log.exception("The published tasks make no schema; the typed mutations stay as they are.")
            self._away = False
        else:
            self._away = False

    async def _refresh(self) -> None:
        version = await self._client.catalogue_version()
        if version == self._version:
            return
        # The version first: what is published after it was read is noticed by the next look.
        tasks = await self._client.list_tasks()
        self._version = version
        # In a thread, since hundreds of tasks take longer than anyone should wait for an answer.
        schema = await asyncio.to_thread(self._base.with_tasks, tasks)
        self._use(schema)
        log.info("%d of %d tasks have a typed mutation.", len(schema.field_of), len(tasks))
