"""Lines of a job's log as text. Pure."""

import json
from collections.abc import Sequence
from datetime import tzinfo

from taskengine_dashboard.shapes import is_object
from taskengine_dashboard.views.job.questions import LogLine

LEVELS = {"DEBUG": "All", "INFO": "Info", "WARNING": "Warnings", "ERROR": "Errors"}
"""The least that is shown, and what that is called."""


def found(lines: Sequence[LogLine], text: str) -> Sequence[LogLine]:
    """Return the lines that say this, in any case, in what is told of them by name too."""
    wanted = text.strip().lower()
    return [line for line in lines if wanted in _said(line).lower()]


def shown(lines: Sequence[LogLine], zone: tzinfo) -> str:
    """Return lines as a page shows them: time of day, level, run, message."""
    return "\n".join(
        f"{line.at.astimezone(zone):%H:%M:%S}.{line.at.microsecond // 1000:03} {line.level:<7} "
        f"run {line.attempt}  {_said(line)}"
        for line in lines
    )


def file(lines: Sequence[LogLine]) -> str:
    """Return lines as a file has them: times in full, in UTC, and who said it."""
    return "".join(
        f"{line.at.isoformat()} {line.level} run={line.attempt} {line.logger or '-'} {_said(line)}\n" for line in lines
    )


def _said(line: LogLine) -> str:
    if not is_object(line.fields):
        return line.message
    fields = " ".join(f"{name}={_value(value)}" for name, value in line.fields.items())
    return f"{line.message} {fields}".rstrip()


def _value(value: object) -> str:
    return value if isinstance(value, str) and " " not in value else json.dumps(value, ensure_ascii=False)
