"""``report.build``: what is counted most often in a folder of text. Nothing but work for a CPU."""

import io
import json
import keyword
import re
import tokenize
from collections import Counter
from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, Field

from taskengine import Backoff, current_job
from taskengine.samples.house import engine, this_job
from taskengine.samples.places import (
    MAX_FILE_BYTES,
    InputPath,
    PathRefused,
    keep_newest,
    output_folder,
    readable_files,
    shown,
    write_once,
)

KEPT_REPORTS = 200
_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")


class Unit(StrEnum):
    """What is counted."""

    WORDS = "WORDS"
    LINES = "LINES"
    IDENTIFIERS = "IDENTIFIERS"
    """Names in Python code, keywords left out."""


class Count(BaseModel):
    """How often one thing was found."""

    value: str
    count: int


class Report(BaseModel):
    """What was found in a folder."""

    folder: str
    unit: Unit
    files: int
    bytes: int
    unreadable: int
    total: int
    distinct: int
    top: list[Count]
    written_to: str


@engine.task(
    name="report.build",
    queue="reports",
    priority=3,
    max_attempts=2,
    timeout=900,
    fail_on=(PathRefused,),
    backoff=Backoff(base_seconds=5, factor=2, cap_seconds=60, jitter=True),
)
def build_report(
    folder: Annotated[InputPath, Field(description="A folder below stdlib/, packaged/ or samples/.")] = "stdlib",
    *,
    unit: Annotated[Unit, Field(description="What to count.")] = Unit.WORDS,
    pattern: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.*?\-]{1,60}$", description="Which files, by name.")] = "*.py",
    top: Annotated[int, Field(ge=1, le=100, description="How many of the most frequent to list.")] = 20,
    min_length: Annotated[int, Field(ge=1, le=40, description="Leave out what is shorter than this.")] = 4,
    max_files: Annotated[int, Field(ge=1, le=5_000, description="Stop after so many files.")] = 300,
) -> Report:
    """Count the words, lines or identifiers in a folder of text, and list the most frequent.

    By default it reads the sources of Python's standard library. The report is also written as
    JSON to the folder reports in the data directory. Heavy on the CPU: give it a worker of its own.
    """
    files = readable_files(folder, pattern, max_files)
    counts: Counter[str] = Counter()
    size = unreadable = 0
    for number, file in enumerate(files, start=1):
        try:
            text = _text_of(file)
            counts.update(found for found in FINDERS[unit](text) if len(found) >= min_length)
            size += len(text.encode())
        except Unreadable:
            unreadable += 1
        current_job.progress(number, total=len(files), message=file.name)
    job_id, _ = this_job()
    reports = output_folder("reports")
    keep_newest(reports, KEPT_REPORTS)
    report_file = reports / f"{job_id}.json"
    report = Report(
        folder=folder,
        unit=unit,
        files=len(files),
        bytes=size,
        unreadable=unreadable,
        total=counts.total(),
        distinct=len(counts),
        top=most_frequent(counts, top),
        written_to=shown(report_file),
    )
    write_once(report_file, json.dumps(report.model_dump(mode="json"), indent=2).encode())
    return report


class Unreadable(ValueError):
    """A file that is not what its name says: not UTF-8, or no Python. Counted, not an error."""


def find_words(text: str) -> Iterable[str]:
    """Yield the words of a text in lower case."""
    return (match.group().lower() for match in _WORD.finditer(text))


def find_lines(text: str) -> Iterable[str]:
    """Yield the lines of a text that are not empty, without their indentation."""
    return (line.strip() for line in text.splitlines() if line.strip())


def find_identifiers(text: str) -> Iterable[str]:
    """Return the names in Python code; raise ``Unreadable`` if it is none."""
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError) as problem:
        raise Unreadable(str(problem)) from None
    return [token.string for token in tokens if token.type == tokenize.NAME and not keyword.iskeyword(token.string)]


FINDERS: dict[Unit, Callable[[str], Iterable[str]]] = {
    Unit.WORDS: find_words,
    Unit.LINES: find_lines,
    Unit.IDENTIFIERS: find_identifiers,
}


def most_frequent(counts: Counter[str], top: int) -> list[Count]:
    """Return the ``top`` counts, highest first; equal ones by name, so that a report is always the same."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Count(value=value[:200], count=count) for value, count in ordered[:top]]


def _text_of(file: Path) -> str:
    with file.open("rb") as content:
        raw = content.read(MAX_FILE_BYTES + 1)
    if len(raw) > MAX_FILE_BYTES:
        raise Unreadable(f"{file.name} has more than {MAX_FILE_BYTES:,} bytes")
    try:
        return raw.decode()
    except UnicodeDecodeError as problem:
        raise Unreadable(f"{file.name}: {problem}") from None
