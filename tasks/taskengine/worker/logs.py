"""What a task says, kept with its job: ``current_job.log`` and the standard ``logging``.

Lines wait a quarter of a second for company on their way to Redis, at most as
many as are kept of a job anyway; the last ones go with the outcome. A line,
and what is kept of a job, are capped (``lua/append_logs.lua``).
"""

import json
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from traceback import format_exception
from typing import Any

from taskengine.errors import RedisUnavailable
from taskengine.jobs import LogLevel
from taskengine.masks import NO_MASK, Mask
from taskengine.records import dumps, printable
from taskengine.store import Said

LOG_SECONDS = 0.25
LINES_KEPT = 1_000
"""Of a job, as in ``lua/append_logs.lua``; so many wait at most."""
LINES_PER_CALL = 200
MAX_FIELDS_OF_A_LINE = 50
MAX_MESSAGE = 2_000
MAX_FIELDS = 4_000
"""Characters of a message, and of the JSON of its fields."""
_CUT = " ..."

Add = Callable[[LogLevel, str, Mapping[str, Any], str | None], None]


class LogBuffer:
    """The lines of one attempt that were not sent yet. Safe for the threads of a process."""

    def __init__(self, send: Callable[[Sequence[Said]], object]) -> None:
        """``send`` may raise ``RedisUnavailable``: then the lines wait for the next time."""
        self.mask = NO_MASK
        """Takes the job's secrets out of what is said."""
        self._send = send
        self._lock = threading.RLock()
        self._sending = threading.Lock()
        self._lines: deque[Said] = deque(maxlen=LINES_KEPT)
        self._number = 0
        self._sent_at = time.monotonic()
        self._closed = False

    def add(self, level: LogLevel, message: str, fields: Mapping[str, Any], logger: str | None = None) -> None:
        """Note a line."""
        line = line_json(message, fields, logger, self.mask)
        with self._lock:
            if not self._closed:
                self._number += 1
                self._lines.append(Said(self._number, time.monotonic(), level, line))

    def flush(self) -> None:
        """Send what waits, when it has waited long enough."""
        if self._lines and time.monotonic() - self._sent_at >= LOG_SECONDS:
            self.send()

    def send(self) -> None:
        """Send what waits. When Redis is away it is kept."""
        with self._sending:
            self._sent_at = time.monotonic()
            while lines := self._first():
                try:
                    self._send(lines)
                except RedisUnavailable:
                    return
                self._drop(lines[-1].number)

    def take(self) -> list[Said]:
        """Return what was not sent, to go with the outcome. What is said from now on is said too late."""
        with self._sending, self._lock:  # what is on its way arrives, or comes back, before
            self._closed = True
            return list(self._lines)

    def _first(self) -> list[Said]:
        with self._lock:
            return [line for line, _ in zip(self._lines, range(LINES_PER_CALL), strict=False)]

    def _drop(self, number: int) -> None:
        with self._lock:
            while self._lines and self._lines[0].number <= number:
                self._lines.popleft()


class JobLogHandler(logging.Handler):
    """Hands the records of the standard ``logging`` to the job that runs where they are made."""

    def __init__(self, find: Callable[[], Add | None]) -> None:
        """``find`` returns where the job that runs here keeps its lines; ``None`` when there is none."""
        super().__init__()
        self._find = find

    def emit(self, record: logging.LogRecord) -> None:
        ours = any(record.name == name or record.name.startswith(f"{name}.") for name in _NOT_THE_TASKS)
        add = None if ours else self._find()
        if add is None:
            return
        try:
            message, extra = record.getMessage(), _extra(record)
        except Exception:  # noqa: BLE001 - logging's way: arguments that do not fit the format are told on stderr
            self.handleError(record)
            return
        add(level_of(record.levelno), message, extra, record.name)  # may raise, for the task to stop


_NOT_THE_TASKS = ("taskengine.worker", "huey")


@contextmanager
def keeping_logs(find: Callable[[], Add | None]) -> Generator[None]:
    """Have the standard ``logging`` of tasks kept with their jobs, as far as its levels let it through."""
    handler = JobLogHandler(find)
    logging.getLogger().addHandler(handler)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(handler)


def level_of(number: int) -> LogLevel:
    """Return ours for one of ``logging``'s levels."""
    for level in (LogLevel.ERROR, LogLevel.WARNING, LogLevel.INFO):
        if number >= getattr(logging, level):
            return level
    return LogLevel.DEBUG


def line_json(message: str, fields: Mapping[str, Any], logger: str | None, mask: Mask = NO_MASK) -> str:
    """Return what is kept of a line. Fields that JSON cannot say are kept as ``repr`` says them."""
    words = mask(str(message))  # before it is cut, which may leave half a secret
    data: dict[str, Any] = {"message": words if len(words) <= MAX_MESSAGE else words[:MAX_MESSAGE] + _CUT}
    if logger is not None:
        data["logger"] = logger[:200]
    if fields:
        some = islice(fields.items(), MAX_FIELDS_OF_A_LINE)
        data["fields"] = _fitting({mask(str(name))[:200]: mask.plain(_plain(value)) for name, value in some})
    return dumps(_clean(data))


def _plain(value: Any) -> Any:
    if isinstance(value, (str, bool, int, type(None))) or (isinstance(value, float) and math.isfinite(value)):
        return value
    try:
        return json.loads(dumps(value))
    except (TypeError, ValueError, RecursionError):
        return _repr(value)


def _repr(value: Any) -> str:
    try:
        return repr(value)
    except Exception as error:  # noqa: BLE001 - a line about something that cannot be shown is still a line
        return f"({type(value).__name__}: its repr raised {type(error).__name__})"


def _fitting(fields: dict[str, Any]) -> dict[str, Any]:
    """Shorten the longest fields until all of them fit."""
    texts = {name: value if isinstance(value, str) else dumps(value) for name, value in fields.items()}
    while sum(len(name) + len(words) + 8 for name, words in texts.items()) > MAX_FIELDS:
        name = max(texts, key=lambda one: len(texts[one]))
        if len(texts[name]) <= 2 * len(_CUT):
            return {}  # only names, and too many of them
        fields[name] = texts[name] = texts[name][: len(texts[name]) // 2 - len(_CUT)] + _CUT
    return fields


def _clean(value: Any) -> Any:
    """Replace what UTF-8 cannot say, in texts of any depth."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable(name): _clean(item) for name, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(value, list):
        return [_clean(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value


_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    """Return what the caller gave as ``extra``, and the traceback when there is one."""
    fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    if record.exc_info and record.exc_info[1] is not None:
        fields["traceback"] = "".join(format_exception(record.exc_info[1]))
    elif record.exc_text:
        fields["traceback"] = record.exc_text  # a secret was taken out of it
    return fields
