"""A file that counts what really ran: one line when a run starts and one when it ends.

The system's own records cannot prove that nothing was lost or ran twice; this can,
for each line is one appending write, which no crash tears and no other process mixes
with its own.
"""

import json
import os
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line: this run of this job started, or ended (whether well or by an exception)."""

    event: Literal["start", "end"]
    job_id: str
    attempt: int
    pid: int
    at: float
    """Seconds since the epoch, by this machine's clock."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The lines in one file. A file that is not there has none."""

    path: Path

    def note(self, event: Literal["start", "end"], job_id: str, attempt: int) -> None:
        """Append one line."""
        entry = Entry(event=event, job_id=job_id, attempt=attempt, pid=os.getpid(), at=time.time())
        line = json.dumps(asdict(entry)).encode() + b"\n"
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(file, line)
        finally:
            os.close(file)

    def entries(self) -> list[Entry]:
        """Return every line so far, in order of writing."""
        if not self.path.exists():
            return []
        return [Entry(**json.loads(line)) for line in self.path.read_text(encoding="utf-8").splitlines()]

    def starts(self, job_id: str | None = None) -> list[Entry]:
        """Return the starts, of one job or of all."""
        return [entry for entry in self.entries() if entry.event == "start" and job_id in (None, entry.job_id)]

    def ends(self, job_id: str | None = None) -> list[Entry]:
        """Return the ends, of one job or of all."""
        return [entry for entry in self.entries() if entry.event == "end" and job_id in (None, entry.job_id)]

    def started_more_than_once(self) -> set[str]:
        """Return the ids of the jobs that ran more than once, as far as they came."""
        return {job_id for job_id, runs in Counter(entry.job_id for entry in self.starts()).items() if runs > 1}

    def ended_more_than_once(self) -> set[str]:
        """Return the ids of the jobs whose work was done more than once."""
        return {job_id for job_id, runs in Counter(entry.job_id for entry in self.ends()).items() if runs > 1}

    def never_ended(self, job_ids: set[str]) -> set[str]:
        """Return those of these jobs whose work was never done to its end."""
        return job_ids - {entry.job_id for entry in self.ends()}
