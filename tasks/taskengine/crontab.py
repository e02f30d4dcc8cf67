"""Huey's ``crontab(...)`` as a cron rule, where there is one that means the same.

Huey's is a function that looks at a time; the sets that it looks the parts up in
are in its closure. Knows nothing else of Huey.
"""

import inspect
from collections.abc import Callable, Collection
from typing import Any

_MONTHS, _DAYS, _WEEKDAYS, _HOURS, _MINUTES = range(1, 13), range(1, 32), range(7), range(24), range(60)
_ORDER = (_MONTHS, _DAYS, _WEEKDAYS, _HOURS, _MINUTES)


def cron_of(rule: Callable[..., Any]) -> str | None:
    """Return what ``crontab(...)`` returned as a cron rule; ``None`` for any other function.

    Also ``None`` when it names days of the month and of the week: Huey wants both to hold, cron either.
    """
    if getattr(rule, "__qualname__", "") != "crontab.<locals>.validate_date":
        return None
    chosen = inspect.getclosurevars(rule).nonlocals.get("cron_settings")
    if not isinstance(chosen, list) or len(chosen) != len(_ORDER):  # pyright: ignore[reportUnknownArgumentType]
        return None
    months, days, weekdays, hours, minutes = map(_field, chosen, _ORDER)  # pyright: ignore[reportUnknownArgumentType]
    if days != "*" and weekdays != "*":
        return None
    return f"{minutes} {hours} {days} {months} {weekdays}"


def _field(chosen: Collection[int], possible: range) -> str:
    """Return some of the possible values as cron writes them: ``*``, ``*/5``, ``9-17``, ``1,15``."""
    values = sorted({value % 7 for value in chosen} if possible is _WEEKDAYS else chosen)
    if values == list(possible):
        return "*"
    for step in range(2, len(possible)):
        if len(values) > 2 and values == list(possible)[::step]:
            return f"*/{step}"
    return ",".join(_run(first, last) for first, last in _runs(values))


def _run(first: int, last: int) -> str:
    return str(first) if first == last else f"{first}-{last}"


def _runs(values: list[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    for value in values:
        if runs and value == runs[-1][1] + 1:
            runs[-1] = (runs[-1][0], value)
        else:
            runs.append((value, value))
    return runs
