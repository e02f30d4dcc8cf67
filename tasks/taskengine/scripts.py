"""The Lua scripts as things one calls by name: named slots in, an error of ours or a decoded answer out.

A script's own ``local name = ARGV[n]`` lines are its signature; a wrong name
fails here, before Redis is asked. Knows nothing of jobs; does no I/O: ``Call``
is run by whoever holds a connection, synchronous or not.
"""

import hashlib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Generic, TypeVar

from redis import Redis
from redis import asyncio as aioredis
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError, ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from taskengine.errors import (
    IllegalMove,
    JobNotFound,
    LeaseLost,
    QueueFull,
    RedisUnavailable,
    ScheduleDeclared,
    ScheduleNotFound,
    TaskEngineError,
    UnknownDependency,
    WorkerNotFound,
    WorkerOffline,
)

Value = str | bytes | int | float
T = TypeVar("T")

_LUA = files("taskengine") / "lua"
_SLOT = re.compile(r"^local (\w+)\s*=\s*(?:tonumber\()?ARGV\[(\d+)\]", re.MULTILINE)
_ROWS = re.compile(r"^local rows\s*=\s*(\d+) ", re.MULTILINE)
_COMMENT = re.compile(r'^ *--.*\n| +-- [^"\n]*$', re.MULTILINE)
_FUNCTION = re.compile(r"^(?:local )?function (\w+)\([^)\n]*\)(?: .* end|\n(?:(?: .*)?\n)*?end)$\n?", re.MULTILINE)
_DECLARATION = re.compile(r"^local [\w, ]+(?: --.*)?$", re.MULTILINE)
_USE = re.compile(r""" "[^"\n]*" | '[^'\n]*' | (?<![.\w]) ([A-Za-z_]\w*) (?! \w | \ *=[^=]) """, re.VERBOSE)
"""A name, but not one in a text, of a field, or that is given a value."""
_INCLUDE = re.compile(r"^--@include (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Script:
    """One script: its assembled text and the names of its arguments, in order."""

    name: str
    text: str
    sha: str
    slots: tuple[str, ...]
    takes_rows: bool

    def arguments(self, named: dict[str, Value], rows: Sequence[Value]) -> list[Value]:
        """Return ``ARGV``; raise ``TypeError`` if the names are not those of the script."""
        if set(named) != set(self.slots) or (rows and not self.takes_rows):
            wanted = ", ".join(self.slots) + (", *rows" if self.takes_rows else "")
            raise TypeError(f"{self.name}.lua takes ({wanted}), got ({', '.join(named)})")
        return [*(named[slot] for slot in self.slots), *rows]


@cache
def script(name: str) -> Script:
    """Load ``lua/<name>.lua`` with its fragments."""
    source = (_LUA / f"{name}.lua").read_text(encoding="utf-8")
    slots = sorted(((int(number), slot) for slot, number in _SLOT.findall(source)))
    rows = _ROWS.search(source)
    expected = list(range(1, len(slots) + 1))
    if [number for number, _ in slots] != expected or (rows and int(rows[1]) != len(slots) + 1):
        raise TypeError(f"{name}.lua does not number its ARGV from 1 without gaps")
    text = _without_unused(_INCLUDE.sub(lambda line: "\n".join(map(_fragment, line[1].split())), source))
    sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
    return Script(name, text, sha, tuple(slot for _, slot in slots), rows is not None)


def _fragment(name: str) -> str:
    return (_LUA / "fragments" / f"{name}.lua").read_text(encoding="utf-8")


def _without_unused(text: str) -> str:
    """Leave out comments, and functions that nothing calls: Lua makes each anew whenever the script runs."""
    text = _COMMENT.sub("", text)
    bodies = {found[1]: found[0] for found in _FUNCTION.finditer(text)}
    used: set[str] = set()
    unseen = set(_USE.findall(_DECLARATION.sub("", _FUNCTION.sub("", text)))) & bodies.keys()
    while unseen:
        used |= unseen
        unseen = {word for name in unseen for word in _USE.findall(bodies[name])} & bodies.keys() - used
    return _FUNCTION.sub(lambda found: found[0] if found[1] in used else "", text)


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A script with its arguments, and how to read what it answers."""

    script: Script
    prefix: str
    argv: list[Value]
    decode: Callable[[Any], T]

    def run(self, redis: "Redis") -> T:
        """Ask Redis; raise the script's error as ours, or ``RedisUnavailable``."""
        try:
            try:
                answer: Any = redis.evalsha(self.script.sha, 1, self.prefix, *self.argv)
            except NoScriptError:
                answer = redis.eval(self.script.text, 1, self.prefix, *self.argv)
        except RedisError as error:
            raise ours(error) from None
        return self.decode(answer)

    async def arun(self, redis: "aioredis.Redis") -> T:
        """As ``run``, on an asynchronous connection."""
        try:
            try:
                answer: Any = await redis.evalsha(self.script.sha, 1, self.prefix, *self.argv)  # pyright: ignore[reportGeneralTypeIssues]
            except NoScriptError:
                answer = await redis.eval(self.script.text, 1, self.prefix, *self.argv)  # pyright: ignore[reportGeneralTypeIssues]
        except RedisError as error:
            raise ours(error) from None
        return self.decode(answer)


async def arun_all(calls: Sequence[Call[T]], redis: "aioredis.Redis") -> list[T]:
    """Run calls that only look, in one round trip; the first error of any is raised."""
    pipeline = redis.pipeline(transaction=False)
    for one in calls:
        pipeline.evalsha(one.script.sha, 1, one.prefix, *one.argv)  # pyright: ignore[reportUnusedCoroutine]
    try:
        answers: list[Any] = await pipeline.execute(raise_on_error=False) if calls else []
    except RedisError as error:
        raise ours(error) from None
    done: list[T] = []
    for one, answer in zip(calls, answers, strict=True):
        if isinstance(answer, NoScriptError):
            done.append(await one.arun(redis))
        elif isinstance(answer, RedisError):
            raise ours(answer)
        else:
            done.append(one.decode(answer))
    return done


def call(
    name: str, prefix: str, decode: Callable[[Any], T], /, *, rows: Sequence[Value] = (), **named: Value
) -> Call[T]:
    """Bind a script to its arguments by name."""
    bound = script(name)
    return Call(bound, prefix, bound.arguments(named, rows), decode)


_CODES: dict[str, Callable[..., TaskEngineError]] = {
    "JOB_NOT_FOUND": JobNotFound,
    "ILLEGAL_MOVE": IllegalMove,
    "LEASE_LOST": LeaseLost,
    "SCHEDULE_NOT_FOUND": ScheduleNotFound,
    "SCHEDULE_DECLARED": ScheduleDeclared,
    "WORKER_NOT_FOUND": WorkerNotFound,
    "WORKER_OFFLINE": lambda *facts: WorkerOffline(str(facts[0]), int(facts[1]) / 1000),
    "QUEUE_FULL": lambda *why: QueueFull(" ".join(why)),
    "UNKNOWN_DEPENDENCY": lambda *facts: UnknownDependency(int(facts[0]), str(facts[1])),
}


_REFUSAL = re.compile(
    r"(?:^|-)((?:LOADING|BUSY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|READONLY|NOREPLICAS|MISCONF|OOM|NOPERM) .*)"
)
"""What Redis itself objects to. Before 7 a script says ``Error running script ...: -OOM command not allowed ...``."""


def ours(error: RedisError) -> Exception:
    """Return the error of ours that a Redis error means; a bug in a script stays what it is."""
    code, *facts = str(error).split() or [""]
    if isinstance(error, ResponseError) and code in _CODES:
        return _CODES[code](*facts)
    if isinstance(error, (RedisConnectionError, RedisTimeoutError)):
        return RedisUnavailable(f"Redis does not answer: {_first_line(error)}")
    refusal = _REFUSAL.search(f"{error.status_code or ''} {_first_line(error)}".lstrip())
    return RedisUnavailable(f"Redis refuses: {refusal[1]}") if refusal else error


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0]
