"""Raising an exception into a task where it stands: into its own code, never into ours, and at most once.

A gate stands around the task's code. It is open while that runs, and shielded
while the task is in ours (``current_job.progress`` and the like), so that no
lock stays held and no answer of Redis half read. What cannot be raised is
heard at the next checkpoint.

Once only, so that what follows the task's code can be exact: when one
exception has come, no other is on its way. One that came while a finalizer ran
or the garbage was collected did not reach the task, for Python drops it
there; the gate takes notice, and may be fired again.
"""

import asyncio
import ctypes
import sys
import threading
from collections.abc import Callable
from functools import cache
from typing import Any, Protocol, TypeVar

T = TypeVar("T")

_NOTHING = object()


class Gate(Protocol):
    """How a task is interrupted depends on what runs it."""

    @property
    def told(self) -> bool:
        """Whether the task knows: it was interrupted, or will be where it awaits."""
        ...

    def fire(self, reason: BaseException) -> None:
        """Interrupt the task now, if its own code runs and it was not interrupted before."""

    def shield(self) -> None:
        """The task enters our code."""

    def unshield(self) -> None:
        """The task leaves our code."""


class SignalGate:
    """For a task in the main thread: a signal's handler calls ``fire``, and so interrupts also a blocking call."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._open = False
        self._shields = 0
        self._reason: BaseException | None = None

    @property
    def told(self) -> bool:
        return self._reason is not None

    def fire(self, reason: BaseException) -> None:
        """Raise the reason here, when here is the task's own code. Elsewhere than in its thread, do nothing."""
        if threading.get_ident() == self._thread and self._open and not self._shields and not self.told:
            self._reason = reason
            raise reason

    def dropped(self, error: BaseException | None) -> bool:
        """Python dropped an exception: if it was the one that was fired, the gate can be fired again."""
        ours = error is not None and error is self._reason
        if ours:
            self._reason = None
        return ours

    def shield(self) -> None:
        if threading.get_ident() == self._thread:
            self._shields += 1

    def unshield(self) -> None:
        if threading.get_ident() == self._thread:
            self._shields -= 1

    def run(self, call: Callable[[], T]) -> T:
        """Call the task's code; raise what it raises, or what was raised into it."""
        return _run_between(self._enter, call, self._exit, lambda: self.told)

    def _enter(self) -> None:
        _open_gates().add(self)
        self._open = True

    def _exit(self) -> None:
        self._open = False
        _open_gates().discard(self)


class ThreadGate:
    """For a task in another thread than the main one: ``fire`` is called by any thread.

    The exception arrives with the next instruction of Python that the thread executes; a blocking call
    is left when it returns.
    """

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        self._open = False
        self._shields = 0
        self._fired: type[BaseException] | None = None
        self.told = False
        """Whether the exception arrived: it may be taken back on its way."""

    def fire(self, reason: BaseException) -> None:
        with self._lock:
            if self._open and not self._shields and not self._fired:
                self._fired = _kind_of(reason, self._arrived)
                _raise_in(self._thread, self._fired)

    def dropped(self, error: BaseException | None) -> bool:
        """Python dropped an exception: if it was the one that was fired, the gate can be fired again."""
        ours = error is not None and type(error) is self._fired
        if ours:
            self.told = False
            self._fired = None  # last: then it can be fired
        return ours

    def shield(self) -> None:
        """From here on nothing is raised. What was on its way is taken back: our code tells the task itself."""
        if threading.get_ident() == self._thread:
            with self._lock:
                self._shields += 1
                self._take_back()

    def unshield(self) -> None:
        if threading.get_ident() == self._thread:
            with self._lock:
                self._shields -= 1

    def run(self, call: Callable[[], T]) -> T:
        """Call the task's code; raise what it raises, or what was raised into it."""
        return _run_between(self._enter, call, self._exit, lambda: self._fired is not None)

    def _arrived(self) -> None:
        self.told = True

    def _enter(self) -> None:
        _open_gates().add(self)
        with self._lock:
            self._open = True

    def _exit(self) -> None:
        with self._lock:
            self._open = False
            self._take_back()
        _open_gates().discard(self)

    def _take_back(self) -> None:
        if self._fired:
            _raise_in(self._thread, None)


class LoopGate:
    """For a coroutine: ``fire`` cancels it, from any thread. It ends where it awaits, so never in our code."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._task: asyncio.Task[Any] | None = None
        self.reason: BaseException | None = None
        """Why the coroutine was cancelled, when it was by us."""

    @property
    def told(self) -> bool:
        return self.reason is not None

    def fire(self, reason: BaseException) -> None:
        if self.reason is None:
            self.reason = reason
            self._loop.call_soon_threadsafe(self._cancel)

    def attach(self, task: "asyncio.Task[Any]") -> None:
        """In the loop: this is the one."""
        self._task = task
        if self.reason is not None:
            self._cancel()

    def shield(self) -> None:
        """Nothing: a coroutine in our code does not await."""

    def unshield(self) -> None:
        """Nothing."""

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()


def _run_between(enter: Callable[[], None], call: Callable[[], T], leave: Callable[[], None],
                 was_fired: Callable[[], bool]) -> T:  # fmt: skip
    """Call between the two; an exception from outside may come at any instruction, but only one does.

    When it comes after the call returned, on the way out, the task had done its work: it is dropped.
    """
    result: Any = _NOTHING
    try:
        try:
            enter()
            result = call()
        finally:
            leave()
    except BaseException:
        leave()  # the first may have been cut short; no other exception can come now
        if result is _NOTHING or not was_fired():
            raise
    return result


@cache
def _open_gates() -> set[SignalGate | ThreadGate]:
    """Return the gates that are open in this process; from the first call on they hear what Python drops."""
    gates: set[SignalGate | ThreadGate] = set()
    before = sys.unraisablehook

    def hear(unraisable: "sys.UnraisableHookArgs", /) -> None:
        if not any(gate.dropped(unraisable.exc_value) for gate in tuple(gates)):
            before(unraisable)

    sys.unraisablehook = hear
    return gates


def _raise_in(thread: int, kind: type[BaseException] | None) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), None if kind is None else ctypes.py_object(kind))


def _kind_of(reason: BaseException, arrived: Callable[[], None]) -> type[BaseException]:
    """Return a class whose instances are made without arguments and are like the reason: CPython takes only a class."""
    kind = type(reason)

    def make(self: BaseException, *_: Any) -> None:
        arrived()
        self.args = reason.args
        self.__dict__.update(reason.__dict__)

    return type(kind.__name__, (kind,), {"__init__": make, "__module__": kind.__module__, "__doc__": kind.__doc__})
