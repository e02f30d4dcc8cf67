"""Metrics for those who watch: read once a second at most, however many they are."""

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from taskengine.client import Client
from taskengine.metrics import Metrics, MetricsWindow

SECONDS = 1.0
"""Nobody is told more often."""


@dataclass(slots=True)
class Pulse:
    """The newest metrics of each window, shared by all subscribers of a process."""

    client: Client
    _newest: dict[MetricsWindow, tuple[float, Metrics]] = field(
        default_factory=dict[MetricsWindow, tuple[float, Metrics]]
    )
    _reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def follow(self, window: MetricsWindow) -> AsyncGenerator[Metrics, None]:
        """Yield the metrics now and whenever they have changed, at most once a second."""
        told: Metrics | None = None
        while True:
            newest = await self._read(window)
            if newest != told:
                told = newest
                yield newest
            await asyncio.sleep(SECONDS)

    async def _read(self, window: MetricsWindow) -> Metrics:
        async with self._reading:
            read_at, metrics = self._newest.get(window, (0.0, None))
            # A little less than a second: each subscriber that sleeps one gets a newer one.
            if metrics is None or time.monotonic() - read_at > SECONDS * 0.9:
                metrics = await self.client.metrics(window)
                self._newest[window] = (time.monotonic(), metrics)
            return metrics
