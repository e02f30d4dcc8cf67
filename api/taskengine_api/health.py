"""For those who watch the process: is it alive, could it work, and what does it count. No GraphQL.

``/healthz`` asks nobody; ``/readyz`` asks Redis, and waits a second at most; ``/metrics`` is for Prometheus.
"""

import asyncio

from prometheus_client.exposition import choose_encoder
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from taskengine.client import Client
from taskengine.errors import RedisUnavailable
from taskengine.monitor_client import Observation
from taskengine_api.exposition import Exposition
from taskengine_api.meters import Meters

READY_SECONDS = 1.0
"""Whoever asks whether we are ready gets an answer within this."""


class Health:
    """The answers for one application."""

    def __init__(self, client: Client, meters: Meters) -> None:
        self._client = client
        self._meters = meters
        self._asking: asyncio.Task[int] | None = None

    async def close(self) -> None:
        """Forget an answer that nobody waits for any more."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait({self._asking})
            if not self._asking.cancelled():
                self._asking.exception()

    async def healthz(self, _request: Request) -> Response:
        """Say that this process is alive; whether Redis is, it does not ask."""
        return JSONResponse({"status": "ok"})

    async def readyz(self, _request: Request) -> Response:
        """Say whether what is asked now would be answered: Redis is there, and has our scripts."""
        problem = await self._problem()
        if problem is None:
            return JSONResponse({"status": "ready"})
        return JSONResponse({"status": "unavailable", "reason": problem}, 503, {"Retry-After": "1"})

    async def metrics(self, request: Request) -> Response:
        """Tell all that is counted. Without Redis, what this process knows itself."""
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        exposition = Exposition(self._meters.registry, await self._observed())
        return Response(encode(exposition), media_type=content_type)

    async def _problem(self) -> str | None:
        """Return why Redis cannot be worked with. Who asks meanwhile waits for the same answer."""
        if self._asking is None or self._asking.done():
            self._asking = asyncio.create_task(self._client.load_scripts(), name="taskengine-readiness")
        # Not a timeout around it: before Python 3.12 what redis-py waits with can lose a cancellation.
        done, _ = await asyncio.wait({self._asking}, timeout=READY_SECONDS)
        if not done:
            return f"Redis does not answer within {READY_SECONDS:g} s"
        error = self._asking.exception()
        if isinstance(error, RedisUnavailable):
            return str(error)
        if error is not None:
            raise error
        return None

    async def _observed(self) -> Observation | None:
        try:
            return await self._client.observe()
        except RedisUnavailable:
            return None
