"""When a cron rule or an interval ticks, and how to say it in words. Pure: no clock, no Redis.

Times are ms since 1970. What a cron rule does on the days when clocks change is
Debian cron's, by ``cronsim``:

- a rule that names hour and minute (``30 2 * * *``) ticks once every day: at the first moment after the
  gap when its time is skipped, and at the first of the two when its time comes twice;
- a rule whose hour or minute begins with ``*`` goes by the clock on the wall: it leaves out the hour that
  is skipped, and ticks in both of the hours that come twice.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from itertools import count
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from cronsim import CronSim, CronSimError

from taskengine.errors import InvalidInput, did_you_mean

SHORTEST_SECONDS = 1.0
"""Workers look once a second."""
LONGEST_SECONDS = 366 * 86_400.0
_LONGEST_RULE = 200
_ZONE = re.compile(r"[A-Za-z0-9_+\-]{1,32}(/[A-Za-z0-9_+\-]{1,32}){0,2}")
_DAYS, _MINUTE_MS = 86_400, 60_000


def check_cron(rule: object, path: tuple[str, ...] = ("cron",)) -> str:
    """Return a rule of five fields that ticks at some time, its spaces tidied, or raise ``InvalidInput``."""
    if not isinstance(rule, str) or len(rule) > _LONGEST_RULE:
        raise InvalidInput(path, f"expected a cron rule such as '*/5 * * * *', got {rule!r:.60}")
    fields = rule.split()
    if len(fields) != 5:
        names = "minute hour day-of-month month day-of-week"
        raise InvalidInput(path, f"expected five fields ({names}), got {len(fields)}: {rule!r}", "five fields")
    try:
        first = next(CronSim(rule, datetime(2000, 1, 1, tzinfo=UTC)), None)
    except CronSimError as problem:
        raise InvalidInput(path, f"{str(problem).lower()} in {rule!r}", "cron") from None
    if first is None:
        raise InvalidInput(path, f"{rule!r} never comes", "cron")
    return " ".join(fields)


def check_interval(seconds: object, path: tuple[str, ...] = ("everySeconds",)) -> float:
    """Return an interval in seconds, or raise ``InvalidInput``."""
    if (
        isinstance(seconds, (int, float))
        and not isinstance(seconds, bool)
        and SHORTEST_SECONDS <= seconds <= LONGEST_SECONDS
    ):
        return seconds
    raise InvalidInput(
        path,
        f"expected {SHORTEST_SECONDS:g} to {LONGEST_SECONDS:,.0f} seconds, got {seconds!r:.60}",
        f"{SHORTEST_SECONDS:g} to {LONGEST_SECONDS:g}",
    )


@lru_cache(maxsize=256)
def zone(name: object, path: tuple[str, ...] = ("timezone",)) -> tzinfo:
    """Return a time zone by its IANA name, or raise ``InvalidInput``."""
    if name == "UTC":
        return UTC
    if isinstance(name, str) and _ZONE.fullmatch(name):
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a directory, as America
            pass
    hint = did_you_mean(name, available_timezones()) if isinstance(name, str) else ""
    raise InvalidInput(path, f"expected a time zone such as 'Europe/Berlin', got {name!r:.60}{hint}", "IANA time zone")


def cron_ticks(rule: str, timezone: str, after_ms: int) -> Iterator[int]:
    """Yield each tick of a checked rule that is later than ``after_ms``, in order."""
    last = after_ms
    for at in CronSim(rule, datetime.fromtimestamp(after_ms / 1000, tz=zone(timezone))):
        tick = round(at.timestamp() * 1000)
        # Begun in the second of two hours that are alike, CronSim starts with times of the first.
        if tick > last:
            yield tick
            last = tick


def interval_ticks(seconds: float, after_ms: int) -> Iterator[int]:
    """Yield each tick later than ``after_ms``. Counted from 1970, so every 3,600 s is on the hour, whoever asks."""
    step = round(seconds * 1000)
    return count((after_ms // step + 1) * step, step)


def minute_ticks(after_ms: int) -> Iterator[int]:
    """Yield the beginning of each minute later than ``after_ms``."""
    return count((after_ms // _MINUTE_MS + 1) * _MINUTE_MS, _MINUTE_MS)


def cron_in_words(rule: str, timezone: str) -> str:
    """Return a checked rule in plain words, as ``At 02:30 every day (Europe/Berlin)``."""
    return f"{CronSim(rule, datetime(2000, 1, 1, tzinfo=UTC)).explain()} ({timezone})"


def interval_in_words(seconds: float) -> str:
    """Return an interval in plain words, as ``Every 5 minutes``."""
    for size, unit in ((_DAYS, "day"), (3600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size and seconds % size == 0:
            number = int(seconds // size)
            return f"Every {unit}" if number == 1 else f"Every {number} {unit}s"
    return f"Every {seconds:g} seconds"
