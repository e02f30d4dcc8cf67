"""Process mode: children that run jobs, and what passes between them and their parent.

A child writes on a board which jobs it holds; the parent renews their leases
(C code that keeps the GIL starves a child, not its parent), gives them back at
once when the child dies, and writes on another board which of them to stop.
"""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from huey.consumer import ProcessEnvironment

from taskengine.store import Answer
from taskengine.worker.board import Board
from taskengine.worker.context import JobContext, Released
from taskengine.worker.dispatch import Dispatcher, Held
from taskengine.worker.timeouts import DEAF_SECONDS, Deadline

STOP_SIGNAL = signal.SIGUSR1
"""From the parent to a child: read your orders."""
KILL_SECONDS = 2.0
"""How long a child may take to give its job back before it is killed."""
_TEND_SECONDS = 0.05
_PR_SET_PDEATHSIG = 1


class Slot:
    """A child's place at its worker, and the two boards between the parent and that child."""

    def __init__(self, number: int) -> None:
        """``number``: no two children of a worker have the same, also not one after the other."""
        self.name = str(number)
        self._held = Board()
        self._orders = Board()
        self.held_board = self._held
        self._told: dict[Held, float] = {}
        """What the child was told to stop, and when."""

    def held(self) -> list[Held]:
        """What the child holds, also after its death."""
        written: dict[str, Any] = self._held.read() or {"held": []}
        return [(job_id, lease) for job_id, lease in written["held"]]

    def deadlines(self) -> list[Deadline]:
        """By when the child is to have ended what it runs."""
        written: dict[str, Any] = self._held.read() or {"deadlines": []}
        return [Deadline(*row) for row in written["deadlines"]]

    def overdue(self, now: float) -> list[tuple[Held, Deadline | None]]:
        """Return what the child should have stopped some time ago; with its deadline when it has had its time."""
        held = set(self.held())
        self._told = {pair: at for pair, at in self._told.items() if pair in held}
        late: list[tuple[Held, Deadline | None]] = [
            ((one.job_id, one.lease), one) for one in self.deadlines() if now - one.at > DEAF_SECONDS
        ]
        told = [(pair, None) for pair, at in self._told.items() if now - at > DEAF_SECONDS]
        return [*(one for one in late if one[0] in held), *told]

    def order(self, pid: int, answers: Sequence[tuple[Held, Answer]], *, release: bool = False) -> None:
        """Have the child stop jobs, or with ``release`` give back what it runs."""
        for pair, _ in answers:
            self._told.setdefault(pair, time.monotonic())
        self._orders.write({"answers": [[held, answer] for held, answer in answers], "release": release})
        try:
            os.kill(pid, STOP_SIGNAL)
        except ProcessLookupError:
            return  # it died meanwhile: the health check sees to its jobs

    def obey(self, dispatcher: Dispatcher) -> None:
        """In the child: do as ordered, by raising into the task where it stands."""
        orders: dict[str, Any] = self._orders.read() or {"answers": [], "release": False}
        stopped: list[JobContext] = []
        for (job_id, lease), answer in orders["answers"]:
            context = dispatcher.obey((job_id, lease), Answer(answer))
            stopped += [context] if context is not None else []
        if orders["release"]:
            for context in dispatcher.running():
                context.stop_with(Released())
                stopped.append(context)
        for context in stopped:
            context.interrupt()


class JobProcessEnvironment(ProcessEnvironment):
    """Huey's, with children that leave signals for the whole group to their parent, and do not outlive it."""

    def __init__(self, graceful: signal.Signals, interrupt: signal.Signals, *, parent: int) -> None:
        """``parent``: our process id, for a child cannot tell who its parent was once that is dead."""
        super().__init__(graceful, interrupt)
        self._parent = parent

    def init_child(self, process: Any) -> None:
        """Called in the child, first."""
        del process
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        die_with_parent(self._parent)

    def interrupt_workers(self, procs: Sequence[Any]) -> None:
        """Nothing: the consumer releases the jobs itself, see ``JobConsumer``."""


def die_with_parent(parent: int) -> None:
    """End this process when its parent ends, however that ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def tend_forever(dispatcher: Dispatcher, parent: int) -> None:
    """Start the child's helper: it tends the dispatcher, and ends the process when the parent is gone."""

    def run() -> None:
        while os.getppid() == parent:
            dispatcher.tend()
            time.sleep(_TEND_SECONDS)
        os._exit(1)

    threading.Thread(target=run, name="taskengine-tend", daemon=True).start()


def on_stop_signal(obey: Callable[[], None]) -> None:
    """In the child's main thread: read the orders when told to."""
    signal.signal(STOP_SIGNAL, lambda _number, _frame: obey())
