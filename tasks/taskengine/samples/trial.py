"""``trial.fail_as_told``: a job that goes wrong in the way that one asks for."""

import os
import signal
import threading
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

from pydantic import BaseModel, Field

from taskengine import Backoff, current_job
from taskengine.samples.house import engine, this_job
from taskengine.samples.luck import FailureRate, breaking_step
from taskengine.samples.places import keep_newest, output_folder

LONGEST_HANG_SECONDS = 900.0
KEPT_MARKS = 200


class Trouble(StrEnum):
    """What kind of error a failure raises."""

    TRANSIENT = "TRANSIENT"
    """A ``ConnectionError``: tried again while attempts are left."""
    PERMANENT = "PERMANENT"
    """A ``ValueError``: fails at once, whatever attempts are left."""


class Crash(StrEnum):
    """Whether the process that runs the job is killed."""

    NEVER = "NEVER"
    ONCE = "ONCE"
    """The first worker dies, the second one finishes the job."""
    ALWAYS = "ALWAYS"
    """Every worker dies, until the job is given up as WorkerLost."""


class TransientTrouble(ConnectionError):
    """Raised because the caller asked for a failure that may pass."""


class PermanentTrouble(ValueError):
    """Raised because the caller asked for a failure that will not pass."""


class Outcome(BaseModel):
    """What a job that got through says."""

    message: str
    attempt: int
    pid: int


@engine.task(
    name="trial.fail_as_told",
    queue="default",
    priority=5,
    max_attempts=4,
    fail_on=(PermanentTrouble,),
    backoff=Backoff(base_seconds=2, factor=2, cap_seconds=30, jitter=True),
)
def fail_as_told(
    failure_rate: FailureRate = 0.5,
    *,
    trouble: Annotated[Trouble, Field(description="What kind of error it fails with.")] = Trouble.TRANSIENT,
    crash: Annotated[
        Crash,
        Field(
            description="Kill the process that runs the job, as the system does when memory runs out. "
            "A worker in thread mode dies with every job it runs; they all run again."
        ),
    ] = Crash.NEVER,
    hang: Annotated[bool, Field(description="Do not end until cancelled, or for 15 minutes.")] = False,
    message: Annotated[str, Field(max_length=200, description="What the error, or the result, says.")] = "as told",
) -> Outcome:
    """Fail, crash or hang, as the arguments say: to see what the system does then.

    Without arguments, every second attempt fails and is tried again.
    """
    job_id, attempt = this_job()
    if crash is Crash.ALWAYS or (crash is Crash.ONCE and _first_time(job_id)):
        _kill_this_process()
    if hang:
        _hang()
    if breaking_step(job_id, attempt, failure_rate, 1) is not None:
        raise TransientTrouble(message) if trouble is Trouble.TRANSIENT else PermanentTrouble(message)
    return Outcome(message=message, attempt=attempt, pid=os.getpid())


def _first_time(job_id: str) -> bool:
    """Leave a mark on disk, which outlives this process, and say whether there was none."""
    marks = output_folder("crashes")
    keep_newest(marks, KEPT_MARKS)
    try:
        Path(marks, job_id).touch(exist_ok=False)
    except FileExistsError:
        return False
    return True


def _kill_this_process() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("unreachable: SIGKILL cannot be caught")


def _hang() -> NoReturn:
    """Hold until cancelled: ``check`` raises then. Looks ten times a second, and keeps no CPU busy."""
    never = threading.Event()
    ends_at = time.monotonic() + LONGEST_HANG_SECONDS
    while time.monotonic() < ends_at:
        current_job.check()
        never.wait(0.1)
    raise TransientTrouble(f"nobody cancelled it within {LONGEST_HANG_SECONDS:.0f} seconds")
