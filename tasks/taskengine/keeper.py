"""Keeps one of our processes running: starts it, sees it healthy, starts it again when it ends, stops it.

Knows nothing of what the process does: it is told how to start it and how to ask for its health.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from taskengine.children import Child
from taskengine.errors import TaskEngineError

_HEALTHY_SECONDS = 90.0
_STEADY_SECONDS = 60.0
"""Who ran so long and ends starts again at once; who ended sooner waits longer each time."""
_FIRST_DELAY, _LONGEST_DELAY = 0.5, 30.0


class DidNotStart(TaskEngineError):
    """A process ended, or stayed silent, before it was healthy."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(name, problem)
        self.name = name
        self.problem = problem

    def __str__(self) -> str:
        return f"the {self.name} did not start: {self.problem}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """How to run one process."""

    name: str
    start: Callable[[], Awaitable[Child]]
    healthy: Callable[[Child], Awaitable[bool]]
    grace_seconds: float
    """How long it may take to end in order."""
    may_end: bool = False
    """Whether it ends with exit code 0 when someone else asked it to: then it is not started again."""


class Keeper:
    """One service and the process that runs it now."""

    def __init__(self, service: Service, say: Callable[[str], None]) -> None:
        self._service = service
        self._say = say
        self._child: Child | None = None
        self._kept: asyncio.Task[None] | None = None

    @property
    def name(self) -> str:
        """The name of its service."""
        return self._service.name

    async def start(self) -> None:
        """Start the process; ``become_healthy`` waits until it can be used."""
        self._child = await self._service.start()

    async def become_healthy(self) -> None:
        """Wait until it is healthy; raise ``DidNotStart`` if it ends first or stays silent for too long."""
        child = self._running
        deadline = asyncio.get_running_loop().time() + _HEALTHY_SECONDS
        while not await self._service.healthy(child):
            if child.returncode is not None:
                raise DidNotStart(self.name, await self._last_words())
            if asyncio.get_running_loop().time() > deadline:
                child.kill()
                raise DidNotStart(self.name, f"not healthy within {_HEALTHY_SECONDS:g} s")
            await asyncio.sleep(0.1)

    def keep(self) -> asyncio.Task[None]:
        """From now on start it again whenever it ends, and say so. The task never ends by itself.

        A service that ``may_end`` and did so in order is left alone.
        """
        self._kept = asyncio.create_task(self._keep(), name=f"keep {self.name}")
        return self._kept

    async def stop(self, hurry: asyncio.Event) -> None:
        """Keep it no longer, and end it in order; at once when ``hurry`` is set. No error if it does not run."""
        if self._kept is not None:
            self._kept.cancel()
        if self._child is not None:
            await self._child.stop(grace_seconds=self._service.grace_seconds, hurry=hurry)

    async def _keep(self) -> None:
        delay = _FIRST_DELAY
        while True:
            began = asyncio.get_running_loop().time()
            code = await self._running.wait()
            if code == 0 and self._service.may_end:
                self._say("ended as it was asked to, and is not started again")
                await asyncio.Event().wait()
            problem = _how_it_ended(code)
            if asyncio.get_running_loop().time() - began > _STEADY_SECONDS:
                delay = _FIRST_DELAY
            delay = await self._start_again(problem, delay)

    async def _start_again(self, problem: str, delay: float) -> float:
        """Try until it is healthy again; return the delay for the next time."""
        while True:
            self._say(f"{problem}; starting it again in {delay:g} s")
            await asyncio.sleep(delay)
            delay = min(delay * 2, _LONGEST_DELAY)
            try:
                await self.start()
                await self.become_healthy()
            except (TaskEngineError, OSError) as failure:
                problem = str(failure)
            else:
                self._say("runs again")
                return delay

    async def _last_words(self) -> str:
        code = await self._running.wait()
        said = [line.strip().removeprefix("taskengine: ") for line in self._running.last_lines if line.strip()]
        return said[-1] if said else _how_it_ended(code)

    @property
    def _running(self) -> Child:
        assert self._child is not None, "start it first"
        return self._child


def _how_it_ended(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"ended with exit code {code}"
