"""Numbers, times and durations in words. Pure; times come in aware and leave in the viewer's zone."""

import json
import re
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

NOTHING = "—"
"""What stands where there is no value."""

_NAMED_QUEUES = 2
_AT_OF_AN_ADDRESS = re.compile(r"(?<=[-.\w+])@(?=[-\w]+\.)")
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))


def count(number: int) -> str:
    """Return a whole number with its thousands apart: ``12,345``."""
    return f"{number:,}"


def plural(number: int, noun: str, nouns: str | None = None) -> str:
    """Return ``1 job`` or ``3 jobs``."""
    return f"{count(number)} {noun if number == 1 else nouns or noun + 's'}"


def seconds(duration: float | None) -> str:
    """Return a duration to about two digits: ``85 ms``, ``3.2 s``, ``4 min 05 s``, ``2 h 10 min``."""
    if duration is None:
        return NOTHING
    if duration < 1:
        return f"{max(duration, 0) * 1_000:.0f} ms"
    if duration < 10:
        return f"{duration:.1f} s"
    whole = round(duration)
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60:02} s"
    if whole < 86_400:
        return f"{whole // 3_600} h {whole % 3_600 // 60:02} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3_600} h"


def rate(per_second: float) -> str:
    """Return how often in the unit that gives it a whole part: ``12/s``, ``3.4/min``, ``2/h``; ``0/s``."""
    for unit, length in (("s", 1), ("min", 60), ("h", 3_600)):
        if per_second * length >= 1 or (unit == "h" and per_second):
            value = per_second * length
            return f"{value:,.0f}/{unit}" if value >= 100 else f"{value:.2g}/{unit}"
    return "0/s"


def share(part: float | None) -> str:
    """Return 0 to 1 as ``99.2 %``; 100 only when it is all, 0 only when it is none."""
    if part is None:
        return NOTHING
    percent = part * 100
    shown = min(max(percent, 0.1), 99.9) if 0 < part < 1 else percent
    return f"{shown:.0f} %" if part in {0, 1} else f"{shown:.1f} %"


def span(duration: float) -> str:
    """Return a duration that somebody chose, exactly: ``90 s``, ``0.5 s``, ``5 min``, ``1 h``."""
    for length, unit in ((3_600, "h"), (60, "min")):
        if duration % length == 0:
            return f"{number(duration / length)} {unit}"
    return f"{number(duration)} s"


def ago(then: datetime, now: datetime) -> str:
    """Return how long ago in one unit: ``just now``, ``12 s ago``, ``3 min ago``."""
    passed = (now - then).total_seconds()
    if passed < 5:
        return "just now"
    return f"{_in_one_unit(passed)} ago"


def ahead(then: datetime, now: datetime) -> str:
    """Return how far ahead in one unit: ``in 12 s``; ``due now`` once it is reached."""
    left = (then - now).total_seconds()
    return f"in {_in_one_unit(left)}" if left >= 1 else "due now"


def clock(moment: datetime, zone: tzinfo) -> str:
    """Return the time of day: ``14:02:31``."""
    return moment.astimezone(zone).strftime("%H:%M:%S")


def stamp(moment: datetime | None, zone: tzinfo) -> str:
    """Return day and time: ``24 Nov 2026, 14:02:31``."""
    if moment is None:
        return NOTHING
    local = moment.astimezone(zone)
    return f"{local.day} {local:%b %Y, %H:%M:%S}"


def served(queues: Sequence[str]) -> str:
    """Return which queues a worker serves, in a few words: ``all``, ``mail, default + 3``."""
    if "*" in queues:
        return "all"
    named, others = queues[:_NAMED_QUEUES], queues[_NAMED_QUEUES:]
    return ", ".join(named) + (f" + {len(others)}" if others else "")


def short_id(job_id: str) -> str:
    """Return the end of an id, which tells two jobs apart; the beginning is the time of creation."""
    return job_id if len(job_id) <= 12 else f"…{job_id[-8:]}"


def size(number_of_bytes: float) -> str:
    """Return bytes as ``14.2 MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(number_of_bytes) < 1_000:
            return f"{number_of_bytes:.0f} B" if unit == "B" else f"{number_of_bytes:.1f} {unit}"
        number_of_bytes /= 1_000
    return f"{number_of_bytes:.1f} TB"


def number(value: float) -> str:
    """Return a number without needless digits: ``3``, ``2.5``."""
    return f"{value:,.2f}".rstrip("0").rstrip(".") if value % 1 else f"{value:,.0f}"


def pretty(value: Any) -> str:
    """Return JSON as people read it."""
    return json.dumps(value, indent=2, ensure_ascii=False)


def plain(text: str) -> str:
    """Return text so that Markdown shows it as it is: an exception's message is not ours to format."""
    # No escape keeps an e-mail address from becoming a link: it must not be in one piece. The braces take no attributes
    # from what follows.
    return ":color[@]{}".join(map(_escaped, _AT_OF_AN_ADDRESS.split(text)))


def _escaped(text: str) -> str:
    for special in "\\`*_[]<>#$~|:":
        text = text.replace(special, f"\\{special}")
    return text.replace("\n", " ")


def _in_one_unit(passed: float) -> str:
    for length, unit in _UNITS:
        if passed >= length:
            return f"{passed // length:.0f} {unit}"
    return f"{passed:.0f} s"
